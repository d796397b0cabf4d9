"""Lengths that settings bound, and what a JSON schema says of values that code checks.

A schema shows the defaults of the settings: it describes the product, not one deployment of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from chalicelib.settings import Limits, get_settings

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

DEFAULTS = Limits()


class AtMost:
    """A text or list of at most as many characters or entries as the limit of that name allows."""

    def __init__(self, limit: str, of: str = "characters") -> None:
        self.limit = limit
        self.of = of

    def check(self, value: Any) -> Any:
        """Raises:
        ValueError: it is too long. None is no value, which is another's business.
        """
        limit = getattr(get_settings().limits, self.limit)
        if value is not None and len(value) > limit:
            raise ValueError(f"has {len(value)} {self.of}, the limit is {limit}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        shown = handler(schema)
        key = "maxLength" if self.of == "characters" else "maxItems"
        return shown | {key: getattr(DEFAULTS, self.limit)}


class AtMostBytes:
    """A value of at most so many bytes as JSON in UTF-8, which a schema can only say in words."""

    def check(self, value: Any) -> Any:
        """Raises:
        ValueError: it is larger.
        """
        limit = get_settings().limits.content_bytes
        if len(json.dumps(value, ensure_ascii=False).encode()) > limit:
            raise ValueError(f"is larger than {limit} bytes")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        shown = handler(schema)
        words = f"At most {DEFAULTS.content_bytes:,} bytes as JSON."
        return shown | {"description": f"{shown.get('description', '')} {words}".strip()}


class Shown:
    """What the JSON schema says of a value: added to what follows from its type, or with `instead` in its place."""

    def __init__(self, schema: Mapping[str, Any], *, instead: bool = False) -> None:
        self.schema = schema
        self.instead = instead

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.schema) if self.instead else handler(schema) | dict(self.schema)


END = r"$(?!\n)"
"""the end of a text in a pattern; by itself `$` is in Python also what stands before a last line break"""

SCALAR: Mapping[str, Any] = {
    "type": ["string", "number", "boolean", "null"],
    "maxLength": DEFAULTS.value_characters,
}
"""what an attribute of a field holds"""


class Whole(Shown):
    """A whole number, where its digits in a text are as good, and true and false count as 1 and 0.

    A text of digits is just that: what pydantic reads beside it (`1_0`, ` 1 `, `1.0`) is refused.
    """

    def __init__(self, numbers: Mapping[str, Any], *, digits: str) -> None:
        forms = [{"type": "integer", **numbers}, {"type": "string", "pattern": digits}, {"type": "boolean"}]
        super().__init__({"anyOf": forms}, instead=True)
        self.digits = digits

    def check(self, value: Any) -> Any:
        """Raises:
        ValueError: it is a text of something else.
        """
        if isinstance(value, str) and not re.search(self.digits, value):
            raise ValueError("must be a whole number")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))


def one_of(*values: Any) -> dict[str, Any]:
    """One of some values, each kind of them apart: an enumeration of several kinds has no type in most languages."""
    kinds: list[dict[str, Any]] = []
    for kind in (str, int):
        if found := [value for value in values if type(value) is kind]:
            kinds.append({"type": {str: "string", int: "integer"}[kind], "enum": found})
    flags = {value for value in values if isinstance(value, bool)}
    if flags:
        kinds.append({"type": "boolean"} if len(flags) == 2 else {"const": flags.pop()})
    return {"anyOf": [*kinds, *([{"type": "null"}] if None in values else [])]}


EMPTY: Mapping[str, Mapping[str, Any]] = {
    "array": {"type": "array", "items": {}, "maxItems": 0},
    "object": {"type": "object", "maxProperties": 0},
}
"""values without content; the entries are of any kind, since there are none"""


class OrEmpty:
    """What may also be written as null, or as an empty array where an object belongs and the other way round."""

    def __init__(self, empty: str) -> None:
        self.empty = empty

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), dict(EMPTY[self.empty]), {"type": "null"}]}
