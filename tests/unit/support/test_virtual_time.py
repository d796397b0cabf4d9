"""Waiting without waiting: who is due first goes on first, and retries take no real time."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from chalicelib.domain.errors import Busy, Conflict
from chalicelib.domain.retrying import retry_conflicts
from tests.support.virtual_time import VirtualClock, run_in_virtual_time, seeded


def test_who_is_due_first_goes_on_first() -> None:
    clock = VirtualClock(workers=3)
    seen: list[tuple[str, float]] = []

    def wait(name: str, seconds: float) -> None:
        for _ in range(2):
            clock.sleep(seconds)
            seen.append((name, round(clock.now)))

    run_in_virtual_time(clock, [partial(wait, "long", 3000), partial(wait, "short", 1000), partial(wait, "odd", 1700)])
    assert seen == [
        ("short", 1000),
        ("odd", 1700),
        ("short", 2000),
        ("long", 3000),
        ("odd", 3400),
        ("long", 6000),
    ]


def test_the_budget_of_retries_is_spent_in_virtual_time() -> None:
    clock = VirtualClock(workers=2)
    tries: list[float] = []

    def attempt() -> None:
        tries.append(clock.now)
        raise Conflict("always")

    def write() -> None:
        with pytest.raises(Busy):
            retry_conflicts(attempt, budget_seconds=60)

    tasks: list[Callable[[], None]] = [write, partial(clock.sleep, 7200)]
    run_in_virtual_time(clock, tasks)
    assert 60 < max(tries) < 61
    assert len(tries) > 120


def test_the_same_seed_gives_the_same_scene() -> None:
    def play() -> list[tuple[int, float]]:
        clock = VirtualClock(workers=8)
        seen: list[tuple[int, float]] = []

        def act(number: int) -> None:
            for _ in range(20):
                clock.sleep(random.random())
                seen.append((number, clock.now))

        with seeded(6):
            run_in_virtual_time(clock, [partial(act, number) for number in range(8)])
        return seen

    assert play() == play()


def test_a_task_that_fails_keeps_nobody_waiting() -> None:
    clock = VirtualClock(workers=2)

    def fail() -> None:
        raise LookupError("no such thing")

    tasks: list[Callable[[], None]] = [fail, partial(clock.sleep, 1000)]
    with pytest.raises(LookupError):
        run_in_virtual_time(clock, tasks)
    assert clock.now >= 1000
