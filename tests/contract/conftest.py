"""Every answer that a contract test gets agrees with the description of the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.described import held_against_the_description
from tests.support.small_tables import small_tables

__all__ = ["small_tables"]


@pytest.fixture(scope="session")
def _faults() -> Iterator[list[str]]:
    with held_against_the_description() as faults:
        yield faults


@pytest.fixture(autouse=True)
def _described(_faults: list[str]) -> Iterator[None]:
    """Fails the test in which an answer was other than described."""
    _faults.clear()
    yield
    assert not _faults, "\n".join(dict.fromkeys(_faults))
