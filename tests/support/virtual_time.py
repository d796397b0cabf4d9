"""A clock that stands still while anybody works, and jumps when all wait: long and crowded scenes in little time.

Writers are threads; a writer's call is handled in the proxy's loop, so a writer works there or in its own thread, never
in both. Who waits does so here. Once all wait, the clock jumps to the first one due, which goes on alone: the same seed
gives the same scene, on however slow a machine. What is computed takes no time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TypeVar
from unittest import mock

Result = TypeVar("Result")

_REAL_SECONDS = 600.0
"""in which anybody's turn must come, or somebody waits elsewhere"""


class VirtualClock:
    """Seconds since the beginning, for the writers of one scene."""

    def __init__(self, *, workers: int) -> None:
        self.now = 0.0
        self._lock = threading.Lock()
        self._working = workers
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def read(self) -> float:
        """The time, for who asks for a clock."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Lets a writer's thread wait."""
        awake = threading.Event()
        self._wait(seconds, awake.set)
        if not awake.wait(_REAL_SECONDS):
            raise TimeoutError("somebody works without end, or waits elsewhere")

    async def pause(self, seconds: float) -> None:
        """Lets a writer's call wait."""
        loop = asyncio.get_running_loop()
        awake = loop.create_future()
        self._wait(seconds, lambda: loop.call_soon_threadsafe(awake.set_result, None))
        await awake

    def leave(self) -> None:
        """A writer is done for good."""
        with self._lock:
            self._working -= 1
            self._go_on()

    def _wait(self, seconds: float, wake: Callable[[], object]) -> None:
        with self._lock:
            heapq.heappush(self._waiting, (self.now + max(0.0, seconds), next(self._order), wake))
            self._working -= 1
            self._go_on()

    def _go_on(self) -> None:
        if self._working == 0 and self._waiting:
            self.now, _, wake = heapq.heappop(self._waiting)
            self._working = 1
            wake()


def run_in_virtual_time(clock: VirtualClock, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """Runs the tasks side by side, a thread for each, and returns their results in order.

    Whatever they wait for between retries, be it ours, tenacity's or botocore's, passes on that clock.
    """
    results: dict[int, Result] = {}
    failures: list[BaseException] = []

    def run(number: int, task: Callable[[], Result]) -> None:
        try:
            clock.sleep(number * 1e-6)  # all are there before the first begins
            results[number] = task()
        except BaseException as error:
            failures.append(error)
        finally:
            clock.leave()

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(tasks)]
    with _retrying_by(clock):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(tasks))]


@contextmanager
def _retrying_by(clock: VirtualClock) -> Iterator[None]:
    played = SimpleNamespace(sleep=clock.sleep, monotonic=clock.read, time=clock.read)
    with (
        mock.patch("tenacity.time", played),
        mock.patch("tenacity.nap.time", played),
        mock.patch("botocore.endpoint.time", played),
        mock.patch("chalicelib.store.connection.time", played),
    ):
        yield


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What the library of random numbers gives inside the block depends on the seed alone."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
