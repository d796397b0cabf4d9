"""Fixtures for all suites. Unit tests use none of these and open no socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, Tenant, run_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The embedded stack, started once for the session."""
    with run_stack() as running:
        yield running


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A fresh project and its client."""
    return stack.tenant()
