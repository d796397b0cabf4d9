"""Reading the members of a counted collection: slices of segments, from whichever end is nearer."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any

from pynamodb.models import Model

from chalicelib.domain.counted_index import SEGMENT_SIZE, Slice
from chalicelib.store.connection import Database
from chalicelib.store.models import RawItem


@dataclass(frozen=True, slots=True)
class MemberIndex:
    """The index that finds a segment's members: its hash key names the segment, its range key is the ordinal."""

    model: type[Model]
    name: str
    hash_key: str
    ordinal: str
    """its range key"""
    hash_type: str = "S"
    facet: str = "status"
    """the attribute that holds a member's facet"""
    attributes: tuple[str, ...] = ()
    """what is read of an entry; empty is all that the index holds"""

    def query(self, segment_key: str, **more: Any) -> dict[str, Any]:
        """Query arguments for one segment."""
        arguments = {
            "TableName": self.model.Meta.table_name,
            "IndexName": self.name,
            "KeyConditionExpression": "#segment = :segment",
            "ExpressionAttributeNames": {"#segment": self.hash_key},
            "ExpressionAttributeValues": {":segment": {self.hash_type: segment_key}},
            **more,
        }
        if self.attributes:
            arguments["ProjectionExpression"] = ", ".join(self.attributes)
        return arguments


def read_slices(
    database: Database,
    index: MemberIndex,
    slices: Sequence[tuple[str, Slice]],
    *,
    facets: AbstractSet[str] | None = None,
    descending: bool,
) -> list[RawItem]:
    """Raw items of (segment key, slice) pairs, in page order. One query a slice, side by side."""
    parts = database.run_parallel([partial(_read_slice, database, index, key, part, facets) for key, part in slices])
    return [item for items in parts for item in (reversed(items) if descending else items)]


def _read_slice(
    database: Database, index: MemberIndex, segment_key: str, part: Slice, facets: AbstractSet[str] | None
) -> list[RawItem]:
    if part.members == SEGMENT_SIZE:
        return _read_full_segment(database, index, segment_key, part)
    after = part.members - part.skip - part.take
    from_start = part.skip <= after
    passed_over = part.skip if from_start else after
    wanted = passed_over + part.take
    arguments = index.query(segment_key, ScanIndexForward=from_start)
    if facets is None or not part.others:
        arguments["Limit"] = wanted
    else:
        _filter_facets(arguments, index.facet, facets)
    found: list[RawItem] = []
    for items in database.query(**arguments):
        found += items
        if len(found) >= wanted:
            break
    taken = found[passed_over:wanted]
    return taken if from_start else taken[::-1]


def _read_full_segment(database: Database, index: MemberIndex, segment_key: str, part: Slice) -> list[RawItem]:
    """Every ordinal of the segment is a member, so where the slice begins is known and nothing is passed over."""
    first = part.segment * SEGMENT_SIZE + part.skip
    arguments = index.query(segment_key)
    arguments["KeyConditionExpression"] += " AND #ordinal BETWEEN :first AND :last"
    arguments["ExpressionAttributeNames"]["#ordinal"] = index.ordinal
    arguments["ExpressionAttributeValues"] |= {":first": {"N": str(first)}, ":last": {"N": str(first + part.take - 1)}}
    return [item for items in database.query(**arguments) for item in items]


def _filter_facets(arguments: dict[str, Any], attribute: str, facets: AbstractSet[str]) -> None:
    names = {f":facet{position}": {"S": str(facet)} for position, facet in enumerate(sorted(facets))}
    arguments["FilterExpression"] = f"#facet IN ({', '.join(names)})"
    arguments["ExpressionAttributeNames"]["#facet"] = attribute
    arguments["ExpressionAttributeValues"].update(names)


def read_segment(database: Database, index: MemberIndex, segment_key: str) -> list[RawItem]:
    """Every raw item of one segment, ascending."""
    return [item for page in database.query(**index.query(segment_key)) for item in page]
