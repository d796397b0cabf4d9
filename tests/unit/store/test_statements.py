"""Batches of statements of which some are not run at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.errors import StorageUnavailable
from chalicelib.settings import Settings
from chalicelib.store.connection import Database

Codes = Sequence[str | None]


class PlayedDatabase(Database):
    """Answers batches with codes that were laid down, one line a call; raises what is no line."""

    def __init__(self, answers: Sequence[Codes | Exception]) -> None:
        self.settings = Settings()
        self.sent: list[list[str]] = []
        self._answers: Iterator[Codes | Exception] = iter(answers)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        self.sent.append([statement["Statement"] for statement in arguments["Statements"]])
        codes = next(self._answers)
        if isinstance(codes, Exception):
            raise codes
        assert len(codes) == len(self.sent[-1])
        return {"Responses": [{"Error": {"Code": code}} if code else {"TableName": "passes"} for code in codes]}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("chalicelib.store.connection.time", SimpleNamespace(sleep=waited.append))
    return waited


def execute(database: PlayedDatabase, names: str) -> list[bool]:
    return database.execute_statements([{"Statement": name, "Parameters": []} for name in names])


def test_only_what_was_not_run_goes_again() -> None:
    busy = "ThrottlingError"
    database = PlayedDatabase(
        [
            [None, busy, "ConditionalCheckFailed", "TransactionConflict", busy],
            [busy, None, "ProvisionedThroughputExceeded"],
            [None, "DuplicateItem"],
        ]
    )
    assert execute(database, "abcde") == [True, True, False, True, False]
    assert database.sent == [list("abcde"), list("bde"), list("be")]


def test_what_stays_busy_is_given_back_within_two_seconds(pauses: list[float]) -> None:
    database = PlayedDatabase([["ThrottlingError"]] * 50)
    assert execute(database, "a") == [False]
    assert 3 <= len(database.sent) <= 8
    assert sum(pauses) < 2


def test_what_may_have_been_run_does_not_go_again() -> None:
    database = PlayedDatabase([["InternalServerError", None]])
    assert execute(database, "ab") == [False, True]
    assert len(database.sent) == 1


def test_a_call_that_fails_leaves_what_is_known() -> None:
    database = PlayedDatabase([[None, "ThrottlingError"], StorageUnavailable("down")])
    assert execute(database, "ab") == [True, False]
