"""What every worker shares: decode the message, log, and decide what a failure means.

On Lambda a worker's module is imported alone, without app.py, so each handler carries its own wrapper. Every queue
has a batch size of 1: a failure raises, SQS keeps that one message and delivers it again, and after five tries it goes
to the dead-letter queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chalicelib.settings import get_settings

Message = TypeVar("Message", bound=BaseModel)

_log = logging.getLogger("passel")


def handle_records(event: Any, model: type[Message], handle: Callable[[Message], object]) -> None:
    """Hands each record's message to `handle`. A body that is none of ours is logged and dropped: no retry mends it.

    Raises whatever `handle` raises, so that the message comes again.
    """
    _log.setLevel(get_settings().log_level)
    for record in event:
        try:
            message = model.model_validate_json(record.body)
        except ValidationError as error:
            _log.error(
                "dropped a message that cannot be read: %s", error.errors(include_input=False, include_url=False)
            )
            continue
        try:
            handle(message)
        except Exception as error:
            _log.warning("%s failed and will be tried again: %r", message, error)
            raise
