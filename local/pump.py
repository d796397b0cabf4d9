"""Hands queue messages to the worker functions as Lambda's event source mapping would.

At least once, one message an invocation: a handler that returns has done its message, one that raises leaves it in the
queue, and after the queue's limit SQS itself moves it to the dead-letter queue.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chalice.local import LambdaContext

Handler = Callable[[dict[str, Any], object], object]
Backoff = Callable[[int], int]
"""seconds until a message is tried again, by how often it was received"""

DEFAULT_THREADS = {"segment": 2, "callback": 4, "deliver-passbook": 2}
"""handlers running at once, by queue; one for a queue not named here"""

_MAX_BACKOFF_SECONDS = 30
_POLL_SECONDS = 1
_DRAIN_PAUSE_SECONDS = 0.05
_WORKER_TIMEOUT_SECONDS = 60
_WORKER_MEMORY_MB = 256

_logger = logging.getLogger(__name__)


class DrainTimeoutError(Exception):
    """The queues were not empty in time; the message says what is left."""


def backoff_seconds(receive_count: int) -> int:
    """A short wait that doubles: a developer should see the retry, where AWS would wait for the visibility timeout."""
    return int(min(_MAX_BACKOFF_SECONDS, 2**receive_count))


def pump_once(
    client: Any, prefix: str, handlers: Mapping[str, Handler], queue: str, *, backoff: Backoff = backoff_seconds
) -> int:
    """Handle the messages of one queue that are visible now, in this thread, and return how many there were.

    A message whose handler raises counts as well; it comes back after `backoff`.
    """
    consumer = _Consumer(client, prefix=prefix, queue=queue, handler=handlers[queue], backoff=backoff)
    return consumer.handle_visible()


def _in_turn(handler: Handler, turn: AbstractContextManager[object] | None) -> Handler:
    """The handler, waiting for its turn where there is one."""
    if turn is None:
        return handler

    def wait_and_handle(event: dict[str, Any], context: object) -> object:
        with turn:
            return handler(event, context)

    return wait_and_handle


class Pump:
    """Threads that poll every queue with a handler.

    `handlers` are keyed by logical queue name, for example `plan` or `segment-dead`. With `turn` each waits for it.
    """

    def __init__(
        self,
        client: Any,
        prefix: str,
        handlers: Mapping[str, Handler],
        threads: Mapping[str, int] | None = None,
        *,
        backoff: Backoff = backoff_seconds,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        counts = DEFAULT_THREADS if threads is None else threads
        self._consumers = [
            _Consumer(client, prefix=prefix, queue=queue, handler=_in_turn(handler, turn), backoff=backoff)
            for queue, handler in handlers.items()
        ]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._poll, args=(consumer,), name=f"pump-{consumer.queue}-{number}", daemon=True)
            for consumer in self._consumers
            for number in range(counts.get(consumer.queue, 1))
        ]

    def start(self) -> None:
        """Begin polling. A pump starts once."""
        for thread in self._threads:
            thread.start()

    def stop_polling(self) -> None:
        """Take no more messages; the handlers at work go on."""
        self._stopping.set()

    def stop(self, *, timeout_seconds: float = 10.0) -> bool:
        """Take no more messages and wait for the handlers at work; False if one was still busy at the end."""
        self.stop_polling()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def handle_visible(self, queues: Collection[str] | None = None) -> int:
        """Handle in this thread what is visible now, in some queues or in all; how many messages there were.

        What is delayed is left.
        """
        chosen = [consumer for consumer in self._consumers if queues is None or consumer.queue in queues]
        return sum(consumer.handle_visible() for consumer in chosen)

    def drain(self, timeout_seconds: float) -> int:
        """Handle messages in this thread until every queue with a handler is empty; return how many this thread did.

        Waits for delayed messages, for those of other threads and for retries. Works with and without `start`.

        Raises:
            DrainTimeoutError: something was left.
        """
        deadline = time.monotonic() + timeout_seconds
        handled = 0
        # Counting is not atomic: a message may move to a queue just counted. So two empty counts in a row are needed.
        empty_counts = 0
        while empty_counts < 2:
            handled += sum(consumer.handle_visible(deadline) for consumer in self._consumers)
            left = {consumer.queue: count for consumer in self._consumers if (count := consumer.count_messages())}
            empty_counts = 0 if left else empty_counts + 1
            if left and time.monotonic() > deadline:
                raise DrainTimeoutError(f"not empty after {timeout_seconds:g} s and {handled} messages: {left}")
            if left and not any(consumer.has_visible for consumer in self._consumers):
                time.sleep(_DRAIN_PAUSE_SECONDS)
        return handled

    def _poll(self, consumer: _Consumer) -> None:
        while not self._stopping.is_set():
            try:
                consumer.handle_next(wait_seconds=_POLL_SECONDS)
            except (BotoCoreError, ClientError) as error:
                if not self._stopping.wait(_POLL_SECONDS):
                    _logger.warning("queue %s cannot be polled: %s", consumer.queue, error)


class _Consumer:
    """One queue and the handler of its messages."""

    def __init__(self, client: Any, *, prefix: str, queue: str, handler: Handler, backoff: Backoff) -> None:
        self.queue = queue
        self.has_visible = False
        """whether the last count met a message that could be received"""
        self._client = client
        self._handler = handler
        self._backoff = backoff
        self._url = client.get_queue_url(QueueName=prefix + queue)["QueueUrl"]
        attributes = client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._arn = attributes["Attributes"]["QueueArn"]

    def handle_visible(self, deadline: float = math.inf) -> int:
        """Handle what is visible now, one after another, until the deadline; return how many there were."""
        handled = 0
        while time.monotonic() < deadline and self.handle_next(wait_seconds=0):
            handled += 1
        return handled

    def handle_next(self, *, wait_seconds: int) -> bool:
        """Handle one message, if one comes in time."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            self._handle(message)
            return True
        return False

    def count_messages(self) -> int:
        """Messages in the queue, be they visible, delayed or in a worker's hands."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        attributes = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        self.has_visible = int(attributes[names[0]]) > 0
        return sum(int(attributes[name]) for name in names)

    def _handle(self, message: Mapping[str, Any]) -> None:
        event = {"Records": [_build_record(message, arn=self._arn)]}
        context = LambdaContext(
            function_name=self.queue, memory_size=_WORKER_MEMORY_MB, max_runtime_ms=_WORKER_TIMEOUT_SECONDS * 1000
        )
        try:
            self._handler(event, context)
        except Exception as error:  # whatever a worker raises means "again", as on Lambda
            self._leave(message, error)
            return
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _leave(self, message: Mapping[str, Any], error: Exception) -> None:
        receive_count = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
        seconds = self._backoff(receive_count)
        _logger.warning(
            "%s message %s failed, try %d, visible again in %d s: %r",
            self.queue,
            message["MessageId"],
            receive_count,
            seconds,
            error,
        )
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )


def _build_record(message: Mapping[str, Any], *, arn: str) -> dict[str, Any]:
    """A received message in the shape of Lambda's SQS event.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
                **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
                **({"binaryValue": value["BinaryValue"]} if "BinaryValue" in value else {}),
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
