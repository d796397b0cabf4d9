"""Metering, and rows as plain values."""

from __future__ import annotations

import pytest

from chalicelib.domain.checking import Place, check, delete, put, update
from chalicelib.store.checking_reads import Meter, plain, typed_row
from chalicelib.store.checking_stages import VISITED, note
from chalicelib.store.checking_writes import _as_item


def test_whoever_reads_waits_until_it_is_paid_for() -> None:
    now = 100.0
    slept: list[float] = []
    meter = Meter(rate=50.0, clock=lambda: now, sleep=slept.append)
    for _ in range(6):
        meter.spend(25)

    assert slept == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert meter.units == 150


def test_time_without_reading_is_not_saved_up() -> None:
    now = 0.0
    slept: list[float] = []
    meter = Meter(rate=10.0, clock=lambda: now, sleep=slept.append)
    now = 3600.0
    meter.spend(10)
    assert slept == []
    meter.spend(20)

    assert slept == [2.0]


def test_rows_come_back_as_they_were_put() -> None:
    row = {"number": -5, "text": "ü", "flag": True, "set": frozenset({"a", "b"})}

    assert plain(typed_row(row)) == row
    assert plain({"n": {"N": "12"}}) == {"n": 12}


class _Database:
    class settings:  # noqa: N801
        @staticmethod
        def table_name(bare_name: str) -> str:
            return f"prefix-{bare_name}"


PLACE = Place("passes", (("pass_id", 1),))


@pytest.mark.parametrize(
    ("write", "item"),
    [
        (
            check(PLACE, {"revision": 2}),
            {
                "ConditionCheck": {
                    "TableName": "prefix-passes",
                    "Key": {"pass_id": {"N": "1"}},
                    "ConditionExpression": "#n0 = :v0",
                    "ExpressionAttributeNames": {"#n0": "revision"},
                    "ExpressionAttributeValues": {":v0": {"N": "2"}},
                }
            },
        ),
        (
            put(PLACE, {"status": "x"}),
            {
                "Put": {
                    "TableName": "prefix-passes",
                    "ConditionExpression": "attribute_not_exists(#n0)",
                    "ExpressionAttributeNames": {"#n0": "pass_id"},
                    "Item": {"pass_id": {"N": "1"}, "status": {"S": "x"}},
                }
            },
        ),
        (
            update(PLACE, {"a": 1}, a=2, b=None),
            {
                "Update": {
                    "TableName": "prefix-passes",
                    "Key": {"pass_id": {"N": "1"}},
                    "ConditionExpression": "#n0 = :v0",
                    "UpdateExpression": "SET #n0 = :v1 REMOVE #n1",
                    "ExpressionAttributeNames": {"#n0": "a", "#n1": "b"},
                    "ExpressionAttributeValues": {":v0": {"N": "1"}, ":v1": {"N": "2"}},
                }
            },
        ),
        (
            delete(PLACE, {"a": None}),
            {
                "Delete": {
                    "TableName": "prefix-passes",
                    "Key": {"pass_id": {"N": "1"}},
                    "ConditionExpression": "attribute_not_exists(#n0)",
                    "ExpressionAttributeNames": {"#n0": "a"},
                }
            },
        ),
    ],
)
def test_a_write_carries_what_it_expects(write: object, item: object) -> None:
    assert _as_item(_Database, write) == item  # type: ignore[arg-type]


def test_what_was_visited_is_remembered_within_bounds() -> None:
    visited: set[int] = set(range(VISITED))
    note(visited, -1)

    assert -1 not in visited
