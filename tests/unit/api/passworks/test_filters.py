"""`q[…]`: what is understood, and what is refused with which words (passworks-v2, sections 5 and 12)."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from chalicelib.api.declared import Declared
from chalicelib.api.passworks.filters import filters, read_query
from chalicelib.domain.errors import InvalidFilter
from chalicelib.domain.filtering import Condition, Kind, Ordering, Predicate, Query
from chalicelib.errors import passworks_answer
from chalicelib.settings import get_settings
from tests.unit.api.passworks.requesting import make_request

REGISTRATIONS = {
    "id": Kind.UUID,
    "pass_id": Kind.UUID,
    "wallet": Kind.TEXT,
    "device_os": Kind.TEXT,
    "created_at": Kind.PRECISE_TIME,
}


def read(query: str) -> Query:
    return read_query(make_request(query, declared=Declared(query=(filters(REGISTRATIONS),))))


def refuse(query: str) -> InvalidFilter:
    with pytest.raises(InvalidFilter) as refused:
        read(query)
    return refused.value


def conditions(query: str) -> list[tuple[str, str, object]]:
    return [(each.attribute, each.predicate.value, each.value) for each in read(query).conditions]


def test_a_query_without_filters_asks_for_nothing() -> None:
    assert read("") == read("page=2&per_page=4&quality=1&q=") == Query()


def test_the_contracts_own_example_is_read_whole() -> None:
    found = read("q[wallet_eq]=passbook&q[created_at_gteq]=2016-11-09T11:10:00Z&q[s]=created_at+desc&page=2")

    assert [(each.attribute, each.predicate, each.value) for each in found.conditions] == [
        ("wallet", "eq", "passbook"),
        ("created_at", "gteq", datetime(2016, 11, 9, 11, 10, tzinfo=UTC)),
    ]
    assert found.ordering == Ordering(attribute="created_at", kind=Kind.PRECISE_TIME, descending=True)


@pytest.mark.parametrize("predicate", ["eq", "not_eq", "matches", "cont", "lt", "lteq", "gt", "gteq"])
@pytest.mark.parametrize("attribute", REGISTRATIONS)
def test_every_predicate_is_read_on_every_attribute(attribute: str, predicate: str) -> None:
    (found,) = read(f"q[{attribute}_{predicate}]=2016-11-09").conditions

    assert (found.attribute, found.predicate, found.kind) == (attribute, predicate, REGISTRATIONS[attribute])


def test_match_is_the_other_spelling_of_matches() -> None:
    assert conditions("q[wallet_match]=p%25") == conditions("q[wallet_matches]=p%25") == [("wallet", "matches", "p%")]


def test_brackets_may_be_encoded_once_or_left_encoded_by_a_gateway() -> None:
    expected = [("wallet", "eq", "passbook")]

    assert conditions("q%5Bwallet_eq%5D=passbook") == expected
    assert conditions("q%5bwallet_eq%5d=passbook") == expected
    assert conditions(quote("q%5Bwallet_eq%5D", safe="") + "=passbook") == expected


def test_a_repeated_key_counts_each_time() -> None:
    assert conditions("q[wallet_not_eq]=a&q[id_eq]=x&q[wallet_not_eq]=b") == [
        ("wallet", "not_eq", "a"),
        ("wallet", "not_eq", "b"),
        ("id", "eq", "x"),
    ]


def test_the_longest_predicate_wins() -> None:
    declared = Declared(query=(filters({"is_not": Kind.TEXT, "is": Kind.TEXT}),))
    (found,) = read_query(make_request("q[is_not_eq]=a", declared=declared)).conditions

    assert found == Condition(attribute="is", kind=Kind.TEXT, predicate=Predicate.NOT_EQ, value="a")


@pytest.mark.parametrize(
    ("order", "descending"),
    [
        ("created_at+desc", True),
        ("created_at%20DESC", True),
        ("created_at%2Bdesc", True),
        ("created_at+asc", False),
        ("created_at", False),
    ],
)
def test_an_order_has_a_direction_or_is_ascending(order: str, descending: bool) -> None:
    assert read(f"q[s]={order}").ordering == Ordering(
        attribute="created_at", kind=Kind.PRECISE_TIME, descending=descending
    )


@pytest.mark.parametrize("order", ["", "created_at+up", "shoe_size+asc", "desc", "id+asc+desc", "id+asc,wallet+asc"])
def test_an_order_that_is_none_is_refused(order: str) -> None:
    error = refuse(f"q[s]={order}")

    assert error.problem.startswith("Unknown order '")
    assert error.advice == "Attributes: id, pass_id, wallet, device_os, created_at. Directions: asc, desc."


def test_an_unknown_filter_is_refused_in_the_contracts_words() -> None:
    answer = passworks_answer(refuse("q[walet_eq]=passbook"))

    assert answer.status == 422
    assert answer.body == {
        "status_code": 422,
        "error_code": 10101,
        "message": "Unknown filter 'walet_eq'. Attributes: id, pass_id, wallet, device_os, created_at. "
        "Predicates: eq, not_eq, matches, cont, lt, lteq, gt, gteq.",
        "errors": {"q": "Unknown filter 'walet_eq'"},
    }


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("q[wallet]", "wallet"),
        ("q[wallet_in]", "wallet_in"),
        ("q[wallet_EQ]", "wallet_EQ"),
        ("q[_eq]", "_eq"),
        ("q[eq]", "eq"),
        ("q[]", ""),
        ("q[sorts]", "sorts"),
        ("q[" + "x" * 500 + "]", "x" * 100),
    ],
)
def test_whatever_is_no_attribute_with_a_predicate_is_an_unknown_filter(key: str, named: str) -> None:
    assert refuse(f"{key}=passbook").problem == f"Unknown filter '{named}'"


def test_q_without_brackets_is_refused_unless_it_is_empty() -> None:
    assert "attribute and a predicate" in refuse("q=passbook").problem


@pytest.mark.parametrize("predicate", ["eq", "not_eq", "lt", "lteq", "gt", "gteq"])
@pytest.mark.parametrize("value", ["", "yesterday", "2016-13-01", "1478689740"])
def test_a_time_that_is_none_is_refused(predicate: str, value: str) -> None:
    answer = passworks_answer(refuse(f"q[created_at_{predicate}]={value}"))

    assert (answer.status, answer.body["error_code"]) == (422, 10101)
    assert answer.body["errors"] == {"q": f"The value of 'created_at_{predicate}' is no time"}


@pytest.mark.parametrize("predicate", ["matches", "cont"])
def test_a_part_of_a_time_may_be_looked_for(predicate: str) -> None:
    assert conditions(f"q[created_at_{predicate}]=2016-11") == [("created_at", predicate, "2016-11")]


def test_filters_are_limited_in_number() -> None:
    limit = get_settings().limits.filters
    filters = [f"q[id_not_eq]={number}" for number in range(limit)]

    assert len(read("&".join([*filters, "q[s]=id"])).conditions) == limit
    assert refuse("&".join([*filters, "q[id_eq]=x"])).problem == "Too many filters"


def test_a_value_is_limited_in_length() -> None:
    assert conditions(f"q[wallet_eq]={'x' * 1000}") == [("wallet", "eq", "x" * 1000)]
    assert refuse(f"q[wallet_eq]={'x' * 1001}").advice == "At most 1000 characters."
