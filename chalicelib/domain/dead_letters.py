"""Messages that were given up, which wait for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message as it lies in a queue. `receipt` proves that it was taken."""

    body: str
    receipt: str


class DeadLetters(Protocol):
    """Queues that nobody works off."""

    def take(self, queue: str) -> Sequence[DeadLetter]:
        """Some messages of a dead-letter queue, which nobody else gets for a while; none when it is empty."""

    def remove(self, queue: str, letter: DeadLetter) -> None:
        """Removes a message that was taken."""

    def put_back(self, queue: str, letter: DeadLetter) -> None:
        """Lets everybody have a message again that was taken."""
