"""Bulk updates: whatever the order, the repetition and the failures of their messages, the outcome is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain import bulk_updates, issuing, segment_updates, tagging
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import StorageUnavailable
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.tickets import Ticket, TicketStatus
from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.integration.conftest import Consistent
from tests.support.builders import (
    field_value,
    make_passes,
    make_spread_passes,
    make_template,
    read_pass,
    read_ticket,
    write_field,
)
from tests.support.faults import Call, Unreachable, inject
from tests.support.rivals import with_rival
from tests.support.stack import Stack, Tenant

SEGMENT_SIZE = 1000
TAG = "flag"


def _start(project_id: int, update: ContentUpdate | None = None) -> Ticket:
    return bulk_updates.start_bulk_update(
        get_platform(), project_id=project_id, segment=TAG, update=update or write_field("Points", "9")
    )


def _plan(ticket: Ticket) -> None:
    bulk_updates.plan_bulk_update(get_platform(), ticket_id=ticket.ticket_id)


def _segments(passes: list[Pass]) -> list[int]:
    return sorted({pass_.pass_id // SEGMENT_SIZE for pass_ in passes})


def _update(ticket: Ticket, segment: int) -> None:
    bulk_updates.update_segment(get_platform(), ticket_id=ticket.ticket_id, segment=segment)


def _progress(ticket: Ticket) -> tuple[TicketStatus, int, int, int, int]:
    """Status, total, processed, changed, failed."""
    now = read_ticket(ticket.ticket_id)
    progress = now.progress
    return now.status, progress.total, progress.processed, progress.changed, progress.failed


def test_a_bulk_update_reaches_every_pass_of_the_tag_and_no_other(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    passes = make_spread_passes(tenant.project_id, segments=3, per_segment=2, tags=[TAG, "other"])
    untagged = make_passes(tenant.project_id, 1, tags=["other"])[0]

    reply = tenant.call("PUT", f"/v1/tag/{TAG}/passes", json={"fields": {"Points": {"value": "9"}}})
    assert tenant.call("GET", f"/v1/ticket/{reply['ticketId']}")["Status"] == "PREQUED"
    stack.drain()

    ticket = tenant.call("GET", f"/v1/ticket/{reply['ticketId']}")
    assert ticket["Status"] == "COMPLETED"
    assert ticket["progress"] == {"total": 6, "processed": 6, "changed": 6, "failed": 0}
    assert {field_value(pass_, "Points") for pass_ in passes} == {"9"}
    assert field_value(untagged, "Points") == "0"
    consistent(tenant.project_id)


def test_a_segment_handled_twice_counts_once(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    passes = make_spread_passes(tenant.project_id, segments=2, per_segment=3, tags=[TAG])
    ticket = _start(tenant.project_id)
    _plan(ticket)

    first, second = _segments(passes)
    for segment in (first, first, second, first, second):
        _update(ticket, segment)
    _plan(ticket)

    assert _progress(ticket) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    versions = [read_pass(pass_).version for pass_ in passes]
    stack.drain()  # the messages of both plans
    assert _progress(ticket) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    assert [read_pass(pass_).version for pass_ in passes] == versions == [2] * 6
    consistent(tenant.project_id)


def test_two_workers_on_one_segment_at_the_same_time_count_it_once(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    passes = make_passes(tenant.project_id, 5, tags=[TAG])
    ticket = _start(tenant.project_id)
    _plan(ticket)
    (segment,) = _segments(passes)
    platform = with_rival(get_platform(), "tickets", "complete_segment", lambda: _update(ticket, segment))

    bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=segment)

    assert _progress(ticket) == (TicketStatus.COMPLETED, 5, 5, 5, 0)
    stack.drain()
    consistent(tenant.project_id)


def test_an_update_that_changes_nothing_is_processed_and_not_counted_as_changed(stack: Stack, tenant: Tenant) -> None:
    passes = make_passes(tenant.project_id, 3, tags=[TAG])
    before = [read_pass(pass_) for pass_ in passes]

    ticket = _start(tenant.project_id, write_field("Points", "0"))
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 3, 3, 0, 0)
    after = [read_pass(pass_) for pass_ in passes]
    assert [(each.version, each.updated_at) for each in after] == [(each.version, each.updated_at) for each in before]


def test_a_late_update_counts_as_changed_what_it_changes_beside_a_higher_ticket(stack: Stack, tenant: Tenant) -> None:
    passes = make_passes(tenant.project_id, 2, tags=[TAG])
    late = _start(tenant.project_id, write_field("back7", "1"))
    tenant.call("PUT", f"/v1/pass/{passes[0].pass_id}", json={"fields": {"Points": {"value": "9"}}})

    stack.drain()

    assert [field_value(pass_, "back7") for pass_ in passes] == ["1", "1"]
    assert _progress(late) == (TicketStatus.COMPLETED, 2, 2, 2, 0)


def test_a_field_without_a_place_is_written_and_no_device_is_told(stack: Stack, tenant: Tenant) -> None:
    passes = make_passes(tenant.project_id, 2, tags=[TAG])
    before = [read_pass(pass_) for pass_ in passes]

    tenant.call("PUT", f"/v1/pass/{passes[0].pass_id}", json={"fields": {"Nowhere": {"value": "1"}}})
    ticket = _start(tenant.project_id, write_field("Nowhere", "2"))
    stack.drain()

    assert [field_value(pass_, "Nowhere") for pass_ in passes] == ["2", "2"]
    assert _progress(ticket) == (TicketStatus.COMPLETED, 2, 2, 0, 0)
    after = [read_pass(pass_) for pass_ in passes]
    assert [(each.version, each.last_modified) for each in after] == [
        (each.version, each.last_modified) for each in before
    ]
    assert all(now.updated_at > then.updated_at for now, then in zip(after, before, strict=True))


@pytest.mark.parametrize("clear", [tagging.empty_tag, tagging.delete_tag], ids=["emptied", "deleted"])
def test_a_tag_cleared_before_the_plan_leaves_its_passes_alone(
    stack: Stack, tenant: Tenant, consistent: Consistent, clear: Callable[..., Any]
) -> None:
    passes = make_passes(tenant.project_id, 3, tags=[TAG])
    ticket = _start(tenant.project_id)

    clear(get_platform(), project_id=tenant.project_id, segment=TAG)
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 3, 0, 0, 0)
    assert {field_value(pass_, "Points") for pass_ in passes} == {"0"}
    consistent(tenant.project_id)


@pytest.mark.parametrize("clear", [tagging.empty_tag, tagging.delete_tag], ids=["emptied", "deleted"])
def test_a_tag_cleared_between_plan_and_segment_leaves_the_rest_alone(
    stack: Stack, tenant: Tenant, consistent: Consistent, clear: Callable[..., Any]
) -> None:
    early, late = make_spread_passes(tenant.project_id, segments=2, tags=[TAG])
    ticket = _start(tenant.project_id)
    _plan(ticket)
    _update(ticket, early.pass_id // SEGMENT_SIZE)

    clear(get_platform(), project_id=tenant.project_id, segment=TAG)
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 2, 1, 1, 0)
    assert (field_value(early, "Points"), field_value(late, "Points")) == ("9", "0")
    consistent(tenant.project_id)


def test_a_tag_emptied_and_filled_again_is_left_alone_by_the_update_of_before(stack: Stack, tenant: Tenant) -> None:
    passes = make_passes(tenant.project_id, 2, tags=[TAG])
    ticket = _start(tenant.project_id)
    platform = get_platform()

    tagging.empty_tag(platform, project_id=tenant.project_id, segment=TAG)
    reference = PassReference(pass_id=passes[0].pass_id)
    tagging.add_tags(platform, project_id=tenant.project_id, reference=reference, names=[TAG])
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 2, 0, 0, 0)
    assert field_value(passes[0], "Points") == "0"


def test_a_pass_is_updated_if_it_has_the_tag_when_its_segment_is_handled(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    project_id, platform = tenant.project_id, get_platform()
    template_id = make_template(project_id).template_id
    kept, untagged, deleted = make_passes(project_id, 3, tags=[TAG], template_id=template_id)
    ticket = _start(project_id)
    _plan(ticket)

    tagging.remove_tag(platform, project_id=project_id, segment=TAG, reference=PassReference(pass_id=untagged.pass_id))
    issuing.delete_pass(platform, project_id=project_id, reference=PassReference(pass_id=deleted.pass_id))
    (added,) = make_passes(project_id, 1, tags=[TAG], template_id=template_id)
    assert _segments([kept]) == _segments([added])
    stack.drain()

    assert [field_value(pass_, "Points") for pass_ in (kept, untagged, added)] == ["9", "0", "9"]
    assert _progress(ticket) == (TicketStatus.COMPLETED, 3, 2, 2, 0)
    consistent(project_id)


def test_a_pass_that_loses_the_tag_under_the_worker_is_left_alone(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    project_id = tenant.project_id
    kept, untagged = make_passes(project_id, 2, tags=[TAG])
    ticket = _start(project_id)
    _plan(ticket)
    reference = PassReference(pass_id=untagged.pass_id)
    platform = with_rival(
        get_platform(),
        "passes",
        "update_passes",
        lambda: tagging.remove_tag(get_platform(), project_id=project_id, segment=TAG, reference=reference),
    )

    bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=kept.pass_id // SEGMENT_SIZE)

    assert (field_value(kept, "Points"), field_value(untagged, "Points")) == ("9", "0")
    assert _progress(ticket) == (TicketStatus.COMPLETED, 2, 1, 1, 0)
    stack.drain()
    consistent(project_id)


def test_batches_side_by_side_lose_no_rival_and_count_each_pass_once(
    stack: Stack, tenant: Tenant, consistent: Consistent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_updates, "PASSES_PER_READ", 2)
    passes = make_passes(tenant.project_id, 9, tags=[TAG])
    rival_pass = f"/v1/pass/{passes[4].pass_id}"
    ticket = _start(tenant.project_id)
    _plan(ticket)
    body = {"fields": {"Points": {"value": "1"}}}
    platform = with_rival(get_platform(), "passes", "update_passes", lambda: tenant.call("PUT", rival_pass, json=body))

    result = bulk_updates.update_segment(
        platform, ticket_id=ticket.ticket_id, segment=passes[0].pass_id // SEGMENT_SIZE
    )

    assert [field_value(pass_, "Points") for pass_ in passes] == ["9"] * 4 + ["1"] + ["9"] * 4
    assert result is not None
    assert (result.processed, result.failed, result.is_last) == (9, 0, True)
    stack.drain()
    consistent(tenant.project_id)


def test_a_batch_that_cannot_be_read_leaves_its_segment_to_the_next_try(
    stack: Stack, tenant: Tenant, consistent: Consistent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_updates, "PASSES_PER_READ", 2)
    passes = make_passes(tenant.project_id, 7, tags=[TAG])
    ticket = _start(tenant.project_id)
    _plan(ticket)

    def refuse_one(call: Call) -> Unreachable | None:
        keys = call.body.get("RequestItems", {}).get(f"{PREFIX}passes", {}).get("Keys", [])
        return Unreachable() if {"pass_id": {"N": str(passes[3].pass_id)}} in keys else None

    with inject(refuse_one), pytest.raises(StorageUnavailable):
        _update(ticket, passes[0].pass_id // SEGMENT_SIZE)

    assert _progress(ticket) == (TicketStatus.QUEUED, 7, 0, 0, 0)
    stack.drain()
    assert _progress(ticket) == (TicketStatus.COMPLETED, 7, 7, 7, 0)
    assert [read_pass(pass_).version for pass_ in passes] == [2] * 7
    consistent(tenant.project_id)


def test_a_tag_without_passes_still_gets_a_ticket_that_completes(stack: Stack, tenant: Tenant) -> None:
    make_passes(tenant.project_id, 1, tags=[TAG])
    tagging.empty_tag(get_platform(), project_id=tenant.project_id, segment=TAG)

    ticket = _start(tenant.project_id)
    _plan(ticket)

    assert _progress(ticket) == (TicketStatus.COMPLETED, 0, 0, 0, 0)
    stack.drain()


def test_a_plan_of_more_segments_than_one_message_sends_is_handed_on(
    stack: Stack, tenant: Tenant, consistent: Consistent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_updates, "SEGMENTS_PER_PLAN_MESSAGE", 2)
    passes = make_spread_passes(tenant.project_id, segments=5, tags=[TAG])
    ticket = _start(tenant.project_id)

    _plan(ticket)  # besides the message that is waiting
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 5, 5, 5, 0)
    assert {field_value(pass_, "Points") for pass_ in passes} == {"9"}
    consistent(tenant.project_id)
