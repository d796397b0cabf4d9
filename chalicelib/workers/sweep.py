"""Clearing away dead collections, and picking up what a lost message left undone."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint, Rate

from chalicelib import logs
from chalicelib.domain import sweeping
from chalicelib.schemas.messages import SweepMessage
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform
from chalicelib.workers.entry import handle_records, run_schedule

sweep = Blueprint(__name__)

RESUME_MINUTES = 15

SWEEPERS = 5
"""collections being cleared away at once: nobody waits for it"""


@sweep.on_sqs_message(
    queue=get_settings().queue_name("sweep"), name="sweep_collection", batch_size=1, maximum_concurrency=SWEEPERS
)
def sweep_collection(event: Any) -> None:
    """Removes the rows of an emptied or deleted tag."""
    handle_records(event, SweepMessage, _sweep)


def _sweep(message: SweepMessage) -> None:
    removed = sweeping.sweep_collection(get_platform(), key=message.collection, segments=message.segments)
    logs.note(removed=removed)


@sweep.schedule(Rate(RESUME_MINUTES, unit=Rate.MINUTES), name="resume_unfinished")
def resume_unfinished(event: Any) -> None:
    """Sends again what was written but whose message never left."""
    run_schedule(event, "resume_unfinished", _resume)


def _resume() -> None:
    sent = sweeping.resume_unfinished(get_platform(), minimum_age_seconds=RESUME_MINUTES * 60, queues_lost=False)
    logs.note(messages=sent)
