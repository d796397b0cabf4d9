"""What every worker shares: decode the message, observe its handling, and decide what a failure means.

On Lambda a worker's module is imported alone, without app.py, so each handler carries its own wrapper. Every queue
has a batch size of 1: a failure raises, SQS keeps that one message and delivers it again, and after five tries it goes
to the dead-letter queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chalicelib import logs, metrics
from chalicelib.domain.errors import PasselError, StorageUnavailable
from chalicelib.observing import Observation, observe

Message = TypeVar("Message", bound=BaseModel)

_NAMED = ("project_id", "ticket_id", "template_id", "segment", "start", "wallet", "collection", "attempt")
"""what may be said of a message: the rest of it may be personal, or open a door"""


def handle_records(event: Any, model: type[Message], handle: Callable[[Message], object]) -> None:
    """Hands each record's message to `handle`. A body that is none of ours is logged and dropped: no retry mends it.

    Raises whatever `handle` raises, so that the message comes again.
    """
    for record in event:
        _handle_record(record, model, handle)


def _handle_record(record: Any, model: type[Message], handle: Callable[[Message], object]) -> None:
    kind = model.__name__
    with observe(record.context, **_read_envelope(record.to_dict())) as observation:
        try:
            message = model.model_validate_json(record.body)
        except ValidationError as error:
            metrics.count("MessagesDropped")
            problems = logs.explain_error(error)
            observation.close(logging.ERROR, f"dropped a {kind} that cannot be read: {problems}", outcome="dropped")
            return
        told = _describe(message)
        logs.note(**told)
        name = " ".join([kind, *(f"{key}={value}" for key, value in told.items())])
        _run(observation, name, lambda: handle(message))


def run_schedule(event: Any, name: str, act: Callable[[], object]) -> None:
    """Runs what a schedule asks for. Raises whatever it raises, so that Lambda tries twice more."""
    with observe(event.context, schedule=name) as observation:
        _run(observation, name, act)


def _run(observation: Observation, name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception as error:
        # what is Busy now will do later; anything else is a fault that somebody has to look at
        level = logging.WARNING if isinstance(error, PasselError) else logging.ERROR
        if isinstance(error, StorageUnavailable):
            metrics.count("StorageFailures")
        why = f"{type(error).__name__} {logs.explain_error(error)}"
        observation.close(level, f"{name} failed and will be tried again: {why}", error=error, outcome="failed")
        raise
    observation.close(logging.INFO, f"{name} is done", outcome="done")


def _read_envelope(record: dict[str, Any]) -> dict[str, Any]:
    """Queue, message id and number of tries of an SQS record; nothing where a test left them out."""
    tries = record.get("attributes", {}).get("ApproximateReceiveCount")
    return {
        "queue": record.get("eventSourceARN", "").rpartition(":")[2] or None,
        "message_id": record.get("messageId"),
        "tries": None if tries is None else int(tries),
    }


def _describe(message: BaseModel) -> dict[str, Any]:
    return {name: value for name in _NAMED if (value := getattr(message, name, None)) is not None}
