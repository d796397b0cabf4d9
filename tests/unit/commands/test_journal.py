"""What is kept of an import, and what a later one finds of it."""

from __future__ import annotations

import json
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from chalicelib.commands.csv_files import Position
from chalicelib.commands.journal import Journal, JournalError
from chalicelib.domain.issuing import PassNumbers
from chalicelib.import_operations import Numbered

START, END = Position(0, 2, 10), Position(5, 7, 60)
TARGET = {"kind": "passes", "deployment": "x", "data": "y", "project": 1, "template": 2}
SUBJECT = {**TARGET, "file": "digest", "delimiter": ","}
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NUMBERED = Numbered([0, 1, 2, 4], PassNumbers([1999, 5000, 5001, 5003], AT))


def open_journal(folder: Path, **changes: Any) -> Journal:
    return Journal(folder / "x.progress", subject={**SUBJECT, **changes}, beginning=START)


def test_what_was_done_is_found_again(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    assert journal.is_new
    journal.finish_batch(0, end=END, counts={"created": 4, "rejected": 1}, rejects_bytes=33)

    again = open_journal(tmp_path)
    assert not again.is_new
    assert (again.position, again.rejects_bytes, again.counts) == (END, 33, {"created": 4, "rejected": 1})
    again.finish_batch(5, end=END, counts={"created": 1}, rejects_bytes=33)
    assert open_journal(tmp_path).counts["created"] == 5


def test_what_was_kept_of_a_batch_is_found_until_the_batch_is_finished(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.memory(0, rows=5).keep(NUMBERED)
    journal.memory(5, rows=3).keep(Numbered([0], PassNumbers([70], AT)))

    again = open_journal(tmp_path)
    assert again.begun_rows() == {0: 5, 5: 3}
    assert again.memory(0, rows=5).recall() == [NUMBERED]
    assert again.memory(0, rows=5).first_pass_id() == 70
    assert again.memory(9, rows=5).recall() == []
    again.finish_batch(0, end=END, counts={}, rejects_bytes=0)
    last = open_journal(tmp_path)
    assert last.begun_rows() == {5: 3}
    assert last.first_pass_id() == 70


def test_the_end_is_noted(tmp_path: Path) -> None:
    open_journal(tmp_path).finish()

    finished_at = open_journal(tmp_path).finished_at
    assert finished_at is not None
    assert datetime.fromisoformat(finished_at).tzinfo is not None


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"file": "other"}, "the file has changed since"),
        ({"template": 3}, "it went to another template"),
        ({"project": 3}, "it went to another project"),
        ({"deployment": "y"}, "it went to another deployment"),
        ({"data": "z"}, "it went to other data than is there now"),
        ({"kind": "tags"}, "it was another kind of import"),
        ({"delimiter": ";"}, "it was read with another delimiter"),
    ],
)
def test_another_import_is_refused(tmp_path: Path, changes: dict[str, Any], difference: str) -> None:
    open_journal(tmp_path).finish_batch(0, end=END, counts={}, rejects_bytes=0)

    with pytest.raises(JournalError) as refused:
        open_journal(tmp_path, **changes)
    assert difference in refused.value.message
    assert "--restart" in refused.value.message


@pytest.mark.parametrize("content", ["", "x", "[]", json.dumps({"format": 1}), '{"format": 2}'])
def test_a_damaged_journal_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.progress").write_text(content)

    with pytest.raises(JournalError, match="--restart"):
        open_journal(tmp_path)


def test_a_death_while_writing_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = open_journal(tmp_path)
    journal.finish_batch(0, end=END, counts={"created": 1}, rejects_bytes=0)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        journal.finish_batch(5, end=END, counts={"created": 1}, rejects_bytes=0)
    monkeypatch.undo()
    assert open_journal(tmp_path).counts == {"created": 1}


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    open_journal(tmp_path).finish()

    assert stat.S_IMODE((tmp_path / "x.progress").stat().st_mode) == 0o600


def interrupt_before(steps: int) -> Any:
    """A trace function that plays Ctrl-C before one of the steps that `finish_batch` makes while it holds its lock."""
    locking: int | None = None
    left = steps

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left, locking
        if frame.f_code is not Journal.finish_batch.__code__:
            return None
        if event == "line":
            locking = locking or frame.f_lineno
            left -= frame.f_lineno != locking
            if left == 0:
                raise KeyboardInterrupt
        return trace

    return trace


def test_ctrl_c_at_any_moment_leaves_a_batch_done_or_begun(tmp_path: Path) -> None:
    """What other threads save after it must not say that a batch was neither: its passes would be taken for others'."""
    seen, steps, before = set(), 0, sys.gettrace()
    while True:
        steps += 1
        folder = tmp_path / str(steps)
        folder.mkdir()
        journal = open_journal(folder)
        journal.memory(0, rows=5).keep(NUMBERED)
        sys.settrace(interrupt_before(steps))
        try:
            journal.finish_batch(0, end=END, counts={"created": 5}, rejects_bytes=7)
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(before)
        journal.memory(5, rows=1).keep(Numbered([0], PassNumbers([70], AT)))
        again = open_journal(folder)
        done = (again.position, again.rejects_bytes, dict(again.counts))
        assert done in [(START, 0, {}), (END, 7, {"created": 5})]
        if again.position == START:
            assert again.begun_rows() == {0: 5, 5: 1}
        seen.add(again.position)
    assert seen == {START, END}
