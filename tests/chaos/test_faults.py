"""Each fault does what its name says, to the engine and to the caller."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from tests.chaos.faults import OWED_CALLS, QUEUE_FAULTS, TABLE_FAULTS, Fault, Rule, Weather
from tests.support.aws_proxy import Answer, Call, Dropped, Outcome, answer_json

WEATHER = Weather(chance=0, storm_chance=0, storm_seconds=(0, 0), chance_in_storm=0, read_timeout_seconds=0.01)
KEYS = [{"pass_id": {"N": str(number)}} for number in range(40)]
ENTRIES = [{"Id": str(number), "MessageBody": "text"} for number in range(10)]
BODIES: Mapping[str, dict[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"passes": {"Keys": KEYS}}},
    "BatchWriteItem": {"RequestItems": {"deliveries": [{"PutRequest": {"Item": key}} for key in KEYS[:25]]}},
    "BatchExecuteStatement": {"Statements": [{"Statement": str(number)} for number in range(25)]},
    "TransactWriteItems": {"TransactItems": [{}, {}, {}]},
    "TransactGetItems": {"TransactItems": [{}, {}]},
    "SendMessageBatch": {"Entries": ENTRIES},
}
EVERY = [
    (operation, fault) for table in (TABLE_FAULTS, QUEUE_FAULTS) for operation in table for fault in table[operation]
]

NEVER_SENT = {
    Fault.EXCEEDED,
    Fault.THROTTLED,
    Fault.CONFLICT,
    Fault.TRANSACTION_THROTTLED,
    Fault.WRITE_CONFLICT,
    Fault.ERROR_BEFORE,
    Fault.LOST_BEFORE,
    Fault.TIMEOUT_BEFORE,
    Fault.SEND_REFUSED,
    Fault.DELETE_LOST,
}
TOLD_THAT_ALL_IS_WELL = {
    Fault.SLOW,
    Fault.SEND_TWICE,
    Fault.SEND_DELAYED,
    Fault.SEND_PARTLY,
    Fault.UNPROCESSED_KEYS,
    Fault.UNPROCESSED_ITEMS,
    Fault.STATEMENTS_THROTTLED,
    Fault.STATEMENTS_IN_CONFLICT,
    Fault.DELETE_LOST,
}


class Engine:
    """Does as it is told, and keeps what it was told."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.requests: list[Mapping[str, Any]] = []

    async def forward(self, body: Mapping[str, Any] | None = None, /) -> Outcome:
        """Lets the call through."""
        request = self._call.body if body is None else body
        self.requests.append(request)
        if self._call.operation == "BatchGetItem":
            return answer_json({"Responses": {"passes": KEYS}, "UnprocessedKeys": {}})
        if self._call.operation == "BatchExecuteStatement":
            return answer_json({"Responses": [{} for _ in request["Statements"]]})
        if self._call.operation == "SendMessageBatch":
            return answer_json({"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]})
        return answer_json({"Messages": [{}]})


def make_call(operation: str) -> Call:
    """A call of it with its body."""
    service = "SQS" if operation in QUEUE_FAULTS else "DynamoDB"
    return Call(service, operation, json.dumps(BODIES.get(operation, {})).encode(), time.monotonic())


def play(operation: str, fault: Fault) -> tuple[Outcome, list[Mapping[str, Any]]]:
    """What the caller gets, and what the engine was told."""
    call = make_call(operation)
    engine = Engine(call)
    rule = Rule({}, weather=WEATHER, random=Random(1))
    return asyncio.run(rule._play(fault, call, engine.forward)), engine.requests


@pytest.mark.parametrize(("operation", "fault"), EVERY, ids=str)
def test_a_fault_takes_effect_or_not_and_is_told_or_not(operation: str, fault: Fault) -> None:
    outcome, requests = play(operation, fault)
    assert len(requests) == (0 if fault in NEVER_SENT else 2 if fault is Fault.SEND_TWICE else 1)
    is_well = isinstance(outcome, Answer) and outcome.status == 200
    assert is_well is (fault in TOLD_THAT_ALL_IS_WELL)
    if fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER):
        assert isinstance(outcome, Dropped)
        assert outcome.silent_seconds > 30


def test_a_transaction_is_cancelled_with_a_reason_for_each_item() -> None:
    outcome, _ = play("TransactWriteItems", Fault.CONFLICT)
    assert isinstance(outcome, Answer)
    reasons = [reason["Code"] for reason in outcome.body["CancellationReasons"]]
    assert sorted(reasons) == ["None", "None", "TransactionConflict"]


def test_the_repeat_of_a_transaction_that_took_effect_is_not_cancelled() -> None:
    body = {"TransactItems": [{}, {}], "ClientRequestToken": "one"}
    call = Call("DynamoDB", "TransactWriteItems", json.dumps(body).encode(), time.monotonic())
    engine, rule = Engine(call), Rule({}, weather=WEATHER, random=Random(1))
    assert isinstance(asyncio.run(rule._play(Fault.LOST_AFTER, call, engine.forward)), Dropped)
    outcome = asyncio.run(rule._play(Fault.CONFLICT, call, engine.forward))
    assert isinstance(outcome, Answer)
    assert outcome.status == 200


def test_keys_are_answered_or_left() -> None:
    outcome, _ = play("BatchGetItem", Fault.UNPROCESSED_KEYS)
    assert isinstance(outcome, Answer)
    left, found = outcome.body["UnprocessedKeys"]["passes"]["Keys"], outcome.body["Responses"]["passes"]
    assert left
    assert found
    assert sorted([*left, *found], key=str) == sorted(KEYS, key=str)


def test_writes_are_done_or_left() -> None:
    outcome, (request,) = play("BatchWriteItem", Fault.UNPROCESSED_ITEMS)
    assert isinstance(outcome, Answer)
    done, left = request["RequestItems"]["deliveries"], outcome.body["UnprocessedItems"]["deliveries"]
    assert done
    assert left
    assert [*done, *left] == BODIES["BatchWriteItem"]["RequestItems"]["deliveries"]


def test_statements_that_were_not_executed_have_errors_in_their_places() -> None:
    outcome, (request,) = play("BatchExecuteStatement", Fault.STATEMENTS_THROTTLED)
    assert isinstance(outcome, Answer)
    responses = outcome.body["Responses"]
    done = [str(number) for number, response in enumerate(responses) if "Error" not in response]
    assert len(responses) == 25
    assert done == [statement["Statement"] for statement in request["Statements"]]
    assert 0 < len(done) < 25


def test_messages_are_sent_or_failed() -> None:
    outcome, (request,) = play("SendMessageBatch", Fault.SEND_PARTLY)
    assert isinstance(outcome, Answer)
    sent, failed = ({entry["Id"] for entry in outcome.body[name]} for name in ("Successful", "Failed"))
    assert sent == {entry["Id"] for entry in request["Entries"]}
    assert sent | failed == {entry["Id"] for entry in ENTRIES}
    assert not sent & failed


def test_late_messages_come_in_another_order() -> None:
    _, (request,) = play("SendMessageBatch", Fault.SEND_DELAYED)
    assert [entry["Id"] for entry in request["Entries"]] != [entry["Id"] for entry in ENTRIES]
    assert all(entry["DelaySeconds"] > 0 for entry in request["Entries"])


def draw(rule: Rule, operation: str, *, calls: int) -> None:
    """So many calls, whose faults count as played."""
    for _ in range(calls):
        fault = rule._draw(make_call(operation))
        if fault is not None:
            rule.counts[fault] += 1


def test_every_kind_comes_early() -> None:
    rule = Rule(TABLE_FAULTS, weather=WEATHER, random=Random(1))
    draw(rule, "TransactWriteItems", calls=1000)
    assert set(rule.counts) == set(TABLE_FAULTS["TransactWriteItems"])
    assert set(rule.counts.values()) == {1}, "with no chance of its own, each comes once"


class Unlucky(Random):
    """Nothing comes by chance."""

    def random(self) -> float:
        """Below no chance of any fault."""
        return 0.999


@pytest.mark.parametrize(
    ("operation", "own"),
    [
        ("BatchGetItem", {Fault.UNPROCESSED_KEYS}),
        ("BatchWriteItem", {Fault.UNPROCESSED_ITEMS}),
        ("BatchExecuteStatement", {Fault.STATEMENTS_THROTTLED, Fault.STATEMENTS_IN_CONFLICT}),
        ("TransactWriteItems", {Fault.TRANSACTION_THROTTLED}),
        ("SendMessageBatch", set(QUEUE_FAULTS["SendMessageBatch"])),
        ("ReceiveMessage", {Fault.RECEIVE_LOST}),
        ("DeleteMessage", {Fault.DELETE_LOST}),
    ],
)
def test_what_only_one_operation_meets_comes_for_sure(operation: str, own: set[Fault]) -> None:
    rule = Rule(QUEUE_FAULTS if operation in QUEUE_FAULTS else TABLE_FAULTS, weather=WEATHER, random=Unlucky(1))
    draw(rule, operation, calls=OWED_CALLS * len(own))
    assert set(rule.counts) == own
    draw(rule, operation, calls=100)
    assert set(rule.counts.values()) == {1}, "and only once"


def test_a_single_write_is_never_left() -> None:
    rule = Rule({"BatchWriteItem": {Fault.UNPROCESSED_ITEMS: 1}}, weather=WEATHER, random=Random(1))
    single = {"RequestItems": {"deliveries": [{"PutRequest": {"Item": KEYS[0]}}]}}
    call = Call("DynamoDB", "BatchWriteItem", json.dumps(single).encode(), time.monotonic())
    assert [rule._draw(call) for _ in range(100)] == [None] * 100
    draw(rule, "BatchWriteItem", calls=1)
    assert rule.counts[Fault.UNPROCESSED_ITEMS] == 1, "it is owed to the first call that can meet it"
