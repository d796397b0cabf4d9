"""Filters and order of lists, as Ransack has them (passworks-v2, sections 5 and 12).

A value is read once, when the query is, and compared with what each row shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from chalicelib.domain.errors import InvalidFilter

Item = TypeVar("Item")

LARGEST_VALUE_CHARACTERS = 1000
"""of a filter's value; no attribute that can be filtered holds more"""


class Kind(StrEnum):
    """What an attribute holds, and so how it is compared."""

    TEXT = "text"
    """exactly, in the order of code points"""
    UUID = "uuid"
    """as text; it is told apart so that a list may look rows up instead of reading all"""
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    """an instant that the list shows to the second"""
    PRECISE_TIME = "precise time"
    """an instant that the list shows to the millisecond"""


class Predicate(StrEnum):
    """How a condition compares, by its name in the query."""

    EQ = "eq"
    NOT_EQ = "not_eq"
    MATCHES = "matches"
    CONT = "cont"
    LT = "lt"
    LTEQ = "lteq"
    GT = "gt"
    GTEQ = "gteq"


Value = str | Decimal | bool | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One filter. Made by `make_condition`.

    `value` has the type that the attribute's kind compares: it is None where no row can have what was written, and the
    text as written for `matches` and `cont`, which compare with what a list shows.
    """

    attribute: str
    kind: Kind
    predicate: Predicate
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """The attribute that a list is ordered by."""

    attribute: str
    kind: Kind
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a list is asked for: every condition must hold. Without an ordering the list's own order stays."""

    conditions: tuple[Condition, ...] = ()
    ordering: Ordering | None = None


def make_condition(*, attribute: str, kind: Kind, predicate: Predicate, text: str) -> Condition:
    """A condition on what a client wrote.

    Raises:
        InvalidFilter: a time that is none, or a text longer than any value.
    """
    if len(text) > LARGEST_VALUE_CHARACTERS:
        problem = f"The value of '{attribute}_{predicate}' is too long"
        raise InvalidFilter(problem, advice=f"At most {LARGEST_VALUE_CHARACTERS} characters.")
    if predicate in (Predicate.MATCHES, Predicate.CONT):
        return Condition(attribute=attribute, kind=kind, predicate=predicate, value=text)
    if kind in (Kind.TIME, Kind.PRECISE_TIME) and parse_time(text) is None:
        problem = f"The value of '{attribute}_{predicate}' is no time"
        raise InvalidFilter(problem, advice="Write ISO 8601, such as 2016-11-09T11:10:00Z, or YYYY-MM-DD.")
    return Condition(attribute=attribute, kind=kind, predicate=predicate, value=_READERS[kind](text))


_ISO_TIME = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?", re.ASCII)
_LOST_PLUS = re.compile(r"(T[0-9:.,]+) ([0-9]{2}:?[0-9]{2})")
"""`+` that was not percent-encoded, and so became a space"""


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 time, UTC if it names no offset, or a date, which is its midnight in UTC; None if it is neither."""
    text = text.strip().upper()
    lost = _LOST_PLUS.search(text)
    if lost:
        text = f"{text[: lost.start()]}{lost[1]}+{lost[2]}"
    if not _ISO_TIME.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def _read_number(text: str) -> Decimal | None:
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def _read_boolean(text: str) -> bool | None:
    return _BOOLEANS.get(text.strip().lower())


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: str,
    Kind.UUID: str,
    Kind.NUMBER: _read_number,
    Kind.BOOLEAN: _read_boolean,
    Kind.TIME: parse_time,
    Kind.PRECISE_TIME: parse_time,
}

_COMPARISONS: dict[Predicate, Callable[[Any, Any], bool]] = {
    Predicate.LT: lambda actual, value: actual < value,
    Predicate.LTEQ: lambda actual, value: actual <= value,
    Predicate.GT: lambda actual, value: actual > value,
    Predicate.GTEQ: lambda actual, value: actual >= value,
}


def matches(condition: Condition, actual: Any) -> bool:
    """Whether a row's attribute meets a condition. `actual` is what the row has: a text, number, boolean or aware time.

    Times count as the list shows them, so that filtering by a shown value finds its row. A row without a value (None)
    meets `not_eq` alone, which is the opposite of `eq` in every case.
    """
    if condition.predicate is Predicate.NOT_EQ:
        return not _equals(condition, actual)
    if actual is None or condition.value is None:
        return False
    if condition.predicate is Predicate.EQ:
        return _equals(condition, actual)
    if condition.predicate is Predicate.MATCHES:
        return is_like(show(condition.kind, actual), str(condition.value))
    if condition.predicate is Predicate.CONT:
        return _fold(str(condition.value)) in _fold(show(condition.kind, actual))
    return _COMPARISONS[condition.predicate](_comparable(condition.kind, actual), condition.value)


def _equals(condition: Condition, actual: Any) -> bool:
    if actual is None or condition.value is None:
        return False
    return bool(_comparable(condition.kind, actual) == condition.value)


def _comparable(kind: Kind, actual: Any) -> Any:
    if kind is Kind.TIME:
        return actual.replace(microsecond=0)
    if kind is Kind.PRECISE_TIME:
        return actual.replace(microsecond=actual.microsecond // 1000 * 1000)
    return str(actual) if kind in (Kind.TEXT, Kind.UUID) else actual


def show(kind: Kind, actual: Any) -> str:
    """A value as a list shows it, for what compares texts."""
    if kind in (Kind.TIME, Kind.PRECISE_TIME):
        precision = "seconds" if kind is Kind.TIME else "milliseconds"
        text: str = actual.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision)
        return text + "Z"
    return str(actual).lower() if kind is Kind.BOOLEAN else str(actual)


def is_like(text: str, pattern: str) -> bool:
    """SQL's LIKE without letter case: `%` is any run of characters, `_` any one. Nothing escapes either.

    Takes at most as many steps as the two lengths multiplied, whatever the pattern.
    """
    text, pattern = _fold(text), _fold(pattern)
    at, place = 0, 0
    run_at, run_place = 0, -1
    while at < len(text):
        wanted = pattern[place] if place < len(pattern) else None
        if wanted == "%":
            run_at, run_place = at, place
            place += 1
        elif wanted in ("_", text[at]):
            at, place = at + 1, place + 1
        elif run_place >= 0:  # let the last run take one character more
            run_at += 1
            at, place = run_at, run_place + 1
        else:
            return False
    return set(pattern[place:]) <= {"%"}


@lru_cache(maxsize=64)
def _fold_each(text: str) -> str:
    return "".join(_fold_character(character) for character in text)


def _fold(text: str) -> str:
    """Without letter case, and with as many characters as before, since `_` counts them."""
    return text.lower() if text.isascii() else _fold_each(text)


def _fold_character(character: str) -> str:
    return next((form for form in (character.casefold(), character.lower()) if len(form) == 1), character)


def select(items: Iterable[Item], *, query: Query, read: Callable[[Item, str], Any]) -> list[Item]:
    """The items that meet every condition, ordered. `read` gives an item's attribute by name.

    Items that are equal in the order keep their places. Those without a value come last, whatever the direction.
    """
    found = [
        item
        for item in items
        if all(matches(condition, read(item, condition.attribute)) for condition in query.conditions)
    ]
    ordering = query.ordering
    if ordering is None:
        return found
    keys = [(read(item, ordering.attribute), item) for item in found]
    with_value = [(_comparable(ordering.kind, key), item) for key, item in keys if key is not None]
    with_value.sort(key=lambda pair: pair[0], reverse=ordering.descending)
    return [item for _, item in with_value] + [item for key, item in keys if key is None]
