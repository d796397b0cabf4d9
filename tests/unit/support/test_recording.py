"""Which runs count as whole, and for how long."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import recording
from tests.support.recording import NoRecordingError, find_runs, find_whole_suites


def config(*arguments: str, **options: Any) -> Any:
    """pytest's, of a run with these arguments in the project's folder."""
    return SimpleNamespace(
        args=arguments,
        option=SimpleNamespace(**options),
        invocation_params=SimpleNamespace(dir=recording.ROOT),
    )


@pytest.mark.parametrize(
    ("arguments", "suites"),
    [
        (["tests/contract", "tests/integration/"], {"contract", "integration"}),
        (["tests/unit", "tests/whole_run"], {"unit"}),
        (["tests"], recording.SUITES),
        (["tests/contract", "tests/integration/test_cli.py"], set()),
        (["tests/contract/test_tags.py::test_a"], set()),
        (["tests/unit/domain"], set()),
    ],
)
def test_a_run_takes_the_suites_that_it_names_whole(arguments: list[str], suites: set[str]) -> None:
    assert find_whole_suites(config(*arguments)) == suites


@pytest.mark.parametrize(
    "option",
    [
        {"keyword": "tags"},
        {"markexpr": "slow"},
        {"lf": True},
        {"deselect": ["x"]},
        {"ignore": ["x"]},
        {"stepwise": True},
    ],
    ids=str,
)
def test_a_run_that_leaves_tests_out_takes_none(option: dict[str, Any]) -> None:
    assert find_whole_suites(config("tests/contract", **option)) == set()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where recordings are; the sources are those of `now`."""
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(recording, "digest_sources", lambda: "now")
    return tmp_path


def record(folder: Path, *suites: str, sources: str = "now") -> None:
    place = folder / "+".join(suites)
    place.mkdir()
    content = {"suites": suites, "skipped": ["a test"], "sources": sources}
    (place / "finished.json").write_text(json.dumps(content))
    for process in ("gw0", "gw1"):
        (place / f"calls-{process}").touch()


def test_the_runs_of_some_suites_are_found_with_their_files(folder: Path) -> None:
    record(folder, "contract", "integration")
    record(folder, "e2e")
    record(folder, "unit", sources="before")
    runs = find_runs(frozenset({"integration", "e2e"}))
    assert {run.suites for run in runs} == {frozenset({"contract", "integration"}), frozenset({"e2e"})}
    assert {run.skipped for run in runs} == {("a test",)}
    assert [file.name for file in runs[0].files("calls")] == ["calls-gw0", "calls-gw1"]


@pytest.mark.parametrize(
    ("sources", "message"), [("before", "integration has passed since"), (None, "integration has passed;")]
)
def test_a_run_that_is_missing_or_outdated_is_named(folder: Path, sources: str | None, message: str) -> None:
    record(folder, "contract")
    if sources is not None:
        record(folder, "integration", sources=sources)
    with pytest.raises(NoRecordingError, match=message):
        find_runs(frozenset({"contract", "integration"}))


def test_a_run_that_has_not_passed_is_none(folder: Path) -> None:
    record(folder, "contract")
    (folder / "contract" / "finished.json").unlink()
    with pytest.raises(NoRecordingError):
        find_runs(frozenset({"contract"}))
