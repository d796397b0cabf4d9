"""Callbacks to teams' own systems."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

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
    outcome = domain.deliver_callback(get_platform(), get_callback_sender(), message.as_task())
    if outcome in (domain.Outcome.FAILED, domain.Outcome.ABANDONED):
        from chalicelib import metrics

        metrics.count(f"Callbacks{outcome.capitalize()}", Dialect=message.events[0].dialect)
