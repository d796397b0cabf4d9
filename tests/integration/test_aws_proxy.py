"""The proxy between code and engines: what a rule says is what the caller gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.session import Session

from chalicelib.settings import get_settings
from tests.support.aws_proxy import (
    Call,
    Dropped,
    Forward,
    Outcome,
    Proxy,
    Rule,
    cancel,
    combine,
    let_through,
    refuse,
    run_proxy,
)
from tests.support.stack import Stack

SEQUENCES = "passel-local-sequences"
KEY = {"name": {"S": "proxied"}}


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    """Before DynamoDB, without faults."""
    endpoint = get_settings().dynamodb_endpoint
    assert endpoint
    with run_proxy(endpoint) as running:
        yield running
    # these rows stay for the tests of other files, to whom this one would be damage
    stack.dynamodb.delete_item(TableName=SEQUENCES, Key=KEY)


def connect(proxy: Proxy, service: str = "dynamodb", *, patience_seconds: float = 60) -> Any:
    """A client that does not repeat."""
    return Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=proxy.url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(read_timeout=patience_seconds, retries={"total_max_attempts": 1}, proxies={}),
    )


def add(client: Any) -> int:
    """One more in a row of the sequences."""
    answer = client.update_item(
        TableName=SEQUENCES,
        Key=KEY,
        UpdateExpression="ADD probe :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["probe"]["N"])


def test_without_faults_nothing_is_seen_of_it(proxy: Proxy) -> None:
    client = connect(proxy)
    first = add(client)
    assert [add(client) for _ in range(3)] == [first + 1, first + 2, first + 3]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_item(TableName="no-such-table", Key=KEY)
    assert proxy.counts == {("UpdateItem", "passed"): 4, ("GetItem", "passed"): 1}


def test_queues_are_reached_by_the_addresses_that_they_give(stack: Stack) -> None:
    target = get_settings().sqs_endpoint
    assert target
    with run_proxy(target) as proxy:
        client = connect(proxy, "sqs")
        url = client.get_queue_url(QueueName="passel-local-plan")["QueueUrl"]
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    assert url.startswith(proxy.url)
    assert proxy.counts == {("GetQueueUrl", "passed"): 1, ("GetQueueAttributes", "passed"): 1}


async def throttle(call: Call, forward: Forward) -> Outcome:
    return refuse(call, "ThrottlingException", "Rate exceeded")


async def fail(call: Call, forward: Forward) -> Outcome:
    return refuse(call, "InternalServerError", status=500)


@pytest.mark.parametrize(("rule", "code"), [(throttle, "ThrottlingException"), (fail, "InternalServerError")])
def test_a_refused_call_takes_no_effect(proxy: Proxy, rule: Rule, code: str) -> None:
    client = connect(proxy)
    before = add(client)
    proxy.rule = rule
    with pytest.raises(ClientError) as caught:
        add(client)
    proxy.rule = let_through
    assert caught.value.response["Error"]["Code"] == code
    assert add(client) == before + 1
    assert proxy.count("refused") == 1


def test_a_cancelled_transaction_tells_its_reasons(proxy: Proxy) -> None:
    async def rule(call: Call, forward: Forward) -> Outcome:
        return cancel(["None", "TransactionConflict"])

    proxy.rule = rule
    puts = [{"Put": {"TableName": SEQUENCES, "Item": {"name": {"S": name}}}} for name in "ab"]
    with pytest.raises(ClientError) as caught:
        connect(proxy).transact_write_items(TransactItems=puts)
    assert caught.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == [
        "None",
        "TransactionConflict",
    ]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("silent_seconds", "error"), [(0, ConnectionClosedError), (60, ReadTimeoutError)])
def test_an_answer_is_lost_before_or_after_the_effect(
    proxy: Proxy, after: bool, silent_seconds: float, error: type[Exception]
) -> None:
    async def rule(call: Call, forward: Forward) -> Outcome:
        if after:
            await forward()
        return Dropped(silent_seconds)

    client = connect(proxy)
    before = add(client)
    proxy.rule = rule
    with pytest.raises(error):
        add(connect(proxy, patience_seconds=1 if silent_seconds else 60))
    proxy.rule = let_through
    assert add(client) == before + 1 + after
    assert proxy.count("dropped after" if after else "dropped before") == 1


def test_a_call_may_be_carried_out_twice_and_rules_stand_one_behind_another(proxy: Proxy) -> None:
    seen: list[str] = []

    async def repeat(call: Call, forward: Forward) -> Outcome:
        await forward()
        return await forward()

    async def look(call: Call, forward: Forward) -> Outcome:
        seen.append(call.body["Key"]["name"]["S"])
        return await forward()

    client = connect(proxy)
    before = add(client)
    proxy.rule = combine(repeat, look)
    assert add(client) == before + 2
    assert seen == ["proxied", "proxied"]
    assert proxy.count("repeated") == 1


@pytest.mark.parametrize("position", [0, 1])
def test_a_request_may_be_changed_on_its_way(proxy: Proxy, position: int) -> None:
    seen: list[str] = []

    async def add_ten(call: Call, forward: Forward) -> Outcome:
        return await forward({**call.body, "ExpressionAttributeValues": {":one": {"N": "10"}}})

    async def look(call: Call, forward: Forward) -> Outcome:
        seen.append(call.body["ExpressionAttributeValues"][":one"]["N"])
        return await forward()

    client = connect(proxy)
    before = add(client)
    proxy.rule = combine(*[add_ten, look] if position == 0 else [look, add_ten])
    assert add(client) == before + 10
    assert seen == ["10" if position == 0 else "1"]


def test_a_rule_that_fails_is_not_taken_for_a_fault(stack: Stack) -> None:
    async def broken(call: Call, forward: Forward) -> Outcome:
        raise LookupError("no such thing")

    endpoint = get_settings().dynamodb_endpoint
    assert endpoint
    with pytest.raises(LookupError), run_proxy(endpoint, broken) as proxy, pytest.raises(ConnectionClosedError):
        add(connect(proxy))
