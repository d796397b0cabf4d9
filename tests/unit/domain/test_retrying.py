from __future__ import annotations

import pytest

from chalicelib.domain.errors import Busy, Conflict, NotFound
from chalicelib.domain.retrying import retry_conflicts


class _Attempts:
    """Fails with each of the errors in turn, then returns how often it was called."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self._errors = iter(errors)

    def __call__(self) -> int:
        self.calls += 1
        for error in self._errors:
            raise error
        return self.calls


def test_conflicts_are_tried_again() -> None:
    assert retry_conflicts(_Attempts(Conflict(), Conflict()), budget_seconds=5) == 3


@pytest.mark.parametrize("error", [NotFound("pass", 1), Busy("throttled"), ValueError("a fault of ours")])
def test_anything_else_is_passed_on_at_once(error: Exception) -> None:
    attempts = _Attempts(error)

    with pytest.raises(type(error)) as raised:
        retry_conflicts(attempts, budget_seconds=5)

    assert raised.value is error
    assert attempts.calls == 1


def test_conflicts_that_outlast_the_budget_are_busy() -> None:
    attempts = _Attempts(*[Conflict("met")] * 1000)

    with pytest.raises(Busy) as busy:
        retry_conflicts(attempts, budget_seconds=0.05)

    assert isinstance(busy.value.__cause__, Conflict)
    assert busy.value.retry_after_seconds >= 1
    assert 1 < attempts.calls < 100
