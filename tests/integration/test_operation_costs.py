"""The figures that bills are made of, measured anew on small projects: the same code, the same units."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import asdict

import pytest

from app import app
from benchmarks.operation_costs import (
    OperationCost,
    measure_bulk,
    measure_callback,
    measure_deliveries,
    measure_google_save,
    measure_operations,
)
from benchmarks.operation_meter import Gateway, item_bytes, meter
from benchmarks.operation_scenes import Scene, make_scene, read_row
from chalicelib.domain.cost_units import Operation
from chalicelib.wiring import get_database, get_platform
from local.environment import PREFIX
from tests.support.stack import Stack
from tests.unit.domain.test_costing import differences

TAGS, KILOBYTES = 2, 3
AT_GOOGLE = {Operation.DELIVER_GOOGLE, Operation.DELIVER_GOOGLE_SHARED}
"""written at Google's pace: only `python -m benchmarks.operation_costs` measures them"""
OF_BULK_UPDATES = {
    *(Operation.ACCEPT, Operation.PLAN, Operation.SEGMENT, Operation.SEGMENT_HELD, Operation.SPREAD),
    *(Operation.RESUME, Operation.EMPTY_TAG, Operation.SWEEP),
}
OF_OTHERS = {Operation.DELIVER_APPLE, Operation.DELIVER_ANDROID, Operation.CALLBACK, Operation.SAVE_AT_GOOGLE}


@pytest.fixture(scope="module", autouse=True)
def _needs_dynoxide(stack: Stack) -> None:
    if stack.engine_name == "moto":
        pytest.skip("COSTS ARE NOT CHECKED: moto does not count what DynamoDB would")


def _scene(stack: Stack, *, passes: int, tags: int = 1, kilobytes: int = 1) -> Scene:
    return make_scene(stack, Gateway(app), get_platform(), passes=passes, tags=tags, kilobytes=kilobytes)


def _check(measured: Iterable[OperationCost], operations: AbstractSet[Operation]) -> None:
    rows = [asdict(row) for row in measured]
    assert {row["operation"] for row in rows} == operations
    assert [each for row in rows for each in differences(row)] == []


def test_requests_take_what_bills_are_made_of(stack: Stack) -> None:
    measured = measure_operations(stack, get_platform(), variants=[(TAGS, KILOBYTES)], repeats=1)

    _check(measured, set(Operation) - OF_BULK_UPDATES - OF_OTHERS - AT_GOOGLE)


def test_bulk_updates_take_what_bills_are_made_of(stack: Stack) -> None:
    _check(measure_bulk(_scene(stack, passes=100, kilobytes=2)), OF_BULK_UPDATES)


def test_pushes_and_callbacks_take_what_bills_are_made_of(stack: Stack) -> None:
    measured = [
        *measure_deliveries(_scene(stack, passes=1), counts=(40,)),
        *measure_callback(_scene(stack, passes=1), repeats=1),
        *measure_google_save(_scene(stack, passes=4, tags=2), repeats=1),
    ]

    _check(measured, OF_OTHERS)


def test_a_row_is_as_large_as_the_engine_says(stack: Stack) -> None:
    """A write unit is a kilobyte of the row: our count of its bytes says on which side of it a row lies."""
    scene = _scene(stack, passes=1, kilobytes=2)
    row = read_row(stack, scene.passes[0].pass_id)
    room = 2048 - item_bytes(row)
    assert 0 < room <= 300

    def write(extra: int) -> float:
        wider = {**row, "redeem_code": {"S": row["redeem_code"]["S"] + "x" * extra}}
        answer = stack.dynamodb.put_item(TableName=f"{PREFIX}passes", Item=wider, ReturnConsumedCapacity="INDEXES")
        return float(answer["ConsumedCapacity"]["Table"]["CapacityUnits"])

    assert (write(room), write(room + 1)) == (2, 3)


def test_what_a_transaction_writes_in_indexes_is_counted_apart(stack: Stack) -> None:
    scene = _scene(stack, passes=1)
    with meter() as taken:
        get_database().call(
            "TransactWriteItems",
            TransactItems=[
                {
                    "Put": {
                        "TableName": f"{PREFIX}memberships",
                        "Item": {
                            "pass_id": {"N": str(scene.passes[0].pass_id)},
                            "tag_id": {"N": "999999"},
                            "generation": {"N": "1"},
                            "tag_segment": {"S": "none"},
                            "status": {"S": "none"},
                        },
                    }
                }
            ],
        )

    assert (taken.calls, taken.writes, taken.index_writes) == (1, 3, 1)
