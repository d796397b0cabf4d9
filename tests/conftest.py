"""Fixtures for all suites. Unit tests use none of these and open no socket."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, Tenant, run_stack

pytest_plugins = (
    "tests.support.recording",
    "tests.support.calls",
    "tests.support.log_files",
    "tests.support.known_secrets",
)


@pytest.fixture(autouse=True)
def _heard_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pytest hear our log: Chalice keeps it to itself once the app was imported, by whichever test."""
    monkeypatch.setattr(logging.getLogger("passel"), "propagate", True)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The embedded stack, started once for the session."""
    with run_stack() as running:
        yield running


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A fresh project and its client."""
    return stack.tenant()
