"""Conditions and order against plain models of them (passworks-v2, sections 5 and 12)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidFilter
from chalicelib.domain.filtering import (
    LARGEST_VALUE_CHARACTERS,
    Kind,
    Ordering,
    Predicate,
    Query,
    is_like,
    make_condition,
    matches,
    parse_time,
    select,
    show,
)

SHOWN = datetime(2016, 11, 9, 11, 9, 0, 745_900, UTC)

_texts = st.text(alphabet="abAB%_.ßé\n", max_size=12)
_times = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def holds(kind: Kind, predicate: str, text: str, actual: Any) -> bool:
    condition = make_condition(attribute="a", kind=kind, predicate=Predicate(predicate), text=text)
    return matches(condition, actual)


# LIKE


def _model_of_like(text: str, pattern: str) -> bool:
    parts = {"%": ".*", "_": "."}
    expression = "".join(parts.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None


@given(text=_texts, pattern=_texts)
@example(text="", pattern="")
@example(text="", pattern="%")
@example(text="ab", pattern="%%b%")
@example(text="aab", pattern="%ab")
@example(text="%", pattern="_")
def test_matches_is_like_with_runs_and_single_characters(text: str, pattern: str) -> None:
    assert is_like(text, pattern) == _model_of_like(text, pattern)


@given(text=_texts, part=st.text(alphabet="abABé", max_size=3))
def test_cont_is_matches_with_a_run_on_either_side(text: str, part: str) -> None:
    assert holds(Kind.TEXT, "cont", part, text) == holds(Kind.TEXT, "matches", f"%{part}%", text)


def test_cont_takes_wildcards_as_they_are() -> None:
    assert holds(Kind.TEXT, "cont", "0%_", "10%_off")
    assert not holds(Kind.TEXT, "cont", "1%f", "10%_off")


@pytest.mark.parametrize(("text", "pattern"), [("ÉTÉ", "été"), ("Ωμέγα", "ωΜΈΓΑ"), ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς")])
def test_letter_case_is_ignored_beyond_ascii(text: str, pattern: str) -> None:
    assert is_like(text, pattern)


@pytest.mark.parametrize("text", ["ß", "İ", "ﬁ"])
def test_a_character_stays_one_character_in_every_case(text: str) -> None:
    assert is_like(text, "_")
    assert is_like(text, text)


@pytest.mark.timeout(60)  # a backtracking search would not end
def test_a_pattern_made_to_be_slow_is_not() -> None:
    text = "a" * LARGEST_VALUE_CHARACTERS
    pattern = "%a" * (LARGEST_VALUE_CHARACTERS // 2 - 1) + "%b"

    assert not is_like(text, pattern)


# Comparisons


@given(actual=st.none() | _texts, text=_texts)
def test_texts_compare_exactly_and_in_code_point_order(actual: str | None, text: str) -> None:
    assert holds(Kind.TEXT, "eq", text, actual) == (actual == text)
    assert holds(Kind.TEXT, "not_eq", text, actual) == (actual != text)
    assert holds(Kind.TEXT, "lt", text, actual) == (actual is not None and actual < text)
    assert holds(Kind.TEXT, "gteq", text, actual) == (actual is not None and actual >= text)


@given(
    actual=st.none() | st.integers(-5, 5), number=st.integers(-5, 5), written=st.sampled_from(["{}", " {} ", "{}.0"])
)
def test_numbers_compare_by_value(actual: int | None, number: int, written: str) -> None:
    text = written.format(number)
    assert holds(Kind.NUMBER, "eq", text, actual) == (actual == number)
    assert holds(Kind.NUMBER, "not_eq", text, actual) == (actual != number)
    assert holds(Kind.NUMBER, "lt", text, actual) == (actual is not None and actual < number)
    assert holds(Kind.NUMBER, "lteq", text, actual) == (actual is not None and actual <= number)
    assert holds(Kind.NUMBER, "gt", text, actual) == (actual is not None and actual > number)
    assert holds(Kind.NUMBER, "gteq", text, actual) == (actual is not None and actual >= number)


def test_a_number_may_lie_between_two_whole_ones() -> None:
    assert holds(Kind.NUMBER, "gt", "2.5", 3)
    assert not holds(Kind.NUMBER, "gt", "2.5", 2)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False), (" False ", False)]
)
def test_booleans_have_four_spellings(text: str, value: bool) -> None:
    assert holds(Kind.BOOLEAN, "eq", text, value)
    assert not holds(Kind.BOOLEAN, "eq", text, not value)
    assert holds(Kind.BOOLEAN, "not_eq", text, not value)


@pytest.mark.parametrize(
    ("kind", "text", "actual"),
    [
        (Kind.TEXT, "foo", "passbook"),
        (Kind.UUID, "no-uuid", "ed2951b4-1127-4a96-a2b1-8a73adb4b2db"),
        (Kind.NUMBER, "many", 3),
        (Kind.NUMBER, "", 0),
        (Kind.NUMBER, "NaN", 0),
        (Kind.NUMBER, "1e5", 100_000),
        (Kind.NUMBER, "9" * 500, 3),
        (Kind.NUMBER, "٣", 3),
        (Kind.BOOLEAN, "maybe", True),
        (Kind.BOOLEAN, "", False),
    ],
)
def test_a_value_that_no_row_can_have_is_no_rows_and_no_error(kind: Kind, text: str, actual: Any) -> None:
    assert not holds(kind, "eq", text, actual)
    assert holds(kind, "not_eq", text, actual)


@pytest.mark.parametrize("predicate", ["lt", "lteq", "gt", "gteq"])
@pytest.mark.parametrize(("kind", "text"), [(Kind.NUMBER, "many"), (Kind.BOOLEAN, "maybe")])
def test_nothing_lies_below_or_above_what_is_no_value(kind: Kind, text: str, predicate: str) -> None:
    assert not holds(kind, predicate, text, 1)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("predicate", Predicate)
def test_a_row_without_a_value_meets_not_eq_alone(kind: Kind, predicate: Predicate) -> None:
    assert holds(kind, predicate, "2016-11-09", None) is (predicate is Predicate.NOT_EQ)


# Times


@given(actual=_times)
def test_the_shown_time_finds_its_row(actual: datetime) -> None:
    for kind in (Kind.TIME, Kind.PRECISE_TIME):
        shown = show(kind, actual)
        assert holds(kind, "eq", shown, actual)
        assert holds(kind, "matches", shown, actual)
        assert holds(kind, "lteq", shown, actual)
        assert holds(kind, "gteq", shown, actual)
        assert not holds(kind, "not_eq", shown, actual)
        assert not holds(kind, "lt", shown, actual)
        assert not holds(kind, "gt", shown, actual)


def test_times_are_shown_as_the_contract_prints_them() -> None:
    assert show(Kind.TIME, SHOWN) == "2016-11-09T11:09:00Z"
    assert show(Kind.PRECISE_TIME, SHOWN) == "2016-11-09T11:09:00.745Z"
    assert (show(Kind.BOOLEAN, True), show(Kind.TEXT, "True")) == ("true", "True")
    assert show(Kind.PRECISE_TIME, SHOWN.astimezone(timezone(timedelta(hours=5)))) == "2016-11-09T11:09:00.745Z"


def test_milliseconds_count_where_they_are_shown_and_only_there() -> None:
    assert holds(Kind.PRECISE_TIME, "gt", "2016-11-09T11:09:00Z", SHOWN)
    assert not holds(Kind.TIME, "gt", "2016-11-09T11:09:00Z", SHOWN)
    assert not holds(Kind.PRECISE_TIME, "eq", "2016-11-09T11:09:00.744Z", SHOWN)
    assert not holds(Kind.PRECISE_TIME, "gt", "2016-11-09T11:09:00.745Z", SHOWN)


def test_a_date_is_its_midnight() -> None:
    midnight = datetime(2016, 11, 9, tzinfo=UTC)

    assert holds(Kind.TIME, "eq", "2016-11-09", midnight)
    assert holds(Kind.TIME, "gteq", "2016-11-09", SHOWN)
    assert not holds(Kind.TIME, "lteq", "2016-11-09", SHOWN)


def test_a_part_of_a_time_is_found_in_what_is_shown() -> None:
    assert holds(Kind.PRECISE_TIME, "matches", "2016-11-__t%", SHOWN)
    assert holds(Kind.PRECISE_TIME, "cont", ".745z", SHOWN)
    assert not holds(Kind.TIME, "cont", ".745", SHOWN)


@pytest.mark.parametrize(
    "text",
    [
        "2016-11-09T11:10:00Z",
        "2016-11-09T11:10:00.000Z",
        "2016-11-09t11:10:00z",
        "2016-11-09T11:10Z",
        "2016-11-09T11:10:00",
        "2016-11-09 11:10:00",
        "2016-11-09T13:10:00+02:00",
        "2016-11-09T13:10:00+0200",
        "2016-11-09T13:10:00 02:00",
        "2016-11-09T05:10:00-06",
        "20161109T111000Z",
        " 2016-11-09T11:10:00Z ",
        "2016-11-09T11:10:00.000000000Z",
        "2016-11-09T11:10:00.000+00:00",
    ],
)
def test_one_instant_has_many_spellings(text: str) -> None:
    assert parse_time(text) == datetime(2016, 11, 9, 11, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2016",
        "2016-11",
        "2016-11-31",
        "2016-11-09T25:00:00Z",
        "2016-11-09x11:10:00Z",
        "2016-W45-3",
        "09.11.2016",
        "1478689740",
        "0000-01-01",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "2016-11-09T11:10:00 Europe/Lisbon",
        "\uff12\uff10\uff11\uff16-11-09",
        "2" * 1000,
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert parse_time(text) is None
    with pytest.raises(InvalidFilter):
        holds(Kind.TIME, "lt", text, SHOWN)


@given(text=st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.+-]{0,20}Z?", fullmatch=True))
def test_any_text_is_a_utc_time_or_none(text: str) -> None:
    found = parse_time(text)

    assert found is None or found.tzinfo is UTC


def test_a_value_longer_than_any_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="too long"):
        holds(Kind.TEXT, "cont", "x" * (LARGEST_VALUE_CHARACTERS + 1), "x")


# Whole queries

ROWS: list[dict[str, Any]] = [
    {"id": "a", "count": 2, "at": SHOWN},
    {"id": "b", "count": 1, "at": None},
    {"id": "c", "count": 2, "at": SHOWN - timedelta(days=1)},
    {"id": "d", "count": 1, "at": SHOWN + timedelta(microseconds=50)},
]


def ids(query: Query) -> str:
    return "".join(row["id"] for row in select(ROWS, query=query, read=lambda row, name: row[name]))


def order_by(attribute: str, kind: Kind, *, descending: bool = False) -> Query:
    return Query(ordering=Ordering(attribute=attribute, kind=kind, descending=descending))


def test_every_condition_must_hold() -> None:
    conditions = tuple(
        make_condition(attribute=attribute, kind=kind, predicate=predicate, text=text)
        for attribute, kind, predicate, text in (
            ("count", Kind.NUMBER, Predicate.EQ, "1"),
            ("id", Kind.TEXT, Predicate.NOT_EQ, "b"),
        )
    )

    assert ids(Query(conditions=conditions)) == "d"
    assert ids(Query(conditions=conditions[:1])) == "bd"
    assert ids(Query()) == "abcd"


def test_equal_rows_keep_their_places_in_both_directions() -> None:
    assert ids(order_by("count", Kind.NUMBER)) == "bdac"
    assert ids(order_by("count", Kind.NUMBER, descending=True)) == "acbd"


def test_times_that_are_shown_alike_are_equal_and_rows_without_one_come_last() -> None:
    assert ids(order_by("at", Kind.PRECISE_TIME)) == "cadb"
    assert ids(order_by("at", Kind.PRECISE_TIME, descending=True)) == "adcb"


@given(rows=st.lists(st.none() | st.integers(0, 3)), descending=st.booleans())
def test_ordering_loses_and_adds_nothing(rows: list[int | None], descending: bool) -> None:
    query = order_by("value", Kind.NUMBER, descending=descending)
    found = select(enumerate(rows), query=query, read=lambda item, _name: item[1])

    expected = sorted(
        enumerate(rows), key=lambda item: (item[1] is None, Decimal(-(item[1] or 0) if descending else item[1] or 0))
    )
    assert found == expected
