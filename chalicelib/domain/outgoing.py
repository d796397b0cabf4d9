"""Messages that tell of a change, written in one transaction with it: what is done is told, also if we die between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message for a queue of ours. It stays in the outbox until a worker has handled it."""

    key: str
    """unique, and the same for every repeat"""
    queue: str
    """such as `push`; see `infra/resources.yaml`"""
    document: Mapping[str, Any]
    """JSON, as the queue's message in `schemas/messages.py` has it"""
    created_at: datetime


class OutboxStore(Protocol):
    """What was written but may not have been sent. Rows are put by the stores that write the change itself."""

    def list_waiting(self, *, before: datetime) -> list[Outgoing]:
        """Messages older than that which nobody has handled."""

    def remove(self, key: str) -> None:
        """Forgets a message that was handled. Idempotent."""
