"""Parameters of paths and queries, from what routes declare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import singledispatch
from typing import Any

from chalicelib.api.declared import Choice, Clamped, Day, Filters, Operation, Parameter, TemplateId, Whole
from chalicelib.domain.filtering import LARGEST_VALUE_CHARACTERS, Kind, Predicate
from chalicelib.schemas.bounds import DEFAULTS, END
from openapi import shared
from openapi.models import Schema
from openapi.path_parameters import describe_name

Document = dict[str, Any]


def describe(operation: Operation) -> list[Document]:
    """All parameters of an operation: of its path, of its query, and those that it shares with others."""
    return [*_of_path(operation), *_of_query(operation.declared.query), *shared.parameters_of(operation)]


def _of_path(operation: Operation) -> Iterator[Document]:
    for name in re.findall(r"{([a-z_]+)}", operation.path):
        kind = operation.declared.names.get(name, name)
        yield {"name": name, "in": "path", "required": True, **describe_name(operation.dialect, kind)}


def _of_query(parameters: Iterable[Parameter]) -> Iterator[Document]:
    for parameter in parameters:
        shown: Document = {"name": parameter.name, "in": "query", "description": parameter.text, "required": False}
        if isinstance(parameter, Filters):
            shown |= {"style": "deepObject", "explode": True}
        yield {**shown, "schema": schema_of(parameter)}


EMPTY: Schema = {"type": "string", "maxLength": 0}
"""a parameter without a value is as good as none"""


@singledispatch
def schema_of(parameter: Parameter) -> Schema:
    """The schema of a query parameter."""
    return {"type": "string"}


@schema_of.register
def _(parameter: Whole) -> Schema:
    number = _number(parameter)
    return {"anyOf": [number, EMPTY], "default": parameter.default}


@schema_of.register
def _(parameter: Clamped) -> Schema:
    number = _number(parameter)
    return {
        "anyOf": [number, {"type": "string"}],
        "default": parameter.default,
        "description": "Nothing is refused: a number is brought into its range, and what is none is the default.",
    }


def _number(parameter: Whole) -> Schema:
    most = getattr(DEFAULTS, parameter.most) if isinstance(parameter.most, str) else parameter.most
    return {"type": "integer", "minimum": parameter.least, "maximum": most}


@schema_of.register
def _(parameter: Choice) -> Schema:
    # in any case: a pattern says so exactly, and the words themselves are what a reader looks for
    anyhow = "|".join(
        "".join(f"[{letter.lower()}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
        for word in parameter.choices
    )
    schema: Schema = {
        "anyOf": [
            {"title": parameter.name, "enum": list(parameter.choices)},
            {"type": "string", "pattern": f"^({anyhow})?{END}"},
        ],
    }
    return schema if parameter.default is None else schema | {"default": parameter.default}


@schema_of.register
def _(parameter: TemplateId) -> Schema:
    return {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**53 - 1}, EMPTY]}


@schema_of.register
def _(parameter: Day) -> Schema:
    return {"type": "string", "format": "date", "examples": ["2016-06-29"]}


@schema_of.register
def _(parameter: Filters) -> Schema:
    values: Schema = {
        f"{attribute}_{predicate}": _value_schema(kind, predicate)
        for attribute, kind in parameter.attributes.items()
        for predicate in Predicate
    }
    words = [f"{attribute}{direction}" for attribute in parameter.attributes for direction in ("", " asc", " desc")]
    return {
        "type": "object",
        "properties": {"s": {"enum": words, "description": "The order."}} | values,
        "maxProperties": DEFAULTS.filters,
        "additionalProperties": False,
    }


_TIMES = (Kind.TIME, Kind.PRECISE_TIME)


def _value_schema(kind: Kind, predicate: Predicate) -> Schema:
    if predicate in (Predicate.MATCHES, Predicate.CONT):
        return {"type": "string", "maxLength": LARGEST_VALUE_CHARACTERS}
    if kind in _TIMES:
        return {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    return {"type": "string", "maxLength": LARGEST_VALUE_CHARACTERS}
