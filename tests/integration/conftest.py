"""What the integration suites share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support import profiles
from tests.support.checking_world import World, make_world
from tests.support.recount import recount
from tests.support.small_tables import small_tables
from tests.support.stack import Stack

__all__ = ["small_tables"]

profiles.load()

Consistent = Callable[..., None]


@pytest.fixture
def consistent(stack: Stack) -> Consistent:
    """Asserts that everything stored about a project adds up."""

    def check(project_id: int, *, swept: bool = True) -> None:
        assert recount(stack.dynamodb, project_id, swept=swept) == []

    return check


@pytest.fixture(scope="module")
def shared_world(stack: Stack) -> World:
    """One that each test leaves as it was."""
    return make_world(stack)


@pytest.fixture
def own_world(stack: Stack) -> World:
    """One that a test may leave damaged, or mended."""
    return make_world(stack)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The world as it should be, and again after the test."""
    assert recount(shared_world.stack.dynamodb, shared_world.project_id) == []
    yield shared_world
    shared_world.raw.put_back()  # what a test has not mended
