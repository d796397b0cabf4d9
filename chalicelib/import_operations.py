"""Importing lines of a file: what becomes of each, and what is kept of them. Where lines come from is the caller's.

A batch of lines may be handled again after this process died, since what it needs for that is kept before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import Protocol, TypeVar

import tenacity

from chalicelib.domain.errors import Busy
from chalicelib.domain.issuing import PassNumbers

PATIENCE_SECONDS = 300.0
"""how long a busy storage is waited for, before an import stops where it is"""

Result = TypeVar("Result")


class Outcome(StrEnum):
    """What became of a line that was not rejected."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a line can have no effect as it stands."""

    problem: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """Lines of a batch, by position, and the ids of the passes that become of them."""

    positions: Sequence[int]
    numbers: PassNumbers


class Memory(Protocol):
    """What is kept of a batch, so that it can be handled again."""

    def recall(self) -> list[Numbered]:
        """What earlier tries kept."""

    def keep(self, numbered: Numbered) -> None:
        """Keeps it safe from the death of this process, before it returns."""

    def first_pass_id(self) -> int | None:
        """The lowest id that was kept for any batch of this import."""


class Importer(Protocol):
    """What becomes of the lines of one kind of file. Batches are handled side by side, in threads."""

    outcomes: tuple[Outcome, ...]
    """what can become of a line"""

    def key_of(self, cells: Sequence[str]) -> str | None:
        """What a line is about; lines about the same are not handled at the same time."""

    def handle(self, rows: Sequence[Sequence[str]], memory: Memory) -> list[Outcome | Rejection]:
        """What became of each line.

        Raises:
            PasselError: the batch as a whole could not be handled; it can be tried again.
        """


class Patience:
    """Waits for a busy storage with full jitter; gives up after `PATIENCE_SECONDS`, or once the import is to stop."""

    def __init__(self, stopping: Event) -> None:
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Busy),
            stop=tenacity.stop_any(tenacity.stop_after_delay(PATIENCE_SECONDS), tenacity.stop_when_event_set(stopping)),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=20),
            sleep=tenacity.sleep_using_event(stopping),
            reraise=True,
        )

    def call(self, attempt: Callable[[], Result]) -> Result:
        """The result of the first attempt that does not find storage busy."""
        return self._retrying.copy()(attempt)
