from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import Conflict, InvalidRequest, NotFound
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus
from chalicelib.domain.updating import (
    LOCATION_IDS_PER_TICKET,
    add_locations,
    check_update,
    number_locations,
    remove_location,
    update_pass,
)
from tests.support.samples import BOUNDS, MOMENT, sample_pass


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


# Over one pass kept in memory


@dataclass
class Scene:
    """One pass, whose first writes meet another writer. `written` is what was written with it."""

    pass_: Pass = field(default_factory=lambda: sample_pass(registrations=1))
    rivals: int = 0
    tickets: int = 70
    written: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(
            passes=self,
            sequences=self,
            queues=self,
            now=lambda: MOMENT,
            bounds=BOUNDS,
            receipt_for=lambda result: result,
        )
        return cast(Platform, parts)

    def find_pass_id(self, *, project_id: int, reference: PassReference) -> int | None:
        return reference.pass_id

    def get_pass(self, *, project_id: int, pass_id: int) -> Pass | None:
        return self.pass_ if (project_id, pass_id) == (1, 12_345) else None

    def next_values(self, *, name: str, count: int, now: datetime) -> tuple[int, datetime]:
        assert (name, count, now) == ("tickets", 1, MOMENT)
        self.tickets += 1
        return self.tickets, MOMENT

    def update_pass(self, *, before: Pass, after: Pass, **more: Any) -> None:
        self.rivals -= 1
        if self.rivals >= 0:
            self.pass_ = replace(self.pass_, revision=self.pass_.revision + 1)
            raise Conflict
        assert before == self.pass_
        self.pass_ = after
        self.written.append(more)

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        self.sent += messages

    def locations(self) -> list[Any]:
        return list(self.pass_.content.lists.get("locations", ()))


OWN = PassReference(pass_id=12_345)
POINTS = ContentUpdate(fields={"Points": {"value": "5"}})


@pytest.mark.parametrize(("value", "changed"), [("5", 1), ("0", 0)])
def test_an_update_is_a_ticket_that_is_finished_when_it_is_answered(value: str, changed: int) -> None:
    scene = Scene()

    ticket = update_pass(
        scene.platform, project_id=1, reference=OWN, update=ContentUpdate(fields={"Points": {"value": value}})
    )

    assert ticket == Ticket(
        ticket_id=71,
        project_id=1,
        status=TicketStatus.COMPLETED,
        created_at=MOMENT,
        target=None,
        progress=Progress(total=1, processed=1, changed=changed),
    )
    assert scene.written == [{"ticket": ticket, "outgoing": scene.sent, "receipt": ticket}]
    assert [message.document["pass_ids"] for message in scene.sent] == [[12_345]] * changed


def test_an_update_keeps_its_place_among_its_rivals_and_may_be_silent() -> None:
    scene = Scene(rivals=1)
    seen: list[int] = []

    ticket = update_pass(
        scene.platform,
        project_id=1,
        reference=OWN,
        update=POINTS,
        announced=False,
        expect=lambda pass_: seen.append(pass_.revision),
    )

    assert (ticket.ticket_id, scene.tickets, seen, scene.sent) == (71, 71, [1, 2], [])


def test_locations_are_added_and_removed_by_their_ids() -> None:
    scene = Scene()
    first = add_locations(scene.platform, project_id=1, reference=OWN, locations=[{"latitude": 1}, {"latitude": 2}])
    scene.rivals = 1
    second = add_locations(scene.platform, project_id=1, reference=OWN, locations=[{"latitude": 3}])

    assert [location["latitude"] for location in scene.locations()] == [1, 2, 3]
    assert scene.locations() == [*first, *second]
    assert len({location["id"] for location in scene.locations()}) == 3
    # what the request answers with is kept for its repeat, and each try took a ticket of its own
    assert [write["receipt"] for write in scene.written] == [first, second]
    assert scene.tickets == 73
    remove_location(scene.platform, project_id=1, reference=OWN, location_id=first[1]["id"])
    assert scene.locations() == [first[0], *second]
    with pytest.raises(NotFound, match="location 1 was not found"):
        remove_location(scene.platform, project_id=1, reference=OWN, location_id=1)


def test_a_pass_has_room_for_so_many_locations() -> None:
    scene = Scene()
    add_locations(scene.platform, project_id=1, reference=OWN, locations=[{"latitude": 1}] * 10)

    with pytest.raises(InvalidRequest) as refused:
        add_locations(scene.platform, project_id=1, reference=OWN, locations=[{"latitude": 1}])
    assert (refused.value.field, refused.value.problem) == ("locations", "a pass has at most 10 locations")
