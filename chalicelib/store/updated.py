"""Pages in order of `updatedAt`: the shards of one index, merged.

One index on the pass row serves the project, its templates and its tags: an updated pass moves in one place, however
many tags it has (ARCHITECTURE.md, "Order by updatedAt"). What does not belong to the list is filtered while reading.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import Any

from chalicelib.domain.ports import UpdatedQuery
from chalicelib.store.connection import Database
from chalicelib.store.models import PassRow, RawItem
from chalicelib.store.pass_rows import UPDATED_SHARDS, pass_id_of, updated_shard

_SMALLEST_READ, _LARGEST_READ = 100, 5000


def page_by_update(database: Database, query: UpdatedQuery) -> list[int]:
    """Pass ids of the page. Reads the list from its nearer end up to the page: cost grows with that distance."""
    size = min(query.size, max(query.total - query.offset, 0))
    if size == 0:
        return []
    after = query.total - query.offset - size
    from_front = query.offset <= after
    passed_over = query.offset if from_front else after
    descending = query.descending if from_front else not query.descending
    per_shard = (passed_over + size) // UPDATED_SHARDS + _SMALLEST_READ
    shards = [_Shard(database, query, shard, descending, per_shard) for shard in range(UPDATED_SHARDS)]
    database.run_parallel([shard.read_first for shard in shards])
    merged = heapq.merge(*shards, reverse=descending)
    page = [pass_id_of(order) for order in itertools.islice(merged, passed_over, passed_over + size)]
    return page if from_front else page[::-1]


class _Shard:
    """The matching keys of one shard, in order, read in growing steps."""

    def __init__(self, database: Database, query: UpdatedQuery, shard: int, descending: bool, first_read: int) -> None:
        self._database = database
        self._arguments = _arguments(query, shard, descending)
        self._step = min(first_read, _LARGEST_READ)
        self._read: list[RawItem] = []
        self._more = True

    def read_first(self) -> None:
        """Reads the first step, so that all shards can do so side by side."""
        self._read_step()

    def _read_step(self) -> None:
        answer = self._database.call("Query", Limit=self._step, **self._arguments)
        self._read = answer["Items"]
        self._more = bool(answer.get("LastEvaluatedKey"))
        if self._more:
            self._arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        self._step = min(self._step * 2, _LARGEST_READ)

    def __iter__(self) -> Iterator[str]:
        while True:
            yield from [item["updated_order"]["S"] for item in self._read]
            if not self._more:
                return
            self._read_step()


def _arguments(query: UpdatedQuery, shard: int, descending: bool) -> dict[str, Any]:
    conditions = []
    names = {"#shard": "updated_shard"}
    values = {":shard": {"S": updated_shard(query.project_id, shard)}}
    if query.template_id is not None:
        conditions.append("template_id = :template")
        values[":template"] = {"N": str(query.template_id)}
    if query.tag is not None:
        conditions.append("contains(tags, :tag)")
        values[":tag"] = {"S": str(query.tag)}
    if query.facets is not None:
        facets = {f":status{position}": {"S": str(facet)} for position, facet in enumerate(sorted(query.facets))}
        conditions.append(f"#status IN ({', '.join(facets)})")
        names["#status"] = "status"
        values |= facets
    arguments: dict[str, Any] = {
        "TableName": PassRow.Meta.table_name,
        "IndexName": "by_updated",
        "KeyConditionExpression": "#shard = :shard",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not descending,
        "ProjectionExpression": "updated_order",
    }
    if conditions:
        arguments["FilterExpression"] = " AND ".join(conditions)
    return arguments
