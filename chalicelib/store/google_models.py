"""The rows of what Google has, as pynamodb models; `models.py` says how they are bound."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class GoogleObjectRow(Model):
    """A class, an object, or the pace of an account: `class#<template>`, `object#<pass>`, `rate#<account>`."""

    class Meta:
        table_name = "google-objects"

    key = UnicodeAttribute(hash_key=True)
    digest = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    document = UnicodeAttribute(null=True)
    """JSON: everything else of a class or an object"""
    allowed_at = NumberAttribute(null=True)
    """of an account: microseconds since 1970"""
