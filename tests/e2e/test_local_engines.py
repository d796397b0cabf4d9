"""The engines of local runs and tests, with the tables and queues of `infra/resources.yaml` in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from infra.definition import create_queues, create_tables, read_queues, read_tables
from local.clients import create_client
from local.engine import Queues, find_or_install, start_dynoxide, start_queues
from local.errors import StackError
from local.pump import Pump, pump_once

PREFIX = "passel-engines-"


@pytest.fixture(scope="module")
def binary() -> Path:
    found = find_or_install()
    if found is None:
        pytest.skip("no dynoxide for this machine")
    return found


@pytest.fixture(scope="module")
def queues() -> Iterator[Queues]:
    server = start_queues()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sqs(queues: Queues) -> Iterator[Any]:
    with closing(create_client("sqs", endpoint_url=queues.url)) as client:
        create_queues(client, PREFIX)
        yield client


def test_dynoxide_takes_every_table_and_keeps_it(binary: Path, tmp_path: Path) -> None:
    for expected in (sorted(table["TableName"] for table in read_tables(PREFIX)), []):
        engine = start_dynoxide(binary, tmp_path / "data.db")
        try:
            with closing(create_client("dynamodb", endpoint_url=engine.url)) as client:
                assert sorted(create_tables(client, PREFIX)) == expected
        finally:
            engine.stop()
        assert engine.exit_code is not None


def test_moto_takes_every_table_too(queues: Queues) -> None:
    with closing(create_client("dynamodb", endpoint_url=queues.url)) as client:
        assert len(create_tables(client, PREFIX)) == len(read_tables(PREFIX))
        assert create_tables(client, PREFIX) == []


def test_dynoxide_that_does_not_start_is_quoted(binary: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="unable to open database file"):
        start_dynoxide(binary, tmp_path / "nowhere" / "data.db")
    with pytest.raises(StackError, match="nothing-here"):
        start_dynoxide(tmp_path / "nothing-here", None)


def test_many_engines_start_side_by_side(binary: Path) -> None:
    engines = [start_dynoxide(binary, None) for _ in range(5)]
    try:
        assert len({engine.url for engine in engines}) == 5
    finally:
        for engine in engines:
            engine.stop()


def test_queues_have_their_dead_letters_and_are_made_once(sqs: Any) -> None:
    addresses = create_queues(sqs, PREFIX)
    for queue in read_queues(PREFIX):
        attributes = sqs.get_queue_attributes(QueueUrl=addresses[queue.name], AttributeNames=["All"])["Attributes"]
        assert queue.attributes.items() <= attributes.items()
        assert ("RedrivePolicy" in attributes) == (queue.redrive is not None)


def test_a_message_that_always_fails_ends_with_the_dead_letters(sqs: Any) -> None:
    tries: list[str] = []
    dead: list[dict[str, Any]] = []

    def plan(event: dict[str, Any], context: object) -> None:
        tries.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        raise RuntimeError("never")

    handlers = {"plan": plan, "plan-dead": lambda event, context: dead.extend(event["Records"])}
    sent = sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=PREFIX + "plan")["QueueUrl"], MessageBody="x")
    Pump(sqs, PREFIX, handlers, backoff=lambda count: 0).drain(120)
    assert tries == ["1", "2", "3", "4", "5"]
    assert [record["messageId"] for record in dead] == [sent["MessageId"]]


def test_drain_waits_for_delayed_messages(sqs: Any) -> None:
    seen: list[dict[str, Any]] = []
    address = sqs.get_queue_url(QueueName=PREFIX + "sweep")["QueueUrl"]
    sqs.send_message(QueueUrl=address, MessageBody="later", DelaySeconds=2)
    handlers = {"sweep": lambda event, context: seen.append(event)}
    assert pump_once(sqs, PREFIX, handlers, "sweep") == 0
    assert Pump(sqs, PREFIX, handlers).drain(120) == 1
    assert len(seen) == 1


def test_a_started_pump_handles_many_messages(sqs: Any) -> None:
    seen: list[str] = []
    address = sqs.get_queue_url(QueueName=PREFIX + "segment")["QueueUrl"]
    pump = Pump(sqs, PREFIX, {"segment": lambda event, context: seen.append(event["Records"][0]["body"])})
    pump.start()
    for first in range(0, 30, 10):
        entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(first, first + 10)]
        sqs.send_message_batch(QueueUrl=address, Entries=entries)
    pump.drain(120)
    assert pump.stop(timeout_seconds=10)
    assert sorted(set(seen), key=int) == [str(number) for number in range(30)]


def test_starting_the_queues_mocks_nothing(queues: Queues) -> None:
    from moto.core.models import botocore_stubber

    assert not botocore_stubber.enabled
    assert "AWS_ENDPOINT_URL_SQS" not in os.environ
