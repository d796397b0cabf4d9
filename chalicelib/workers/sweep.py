"""Clearing away dead collections, and picking up what a lost message left undone."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint, Rate

from chalicelib.domain import sweeping
from chalicelib.schemas.messages import SweepMessage
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform
from chalicelib.workers.entry import handle_records

sweep = Blueprint(__name__)

RESUME_MINUTES = 15


@sweep.on_sqs_message(queue=get_settings().queue_name("sweep"), name="sweep_collection", batch_size=1)
def sweep_collection(event: Any) -> None:
    """Removes the rows of an emptied or deleted tag."""
    handle_records(
        event,
        SweepMessage,
        lambda message: sweeping.sweep_collection(get_platform(), key=message.collection, segments=message.segments),
    )


@sweep.schedule(Rate(RESUME_MINUTES, unit=Rate.MINUTES), name="resume_unfinished")
def resume_unfinished(event: Any) -> None:
    """Sends again what was written but whose message never left."""
    sweeping.resume_unfinished(get_platform(), minimum_age_seconds=RESUME_MINUTES * 60, queues_lost=False)
