"""`make bench`: measures on dynoxide with data on disk, and writes tables to benchmarks/results/."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

import click

from benchmarks.conditions import DEFAULT_SCALE
from benchmarks.reporting import BarsMissed

PARTS = {
    "scale": "benchmarks.scale:run",
    "bulk": "benchmarks.bulk:run",
    "bulk_memory": "benchmarks.bulk_memory:run",
    "overhead": "benchmarks.parts:run_overhead",
    "contention": "benchmarks.parts:run_contention",
    "wallets": "benchmarks.parts:run_wallets",
    "pushes": "benchmarks.parts:run_pushes",
    "limits": "benchmarks.limits:run",
    "cold_start": "benchmarks.parts:run_cold_start",
}
"""what is measured, in this order, and the function that does it: `run(*, scale: int)`"""


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)), metavar="[PART]...")
@click.option(
    "--scale",
    type=click.IntRange(1000),
    default=lambda: os.environ.get("SCALE", DEFAULT_SCALE),
    show_default=f"$SCALE or {DEFAULT_SCALE}",
    help="The largest number of passes in one tag.",
)
def main(parts: Sequence[str], scale: int) -> None:
    """Measure all parts, or the ones named: see PARTS.

    Exit code 1: a figure is beyond its bar; the results are written all the same.
    """
    missed: list[str] = []
    for part in parts or PARTS:
        click.echo(f"\n{part}")
        try:
            find_part(part)(scale=scale)
        except BarsMissed as error:
            missed += [f"{part}: {sentence}" for sentence in error.sentences]
    for sentence in missed:
        click.echo(sentence, err=True)
    raise SystemExit(1 if missed else 0)


class _Part(Protocol):
    """Measures and reports.

    Raises:
        BarsMissed
    """

    def __call__(self, *, scale: int) -> None: ...


def find_part(part: str) -> _Part:
    """The function of a part, which is imported only now."""
    module, _, function = PARTS[part].partition(":")
    found: _Part = getattr(import_module(module), function)
    return found


if __name__ == "__main__":
    main()
