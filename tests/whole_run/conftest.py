"""How these tests find what was recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import recording
from tests.support.recording import FinishedRun, NoRecordingError

FindRuns = Callable[[frozenset[str]], list[FinishedRun]]


@pytest.fixture(scope="session")
def find_runs(pytestconfig: pytest.Config) -> FindRuns:
    """Finds the recorded runs of some suites, or ends the test: skipped, or failed where they have just been run."""

    def find(suites: frozenset[str]) -> list[FinishedRun]:
        try:
            return recording.find_runs(suites)
        except NoRecordingError as error:
            if pytestconfig.getoption("recorded"):
                pytest.fail(str(error))
            pytest.skip(f"NOT CHECKED: {error}")

    return find


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud what was not checked, since a skipped test is but a letter otherwise."""
    reasons = {
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if report.nodeid.startswith("tests/whole_run/")
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"tests/whole_run: {reason}", yellow=True)
