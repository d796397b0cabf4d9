"""Fixtures for all suites. Unit tests use none of these and open no socket."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support.builders import forgotten_conflicts
from tests.support.stack import Stack, Tenant, run_stack

pytest_plugins = (
    "tests.support.recording",
    "tests.support.calls",
    "tests.support.log_files",
    "tests.support.known_secrets",
)


@pytest.fixture(autouse=True)
def _heard_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets pytest hear our log: Chalice keeps it and all but errors to itself once a test has imported the app."""
    logger = logging.getLogger("passel")
    monkeypatch.setattr(logger, "propagate", True)
    before = logger.level
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(before)


@pytest.fixture(autouse=True)
def _quiet_stripes(request: pytest.FixtureRequest) -> Iterator[None]:
    """No conflict is remembered when a test begins, and none of its own when it ends."""
    if "stack" in request.fixturenames:
        request.getfixturevalue("stack")
        with forgotten_conflicts():
            yield
    else:
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The embedded stack, started once for the session."""
    with run_stack() as running:
        yield running


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A fresh project and its client."""
    return stack.tenant()
