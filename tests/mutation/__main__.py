"""`make mutation`: plays changes of the rules in `chalicelib/domain` and says how many of them a test notices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import click
from mutmut.configuration import config

from tests.mutation.choosing import Reached, choose_tests, read_reached
from tests.mutation.mutants import BUILD, TREE, Mutant, make_mutants
from tests.mutation.report import NOTICED, write_report

CONTROLS: Final = 20
"""functions as they are, played like mutants: a test that fails then would fail by itself"""

FIRST_LOOK: Final = {"unit_seconds": 10.0, "engine_seconds": 8.0}
SECOND_LOOK: Final = {"unit_seconds": 10.0, "engine_seconds": 15.0}
"""for what survives the first: seconds of processor time that its tests may take"""


@click.command(help=__doc__)
@click.option("--sample", envvar="SAMPLE", default="640", show_default=True, help="How many mutants, or `all`.")
@click.option("--seed", envvar="SEED", default=1, show_default=True, help="Of the sample.")
@click.option("--module", "modules", multiple=True, envvar="MODULES", help="Only of these modules, by name.")
@click.option("--again", is_flag=True, help="Play only what the run before has not played, or nobody noticed.")
@click.option("--watch/--no-watch", default=True, help="Look anew at what each test reaches.")
def main(*, sample: str, seed: int, modules: tuple[str, ...], again: bool, watch: bool) -> None:
    """Make, choose, play, report."""
    everything = make_mutants()
    wanted = [each for each in everything if not modules or each.module in modules]
    size = len(wanted) if sample == "all" else min(int(sample), len(wanted))
    chosen = sorted(Random(seed).sample(wanted, size), key=lambda each: each.name)
    click.echo(f"SAMPLE={size} SEED={seed}, of {len(wanted):,} mutants")
    if watch:
        _watch()
    reached = read_reached(sorted(BUILD.glob("reach-*.json")))
    results = BUILD / "results.jsonl"
    kept = [each for each in _read(results).values() if again and each["verdict"] in NOTICED]
    results.write_text("".join(json.dumps(each) + "\n" for each in kept), "utf-8")
    _judge(reached, chosen, results, look=FIRST_LOOK, controls=CONTROLS)
    _judge(reached, chosen, results, look=SECOND_LOOK, controls=0)
    verdicts = _read(results)
    failed = [name for name, each in verdicts.items() if name.startswith("control") and each["verdict"] in NOTICED]
    click.echo("\n".join(write_report(chosen, verdicts, total=len(wanted))))
    click.echo(f"\n{len(failed)} controls failed: {failed}")


def _watch() -> None:
    """In a run for each suite, so that what one leaves behind is nothing to the next."""
    for old in BUILD.glob("reach-*.json"):
        old.unlink()
    selected = config().pytest_add_cli_args_test_selection
    for suite in dict.fromkeys("/".join(Path(each).parts[:2]) for each in selected):
        paths = [each for each in selected if each.startswith(suite)]
        click.echo(f"looking at what the tests of {suite} reach")
        _run_pytest(paths, {"MUTATION_REACH": str(BUILD / f"reach-{Path(suite).name}.json")})


def _judge(
    reached: Reached, mutants: Sequence[Mutant], results: Path, *, look: dict[str, float], controls: int
) -> None:
    """Plays what has not been noticed yet; who was judged by as many tests before keeps its verdict."""
    known = _read(results)
    jobs = []
    for mutant in mutants:
        tests = choose_tests(reached, mutant, **look)
        before = known.get(mutant.name)
        if before is None or (before["verdict"] not in NOTICED and len(tests) > before["tests"]):
            jobs.append(_job(mutant.name, mutant.name, reached, tests))
    for number, mutant in enumerate(Random(0).sample(list(mutants), min(controls, len(mutants)))):
        if f"control {number}" not in known:
            jobs.append(_job(f"control {number}", "", reached, choose_tests(reached, mutant, **look)))
    if not jobs:
        return
    file = BUILD / "jobs.jsonl"
    file.write_text("".join(json.dumps(job) + "\n" for job in jobs), "utf-8")
    needed = sorted({test["name"].partition("::")[0] for job in jobs for test in job["tests"]})
    _run_pytest(needed, {"MUTATION_JOBS": str(file), "MUTATION_RESULTS": str(results)})


def _job(name: str, mutant: str, reached: Reached, tests: Sequence[str]) -> dict[str, Any]:
    listed = [{"name": test, "seconds": reached.costs[test].seconds} for test in tests]
    return {"name": name, "mutant": mutant, "tests": listed}


def _read(results: Path) -> dict[str, dict[str, Any]]:
    """The latest verdict of each."""
    if not results.exists():
        return {}
    listed = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    return {each["name"]: each for each in listed}


def _run_pytest(arguments: Sequence[str], variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--tb=no", "-p", "no:cacheprovider"]
    command += config().pytest_add_cli_args
    command += ["-p", "tests.mutation.session", "--timeout=0" if "MUTATION_JOBS" in variables else "--timeout=180"]
    log = BUILD / "pytest.log"
    with log.open("w") as output:
        subprocess.run(
            [*command, *arguments],
            cwd=TREE,
            env={**os.environ, **variables},
            stdout=output,
            check=False,  # tests that fail in the tree, as they look at sources, judge nothing
        )


if __name__ == "__main__":
    main()
