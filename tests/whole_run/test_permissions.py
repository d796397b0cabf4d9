"""Every function's policy against what its code called in all tests: it lacks nothing and has nothing to spare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from chalice.app import SQSEventConfig

from app import app
from tests.support import calls
from tests.support.aws_actions import Access, queue_arn
from tests.support.functions import API_FUNCTION
from tests.support.policies import policy_files, read_policy
from tests.support.recording import FinishedRun
from tests.whole_run.conftest import FindRuns

SUITES = frozenset({"contract", "integration"})
"""in whose tests functions run in the process of the test"""

CONSUMING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""what Lambda does with the function's role for an event source mapping (developer guide, `services-sqs-configure`)"""

OF_THE_SERVICE: Final[Mapping[str, str]] = {
    "logs:CreateLogGroup": "Lambda, where the function has no log group yet",
    "logs:CreateLogStream": "Lambda, for each new instance of the function",
    "logs:PutLogEvents": "Lambda, for each line that is printed",
    "xray:PutTraceSegments": "Lambda, where tracing is on",
    "xray:PutTelemetryRecords": "Lambda, where tracing is on",
}
"""what a service does with the function's role and no code calls, and when"""

FUNCTIONS = sorted(policy_files())


@pytest.fixture(scope="session")
def used(find_runs: FindRuns) -> set[tuple[str, Access]]:
    """Functions, and what they were seen to need."""
    runs = find_runs(SUITES)
    skipped = [test for run in runs for test in run.skipped]
    if skipped:
        pytest.skip(f"NOT ALL WAS CALLED: {len(skipped)} tests were skipped, the first is {skipped[0]}")
    return _read_calls(runs) | set(_consumed())


def _read_calls(runs: list[FinishedRun]) -> set[tuple[str, Access]]:
    return calls.read_calls([file for run in runs for file in run.files(calls.KIND)])


def _consumed() -> Iterator[tuple[str, Access]]:
    for source in app.event_sources:
        if isinstance(source, SQSEventConfig) and source.queue is not None:
            yield from ((source.name, Access(action, queue_arn(source.queue))) for action in CONSUMING)


def test_every_function_has_a_policy() -> None:
    assert set(FUNCTIONS) == {API_FUNCTION, *(source.name for source in app.event_sources)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_calls_what_its_policy_lacks(function: str, used: set[tuple[str, Access]]) -> None:
    policy = read_policy(function)
    lacking = sorted(access for caller, access in used if caller == function and not policy.allows(access))
    assert lacking == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_policy_grants_what_no_code_uses(function: str, used: set[tuple[str, Access]]) -> None:
    own = [access for caller, access in used if caller == function]
    granted = [grant for grant in read_policy(function).grants if grant.action not in OF_THE_SERVICE]
    assert [grant for grant in granted if not any(grant.covers(access) for access in own)] == []
