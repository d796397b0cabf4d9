"""What rows and their index entries take of storage, as DynamoDB bills it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.operation_meter import item_bytes
from benchmarks.operation_scenes import Engines
from infra.definition import read_tables
from local.environment import PREFIX

ENTRY_BYTES = 100
"""that DynamoDB adds to each item, and to each entry of an index"""

_MEASURED = (
    "passes",
    "memberships",
    "registrations",
    "tickets",
    "deliveries",
    "google-objects",
    "redeems",
    "segments",
)
_SAMPLE = 500

Item = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class RowSize:
    """The median row of a table, with what is billed beside its bytes."""

    table: str
    table_bytes: int
    index_bytes: int
    """of its entries in all indexes"""
    entries: int
    """in indexes"""


def measure_sizes(stack: Engines) -> Iterator[RowSize]:
    """Of every table that grows with passes, devices and updates, from what other measurements have left there."""
    definitions = {table["TableName"].removeprefix(PREFIX): table for table in read_tables(PREFIX)}
    for name in _MEASURED:
        items = stack.dynamodb.scan(TableName=PREFIX + name, Limit=_SAMPLE)["Items"]
        entries = [_index_entries(item, definitions[name]) for item in items]
        yield RowSize(
            table=name,
            table_bytes=round(statistics.median(item_bytes(item) + ENTRY_BYTES for item in items)),
            index_bytes=round(statistics.median(sum(own) for own in entries)),
            entries=round(statistics.median(len(own) for own in entries)),
        )


def _index_entries(item: Item, table: dict[str, Any]) -> list[int]:
    """Billed bytes of each index entry of an item; one without the index's keys has none."""
    own_keys = {key["AttributeName"] for key in table["KeySchema"]}
    sizes = []
    for index in table.get("GlobalSecondaryIndexes", ()):
        keys = {key["AttributeName"] for key in index["KeySchema"]}
        if not keys <= item.keys():
            continue
        projection = index["Projection"]
        names = own_keys | keys | set(projection.get("NonKeyAttributes", ()))
        kept = item if projection["ProjectionType"] == "ALL" else {name: item[name] for name in names & item.keys()}
        sizes.append(item_bytes(kept) + ENTRY_BYTES)
    return sizes
