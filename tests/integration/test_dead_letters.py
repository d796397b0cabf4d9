"""Messages that fail too often: the ticket says so, with counts, and a redrive finishes the work."""

from __future__ import annotations

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates
from chalicelib.domain.errors import Busy
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.tickets import SegmentResult, TicketStatus
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import field_value, make_spread_passes, read_ticket
from tests.support.faults import LostAnswer, Refusal, inject
from tests.support.stack import Stack, Tenant

TRIES = 5
"""infra/resources.yaml: maxReceiveCount"""

BODY = {"fields": {"Points": {"value": "9"}}}

Counts = tuple[TicketStatus, int, int, int, int]


def _start(tenant: Tenant) -> int:
    return int(tenant.call("PUT", "/v1/tag/flag/passes", json=BODY)["ticketId"])


def _counts(ticket_id: int) -> Counts:
    """Status, total, processed, changed, failed."""
    ticket = read_ticket(ticket_id)
    progress = ticket.progress
    return ticket.status, progress.total, progress.processed, progress.changed, progress.failed


@pytest.fixture
def passes(tenant: Tenant) -> list[Pass]:
    """Six passes with a tag in three segments."""
    return make_spread_passes(tenant.project_id, segments=3, per_segment=2, tags=["flag"])


@pytest.fixture
def broken_segments(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Segments whose worker fails however often it is tried, until they are taken off this list."""
    broken: list[int] = []
    really = bulk_updates.update_segment

    def update_segment(platform: Platform, *, ticket_id: int, segment: int) -> SegmentResult | None:
        if segment in broken:
            raise Busy("injected")
        return really(platform, ticket_id=ticket_id, segment=segment)

    monkeypatch.setattr(bulk_updates, "update_segment", update_segment)
    return broken


def _segment(pass_: Pass) -> int:
    return pass_.pass_id // 1000


def test_a_segment_that_always_fails_fails_the_ticket_and_a_redrive_finishes_it(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass], broken_segments: list[int]
) -> None:
    broken_segments.append(_segment(passes[2]))
    ticket_id = _start(tenant)

    stack.drain()

    assert _counts(ticket_id) == (TicketStatus.FAILED, 6, 4, 4, 2)
    assert [field_value(pass_, "Points") for pass_ in passes] == ["9", "9", "0", "0", "9", "9"]
    assert tenant.call("GET", f"/v1/ticket/{ticket_id}")["Status"] == "FAILED"
    consistent(tenant.project_id)

    broken_segments.clear()
    operations.redrive(ticket_id=ticket_id)
    stack.drain()

    assert _counts(ticket_id) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    assert {field_value(pass_, "Points") for pass_ in passes} == {"9"}
    consistent(tenant.project_id)


def test_a_redrive_that_fails_again_counts_the_failure_once(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass], broken_segments: list[int]
) -> None:
    broken_segments += [_segment(passes[0]), _segment(passes[4])]
    ticket_id = _start(tenant)
    stack.drain()
    assert _counts(ticket_id) == (TicketStatus.FAILED, 6, 2, 2, 4)

    del broken_segments[0]
    operations.redrive(ticket_id=ticket_id)
    stack.drain()

    assert _counts(ticket_id) == (TicketStatus.FAILED, 6, 4, 4, 2)
    consistent(tenant.project_id)


def test_a_plan_that_always_fails_fails_the_ticket_and_a_redrive_finishes_it(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id = _start(tenant)
    tries: list[int] = []

    def fail(platform: Platform, *, ticket_id: int, start: int = 0) -> None:
        tries.append(ticket_id)
        raise Busy("injected")

    with monkeypatch.context() as patch:
        patch.setattr(bulk_updates, "plan_bulk_update", fail)
        stack.drain()

    assert tries == [ticket_id] * TRIES
    assert _counts(ticket_id) == (TicketStatus.FAILED, 6, 0, 0, 6)
    consistent(tenant.project_id)

    operations.redrive(ticket_id=ticket_id)
    stack.drain()

    assert _counts(ticket_id) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    consistent(tenant.project_id)


def _deliver_dead_segment(ticket_id: int, segment: int) -> None:
    bulk_updates.fail_segment(get_platform(), ticket_id=ticket_id, segment=segment)


def test_a_dead_letter_delivered_twice_counts_once(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass], broken_segments: list[int]
) -> None:
    broken_segments.append(_segment(passes[0]))
    ticket_id = _start(tenant)
    stack.drain()

    _deliver_dead_segment(ticket_id, _segment(passes[0]))
    _deliver_dead_segment(ticket_id, _segment(passes[0]))

    assert _counts(ticket_id) == (TicketStatus.FAILED, 6, 4, 4, 2)
    consistent(tenant.project_id)


def test_a_dead_letter_of_a_segment_that_was_done_after_all_changes_nothing(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass]
) -> None:
    ticket_id = _start(tenant)
    platform = get_platform()
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket_id)
    bulk_updates.update_segment(platform, ticket_id=ticket_id, segment=_segment(passes[0]))

    _deliver_dead_segment(ticket_id, _segment(passes[0]))
    assert _counts(ticket_id) == (TicketStatus.QUEUED, 6, 2, 2, 0)
    stack.drain()
    _deliver_dead_segment(ticket_id, _segment(passes[0]))
    bulk_updates.fail_plan(platform, ticket_id=ticket_id)

    assert _counts(ticket_id) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    consistent(tenant.project_id)


def test_a_failed_segment_that_is_done_by_a_twin_message_is_no_longer_failed_after_a_redrive(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass], broken_segments: list[int]
) -> None:
    broken_segments.append(_segment(passes[0]))
    ticket_id = _start(tenant)
    stack.drain()
    broken_segments.clear()

    bulk_updates.update_segment(get_platform(), ticket_id=ticket_id, segment=_segment(passes[0]))
    operations.redrive(ticket_id=ticket_id)
    stack.drain()

    assert _counts(ticket_id) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    consistent(tenant.project_id)


def test_the_rest_of_a_plan_that_fails_together_with_a_segment_counts_each_pass_once(
    stack: Stack,
    tenant: Tenant,
    consistent: Consistent,
    passes: list[Pass],
    broken_segments: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk_updates, "SEGMENTS_PER_PLAN_MESSAGE", 2)
    really = bulk_updates.plan_bulk_update

    def plan(platform: Platform, *, ticket_id: int, start: int = 0) -> None:
        if start:
            raise Busy("injected")
        really(platform, ticket_id=ticket_id)

    broken_segments.append(_segment(passes[0]))
    with monkeypatch.context() as patch:
        patch.setattr(bulk_updates, "plan_bulk_update", plan)
        ticket_id = _start(tenant)
        stack.drain()

    status, total, processed, _, failed = _counts(ticket_id)
    assert (status, total, processed) == (TicketStatus.FAILED, 6, 2)
    assert failed == total - processed, "2 passes of the failed segment and 2 that were never planned"

    broken_segments.clear()
    operations.redrive(ticket_id=ticket_id)
    stack.drain()
    assert _counts(ticket_id) == (TicketStatus.COMPLETED, 6, 6, 6, 0)
    consistent(tenant.project_id)


def test_a_redrive_of_a_completed_ticket_does_nothing(stack: Stack, tenant: Tenant, passes: list[Pass]) -> None:
    ticket_id = _start(tenant)
    stack.drain()

    for _ in range(2):
        operations.redrive(ticket_id=ticket_id)
    stack.drain()

    assert _counts(ticket_id) == (TicketStatus.COMPLETED, 6, 6, 6, 0)


@pytest.mark.parametrize("fault", [Refusal("InternalError"), LostAnswer()], ids=["refused", "answer lost"])
def test_a_plan_that_cannot_be_asked_for_aborts_the_ticket_and_changes_no_pass(
    stack: Stack, tenant: Tenant, consistent: Consistent, passes: list[Pass], fault: Refusal | LostAnswer
) -> None:
    with inject(lambda call: fault if call.operation == "SendMessageBatch" else None) as injection:
        reply = tenant.request("PUT", "/v1/tag/flag/passes", json=BODY)

    assert reply.status_code == 503
    assert injection.faults > 0
    stack.drain()
    operations.resume_unfinished()
    stack.drain()
    assert {field_value(pass_, "Points") for pass_ in passes} == {"0"}
    consistent(tenant.project_id)


def test_a_message_that_is_none_of_ours_is_dropped(stack: Stack) -> None:
    queue = stack.queues.get_queue_url(QueueName="passel-local-segment")["QueueUrl"]
    stack.queues.send_message(QueueUrl=queue, MessageBody="not ours")
    stack.queues.send_message(QueueUrl=queue, MessageBody='{"ticket_id": 999999999, "segment": 1}')

    stack.drain(timeout_seconds=10)
