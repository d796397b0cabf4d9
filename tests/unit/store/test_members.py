"""Reading slices of segments: the right members, and no more of them than need be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chalicelib.domain.counted_index import SEGMENT_SIZE, SegmentCount, locate_page
from chalicelib.store.connection import Database
from chalicelib.store.members import MemberIndex, read_slices
from chalicelib.store.models import MembershipRow, RawItem

INDEX = MemberIndex(MembershipRow, "by_tag", "tag_segment", "pass_id", attributes=("pass_id",))
SEGMENT = 7
FULL = range(SEGMENT * SEGMENT_SIZE, (SEGMENT + 1) * SEGMENT_SIZE)


@dataclass
class FakeIndex:
    """One segment's entries, queried as DynamoDB does; `read` counts the entries that a query had to pass."""

    ordinals: Sequence[int]
    read: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)

    def query(self, **arguments: Any) -> Iterator[list[RawItem]]:
        self.asked.append(arguments)
        values = arguments["ExpressionAttributeValues"]
        first, last = (int(values[name]["N"]) if name in values else None for name in (":first", ":last"))
        found = [each for each in self.ordinals if (first is None or each >= first) and (last is None or each <= last)]
        found = found if arguments.get("ScanIndexForward", True) else found[::-1]
        found = found[: arguments.get("Limit")]
        self.read += len(found)
        yield [{"pass_id": {"N": str(each)}} for each in found]

    def run_parallel(self, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
        return [task() for task in tasks]


def list_page(index: FakeIndex, *, page: int, size: int = 10, descending: bool) -> list[int]:
    counts = [SegmentCount(SEGMENT, {"installed": len(index.ordinals)})]
    slices = locate_page(counts, offset=(page - 1) * size, size=size, descending=descending)
    items = read_slices(
        cast(Database, index), INDEX, [(f"tag.{part.segment}", part) for part in slices], descending=descending
    )
    return [int(item["pass_id"]["N"]) for item in items]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("page", [1, 2, 50, 51, 99, 100])
@pytest.mark.parametrize("ordinals", [FULL, FULL[1:], FULL[::2]], ids=["full", "all but the first", "every other"])
def test_a_page_has_the_members_that_skipping_would_find(ordinals: range, page: int, descending: bool) -> None:
    in_order = list(ordinals)[::-1] if descending else list(ordinals)

    assert list_page(FakeIndex(ordinals), page=page, descending=descending) == in_order[(page - 1) * 10 : page * 10]


@pytest.mark.parametrize("page", [1, 50, 100])
def test_nothing_is_passed_over_in_a_full_segment(page: int) -> None:
    index = FakeIndex(FULL)

    list_page(index, page=page, descending=True)

    assert index.read == 10


@pytest.mark.parametrize(("page", "read"), [(1, 10), (50, 500), (99, 19), (100, 9)])
def test_other_segments_are_read_from_the_nearer_end(page: int, read: int) -> None:
    index = FakeIndex(FULL[:-1])

    list_page(index, page=page, descending=True)

    assert index.read == read


def test_only_what_is_wanted_of_a_member_is_sent() -> None:
    index = FakeIndex(FULL[:5])

    list_page(index, page=1, descending=True)

    assert [arguments["ProjectionExpression"] for arguments in index.asked] == ["pass_id"]
