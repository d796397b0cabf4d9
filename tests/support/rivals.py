"""A rival writer who strikes at the worst moment: between what an operation reads and what it writes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar, cast

from chalicelib.domain.ports import Platform
from tests.support.functions import working_as

Result = TypeVar("Result")


def with_rival(platform: Platform, store: str, method: str, rival: Callable[[], object]) -> Platform:
    """The platform, but for `rival`, who acts just before the first call of one method of one of its stores."""
    return replace(platform, **{store: cast(Any, _Interrupted(getattr(platform, store), method, rival))})


class _Interrupted:
    def __init__(self, store: object, method: str, rival: Callable[[], object]) -> None:
        self._store = store
        self._method = method
        self._rival: Callable[[], object] | None = rival

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._rival is not None:
            rival, self._rival = self._rival, None
            with working_as(None):
                rival()
        return getattr(self._store, name)


def run_together(tasks: list[Callable[[], Result]]) -> list[Result]:
    """All tasks at the same time, a thread for each; their results in order."""
    with ThreadPoolExecutor(max_workers=len(tasks)) as threads:
        return list(threads.map(lambda task: task(), tasks))


def with_budget(platform: Platform, seconds: float) -> Platform:
    """The platform with another time budget for conflicts."""
    return replace(platform, bounds=replace(platform.bounds, budget_seconds=seconds))
