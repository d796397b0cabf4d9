"""Running an import: batches of lines side by side, finished in the order of the file, with a bar to watch."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.csv_files import CsvFile, RejectsFile, Row
from chalicelib.commands.journal import Journal

if TYPE_CHECKING:
    from chalicelib.import_operations import Importer, Outcome, Rejection

REJECTED = "rejected"

_BATCHES_AHEAD = 2
"""for each worker: one that it works on, and one that waits"""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Neighbouring rows of the file, and what those are about."""

    rows: list[Row]
    keys: frozenset[str]


@dataclass
class ImportRun:
    """One run of an import, from where the journal says to the end of the file."""

    file: CsvFile
    journal: Journal
    rejects: RejectsFile
    importer: Importer
    workers: int
    batch_rows: int
    stopping: Event
    """is set when nothing more is to be begun"""

    def run(self, *, total: int) -> None:
        """Handles all rows that are left; what is finished is in the journal and the file of rejects at any time.

        Whatever is raised, batches that are under way come to their end first.
        """
        self.rejects.cut(self.journal.rejects_bytes)
        with _bar(self.file.path.name, total=total) as bar:
            bar.update(self.journal.position.row)
            shown = _Shown(bar, rejected=self.journal.counts[REJECTED])
            with ThreadPoolExecutor(self.workers, thread_name_prefix="import") as pool:
                try:
                    self._run(pool, shown)
                except BaseException:
                    self.stopping.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        self.journal.finish()

    def _run(self, pool: ThreadPoolExecutor, shown: _Shown) -> None:
        under_way: deque[tuple[_Batch, Future[Any]]] = deque()
        for batch in self._batches():
            while len(under_way) >= self.workers * _BATCHES_AHEAD or any(
                batch.keys & other.keys for other, _ in under_way
            ):
                self._finish(*under_way.popleft(), shown)
            under_way.append((batch, pool.submit(self._handle, batch)))
        while under_way:
            self._finish(*under_way.popleft(), shown)

    def _batches(self) -> Iterator[_Batch]:
        """What is left, cut as it was before where a batch was begun, so that what was kept of it still fits."""
        begun = self.journal.begun_rows()
        rows = self.file.rows(self.journal.position)
        at = self.journal.position.row
        while True:
            size = begun.get(at) or min([self.batch_rows, *(row - at for row in begun if row > at)])
            taken = list(islice(rows, size))
            if not taken:
                return
            readable = [row for row in taken if row.problem is None]
            keys = frozenset(key for row in readable if (key := self.importer.key_of(row.cells)) is not None)
            yield _Batch(taken, keys)
            at += len(taken)

    def _handle(self, batch: _Batch) -> list[Outcome | Rejection]:
        """In a worker: what becomes of each row. Rows that cannot be read are not handed on."""
        from chalicelib.import_operations import Rejection

        memory = self.journal.memory(batch.rows[0].start.row, rows=len(batch.rows))
        handled = iter(self.importer.handle([row.cells for row in batch.rows if row.problem is None], memory))
        return [next(handled) if row.problem is None else Rejection(row.problem) for row in batch.rows]

    def _finish(self, batch: _Batch, future: Future[list[Outcome | Rejection]], shown: _Shown) -> None:
        from chalicelib.import_operations import Rejection

        outcomes = future.result()
        rejected = [
            (row, outcome.problem)
            for row, outcome in zip(batch.rows, outcomes, strict=True)
            if isinstance(outcome, Rejection)
        ]
        size = self.rejects.append(rejected) if rejected else self.journal.rejects_bytes
        self.journal.finish_batch(
            batch.rows[0].start.row,
            end=batch.rows[-1].end,
            counts=Counter(REJECTED if isinstance(outcome, Rejection) else outcome.value for outcome in outcomes),
            rejects_bytes=size,
        )
        shown.advance(len(batch.rows), rejected=len(rejected))


def _bar(label: str, *, total: int) -> Any:
    return click.progressbar(
        length=total,
        label=label,
        show_pos=True,
        show_eta=True,
        item_show_func=lambda text: text or "",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    )


class _Shown:
    """What the bar says: lines a second in this run, and how many were rejected so far."""

    def __init__(self, bar: Any, *, rejected: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar = bar
        self._clock = clock
        self._start = clock()
        self._rows = 0
        self._rejected = rejected

    def advance(self, rows: int, *, rejected: int) -> None:
        self._rows += rows
        self._rejected += rejected
        rate = self._rows / max(self._clock() - self._start, 0.001)
        self._bar.update(rows, f"{rate:.0f} lines/s, {self._rejected} rejected")
