"""Cells of CSV files, which hold nothing but text, and the values that passes hold.

An empty cell says nothing. A value that is no text, and a text that would be read as something else, stands behind
`json:`; a number where the template has a number stands there as it is. So what is written reads back as the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Never

from chalicelib.domain.errors import InvalidRequest

TYPED = "json:"

SEPARATORS = ";|"
"""between the tags of one cell; a backslash before one of them, or before a backslash, makes it part of the name"""

_ESCAPE = "\\"

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""how a cell begins that spreadsheets take for a formula"""


def read_cell(text: str, *, like: Any = None) -> Any:
    """The value of a cell that is not empty; `like` is the template's own value.

    Raises:
        InvalidRequest: what stands behind `json:` is no JSON.
    """
    if text.startswith(TYPED):
        return read_json(text.removeprefix(TYPED))
    if isinstance(like, bool):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(like, int | float):
        return _read_number(text)
    return text


def write_cell(value: Any, *, like: Any = None) -> str:
    """The text that `read_cell` reads as the same value."""
    plain = value if isinstance(value, str) else write_json(value)
    if plain and not plain.startswith(TYPED) and is_same(read_cell(plain, like=like), value):
        return plain
    return TYPED + write_json(value)


def read_json(text: str) -> Any:
    """A JSON document, without what JSON does not know although Python does.

    Raises:
        InvalidRequest
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_float)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{text[:40]!r} is no JSON") from error


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same type; 1, 1.0 and true are three values."""
    return type(one) is type(other) and bool(one == other)


def split_tags(text: str) -> list[str]:
    """The tags of a cell, without spaces around them; empty ones are left out."""
    parts, characters = [""], iter(text)
    for character in characters:
        if character in SEPARATORS:
            parts.append("")
        elif character == _ESCAPE:
            following = next(characters, "")
            parts[-1] += following if following and following in SEPARATORS + _ESCAPE else _ESCAPE + following
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def join_tags(names: Iterable[str]) -> str:
    """The cell that `split_tags` reads as the same tags."""
    special = SEPARATORS + _ESCAPE
    return SEPARATORS[0].join(
        "".join(_ESCAPE + character if character in special else character for character in name) for name in names
    )


def guard_formula(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: it gets an apostrophe, which is not taken off again."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _read_number(text: str) -> Any:
    """A number that is written as JSON writes it; any other text is left as it is, so that 007 keeps its zeros."""
    try:
        number = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return number if is_number and math.isfinite(number) and write_json(number) == text else text


def write_json(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number
