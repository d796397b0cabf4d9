"""The demo credentials, over a store kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from local.credentials import prepare_credentials
from local.data_folder import DataFolder, open_data_folder
from local.errors import StackError


@dataclass
class FakeKey:
    """A key that is in force until it is told otherwise."""

    key: str
    secret: str
    project_id: int
    ended: bool = False

    def is_in_force(self, now: datetime) -> bool:
        assert now.tzinfo is not None
        return not self.ended


@dataclass
class FakeOperations:
    """Projects and keys of one database; a new one is an empty database."""

    projects: list[int] = field(default_factory=list)
    keys: dict[str, FakeKey] = field(default_factory=dict)

    def create_project(self, *, name: str) -> Any:
        self.projects.append(len(self.projects) + 1)
        return SimpleNamespace(project_id=self.projects[-1], name=name)

    def get_project(self, *, project_id: int) -> Any:
        return SimpleNamespace(project_id=project_id) if project_id in self.projects else None

    def list_keys(self, *, project_id: int) -> list[Any]:
        return [key for key in self.keys.values() if key.project_id == project_id]

    def issue_key(self, *, project_id: int, key: str | None, secret: str | None) -> Any:
        issued = FakeKey(key=key or f"key-{len(self.keys)}", secret=secret or "secret", project_id=project_id)
        assert issued.key not in self.keys
        self.keys[issued.key] = issued
        return issued


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch) -> FakeOperations:
    import chalicelib.operations

    fake = FakeOperations()
    for name in ("create_project", "get_project", "list_keys", "issue_key"):
        monkeypatch.setattr(chalicelib.operations, name, getattr(fake, name))
    return fake


@pytest.fixture
def folder(tmp_path: Any) -> Iterator[DataFolder]:
    with open_data_folder(tmp_path) as opened:
        yield opened


def test_the_second_start_finds_what_the_first_made(operations: FakeOperations, folder: DataFolder) -> None:
    first = prepare_credentials(folder, lasting=True)
    assert prepare_credentials(folder, lasting=True) == first
    assert operations.projects == [first.project_id]


def test_a_lost_database_gets_the_same_pair_again(operations: FakeOperations, folder: DataFolder) -> None:
    first = prepare_credentials(folder, lasting=True)
    operations.projects.clear()
    operations.keys.clear()
    again = prepare_credentials(folder, lasting=True)
    assert (again.key, again.secret) == (first.key, first.secret)
    assert operations.keys[first.key].project_id == again.project_id


def test_a_key_that_was_revoked_or_has_ended_is_replaced_in_the_same_project(
    operations: FakeOperations, folder: DataFolder
) -> None:
    first = prepare_credentials(folder, lasting=True)
    operations.keys[first.key].ended = True
    second = prepare_credentials(folder, lasting=True)
    assert second.key != first.key
    assert second.project_id == first.project_id
    assert prepare_credentials(folder, lasting=True) == second


def test_an_engine_that_forgets_leaves_the_file_to_the_one_that_lasts(
    operations: FakeOperations, folder: DataFolder
) -> None:
    operations.projects.extend([1, 2, 3])
    lasting = prepare_credentials(folder, lasting=True)
    operations.projects.clear()
    operations.keys.clear()
    passing = prepare_credentials(folder, lasting=False)
    assert (passing.key, passing.secret) == (lasting.key, lasting.secret)
    assert passing.project_id != lasting.project_id
    content = folder.read_json("credentials.json")
    assert content is not None
    assert content["project_id"] == lasting.project_id


def test_a_file_that_holds_something_else_is_refused(operations: FakeOperations, folder: DataFolder) -> None:
    folder.write_json("credentials.json", {"key": "only"})
    with pytest.raises(StackError, match="does not hold credentials"):
        prepare_credentials(folder, lasting=True)
