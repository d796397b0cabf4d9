"""`python -m tests.chaos`: a run of the faults by chance, which prints what happened and what was broken."""

from __future__ import annotations

import resource
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import click

from tests.chaos.journal import Journal, Outcome
from tests.chaos.run import LONG, SHORT, Report, run_chaos
from tests.chaos.verdict import Violation

MOST_TOLD = 20
"""violations that are printed; all of them are in the folder"""

MOST_FILES = 200


@click.command(help=__doc__)
@click.option("--seed", envvar="CHAOS_SEED", type=int, help="Of operations and faults; drawn if it is not given.")
@click.option("--operations", envvar="CHAOS_OPERATIONS", type=click.IntRange(1), help="How many in all.")
@click.option("--short", is_flag=True, help="The bounded run of `make test`.")
def main(*, seed: int | None, operations: int | None, short: bool) -> None:
    """Run and report."""
    seed = SystemRandom().randrange(1_000_000) if seed is None else seed
    scale = SHORT if short else LONG
    scale = scale if operations is None else replace(scale, operations=operations)
    folder = Path("build/chaos") / str(seed)
    shutil.rmtree(folder, ignore_errors=True)
    click.echo(f"CHAOS_SEED={seed}, {scale.operations:,} operations, {scale.clients} clients")
    report = run_chaos(scale, seed=seed, folder=folder, say=click.echo)
    _print(report)
    if report.violations:
        _write(report, folder)
        _tell(report.violations, folder, seed=seed)
        sys.exit(1)
    click.echo(f"Everything holds (CHAOS_SEED={seed}).")


def _print(report: Report) -> None:
    click.echo("\noperations          done refused unknown")
    for kind, counts in sorted(report.journal.count_outcomes().items()):
        row = "".join(f"{counts[outcome]:8,}" for outcome in Outcome)
        click.echo(f"{kind:24}{row}")
    tries = [each for operation in report.journal.operations for each in operation.tries]
    statuses = Counter("lost" if each.status is None else str(each.status) for each in tries)
    click.echo(f"\nanswers: {', '.join(f'{times:,} {status}' for status, times in sorted(statuses.items()))}")
    click.echo("\nfaults:")
    for fault, times in sorted(report.faults.items(), key=lambda each: -each[1]):
        click.echo(f"{times:7,} {fault}")
    seconds = report.seconds["clients"]
    total = len(report.journal.operations)
    click.echo(
        f"\n{total:,} operations about {report.passes:,} passes in {seconds:.0f} s: {total / seconds:.0f} a second; "
        f"{report.failed_tickets} tickets failed and were redriven; {sum(report.seconds.values()):.0f} s in all, "
        f"{_processor_seconds():.0f} s of processor time"
    )


def _processor_seconds() -> float:
    """Of this process and of all that it has started, which have ended by now."""
    usages = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _write(report: Report, folder: Path) -> None:
    for number, violation in enumerate(report.violations[:MOST_FILES], start=1):
        file = folder / f"violation-{number}.txt"
        report.journal.write(file, violation.operations)
        text = f"{violation.invariant}: {violation.detail}\n\n{file.read_text(encoding='utf-8')}"
        file.write_text(text, encoding="utf-8")
    _write_all(report.journal, folder)


def _write_all(journal: Journal, folder: Path) -> None:
    journal.write(folder / "journal.txt", journal.operations)


def _tell(violations: Sequence[Violation], folder: Path, *, seed: int) -> None:
    for promise, times in Counter(each.invariant for each in violations).items():
        click.echo(f"BROKEN {times:,} times: {promise}", err=True)
    for number, violation in enumerate(violations[:MOST_TOLD], start=1):
        click.echo(f"{number}. {violation.invariant}: {violation.detail[:600]}", err=True)
    click.echo(f"CHAOS_SEED={seed} repeats it; the operations about each are in {folder}/violation-*.txt", err=True)


if __name__ == "__main__":
    main()
