"""Reading the counters of the counted index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from chalicelib.domain.counted_index import FOLD, Collection, SegmentCount, count_members, events_of_template
from chalicelib.domain.errors import Conflict
from chalicelib.domain.reporting import day_of
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.store.connection import Database
from chalicelib.store.failures import translated
from chalicelib.store.models import FACETS, RawItem, SegmentRow, SweepRow
from chalicelib.store.transactions import SLOTS_PER_SEGMENT, Transaction

_KEYS = ("collection", "slot")

_EVENT_SECONDS = 1.0
"""how long whoever made an event may wait for its count"""


class DynamoCountStore:
    """Implements `CountStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read_counts(self, collection: Collection) -> list[SegmentCount]:
        """See `CountStore`. Costs one read unit per 4 KB of counter rows, about 60 segments."""
        counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for item in self._rows(collection):
            segment = int(item["slot"]["N"]) // SLOTS_PER_SEGMENT
            for name, value in item.items():
                if name not in _KEYS:
                    counts[segment][name] += int(value["N"])
        return [
            SegmentCount(segment, dict(facets)) for segment, facets in sorted(counts.items()) if any(facets.values())
        ]

    def count_collections(self, collections: Sequence[Collection]) -> list[int]:
        """See `CountStore`."""
        reads = [partial(self.read_counts, collection) for collection in collections]
        return [count_members(counts) for counts in self._database.run_parallel(reads)]

    def count_event(self, *, template_id: int, event: str, at: datetime, times: int = 1) -> None:
        """See `CountStore`. Refused where a transaction counts on the same row, it goes to another one."""

        def attempt() -> None:
            try:
                self._add(events_of_template(template_id), day_of(at), facet=event, change=times)
            except Conflict:
                self._database.stripes.note_conflict()
                raise

        retry_conflicts(attempt, budget_seconds=_EVENT_SECONDS)

    def _add(self, collection: Collection, segment: int, *, facet: str, change: int) -> None:
        self._database.call(
            "UpdateItem",
            TableName=SegmentRow.Meta.table_name,
            Key={
                "collection": {"S": collection.key},
                "slot": {"N": str(segment * SLOTS_PER_SEGMENT + self._database.stripes.choose())},
            },
            UpdateExpression="ADD #facet :change",
            ExpressionAttributeNames={"#facet": facet},
            ExpressionAttributeValues={":change": {"N": str(change)}},
        )

    def fold_stripes(self, collection: Collection) -> int:
        """See `CountStore`. Forgets the note first, so that a stripe made meanwhile is noted anew."""
        with translated():
            SweepRow(collection=FOLD + collection.key).delete()
        rows: dict[int, list[RawItem]] = defaultdict(list)
        for item in self._rows(collection):
            rows[int(item["slot"]["N"]) // SLOTS_PER_SEGMENT].append(item)
        return sum(self._fold(collection, segment, items) for segment, items in rows.items() if len(items) > 1)

    def _fold(self, collection: Collection, segment: int, items: list[RawItem]) -> bool:
        """Adds all stripes to row 0 and deletes them, each only if it still says what was read."""
        first = segment * SLOTS_PER_SEGMENT
        transaction = Transaction(self._database)
        sums: dict[str, int] = defaultdict(int)
        for item in items:
            if int(item["slot"]["N"]) == first:
                continue
            counts = {name: int(value["N"]) for name, value in item.items() if name not in _KEYS}
            condition = SegmentRow.slot.exists()
            for name in FACETS:
                attribute = getattr(SegmentRow, name)
                condition &= attribute == counts[name] if name in counts else attribute.does_not_exist()
                sums[name] += counts.get(name, 0)
            row = SegmentRow(collection=collection.key, slot=int(item["slot"]["N"]))
            transaction.delete(row, condition, label="stripe")
        actions = [getattr(SegmentRow, name).add(change) for name, change in sums.items() if change]
        if actions:
            transaction.update(SegmentRow(collection=collection.key, slot=first), actions)
        try:
            transaction.commit()
        except Conflict:
            return False
        return True

    def list_segments(self, collection: Collection) -> list[int]:
        """Segments that have a counter row, whatever it says."""
        return sorted({int(item["slot"]["N"]) // SLOTS_PER_SEGMENT for item in self._rows(collection)})

    def remove_rows(self, collection: Collection, segment: int) -> None:
        """Removes all stripes of one segment."""
        for slot in self._slots(collection, segment):
            self._database.call(
                "DeleteItem",
                TableName=SegmentRow.Meta.table_name,
                Key={"collection": {"S": collection.key}, "slot": {"N": str(slot)}},
            )

    def _slots(self, collection: Collection, segment: int) -> list[int]:
        first = segment * SLOTS_PER_SEGMENT
        pages = self._database.query(
            TableName=SegmentRow.Meta.table_name,
            ConsistentRead=True,
            KeyConditionExpression="#collection = :collection AND #slot BETWEEN :first AND :last",
            ExpressionAttributeNames={"#collection": "collection", "#slot": "slot"},
            ExpressionAttributeValues={
                ":collection": {"S": collection.key},
                ":first": {"N": str(first)},
                ":last": {"N": str(first + SLOTS_PER_SEGMENT - 1)},
            },
        )
        return [int(item["slot"]["N"]) for page in pages for item in page]

    def _rows(self, collection: Collection) -> list[RawItem]:
        pages = self._database.query(
            TableName=SegmentRow.Meta.table_name,
            ConsistentRead=True,
            KeyConditionExpression="#collection = :collection",
            ExpressionAttributeNames={"#collection": "collection"},
            ExpressionAttributeValues={":collection": {"S": collection.key}},
        )
        return [item for page in pages for item in page]
