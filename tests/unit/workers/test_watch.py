"""The daily watch over certificates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.wallets.apple.survey import Survey
from chalicelib.workers import watch
from tests.support.log_lines import metric_values, run_as_lambda

EVENT = dict.fromkeys(
    ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources"), ""
)


@dataclass
class FakeKeyring:
    """Finds what it is told to find."""

    found: Survey
    scopes: list[str] = field(default_factory=list)

    def survey(self, scopes: Iterable[str]) -> Survey:
        self.scopes += scopes
        return self.found


def run(monkeypatch: pytest.MonkeyPatch, found: Survey) -> tuple[FakeKeyring, list[dict[str, Any]]]:
    """Runs the function once; what was asked for, and what it wrote."""
    keyring = FakeKeyring(found)
    projects = SimpleNamespace(list_projects=lambda: [SimpleNamespace(project_id=number) for number in (1, 12)])
    monkeypatch.setattr(watch, "get_keyring", lambda: keyring)
    monkeypatch.setattr(watch, "get_platform", lambda: SimpleNamespace(projects=projects))
    with run_as_lambda() as lines:
        watch.watch_certificates(EVENT, SimpleNamespace(aws_request_id="request 1"))
        return keyring, lines.all


def test_every_project_is_looked_at_and_the_shared_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring, _ = run(monkeypatch, Survey(days_left={}, problems=[]))

    assert keyring.scopes == ["shared", "1", "12"]


def test_days_and_problems_are_measured_also_when_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    _, lines = run(monkeypatch, Survey(days_left={"shared": 200, "project": 29}, problems=[]))

    measured = [(line.get("Scope"), metric_values(line)) for line in lines]
    assert measured == [
        ("shared", {"CertificateDaysLeft": 200, "CertificateProblems": 0}),
        ("project", {"CertificateDaysLeft": 29}),
    ]
    directives = lines[1]["_aws"]["CloudWatchMetrics"]
    assert [directive["Dimensions"] for directive in directives] == [[["Deployment"], ["Deployment", "Scope"]]]


def test_each_problem_is_an_error_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "the certificate bundle 12/default: the key is missing"
    _, lines = run(monkeypatch, Survey(days_left={}, problems=[problem]))

    first, closing = lines
    assert (first["level"], first["message"], first["request_id"]) == ("ERROR", problem, "request 1")
    assert metric_values(closing) == {"CertificateProblems": 1}
    assert (closing["schedule"], closing["scopes"], closing["outcome"]) == ("watch_certificates", 3, "done")
