"""The pump, on queues kept in memory and a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.pump import DrainTimeoutError, Handler, Pump, backoff_seconds, pump_once

PREFIX = "passel-unit-"


@dataclass
class StoredMessage:
    number: int
    body: str
    visible_at: float = 0.0
    receive_count: int = 0


@dataclass
class FakeSqs:
    """Queues in memory: visibility by `now`, which tests move, and no dead letters."""

    queues: dict[str, list[StoredMessage]] = field(default_factory=dict)
    now: float = 0.0
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, queue: str, body: str) -> None:
        with self.lock:
            self.sent += 1
            self.queues.setdefault(PREFIX + queue, []).append(StoredMessage(self.sent, body))

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803 - AWS's names
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        with self.lock:
            messages = self.queues.get(QueueUrl, [])
            visible = sum(message.visible_at <= self.now for message in messages)
        counts = {
            "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{QueueUrl}",
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(messages) - visible),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        return {"Attributes": {name: counts[name] for name in AttributeNames}}

    def receive_message(self, *, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        with self.lock:
            for message in self.queues.get(QueueUrl, []):
                if message.visible_at <= self.now:
                    message.visible_at = self.now + 360
                    message.receive_count += 1
                    return {"Messages": [_as_received(message)]}
        return {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        with self.lock:
            messages = self.queues[QueueUrl]
            messages[:] = [message for message in messages if f"receipt-{message.number}" != ReceiptHandle]

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        for message in self.queues[QueueUrl]:
            if f"receipt-{message.number}" == ReceiptHandle:
                message.visible_at = self.now + VisibilityTimeout

    def bodies(self, queue: str) -> list[str]:
        return [message.body for message in self.queues.get(PREFIX + queue, [])]


def _as_received(message: StoredMessage) -> dict[str, Any]:
    return {
        "MessageId": f"id-{message.number}",
        "ReceiptHandle": f"receipt-{message.number}",
        "Body": message.body,
        "MD5OfBody": "md5",
        "Attributes": {"ApproximateReceiveCount": str(message.receive_count)},
        "MessageAttributes": {"trace": {"DataType": "String", "StringValue": "abc"}},
    }


def recording(seen: list[str]) -> Handler:
    def handle(event: dict[str, Any], context: object) -> None:
        seen.extend(record["body"] for record in event["Records"])

    return handle


def failing(*, times: int) -> Handler:
    left = [times]

    def handle(event: dict[str, Any], context: object) -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("not now")

    return handle


def test_a_handled_message_is_deleted() -> None:
    sqs, seen = FakeSqs(), list[str]()
    sqs.send("plan", "one")
    sqs.send("plan", "two")
    assert pump_once(sqs, PREFIX, {"plan": recording(seen)}, "plan") == 2
    assert seen == ["one", "two"]
    assert sqs.bodies("plan") == []


def test_an_event_has_the_shape_that_lambda_gives() -> None:
    sqs, events = FakeSqs(), list[dict[str, Any]]()
    sqs.send("plan", "one")
    pump_once(sqs, PREFIX, {"plan": lambda event, context: events.append(event)}, "plan")
    assert events == [
        {
            "Records": [
                {
                    "messageId": "id-1",
                    "receiptHandle": "receipt-1",
                    "body": "one",
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {
                        "trace": {
                            "dataType": "String",
                            "stringValue": "abc",
                            "stringListValues": [],
                            "binaryListValues": [],
                        }
                    },
                    "md5OfBody": "md5",
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:passel-unit-plan",
                    "awsRegion": "us-east-1",
                }
            ]
        }
    ]


def test_a_context_tells_the_time_that_is_left() -> None:
    sqs, left = FakeSqs(), list[float]()
    sqs.send("plan", "one")

    def handle(event: dict[str, Any], context: Any) -> None:
        left.append(context.get_remaining_time_in_millis())

    pump_once(sqs, PREFIX, {"plan": handle}, "plan")
    assert 0 < left[0] <= 60_000


def test_a_failed_message_stays_and_comes_back_after_the_backoff() -> None:
    sqs = FakeSqs()
    sqs.send("plan", "one")
    handlers = {"plan": failing(times=1)}
    assert pump_once(sqs, PREFIX, handlers, "plan") == 1
    assert sqs.bodies("plan") == ["one"]

    sqs.now = 1.9
    assert pump_once(sqs, PREFIX, handlers, "plan") == 0
    sqs.now = 2.0
    assert pump_once(sqs, PREFIX, handlers, "plan") == 1
    assert sqs.bodies("plan") == []


def test_the_backoff_doubles_up_to_half_a_minute() -> None:
    assert [backoff_seconds(count) for count in (1, 2, 3, 4, 5, 100)] == [2, 4, 8, 16, 30, 30]


def test_drain_follows_messages_from_queue_to_queue() -> None:
    sqs, seen = FakeSqs(), list[str]()

    def plan(event: dict[str, Any], context: object) -> None:
        sqs.send("segment", "of " + event["Records"][0]["body"])

    sqs.send("plan", "update")
    # the later queue first, so that one round cannot be enough
    pump = Pump(sqs, PREFIX, {"segment": recording(seen), "plan": plan})
    assert pump.drain(5) == 2
    assert seen == ["of update"]


def test_drain_retries_until_the_handler_succeeds() -> None:
    sqs = FakeSqs()
    sqs.send("plan", "one")
    assert Pump(sqs, PREFIX, {"plan": failing(times=3)}, backoff=lambda count: 0).drain(5) == 4


def test_drain_says_what_is_left_when_time_is_up() -> None:
    sqs = FakeSqs()
    sqs.send("plan", "one")
    with pytest.raises(DrainTimeoutError, match=r"\{'plan': 1\}"):
        Pump(sqs, PREFIX, {"plan": failing(times=1)}).drain(0)


def test_a_started_pump_handles_what_comes_and_stops_when_told() -> None:
    sqs, handled = FakeSqs(), threading.Event()
    pump = Pump(sqs, PREFIX, {"segment": lambda event, context: handled.set()}, {"segment": 2})
    pump.start()
    sqs.send("segment", "one")
    assert handled.wait(5)
    assert pump.stop(timeout_seconds=5)
    sqs.send("segment", "two")
    assert "two" in sqs.bodies("segment")


def test_stop_waits_for_the_handler_at_work() -> None:
    sqs = FakeSqs()
    started, release, finished = threading.Event(), threading.Event(), threading.Event()

    def handle(event: dict[str, Any], context: object) -> None:
        started.set()
        release.wait(5)
        finished.set()

    sqs.send("plan", "one")
    pump = Pump(sqs, PREFIX, {"plan": handle})
    pump.start()
    assert started.wait(5)
    assert not pump.stop(timeout_seconds=0.05)
    release.set()
    assert pump.stop(timeout_seconds=5)
    assert finished.is_set()


def test_messages_of_one_queue_are_handled_by_as_many_threads_as_asked() -> None:
    sqs, together = FakeSqs(), threading.Barrier(2, timeout=5)
    meet: Callable[[dict[str, Any], object], object] = lambda event, context: together.wait()  # noqa: E731
    sqs.send("segment", "one")
    sqs.send("segment", "two")
    pump = Pump(sqs, PREFIX, {"segment": meet})
    pump.start()
    pump.drain(5)
    assert pump.stop(timeout_seconds=5)
    assert not together.broken
