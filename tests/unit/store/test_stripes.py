from __future__ import annotations

from dataclasses import dataclass

import pytest

from chalicelib.store.connection import StripeChoice
from chalicelib.store.transactions import SLOTS_PER_SEGMENT


@dataclass
class Clock:
    """Shows what it is set to."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Stands still unless it is moved."""
    return Clock()


@pytest.fixture
def choice(clock: Clock) -> StripeChoice:
    """All sixteen stripes, remembered for five seconds."""
    return StripeChoice(count=SLOTS_PER_SEGMENT, memory_seconds=5, clock=clock)


def _draw(choice: StripeChoice) -> set[int]:
    return {choice.choose() for _ in range(1000)}


def test_a_quiet_process_writes_stripe_zero(choice: StripeChoice) -> None:
    assert _draw(choice) == {0}


def test_a_conflict_spreads_the_writes_over_all_stripes(choice: StripeChoice) -> None:
    choice.note_conflict()

    assert _draw(choice) == set(range(SLOTS_PER_SEGMENT))


def test_a_conflict_is_forgotten_after_a_few_seconds(choice: StripeChoice, clock: Clock) -> None:
    choice.note_conflict()
    clock.seconds += 4.9
    assert len(_draw(choice)) > 1
    clock.seconds += 0.2

    assert _draw(choice) == {0}


def test_another_conflict_prolongs_the_memory(choice: StripeChoice, clock: Clock) -> None:
    choice.note_conflict()
    clock.seconds += 4
    choice.note_conflict()
    clock.seconds += 4

    assert len(_draw(choice)) > 1


def test_one_stripe_means_that_nothing_is_spread(clock: Clock) -> None:
    choice = StripeChoice(count=1, memory_seconds=5, clock=clock)
    choice.note_conflict()

    assert _draw(choice) == {0}
