"""Writing answers down while more of them are awaited."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")

WORTH_A_WRITE = 25
"""items, which one call of storage takes"""

PATIENCE_SECONDS = 0.02
"""what a process that dies may have known and not written: little, for half as many calls"""


class Recorder(Generic[Item]):
    """Calls `write` in a thread of its own with all that was added since it was called last.

    So nothing waits for a write, and few writes are made where much arrives: one is made as soon as it is worth it, or
    `PATIENCE_SECONDS` after the first of its items. Leaving the block waits for the last write, and raises what a write
    has raised.
    """

    def __init__(self, write: Callable[[Sequence[Item]], None]) -> None:
        self._write = write
        self._waiting: SimpleQueue[Item | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> Recorder[Item]:
        self._thread.start()
        return self

    def add(self, item: Item) -> None:
        """Has an item written soon."""
        self._waiting.put(item)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _run(self) -> None:
        try:
            is_over = False
            while not is_over:
                items = self._gather()
                is_over = None in items
                added = [item for item in items if item is not None]
                if added:
                    self._write(added)
        except BaseException as error:  # handed to whoever leaves the block
            self._error = error

    def _gather(self) -> list[Item | None]:
        """What is to be written next; the last is None once nothing more will come."""
        items = [self._waiting.get()]
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while items[-1] is not None:
            left_seconds = ends_at - time.monotonic() if len(items) < WORTH_A_WRITE else 0.0
            try:
                items.append(
                    self._waiting.get(timeout=left_seconds) if left_seconds > 0 else self._waiting.get_nowait()
                )
            except Empty:
                break
        return items
