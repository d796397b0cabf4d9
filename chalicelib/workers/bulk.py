"""Bulk updates: the plan, its segments, and what becomes of messages that failed too often."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.domain import bulk_updates
from chalicelib.schemas.messages import PlanMessage, SegmentMessage
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform
from chalicelib.workers.entry import handle_records

bulk = Blueprint(__name__)

SEGMENT_WORKERS = 10
"""segments in work at once: the throttle that keeps a large update from crowding out other writers"""


@bulk.on_sqs_message(queue=get_settings().queue_name("plan"), name="plan_bulk_update", batch_size=1)
def plan_bulk_update(event: Any) -> None:
    """Cuts a bulk update into segments."""
    handle_records(
        event,
        PlanMessage,
        lambda message: bulk_updates.plan_bulk_update(get_platform(), ticket_id=message.ticket_id, start=message.start),
    )


@bulk.on_sqs_message(
    queue=get_settings().queue_name("segment"),
    name="update_segment",
    batch_size=1,
    maximum_concurrency=SEGMENT_WORKERS,
)
def update_segment(event: Any) -> None:
    """Applies a bulk update to one segment."""
    handle_records(
        event,
        SegmentMessage,
        lambda message: bulk_updates.update_segment(
            get_platform(), ticket_id=message.ticket_id, segment=message.segment
        ),
    )


@bulk.on_sqs_message(queue=get_settings().queue_name("plan-dead"), name="fail_plan", batch_size=1)
def fail_plan(event: Any) -> None:
    """Marks a bulk update whose plan failed too often."""
    handle_records(
        event,
        PlanMessage,
        lambda message: bulk_updates.fail_plan(get_platform(), ticket_id=message.ticket_id, start=message.start),
    )


@bulk.on_sqs_message(queue=get_settings().queue_name("segment-dead"), name="fail_segment", batch_size=1)
def fail_segment(event: Any) -> None:
    """Marks a bulk update one of whose segments failed too often."""
    handle_records(
        event,
        SegmentMessage,
        lambda message: bulk_updates.fail_segment(get_platform(), ticket_id=message.ticket_id, segment=message.segment),
    )
