"""One run over the API, and what it found."""

from __future__ import annotations

import copy
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.schemas import BaseSchema

from tests.fuzz.checks import find_excuse
from tests.fuzz.exclusions import as_settings
from tests.fuzz.hooks import Hooks, add_credentials, find_operation
from tests.fuzz.refusals import Refusal, read_refusal
from tests.fuzz.world import World
from tests.support.described import description


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much is tried."""

    examples: int
    """of each operation, that are drawn by chance"""
    stories: int
    """along links"""
    steps: int
    """of a story, at most"""
    systematic: int | None
    """of each operation, of those that go through its description part by part; None is all"""


SHORT: Final = Extent(examples=1, stories=16, steps=6, systematic=3)
"""what `make test` has time for"""

ACCEPTED: Final = ["2xx", "3xx", "404", "409", "429"]
"""of a request that the description allows; what the operation names need not be there, and many may be at it"""

REJECTED: Final = ["400", "401", "404", "405", "406", "410", "412", "415", "422"]
"""of a request that the description forbids; 412 is that of the Passworks dialect where nothing is there to delete"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong with an answer, and how to see it again."""

    operation: str
    check: str
    status: int
    problem: str
    said: str
    command: str

    @property
    def kind(self) -> tuple[str, str, str]:
        """The same for findings that are likely one fault."""
        return self.operation, self.check, self.said if self.check == "positive_data_acceptance" else self.problem

    def __str__(self) -> str:
        return f"{self.operation}: {self.check}, {self.status}\n{self.problem}\n{self.said}\n{self.command}"


@dataclass
class Outcome:
    """What a run tried and found."""

    statuses: Counter[int] = field(default_factory=Counter)
    tried: set[str] = field(default_factory=set)
    succeeded: set[str] = field(default_factory=set)
    """operations that were answered with a success at least once"""
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """what kept operations from being tried"""
    excused: Counter[Refusal | str] = field(default_factory=Counter)

    def kinds(self) -> dict[tuple[str, str, str], list[Finding]]:
        """The findings, those together that are likely one fault."""
        found: dict[tuple[str, str, str], list[Finding]] = {}
        for each in self.findings:
            found.setdefault(each.kind, []).append(each)
        return found


def run(world: World, *, url: str, seed: int, extent: Extent, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Tries every operation of the description, each phase after the other, and says when one is over."""
    schema = schemathesis.openapi.from_dict(copy.deepcopy(description()), config=_configure(url, seed, extent))
    outcome = Outcome()
    add_credentials(schema, world)
    Hooks(schema, world)
    schema.hooks.register_hook_with_name(_judge(outcome), "filter_failure")
    if extent.systematic is not None:
        _sample(schema, most=extent.systematic, seed=seed)
    for event in from_schema(schema).execute():
        _note(outcome, event)
        if isinstance(event, events.PhaseFinished):
            say(f"{event.phase.name.value}: {outcome.statuses.total():,} requests, {len(outcome.findings)} findings")
    return outcome


def _configure(url: str, seed: int, extent: Extent) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "continue-on-failure": True,
            "request-timeout": 60,
            "generation": {"max-examples": extent.examples, "database": "none", "no-shrink": True},
            "phases": {
                "stateful": {
                    "max-steps": extent.steps,
                    "generation": {"max-examples": extent.stories},
                    # only along links that the description has, not along those that names suggest
                    "inference": {"algorithms": []},
                }
            },
            "checks": {
                "negative_data_rejection": {"expected-statuses": REJECTED},
                "positive_data_acceptance": {"expected-statuses": ACCEPTED},
            },
            "operations": as_settings(),
            # keys and tokens are of this run alone
            "output": {"sanitization": {"enabled": False}},
        }
    )


def _sample(schema: BaseSchema, *, most: int, seed: int) -> None:
    """Bounds the systematic phase: of the many cases of an operation some are taken, the same for the same seed."""
    every = schema.iter_coverage_cases

    def sample(operation: Any, **more: Any) -> Iterator[Case[Any]]:
        cases = list(itertools.islice(every(operation, **more), 100 * most))
        drawn = random.Random(f"{seed} {operation.label}").sample(range(len(cases)), min(most, len(cases)))
        return iter([cases[place] for place in sorted(drawn)])

    schema.iter_coverage_cases = sample  # type: ignore[method-assign]


def _judge(outcome: Outcome) -> Callable[[HookContext, Failure, Case[Any], Response], bool]:
    def keep(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
        excuse = find_excuse(failure, case, response)
        if excuse is not None:
            outcome.excused[excuse] += 1
        return excuse is None

    return keep


def _note(outcome: Outcome, event: events.EngineEvent) -> None:
    match event:
        case events.ScenarioFinished():
            _note_scenario(outcome, event)
        case events.NonFatalError():
            outcome.errors.append(f"{event.label}: {event.value!r}")
        case events.FatalError():
            outcome.errors.append(repr(event.exception))


def _note_scenario(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        response, case = interaction.response, recorder.cases[case_id].value
        if response is None:
            continue
        label = case.operation.label
        outcome.statuses[response.status_code] += 1
        outcome.tried.add(label)
        if response.status_code < 400 and interaction.request.method == case.operation.method.upper():
            outcome.succeeded.add(label)
        for check in recorder.checks.get(case_id, ()):
            if check.failure_info is not None:
                outcome.findings.append(_describe(check.name, check.failure_info, case, response))


def _describe(check: str, failure: Any, case: Case[Any], response: Response) -> Finding:
    operation = find_operation(case)
    said = read_refusal(operation.dialect, response) if operation else None
    return Finding(
        operation=case.operation.label,
        check=check,
        status=response.status_code,
        problem=str(failure.failure),
        said=repr(said or response.content[:300]),
        command=failure.code_sample,
    )
