"""Writes of what a single pass shows. Each is a ticket (DESIGN, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.announcing import announce_change, send_waiting
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.finding import get_pass_or_raise
from chalicelib.domain.passes import Expectation, Pass, PassReference, apply_ticket, parse_moment
from chalicelib.domain.ports import Bounds, Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.templates import PASS_BARCODES
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus

TICKETS = "tickets"
"""the sequence that numbers every write of content"""

LOCATION_IDS_PER_TICKET = 16
"""more than a pass may have locations, so that ids made from different tickets never meet"""


Location = dict[str, Any]


def update_pass(
    platform: Platform,
    *,
    project_id: int,
    reference: PassReference,
    update: ContentUpdate,
    announced: bool = True,
    expect: Expectation | None = None,
) -> Ticket:
    """Merges an update into one pass and returns its finished ticket. Three calls by pass id, and a message.

    Devices that hold the pass are pushed, unless it is not `announced`. Each try asks `expect` anew.

    Raises:
        InvalidRequest: an entry breaks a rule, or the pass would outgrow its limit.
        PreconditionFailed: the pass is not what was expected.
        NotFound, Ambiguous, Busy
    """
    check_update(update, bounds=platform.bounds, now=platform.now())
    numbered: tuple[int, datetime] | None = None

    def attempt() -> Ticket:
        nonlocal numbered
        pass_ = _get_expected(platform, project_id, reference, expect)
        # one number for all attempts: the write keeps its place among its rivals
        numbered = numbered or take_ticket(platform)
        return _write(platform, pass_, update, *numbered, announced=announced)

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _get_expected(platform: Platform, project_id: int, reference: PassReference, expect: Expectation | None) -> Pass:
    pass_ = get_pass_or_raise(platform, project_id=project_id, reference=reference)
    if expect is not None:
        expect(pass_)
    return pass_


def take_ticket(platform: Platform) -> tuple[int, datetime]:
    """The next number in the order of all writes, and its time."""
    return platform.sequences.next_values(name=TICKETS, count=1, now=platform.now())


def _write(
    platform: Platform,
    pass_: Pass,
    update: ContentUpdate,
    ticket_id: int,
    created_at: datetime,
    *,
    announced: bool = True,
    result: Any = None,
) -> Ticket:
    """`result` is what the request answers with, if that is not the ticket."""
    after, merge = apply_ticket(
        pass_,
        number_locations(update, ticket_id=ticket_id),
        ticket_id=ticket_id,
        now=platform.now(),
        maximum_bytes=platform.bounds.content_bytes,
    )
    ticket = Ticket(
        ticket_id=ticket_id,
        project_id=pass_.project_id,
        status=TicketStatus.COMPLETED,
        created_at=created_at,
        target=None,
        progress=Progress(total=1, processed=1, changed=int(merge.shown)),
    )
    outgoing = announce_change(after, ticket_id=ticket_id, now=platform.now()) if announced else []
    receipt = platform.receipt_for(ticket if result is None else result)
    platform.passes.update_pass(before=pass_, after=after, ticket=ticket, outgoing=outgoing, receipt=receipt)
    send_waiting(platform, outgoing)
    return ticket


def add_locations(
    platform: Platform,
    *,
    project_id: int,
    reference: PassReference,
    locations: Sequence[Location],
    expect: Expectation | None = None,
) -> list[Location]:
    """Appends locations to a pass and returns them with their ids.

    Raises:
        InvalidRequest: the pass would have more than 10.
        NotFound, Ambiguous, PreconditionFailed, Busy
    """

    def change(existing: list[Location], ticket_id: int) -> list[Location]:
        return [*existing, *with_location_ids(locations, ticket_id=ticket_id)]

    before, after = _change_locations(platform, project_id, reference, change, expect)
    return after[len(before) :]


def remove_location(
    platform: Platform,
    *,
    project_id: int,
    reference: PassReference,
    location_id: int | None,
    expect: Expectation | None = None,
) -> None:
    """Removes one location of a pass.

    Raises:
        NotFound: the pass or the location.
        Ambiguous, PreconditionFailed, Busy
    """

    def change(existing: list[Location], _: int) -> list[Location]:
        return without_location(existing, location_id)

    _change_locations(platform, project_id, reference, change, expect)


def _change_locations(
    platform: Platform,
    project_id: int,
    reference: PassReference,
    change: Callable[[list[Location], int], list[Location]],
    expect: Expectation | None,
) -> tuple[list[Location], list[Location]]:
    """Reads, changes and writes the list; each attempt takes a fresh ticket, since it builds on what it has read."""

    def attempt() -> tuple[list[Location], list[Location]]:
        pass_ = _get_expected(platform, project_id, reference, expect)
        before = list(pass_.content.lists.get("locations", []))
        ticket_id, created_at = take_ticket(platform)
        update = ContentUpdate(lists={"locations": change(before, ticket_id)})
        check_update(update, bounds=platform.bounds, now=platform.now())
        after = list(update.lists["locations"])
        _write(platform, pass_, update, ticket_id, created_at, result=after[len(before) :])
        return before, after

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def number_locations(update: ContentUpdate, *, ticket_id: int) -> ContentUpdate:
    """The update with an id on each location that has none; the same ticket always gives the same ids."""
    locations = update.lists.get("locations")
    if not locations or all("id" in location for location in locations):
        return update
    return replace(update, lists={**update.lists, "locations": with_location_ids(locations, ticket_id=ticket_id)})


def without_location(locations: Sequence[Location], location_id: int | None) -> list[Location]:
    """The locations but for one.

    Raises:
        NotFound: there is none of that id.
    """
    kept = [location for location in locations if location["id"] != location_id]
    if len(kept) == len(locations):
        raise NotFound("location", location_id)
    return kept


def with_location_ids(locations: Sequence[Location], *, ticket_id: int) -> list[Location]:
    """Locations with ids made from a ticket; an id that a location has already stays."""
    first = ticket_id * LOCATION_IDS_PER_TICKET + 1
    return [{"id": first + position, **location} for position, location in enumerate(locations)]


def check_update(update: ContentUpdate, *, bounds: Bounds, now: datetime) -> None:
    """Checks the rules that hold for every write of content.

    Raises:
        InvalidRequest: more than 10 locations, an unknown barcode type, an expiration that cannot be (section 5), or
            more than any pass may hold.
    """
    if len(update.lists.get("locations") or ()) > bounds.locations:
        raise InvalidRequest(f"a pass has at most {bounds.locations} locations", field="locations")
    size_bytes = len(update.encode().encode())
    if size_bytes > bounds.content_bytes:
        raise InvalidRequest(f"the update has {size_bytes} bytes, the limit is {bounds.content_bytes}", field="body")
    barcode_type = update.headers.get("barcode_type", {})
    if "value" in barcode_type and barcode_type["value"] not in PASS_BARCODES:
        raise InvalidRequest(f"must be one of {', '.join(PASS_BARCODES)}", field="headers.barcode_type.value")
    expiration = update.headers.get("expirationDate", {})
    if expiration.get("label") != "valid" or "value" not in expiration:
        return
    if _parse_expiration(expiration["value"]) <= now:
        raise InvalidRequest("a valid pass must expire in the future", field="headers.expirationDate.value")


def _parse_expiration(value: Any) -> datetime:
    moment = parse_moment(str(value))
    if moment is None:
        raise InvalidRequest("must be an ISO 8601 date", field="headers.expirationDate.value")
    return moment
