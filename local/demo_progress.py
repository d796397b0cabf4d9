"""How the demo says how far it is, and how fast."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


class Watch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def rate(self, number: int, unit: str = "passes") -> str:
        """Such as `in 2.0 s (600 passes a second)`."""
        return f"in {self.seconds:.1f} s ({number / self.seconds:,.0f} {unit} a second)"


@contextmanager
def show_bar(label: str, *, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar where there is a terminal; yields what moves it on by a number of steps."""
    with click.progressbar(
        length=length, label=f"{label:<16}", show_pos=True, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield bar.update
