"""A fixture for suites of which some tests read whole tables; a `conftest.py` takes it over by importing it."""

from __future__ import annotations

import pytest

from tests.support.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def small_tables(request: pytest.FixtureRequest) -> None:
    """Other files' rows and messages are gone before a file begins: recounting a project reads whole tables, and who
    counts calls does not count what others left to do."""
    own = [item for item in request.session.items if item.path == request.path]
    if any(isinstance(item, pytest.Function) and "stack" in item.fixturenames for item in own):
        stack: Stack = request.getfixturevalue("stack")
        stack.forget_everything()
