"""What the scale bench counts: calls, units of reading and writing apart, and bytes both ways."""

from __future__ import annotations

import pytest

from benchmarks.scale_meter import count
from benchmarks.scale_subjects import measure_counters
from chalicelib.domain.counted_index import passes_of_project
from chalicelib.store.models import SegmentRow
from chalicelib.store.transactions import SLOTS_PER_SEGMENT
from chalicelib.wiring import get_platform
from tests.support.builders import make_passes
from tests.support.stack import Stack, Tenant


@pytest.fixture(scope="module", autouse=True)
def _needs_dynoxide(stack: Stack) -> None:
    if stack.engine_name == "moto":
        pytest.skip("UNITS ARE NOT CHECKED: moto does not count what DynamoDB would")


def test_reading_and_writing_are_counted_apart_with_their_bytes(tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    platform = get_platform()

    read = count(lambda: platform.passes.get_pass(project_id=tenant.project_id, pass_id=pass_.pass_id))
    written = count(lambda: platform.sequences.next_values(name="scale meter", count=1, now=platform.now()))

    assert (read.calls, read.reads, read.writes) == (1, 1, 0)
    assert (written.calls, written.reads, written.writes) == (1, 0, 1)
    assert read.bytes_received > len(pass_.content.encode())
    assert 0 < read.bytes_sent < read.bytes_received


def test_counters_cost_what_the_formula_says(tenant: Tenant) -> None:
    collection = passes_of_project(tenant.project_id)
    with SegmentRow.batch_write() as batch:
        for segment in range(200):
            slot = segment * SLOTS_PER_SEGMENT
            batch.save(SegmentRow(collection=collection.key, slot=slot, installed=600, uninstalled=150))

    cost, size = count(lambda: get_platform().counts.read_counts(collection)), measure_counters(collection)

    assert size.rows == 200
    assert size.units > 2
    assert (cost.reads, cost.calls) == (size.units, size.calls)
