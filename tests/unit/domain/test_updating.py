from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.updating import LOCATION_IDS_PER_TICKET, check_update, number_locations
from tests.support.samples import BOUNDS, MOMENT


def _locations(count: int, **more: Any) -> ContentUpdate:
    return ContentUpdate(lists={"locations": [{"latitude": number, **more} for number in range(count)]})


def _check(update: ContentUpdate) -> None:
    check_update(update, bounds=BOUNDS, now=MOMENT)


def _expires(value: object, label: str = "valid") -> ContentUpdate:
    return ContentUpdate(headers={"expirationDate": {"value": value, "label": label}})


def test_ten_locations_are_taken_and_eleven_are_not() -> None:
    _check(_locations(10))
    with pytest.raises(InvalidRequest) as refusal:
        _check(_locations(11))
    assert refusal.value.field == "locations"


@pytest.mark.parametrize("value", ["2026-01-02T03:05", "2026-01-02T03:04:06Z", "2026-01-02T05:05+02:00", "2999-12-31"])
def test_a_valid_pass_may_expire_later(value: str) -> None:
    _check(_expires(value))


@pytest.mark.parametrize("value", ["2026-01-02T03:04", "2026-01-02T05:04+02:00", "2014-08-20", "soon", 7, None])
def test_a_valid_pass_cannot_have_expired_or_expire_at_no_date(value: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        _check(_expires(value))
    assert refusal.value.field == "headers.expirationDate.value"


def test_a_voided_pass_may_carry_any_date() -> None:
    _check(_expires("2014-08-20T9:41-08:00", label="voided"))
    _check(ContentUpdate(headers={"expirationDate": {"value": "anything"}}))


@given(tickets=st.lists(st.integers(0, 10**9), unique=True, min_size=2, max_size=4), count=st.integers(1, 10))
def test_location_ids_of_different_tickets_never_meet_and_those_of_one_are_stable(
    tickets: list[int], count: int
) -> None:
    update = _locations(count)
    numbered = [number_locations(update, ticket_id=ticket) for ticket in tickets]
    ids = [location["id"] for each in numbered for location in each.lists["locations"]]

    assert len(set(ids)) == len(ids) == count * len(tickets)
    assert min(ids) > 0
    assert [number_locations(update, ticket_id=ticket) for ticket in tickets] == numbered
    assert all("id" not in location for location in update.lists["locations"])


def test_locations_that_have_ids_keep_them() -> None:
    update = _locations(2, id=5)

    assert number_locations(update, ticket_id=9) is update
    assert number_locations(ContentUpdate(), ticket_id=9).lists == {}


def test_a_ticket_has_more_location_ids_than_a_pass_has_locations() -> None:
    assert BOUNDS.locations < LOCATION_IDS_PER_TICKET
