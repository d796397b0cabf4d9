"""The rule of contention: who is refused beside whom, and how much a partition key takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from infra.definition import read_tables
from tests.support.aws_proxy import Answer, Call, Outcome, answer_json
from tests.support.conflict_rule import ContentionRule

PREFIX = "passel-local-"
TABLES = read_tables(PREFIX)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make_rule(**more: Any) -> ContentionRule:
    # no time passes: what counts is who is in flight beside whom
    return ContentionRule(TABLES, seed=1, pause=lambda _: asyncio.sleep(0), **more)


async def ask(rule: ContentionRule, operation: str, body: Mapping[str, Any], seen: list[Any] | None = None) -> Outcome:
    async def forward(changed: Mapping[str, Any] | None = None, /) -> Outcome:
        if seen is not None:
            seen.append(changed)
        statements = (changed or body).get("Statements", ())
        return answer_json({"Responses": [{"TableName": "t"} for _ in statements], "UnprocessedItems": {}})

    return await rule(Call("DynamoDB", operation, json.dumps(body).encode(), 0.0), forward)


async def both(*calls: Coroutine[Any, Any, Outcome]) -> list[Outcome]:
    return list(await asyncio.gather(*calls))


def counter(slot: int = 0, collection: str = "c") -> dict[str, Any]:
    return {
        "Update": {
            "TableName": f"{PREFIX}segments",
            "Key": {"slot": {"N": str(slot)}, "collection": {"S": collection}},
            "UpdateExpression": "ADD #0 :0",
            "ExpressionAttributeNames": {"#0": "member"},
            "ExpressionAttributeValues": {":0": {"N": "1"}},
        }
    }


def transaction(*items: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(items)}


def reasons(outcome: Outcome) -> list[str]:
    """Of a cancelled transaction; empty for one that took place."""
    assert isinstance(outcome, Answer)
    return [reason["Code"] for reason in outcome.body.get("CancellationReasons", ())]


def refused(outcome: Outcome) -> str | None:
    assert isinstance(outcome, Answer)
    found: str | None = outcome.body.get("__type")
    return found and found.rpartition("#")[2]


def test_of_two_transactions_on_one_item_the_second_is_cancelled() -> None:
    rule = make_rule()
    first, second = asyncio.run(
        both(
            ask(rule, "TransactWriteItems", transaction(counter(1), counter(2))),
            ask(rule, "TransactWriteItems", transaction(counter(3), counter(2))),
        )
    )
    assert reasons(first) == []
    assert reasons(second) == ["None", "TransactionConflict"]
    assert rule.counts.conflicts == 1


def test_a_transaction_that_is_refused_holds_its_other_items_until_its_answer() -> None:
    rule = make_rule()
    outcomes = asyncio.run(
        both(*(ask(rule, "TransactWriteItems", transaction(counter(n), counter(n + 1))) for n in range(3)))
    )
    assert [reasons(each) for each in outcomes] == [
        [],
        ["TransactionConflict", "None"],
        ["TransactionConflict", "None"],
    ]


def test_one_after_the_other_nobody_is_refused() -> None:
    rule = make_rule()

    async def one_by_one() -> list[Outcome]:
        return [await ask(rule, "TransactWriteItems", transaction(counter())) for _ in range(3)]

    assert [reasons(each) for each in asyncio.run(one_by_one())] == [[], [], []]


def test_a_single_write_is_refused_beside_a_transaction_but_not_beside_another_single_write() -> None:
    rule = make_rule()
    update = counter()["Update"]
    outcomes = asyncio.run(both(ask(rule, "UpdateItem", update), ask(rule, "UpdateItem", update)))
    assert [refused(each) for each in outcomes] == [None, None]
    outcomes = asyncio.run(
        both(ask(rule, "TransactWriteItems", transaction(counter())), ask(rule, "UpdateItem", update))
    )
    assert [refused(each) for each in outcomes] == [None, "TransactionConflictException"]


def test_a_transaction_is_not_refused_beside_a_single_write() -> None:
    rule = make_rule()
    outcomes = asyncio.run(
        both(ask(rule, "UpdateItem", counter()["Update"]), ask(rule, "TransactWriteItems", transaction(counter())))
    )
    assert [refused(each) for each in outcomes] == [None, None]


def test_reads_are_refused_only_in_a_transaction() -> None:
    rule = make_rule()
    key = counter()["Update"]["Key"]
    name = f"{PREFIX}segments"
    for writing in ("TransactWriteItems", "UpdateItem"):
        body = transaction(counter()) if writing.startswith("Transact") else counter()["Update"]
        outcomes = asyncio.run(
            both(
                ask(rule, writing, body),
                ask(rule, "GetItem", {"TableName": name, "Key": key}),
                ask(rule, "TransactGetItems", transaction({"Get": {"TableName": name, "Key": key}})),
            )
        )
        assert [refused(each) for each in outcomes] == [None, None, "TransactionCanceledException"]


def statement(pass_id: int) -> dict[str, Any]:
    return {
        "Statement": f'UPDATE "{PREFIX}passes" SET "content" = ?, "updated_order" = ? '
        'WHERE "pass_id" = ? AND "revision" = ?',
        "Parameters": [{"S": "x" * 1500}, {"S": "o"}, {"N": str(pass_id)}, {"N": "1"}],
    }


def test_a_batch_loses_only_the_statements_that_meet_a_transaction() -> None:
    rule = make_rule()
    seen: list[Any] = []
    held = {
        "ConditionCheck": {
            "TableName": f"{PREFIX}passes",
            "Key": {"pass_id": {"N": "2"}},
            "ConditionExpression": "attribute_exists(pass_id)",
        }
    }
    batch = {"Statements": [statement(1), statement(2), statement(3)]}
    _, outcome = asyncio.run(
        both(ask(rule, "TransactWriteItems", transaction(held)), ask(rule, "BatchExecuteStatement", batch, seen))
    )
    assert isinstance(outcome, Answer)
    responses = outcome.body["Responses"]
    assert [response.get("Error", {}).get("Code") for response in responses] == [None, "TransactionConflict", None]
    assert [each["Statements"] for each in seen] == [[statement(1), statement(3)]]


def test_a_partition_key_takes_a_thousand_units_a_second() -> None:
    clock = Clock()
    rule = make_rule(clock=clock)

    def take(count: int) -> int:
        """How many of so many transactions, each of two units, find room at this moment."""
        call = Call("DynamoDB", "TransactWriteItems", json.dumps(transaction(counter())).encode(), 0.0)
        taken = 0
        for _ in range(count):
            write = rule._reader.read_transaction(call.body)[0]
            taken += rule._judge(write) == "None"
        return taken

    take(1000)
    done = 0
    for _ in range(100):
        clock.now += 0.01
        done += take(100)
    assert done == pytest.approx(500, abs=3)


def test_throttling_is_told_as_each_operation_tells_it() -> None:
    clock = Clock()
    rule = make_rule(clock=clock)
    write = counter()["Update"]
    while rule._judge(rule._reader.read_write("UpdateItem", write)) == "None":
        pass
    single, together = asyncio.run(
        both(
            ask(rule, "UpdateItem", write),
            ask(rule, "TransactWriteItems", transaction(counter(), counter(collection="d"))),
        )
    )
    assert refused(single) == "ThrottlingException"
    assert reasons(together) == ["ThrottlingError", "None"]


def test_units_are_counted_by_size_and_in_the_indexes_that_a_write_moves_in() -> None:
    rule = make_rule(unnamed={(f"{PREFIX}passes", "by_updated"): lambda item: f"7.{int(item.value('pass_id')) % 8}"})
    asyncio.run(ask(rule, "BatchExecuteStatement", {"Statements": [statement(17)]}))
    row = {
        "pass_id": {"N": "1"},
        "tag_id": {"N": "2"},
        "tag_segment": {"S": "tag-passes:1.2.1.0"},
        "status": {"S": "installed"},
    }
    asyncio.run(
        ask(rule, "TransactWriteItems", transaction({"Put": {"TableName": f"{PREFIX}memberships", "Item": row}}))
    )
    assert rule.counts.units == {
        (f"{PREFIX}passes", "17"): 2,
        (f"{PREFIX}passes.by_updated", "7.1"): 2,
        (f"{PREFIX}memberships", "1"): 2,
        (f"{PREFIX}memberships.by_tag", "tag-passes:1.2.1.0"): 1,
    }


def test_nothing_is_held_once_all_have_their_answers() -> None:
    rule = make_rule()

    async def fail(body: Mapping[str, Any] | None = None, /) -> Outcome:
        raise ConnectionError

    async def run() -> None:
        await both(*(ask(rule, "TransactWriteItems", transaction(counter(n % 3))) for n in range(9)))
        call = Call("DynamoDB", "TransactWriteItems", json.dumps(transaction(counter(5))).encode(), 0.0)
        with pytest.raises(ConnectionError):
            await rule(call, fail)

    asyncio.run(run())
    assert not rule._held
    assert not rule._written
