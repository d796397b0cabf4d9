"""Callbacks to teams' own systems."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib import logs, metrics
from chalicelib.domain import callbacks as domain
from chalicelib.schemas.messages import CallbackMessage
from chalicelib.settings import get_settings
from chalicelib.wiring import get_callback_sender, get_platform
from chalicelib.workers.entry import handle_records

callbacks = Blueprint(__name__)

CALLBACK_WORKERS = 50
"""callbacks on their way at once: each waits for a stranger's server, and many are slow"""


@callbacks.on_sqs_message(
    queue=get_settings().queue_name("callback"),
    name="send_callback",
    batch_size=1,
    maximum_concurrency=CALLBACK_WORKERS,
)
def send_callback(event: Any) -> None:
    """Tells a receiver of one event."""
    handle_records(event, CallbackMessage, _send)


def _send(message: CallbackMessage) -> None:
    event = message.events[0]
    logs.note(event_id=event.event_id, event=event.name, template_id=event.template_id, events=len(message.events))
    outcome = domain.deliver_callback(get_platform(), get_callback_sender(), message.as_task())
    logs.note(callback=outcome)
    if outcome is domain.Outcome.FAILED:
        metrics.count("CallbacksFailed", Dialect=event.dialect)
    elif outcome is domain.Outcome.ABANDONED:
        metrics.count("CallbacksAbandoned", Dialect=event.dialect)
