"""A worker that handles one segment after another keeps nothing of them.

`benchmarks/bulk_memory.py` watches the memory of a whole process over a thousand segments; here the objects are counted
that are alive after many.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from dataclasses import replace
from typing import Any, cast

import pytest

from benchmarks.bulk_memory_worker import handle_segment
from chalicelib.domain import bulk_updates
from chalicelib.domain.ports import Platform, QueueSender
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_platform
from tests.support.builders import make_spread_passes, read_ticket, write_field
from tests.support.stack import Stack, Tenant

TAG = "flag"
SEGMENTS = 10
WARM_UP_UPDATES, UPDATES = 5, 15
KEPT_PER_SEGMENT = 2
"""objects; a segment that left anything of its 3 passes behind would leave hundreds"""


class _NoQueue:
    """Swallows messages: the local queue's own memory is not the worker's."""

    def __getattr__(self, name: str) -> Any:
        return lambda **_: None


def _update_all(platform: Platform, project_id: int, segments: list[int], value: int) -> None:
    update = write_field("Points", str(value))
    ticket = bulk_updates.start_bulk_update(platform, project_id=project_id, segment=TAG, update=update)
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    for segment in segments:
        handle_segment(ticket.ticket_id, segment)
    assert read_ticket(ticket.ticket_id).status is TicketStatus.COMPLETED


def _count_objects() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects())


@pytest.mark.skipif(sys.gettrace() is not None, reason="whoever traces lines keeps an object for each thread")
def test_segments_leave_nothing_behind_in_a_worker(stack: Stack, tenant: Tenant) -> None:
    passes = make_spread_passes(tenant.project_id, segments=SEGMENTS, per_segment=3, tags=[TAG])
    segments = sorted({pass_.pass_id // 1000 for pass_ in passes})
    platform = replace(get_platform(), queues=cast(QueueSender, _NoQueue()))
    for value in range(WARM_UP_UPDATES):
        _update_all(platform, tenant.project_id, segments, value + 1)
    before = _count_objects()

    for value in range(UPDATES):
        _update_all(platform, tenant.project_id, segments, value + 100)

    kept = _count_objects() - before
    lines = kept.pop("LogRecord", 0)  # kept by those who listen to the log in tests, each with a dictionary
    kept["dict"] -= lines
    assert kept.total() <= KEPT_PER_SEGMENT * UPDATES * SEGMENTS, kept.most_common(10)
