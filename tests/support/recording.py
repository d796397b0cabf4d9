"""Where a test run writes down what it sees, for those tests that judge all of it (`tests/whole_run`).

Only a run that takes suites whole is written down: what a path, a keyword or an option leaves out might be just what
would have counted. A recording counts once its run has passed, and for as long as the sources stay what they were.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
FOLDER = ROOT / "build" / "test-run"

SUITES: Final = frozenset({"contract", "deployment", "e2e", "infra", "integration", "unit"})
"""folders of `tests` that are recorded"""

_FINISHED = "finished.json"

_NARROWING = (
    *("collectonly", "deselect", "ignore", "ignore_glob", "keyword", "lf", "markexpr", "setuponly", "setupplan"),
    "stepwise",
)
"""pytest's options that leave tests out"""

_SOURCES = ("app.py", "chalicelib", "infra", "local", "tests", "requirements.txt")
"""what decides which calls are made and what is logged; policies do not, so they can be changed and judged again"""


@dataclass(frozen=True, slots=True)
class Recording:
    """The files of one process of a run that is being recorded."""

    folder: Path
    process: str

    def file(self, kind: str) -> Path:
        """This process's own file of that kind."""
        return self.folder / f"{kind}-{self.process}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run that was recorded and has passed."""

    folder: Path
    suites: frozenset[str]
    skipped: tuple[str, ...]
    """tests that did not run, for whatever reason"""
    sources: str
    """a digest of the sources, the same at its beginning and its end"""

    def files(self, kind: str) -> list[Path]:
        """What its processes have written of that kind."""
        return sorted(self.folder.glob(f"{kind}-*"))


class NoRecordingError(Exception):
    """There is nothing to judge; the message says why."""


_RECORDING = pytest.StashKey[Recording]()
_SUITES = pytest.StashKey[frozenset[str]]()
_DIGEST = pytest.StashKey[str]()


def recording_of(config: pytest.Config) -> Recording | None:
    """Where this process writes; None if its run is not recorded."""
    return config.stash.get(_RECORDING, None)


def find_runs(suites: frozenset[str]) -> list[FinishedRun]:
    """The runs that took these suites, all of them.

    Raises:
        NoRecordingError: one was not run, or not with these sources.
    """
    runs = [_read_run(file) for file in FOLDER.glob(f"*/{_FINISHED}")]
    digest = digest_sources()
    current = [run for run in runs if run.suites & suites and run.sources == digest]
    missing = suites.difference(*(run.suites for run in current))
    if missing:
        known = frozenset().union(*(run.suites for run in runs))
        why = "has passed since the sources changed" if missing <= known else "has passed"
        raise NoRecordingError(f"no whole run of {', '.join(sorted(missing))} {why}; `make test` makes one")
    return current


def _read_run(file: Path) -> FinishedRun:
    content = json.loads(file.read_text(encoding="utf-8"))
    return FinishedRun(
        folder=file.parent,
        suites=frozenset(content["suites"]),
        skipped=tuple(content["skipped"]),
        sources=content["sources"],
    )


def digest_sources() -> str:
    """Changes with every source that a test run depends on."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        path = ROOT / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content = file.read_bytes()
            digest.update(f"{file.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def pytest_addoption(parser: pytest.Parser) -> None:
    """For `make test`, which has just run all suites when it comes to the tests of the whole run."""
    parser.addoption("--recorded", action="store_true", help="fail, and do not skip, where no whole run is recorded")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Decides whether this run is recorded, and where."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        if worker["recording"]:
            config.stash[_RECORDING] = Recording(Path(worker["recording"]), worker["workerid"])
        return
    suites = find_whole_suites(config)
    if suites:
        folder = FOLDER / "+".join(sorted(suites))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        config.stash[_RECORDING] = Recording(folder, "main")
        config.stash[_SUITES] = suites
        config.stash[_DIGEST] = digest_sources()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a process of pytest-xdist where to write."""
    recording = recording_of(node.config)
    node.workerinput["recording"] = None if recording is None else str(recording.folder)


def find_whole_suites(config: pytest.Config) -> frozenset[str]:
    """The suites that a run takes whole; none if anything about it leaves tests out."""
    if any(getattr(config.option, option, None) for option in _NARROWING):
        return frozenset()
    paths = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    if paths == [TESTS]:
        return SUITES
    if any(path.parent != TESTS for path in paths):
        return frozenset()
    return SUITES & {path.name for path in paths}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Says that the recording is complete, if it is."""
    config = session.config
    if _SUITES not in config.stash or exitstatus != pytest.ExitCode.OK:
        return
    sources = config.stash[_DIGEST]
    if digest_sources() != sources:
        return
    suites = config.stash[_SUITES]
    content = {"suites": sorted(suites), "skipped": _list_skipped(config), "sources": sources}
    file = config.stash[_RECORDING].folder / _FINISHED
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _list_skipped(config: pytest.Config) -> list[str]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    reports: Iterable[Any] = () if reporter is None else reporter.stats.get("skipped", ())
    return sorted(report.nodeid for report in reports)
