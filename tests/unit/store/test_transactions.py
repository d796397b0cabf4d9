"""Requests that a transaction writes as they are sent."""

from __future__ import annotations

from typing import Any, cast

import pytest

from chalicelib.domain.counted_index import Collection
from chalicelib.store.connection import Database, StripeChoice
from chalicelib.store.models import MembershipRow, PassRow, SegmentRow
from chalicelib.store.transactions import Transaction

KEY = {"pass_id": {"N": "7"}}


class Connection:
    """Takes one transaction, and keeps its requests."""

    def __init__(self) -> None:
        self.sent: dict[str, list[dict[str, Any]]] = {}

    def transact_write_items(self, **requests: list[dict[str, Any]]) -> None:
        self.sent = requests


class FakeDatabase:
    """What a transaction needs of the database."""

    def __init__(self) -> None:
        self.connection = Connection()
        self.stripes = StripeChoice(count=1, memory_seconds=0)


@pytest.fixture
def database() -> FakeDatabase:
    """Stores nothing."""
    return FakeDatabase()


@pytest.fixture
def transaction(database: FakeDatabase) -> Transaction:
    """Of that database."""
    return Transaction(cast(Database, database))


def test_an_update_sets_and_removes_if_the_rest_is_as_expected(
    transaction: Transaction, database: FakeDatabase
) -> None:
    transaction.update_item(
        PassRow,
        KEY,
        changes={"status": {"S": "installed"}, "platform": None, "revision": {"N": "4"}, "tags": None},
        expected={"revision": {"N": "3"}, "registrations": {"N": "0"}},
        label="pass",
    )
    transaction.commit()

    assert database.connection.sent["update_items"] == [
        {
            "TableName": PassRow.Meta.table_name,
            "Key": KEY,
            "UpdateExpression": "SET #0 = :0, #2 = :2 REMOVE #1, #3",
            "ConditionExpression": "#4 = :4 AND #5 = :5",
            "ExpressionAttributeNames": {
                "#0": "status",
                "#1": "platform",
                "#2": "revision",
                "#3": "tags",
                "#4": "revision",
                "#5": "registrations",
            },
            "ExpressionAttributeValues": {
                ":0": {"S": "installed"},
                ":2": {"N": "4"},
                ":4": {"N": "3"},
                ":5": {"N": "0"},
            },
        }
    ]


def test_counters_of_a_segment_are_one_update_without_those_that_cancel_out(
    transaction: Transaction, database: FakeDatabase
) -> None:
    members = Collection("tag-passes:1.2.1")
    transaction.count(members, 1001, facet="installed", change=1)
    transaction.count(members, 1002, facet="installed", change=1)
    transaction.count(members, 1003, facet="uninstalled", change=-1)
    transaction.count(members, 1004, facet="not_been_installed", change=1)
    transaction.count(members, 1005, facet="not_been_installed", change=-1)
    transaction.count(members, 2001, facet="installed", change=1)
    transaction.count(members, 2001, facet="installed", change=-1)
    transaction.commit()

    assert database.connection.sent["update_items"] == [
        {
            "TableName": SegmentRow.Meta.table_name,
            "Key": {"collection": {"S": "tag-passes:1.2.1"}, "slot": {"N": "16"}},
            "UpdateExpression": "ADD #0 :0, #1 :1",
            "ExpressionAttributeNames": {"#0": "installed", "#1": "uninstalled"},
            "ExpressionAttributeValues": {":0": {"N": "2"}, ":1": {"N": "-1"}},
        }
    ]


def test_a_row_is_put_as_it_is(transaction: Transaction, database: FakeDatabase) -> None:
    transaction.put_item(MembershipRow, KEY)
    transaction.commit()

    assert database.connection.sent["put_items"] == [{"TableName": MembershipRow.Meta.table_name, "Item": KEY}]
