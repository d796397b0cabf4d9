"""How far an import is: a small JSON file beside the imported one, replaced whole at each step, down to the disk.

Batches are finished in the order of the file. Of those that were begun after the last finished one, the ids of the
passes that they make are kept before they are made.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.csv_files import Position
from chalicelib.commands.output_files import open_private

if TYPE_CHECKING:
    from chalicelib.import_operations import Numbered

_FORMAT = 2

_DIFFERENCES = {
    "file": "the file has changed since",
    "delimiter": "it was read with another delimiter",
    "kind": "it was another kind of import",
    "project": "it went to another project",
    "template": "it went to another template",
    "deployment": "it went to another deployment",
    "data": "it went to other data than is there now: those of another stack or account, or made anew since",
}


class JournalError(click.ClickException):
    """There is a journal that does not fit, or cannot be read."""


@dataclass
class _Begun:
    """A batch that was begun: how many rows it has, and what was kept of it."""

    rows: int
    kept: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Done:
    """What is done, in one piece: Ctrl-C may come between any two steps, and other threads save what is there then."""

    position: Position
    counts: Counter[str]
    rejects_bytes: int


class Journal:
    """The state of one import. All methods may be called from several threads."""

    def __init__(self, path: Path, *, subject: Mapping[str, Any], beginning: Position) -> None:
        """Reads the state if there is one.

        Raises:
            JournalError: it is of another import, or cannot be read.
        """
        self.path = path
        self._lock = Lock()
        self._subject = dict(subject)
        self._done = _Done(beginning, Counter(), 0)
        self.finished_at: str | None = None
        self._first_pass_id: int | None = None
        self._begun: dict[int, _Begun] = {}
        self.is_new = not self._load()

    @property
    def position(self) -> Position:
        """Everything before it is done."""
        return self._done.position

    @property
    def counts(self) -> Counter[str]:
        """How many rows came to what."""
        return self._done.counts

    @property
    def rejects_bytes(self) -> int:
        """The size of the file of rejects, as far as it is of what is done."""
        return self._done.rejects_bytes

    def _load(self) -> bool:
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
            if state["format"] != _FORMAT:
                raise JournalError(f"{self.path} is of another release; {_begin_anew()}")
            for name, difference in _DIFFERENCES.items():
                if state["subject"][name] != self._subject[name]:
                    raise JournalError(f"{self.path} does not fit: {difference}; {_begin_anew()}")
            self._take_over(state)
        except FileNotFoundError:
            return False
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise JournalError(f"{self.path} cannot be read; {_begin_anew()}") from error
        return True

    def _take_over(self, state: Mapping[str, Any]) -> None:
        self._done = _Done(Position(**state["position"]), Counter(state["counts"]), state["rejects_bytes"])
        self.finished_at = state["finished_at"]
        self._first_pass_id = state["first_pass_id"]
        self._begun = {each["row"]: _Begun(each["rows"], each["kept"]) for each in state["begun"]}

    def begun_rows(self) -> dict[int, int]:
        """The batches that were begun and not finished: their number of rows by their first row."""
        return {row: begun.rows for row, begun in self._begun.items()}

    def memory(self, row: int, *, rows: int) -> BatchMemory:
        """What is kept of the batch that begins at a row."""
        return BatchMemory(self, row, rows)

    def recall(self, row: int) -> list[Numbered]:
        """What was kept of a batch."""
        with self._lock:
            begun = self._begun.get(row)
            return [] if begun is None else [_as_numbered(each) for each in begun.kept]

    def keep(self, row: int, *, rows: int, numbered: Numbered) -> None:
        """Keeps something of a batch."""
        lowest = min(numbered.numbers.pass_ids)
        with self._lock:
            self._begun.setdefault(row, _Begun(rows)).kept.append(_as_document(numbered))
            self._first_pass_id = lowest if self._first_pass_id is None else min(lowest, self._first_pass_id)
            self._save()

    def first_pass_id(self) -> int | None:
        """The lowest id that was ever kept."""
        with self._lock:
            return self._first_pass_id

    def finish_batch(self, row: int, *, end: Position, counts: Mapping[str, int], rejects_bytes: int) -> None:
        """Notes that everything up to a place is done, and what came of the last batch before it."""
        with self._lock:
            self._done = _Done(end, self._done.counts + Counter(counts), rejects_bytes)
            self._begun.pop(row, None)
            self._save()

    def finish(self) -> None:
        """Notes that the whole file is done."""
        with self._lock:
            self.finished_at = datetime.now(UTC).isoformat(timespec="seconds")
            self._save()

    def _save(self) -> None:
        state = {
            "format": _FORMAT,
            "subject": self._subject,
            "position": {"row": self.position.row, "line": self.position.line, "offset": self.position.offset},
            "counts": dict(self.counts),
            "rejects_bytes": self.rejects_bytes,
            "finished_at": self.finished_at,
            "first_pass_id": self._first_pass_id,
            "begun": [{"row": row, "rows": begun.rows, "kept": begun.kept} for row, begun in self._begun.items()],
        }
        temporary = self.path.with_name(self.path.name + ".new")
        with os.fdopen(open_private(temporary, os.O_TRUNC), "w", encoding="utf-8") as stream:
            json.dump(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self.path)


class BatchMemory:
    """Implements `import_operations.Memory` for one batch."""

    def __init__(self, journal: Journal, row: int, rows: int) -> None:
        self._journal = journal
        self._row = row
        self._rows = rows

    def recall(self) -> list[Numbered]:
        """See `Memory`."""
        return self._journal.recall(self._row)

    def keep(self, numbered: Numbered) -> None:
        """See `Memory`."""
        self._journal.keep(self._row, rows=self._rows, numbered=numbered)

    def first_pass_id(self) -> int | None:
        """See `Memory`."""
        return self._journal.first_pass_id()


def _begin_anew() -> str:
    return "--restart forgets it and begins anew, and then lines without external id are created again"


def _as_document(numbered: Numbered) -> dict[str, Any]:
    return {
        "positions": _as_ranges(numbered.positions),
        "pass_ids": _as_ranges(numbered.numbers.pass_ids),
        "at": numbered.numbers.at.isoformat(),
    }


def _as_numbered(document: Mapping[str, Any]) -> Numbered:
    from chalicelib.domain.issuing import PassNumbers
    from chalicelib.import_operations import Numbered

    numbers = PassNumbers(_from_ranges(document["pass_ids"]), datetime.fromisoformat(document["at"]))
    return Numbered(_from_ranges(document["positions"]), numbers)


def _as_ranges(numbers: Any) -> list[list[int]]:
    """First and last of each run of neighbours, in the order given."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _from_ranges(ranges: Any) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]
