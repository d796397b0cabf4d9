"""Stripes of a counter are folded into one row once their segment is quiet; totals never change."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from chalicelib import operations
from chalicelib.domain import sweeping
from chalicelib.domain.counted_index import Collection, passes_of_project
from chalicelib.domain.errors import Busy
from chalicelib.wiring import get_database, get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import forgotten_conflicts, make_passes
from tests.support.faults import LostAnswer, conflict, inject
from tests.support.stack import Stack, Tenant


def _slots(stack: Stack, collection: Collection) -> list[int]:
    answer = stack.dynamodb.query(
        TableName=get_database().settings.table_name("segments"),
        KeyConditionExpression="#collection = :collection",
        ExpressionAttributeNames={"#collection": "collection"},
        ExpressionAttributeValues={":collection": {"S": collection.key}},
        ConsistentRead=True,
    )
    return [int(item["slot"]["N"]) for item in answer["Items"]]


def _write_striped(project_id: int) -> None:
    with forgotten_conflicts():
        get_database().stripes.note_conflict()
        for _ in range(12):
            make_passes(project_id, 1, tags=["gold"], template_id=None)


def test_stripes_are_folded_by_the_next_resume(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    collection = passes_of_project(tenant.project_id)
    _write_striped(tenant.project_id)
    before = get_platform().counts.read_counts(collection)
    assert len(_slots(stack, collection)) > 1

    operations.resume_unfinished(minimum_age_seconds=0, queues_lost=False)
    stack.drain()

    assert len(_slots(stack, collection)) == 1
    assert get_platform().counts.read_counts(collection) == before
    consistent(tenant.project_id)


def test_folding_twice_changes_nothing(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    _write_striped(tenant.project_id)

    for _ in range(2):
        sweeping.sweep_collection(get_platform(), key=f"fold:{passes_of_project(tenant.project_id).key}")

    assert tenant.call("GET", "/v1/pass")["count"] == 12
    consistent(tenant.project_id)


@pytest.mark.parametrize("trouble", ["conflict", "lost answer"])
def test_a_fold_that_meets_trouble_loses_no_count(tenant: Tenant, consistent: Consistent, trouble: str) -> None:
    _write_striped(tenant.project_id)

    def rule(call: Any) -> Any:
        if call.operation != "TransactWriteItems":
            return None
        return conflict(call) if trouble == "conflict" else LostAnswer()

    platform = get_platform()
    with inject(rule), suppress(Busy):
        platform.counts.fold_stripes(passes_of_project(tenant.project_id))

    assert tenant.call("GET", "/v1/pass")["count"] == 12
    consistent(tenant.project_id)
