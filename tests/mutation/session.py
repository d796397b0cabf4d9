"""What pytest does for a mutation run, as a plugin within the mutated tree.

With `MUTATION_REACH` it notes which lines of the domain each test reaches, and what the test costs. With
`MUTATION_JOBS` it runs no test itself: it collects them once and then plays each mutant in a fork of its own, which
ends at the first failure.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, Any

import coverage
import pytest

_ACTIVE = "MUTANT_UNDER_TEST"
"""the variable that mutmut's functions read at each call"""

_PATIENCE_SECONDS = 45
"""for a test that usually takes no time; others get this and 20 times what they take"""


def pytest_configure(config: pytest.Config) -> None:
    """Registers what the environment asks for."""
    os.environ[_ACTIVE] = ""
    if target := os.environ.get("MUTATION_REACH"):
        config.pluginmanager.register(Reach(Path(target)))
    if jobs := os.environ.get("MUTATION_JOBS"):
        config.pluginmanager.register(Judge(Path(jobs), Path(os.environ["MUTATION_RESULTS"])))


class Reach:
    """Notes for each test that passes its seconds of processor time, whether it needs engines, and what it reaches."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._tests: dict[str, dict[str, Any]] = {}
        self._failed: set[str] = set()
        self._coverage = coverage.Coverage(
            data_file=str(target.with_suffix(".coverage")),
            include=[str(Path("chalicelib/domain").absolute() / "*")],
            config_file=False,
        )
        self._coverage.erase()
        self._coverage.start()
        self._coverage.switch_context("collection")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Measures one test."""
        self._coverage.switch_context(item.nodeid)
        before = time.process_time()
        result = yield
        names = getattr(item, "fixturenames", ())
        self._tests[item.nodeid] = {"seconds": time.process_time() - before, "needs_engines": "stack" in names}
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What fails or is skipped here cannot judge."""
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Writes it all."""
        self._coverage.stop()
        data = self._coverage.get_data()
        here = Path.cwd()
        lines = {
            str(Path(name).relative_to(here)): data.contexts_by_lineno(name) for name in sorted(data.measured_files())
        }
        tests = {name: test for name, test in self._tests.items() if name not in self._failed}
        document = {"tests": tests, "unfit": sorted(self._failed), "lines": lines}
        self._target.write_text(json.dumps(document), "utf-8")


class Judge:
    """Plays mutants one after another: each line of the file of jobs has a `name`, and `tests` in order."""

    def __init__(self, jobs: Path, results: Path) -> None:
        self._jobs = [json.loads(line) for line in jobs.read_text("utf-8").splitlines()]
        self._results = results

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests."""
        items = {item.nodeid: item for item in session.items}
        _warm_up()
        gc.collect()
        gc.freeze()
        with self._results.open("a", encoding="utf-8") as results:
            for number, job in enumerate(self._jobs, 1):
                chosen = [(items[each["name"]], each["seconds"]) for each in job["tests"] if each["name"] in items]
                outcome = _play(session, job["mutant"], chosen)
                results.write(json.dumps({"name": job["name"], **outcome}) + "\n")
                results.flush()
                sys.stderr.write(f"{number}/{len(self._jobs)} {outcome['verdict']:8} {job['name']}\n")
        return True


def _warm_up() -> None:
    """Starts and stops the engines once: each fork finds loaded what they need, and starts its own in half the time."""
    from tests.support.stack import run_stack

    with run_stack() as stack:
        stack.tenant().call("GET", "/v1/tag")


def _play(session: pytest.Session, mutant: str, chosen: Sequence[tuple[pytest.Item, float]]) -> dict[str, Any]:
    """The verdict of a fork: `killed` by which test, `timeout`, or `survived`."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    folder = Path(tempfile.mkdtemp(prefix="passel-mutant-"))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_mutant(session, mutant, [item for item, _ in chosen], folder, os.fdopen(writing, "w"))
    os.close(writing)
    last, is_hanging = _follow(reading, [seconds for _, seconds in chosen])
    os.close(reading)
    if is_hanging:
        _kill(child)
    _, status = os.waitpid(child, 0)
    _kill(child)  # what it has started
    shutil.rmtree(folder, ignore_errors=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    verdict = "timeout" if is_hanging else "survived" if status == 0 else "killed"
    return {
        "verdict": verdict,
        "by": chosen[last][0].nodeid if verdict != "survived" and chosen else None,
        "tests": len(chosen),
        "processor_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "seconds": round(time.monotonic() - started, 2),
    }


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _follow(reading: int, seconds: Sequence[float]) -> tuple[int, bool]:
    """Reads which test the fork is at until it ends: the last one, and whether it took too long."""
    last = 0
    while True:
        patience = _PATIENCE_SECONDS + 20 * (seconds[last] if seconds else 0)
        if not select.select([reading], [], [], patience)[0]:
            return last, True
        told = os.read(reading, 4096)
        if not told:
            return last, False
        last = int(told.split()[-1])


def _be_mutant(
    session: pytest.Session, mutant: str, items: list[pytest.Item], folder: Path, tell: IO[str]
) -> None:  # pragma: no cover
    """In the fork: runs the tests until one fails, and never returns."""
    status = 1
    try:
        os.setsid()
        log = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ[_ACTIVE] = mutant
        tempfile.tempdir = str(folder)
        factory: Any = session.config._tmp_path_factory  # type: ignore[attr-defined]
        factory._given_basetemp = folder / "pytest"
        session.items = items
        session.config.pluginmanager.register(_FirstFailure())
        for position, item in enumerate(items):
            tell.write(f"{position}\n")
            tell.flush()
            following = items[position + 1] if position + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        status = 0
    finally:
        os._exit(status)


class _FirstFailure:
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(1)
