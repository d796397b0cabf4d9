"""`python -m tests.fuzz`: a long run over the API, which prints what it found with the command to see it again."""

from __future__ import annotations

import logging
import resource
import sys
import threading
from random import SystemRandom

import click

from tests.fuzz.run import Extent, Outcome, run
from tests.fuzz.world import World
from tests.support.stack import run_stack

MOST_TOLD = 40


@click.command(help=__doc__)
@click.option("--seed", envvar="FUZZ_SEED", type=int, help="Of all requests; drawn if it is not given.")
@click.option("--examples", envvar="FUZZ_EXAMPLES", type=click.IntRange(1), default=30, help="Of each operation.")
@click.option(
    "--systematic",
    envvar="FUZZ_SYSTEMATIC",
    type=click.IntRange(1),
    help="Of each operation, of the cases that go through its description part by part; all if it is not given.",
)
@click.option("--keep", envvar="FUZZ_KEEP", is_flag=True, help="Leave the server running, to try the commands.")
def main(*, seed: int | None, examples: int, systematic: int | None, keep: bool) -> None:
    """Run and report."""
    seed = SystemRandom().randrange(1_000_000) if seed is None else seed
    extent = Extent(examples=examples, stories=4 * examples, steps=12, systematic=systematic)
    again = f"FUZZ_SEED={seed} FUZZ_EXAMPLES={examples}" + (f" FUZZ_SYSTEMATIC={systematic}" if systematic else "")
    click.echo(again)
    with run_stack() as stack:
        world = World(stack)
        logging.getLogger("passel").setLevel(logging.ERROR)  # what thousands of requests say
        outcome = run(world, url=stack.url, seed=seed, extent=extent, say=click.echo)
        _print(outcome)
        if keep:
            click.echo(f"The server runs on at {stack.url}; stop it with Ctrl-C.")
            threading.Event().wait()
    if outcome.findings or outcome.errors:
        click.echo(f"{again} repeats it, with FUZZ_KEEP=1 for the commands", err=True)
        sys.exit(1)
    click.echo(f"Everything is as described (FUZZ_SEED={seed}).")


def _print(outcome: Outcome) -> None:
    answers = ", ".join(f"{times:,} {status}" for status, times in sorted(outcome.statuses.items()))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime
    click.echo(f"{outcome.statuses.total():,} requests in {seconds:.0f} s of processor time: {answers}")
    click.echo(f"{len(outcome.tried)} operations, never with success: {sorted(outcome.tried - outcome.succeeded)}")
    for excuse, times in outcome.excused.most_common():
        click.echo(f"{times:7,} excused: {excuse if isinstance(excuse, str) else excuse.words}")
    kinds = outcome.kinds()
    for number, found in enumerate(list(kinds.values())[:MOST_TOLD], start=1):
        click.echo(f"\n{number}. {len(found)} times {found[0]}", err=True)
    if len(kinds) > MOST_TOLD:
        click.echo(f"\n{len(kinds) - MOST_TOLD} more are not shown.", err=True)
    for error in outcome.errors:
        click.echo(f"\nNot tried: {error}", err=True)


if __name__ == "__main__":
    main()
