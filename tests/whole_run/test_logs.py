"""No secret gets into a log, whatever is tested."""

from __future__ import annotations

import pytest

from tests.support import known_secrets, log_files
from tests.support.leaks import SecretFinder
from tests.support.recording import FinishedRun
from tests.whole_run.conftest import FindRuns

SUITES = frozenset({"contract", "e2e", "infra", "integration"})

KINDS = {kind for _, _, kind in known_secrets.VALUES} | {
    "API secret",
    "Authorization header",
    "device library identifier",
    "token in a query",
}
"""what tests bring about; were one missing, nobody would look for it"""


@pytest.fixture(scope="module")
def runs(find_runs: FindRuns) -> list[FinishedRun]:
    return find_runs(SUITES)


@pytest.fixture(scope="module")
def secrets(runs: list[FinishedRun]) -> dict[str, str]:
    return known_secrets.read_secrets([file for run in runs for file in run.files(known_secrets.KIND)])


def test_secrets_of_every_kind_came_into_being(secrets: dict[str, str]) -> None:
    assert set(secrets.values()) >= KINDS


def test_something_was_logged_in_every_run(runs: list[FinishedRun]) -> None:
    for run in runs:
        assert any(file.stat().st_size for file in run.files(log_files.KIND)), run.folder


def test_no_secret_is_logged(runs: list[FinishedRun], secrets: dict[str, str]) -> None:
    finder = SecretFinder(secrets)
    leaks = finder.find_in_files([file for run in runs for file in run.files(log_files.KIND)])
    assert [str(leak) for leak in leaks[:50]] == []
