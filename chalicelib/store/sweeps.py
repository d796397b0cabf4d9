"""Dead collections that have still to be cleared away."""

from __future__ import annotations

from chalicelib.domain.counted_index import Collection
from chalicelib.store.connection import Database
from chalicelib.store.counts import DynamoCountStore
from chalicelib.store.failures import translated
from chalicelib.store.models import SweepRow


class DynamoSweepStore:
    """Implements `SweepStore`."""

    def __init__(self, database: Database) -> None:
        self._counts = DynamoCountStore(database)

    def list_sweeps(self) -> list[str]:
        """See `SweepStore`. The table holds only what is waiting, so a scan of it is short."""
        with translated():
            return [str(row.collection) for row in SweepRow.scan()]

    def count_segments(self, collection: Collection) -> list[int]:
        """See `SweepStore`."""
        return self._counts.list_segments(collection)

    def remove_counters(self, collection: Collection, segment: int) -> None:
        """See `SweepStore`."""
        self._counts.remove_rows(collection, segment)

    def finish_sweep(self, collection: Collection) -> bool:
        """See `SweepStore`."""
        if self._counts.list_segments(collection):
            return False
        with translated():
            SweepRow(collection=collection.key).delete()
        return True
