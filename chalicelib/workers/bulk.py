"""Bulk updates: the plan, its segments, and what becomes of messages that failed too often."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib import logs, metrics
from chalicelib.domain import bulk_updates
from chalicelib.domain.tickets import Ticket, TicketStatus
from chalicelib.schemas.messages import PlanMessage, SegmentMessage
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform
from chalicelib.workers.entry import handle_records

bulk = Blueprint(__name__)

PLANNERS = 5
"""updates being planned, or marked as failed, at once: each sends a thousand messages"""

SEGMENT_WORKERS = 10
"""segments in work at once: the throttle that keeps a large update from crowding out other writers"""


@bulk.on_sqs_message(
    queue=get_settings().queue_name("plan"), name="plan_bulk_update", batch_size=1, maximum_concurrency=PLANNERS
)
def plan_bulk_update(event: Any) -> None:
    """Cuts a bulk update into segments."""
    handle_records(event, PlanMessage, _plan)


def _plan(message: PlanMessage) -> None:
    ticket = bulk_updates.plan_bulk_update(get_platform(), ticket_id=message.ticket_id, start=message.start)
    if ticket is not None:
        logs.note(project_id=ticket.project_id, passes=ticket.progress.total)
        if ticket.status is TicketStatus.COMPLETED:
            metrics.count("TicketsCompleted")


@bulk.on_sqs_message(
    queue=get_settings().queue_name("segment"),
    name="update_segment",
    batch_size=1,
    maximum_concurrency=SEGMENT_WORKERS,
)
def update_segment(event: Any) -> None:
    """Applies a bulk update to one segment."""
    handle_records(event, SegmentMessage, _update)


def _update(message: SegmentMessage) -> None:
    result = bulk_updates.update_segment(get_platform(), ticket_id=message.ticket_id, segment=message.segment)
    if result is None:
        return
    processed, changed, failed = result.processed, result.changed, result.failed
    logs.note(project_id=result.project_id, processed=processed, changed=changed, failed=failed)
    metrics.count("BulkSegments")
    metrics.count("BulkPassesProcessed", processed)
    metrics.count("BulkPassesChanged", changed)
    metrics.count("BulkPassesFailed", failed)
    if result.is_last:
        metrics.count("TicketsCompleted")


@bulk.on_sqs_message(
    queue=get_settings().queue_name("plan-dead"), name="fail_plan", batch_size=1, maximum_concurrency=PLANNERS
)
def fail_plan(event: Any) -> None:
    """Marks a bulk update whose plan failed too often."""
    handle_records(event, PlanMessage, _fail_plan)


def _fail_plan(message: PlanMessage) -> None:
    _note_failure(bulk_updates.fail_plan(get_platform(), ticket_id=message.ticket_id, start=message.start))


@bulk.on_sqs_message(
    queue=get_settings().queue_name("segment-dead"), name="fail_segment", batch_size=1, maximum_concurrency=PLANNERS
)
def fail_segment(event: Any) -> None:
    """Marks a bulk update one of whose segments failed too often."""
    handle_records(event, SegmentMessage, _fail_segment)


def _fail_segment(message: SegmentMessage) -> None:
    _note_failure(bulk_updates.fail_segment(get_platform(), ticket_id=message.ticket_id, segment=message.segment))


def _note_failure(before: Ticket | None) -> None:
    """Counts a ticket once, however many of its parts fail; twice if two give up in the same moment."""
    if before is None:
        return
    logs.note(project_id=before.project_id)
    if before.status is not TicketStatus.FAILED:
        metrics.count("TicketsFailed")
