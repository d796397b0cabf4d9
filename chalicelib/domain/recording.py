"""Writing answers down while more of them are awaited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Recorder(Generic[Item]):
    """Calls `write` in a thread of its own with all that was added since it was called last.

    So nothing waits for a write, few writes are made where much arrives, and what arrived is written within one write's
    time. Leaving the block waits for the last write, and raises what a write has raised.
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
                items = [self._waiting.get()]
                while True:
                    try:
                        items.append(self._waiting.get_nowait())
                    except Empty:
                        break
                is_over = None in items
                added = [item for item in items if item is not None]
                if added:
                    self._write(added)
        except BaseException as error:  # handed to whoever leaves the block
            self._error = error
