"""The rows of requests that name a key, as a pynamodb model; `models.py` says how it is bound."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class IdempotencyRow(Model):
    """A key of a project; DynamoDB forgets it after its day. Or a further part of an answer that is too large for it.

    `owner` is that of the request at work; once there is an answer another, so that no request takes itself for that.
    """

    class Meta:
        table_name = "idempotency"

    key = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)
    notes = UnicodeAttribute(null=True)
    status = NumberAttribute(null=True)
    headers = UnicodeAttribute(null=True)
    body = UnicodeAttribute(null=True)
    parts = NumberAttribute(null=True)
    expires_at = NumberAttribute()
