"""The callback queue with time that passes at once: messages in the order in which they are due, sent for real."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from chalicelib.domain.callbacks import DEAD_QUEUE, Outcome, SendCallback, deliver_callback
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.ports import QueueSender
from chalicelib.schemas.messages import CallbackMessage
from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.support.stack import Stack

_MOST_STEPS = 100_000


class CallbackLine:
    """Stands for the queue and its workers. `send` is the real client, which may change; the store is the real one too.

    `chance` is what every draw comes to.
    """

    def __init__(self, send: SendCallback, *, chance: float = 0.5) -> None:
        self.now = datetime.now(UTC)
        self.dead: list[Any] = []
        self.outcomes: list[Outcome] = []
        self.send = send
        self._chance = chance
        self._waiting: list[tuple[datetime, int, str]] = []
        self._numbers = itertools.count()
        self.platform = dataclasses.replace(
            get_platform(), now=lambda: self.now, queues=cast(QueueSender, _Queues(self))
        )

    def put(self, document: Mapping[str, Any], *, delay_seconds: float = 0) -> None:
        """Adds a message."""
        due = self.now + timedelta(seconds=delay_seconds)
        heapq.heappush(self._waiting, (due, next(self._numbers), json.dumps(document)))

    def take_over(self, stack: Stack) -> list[Any]:
        """Takes the messages out of the real queue; what they say."""
        url = stack.queues.get_queue_url(QueueName=f"{PREFIX}callback")["QueueUrl"]
        documents = []
        while messages := stack.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                stack.queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                documents.append(json.loads(message["Body"]))
        for document in documents:
            self.put(document)
        return documents

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def run(self, *, for_seconds: float | None = None) -> None:
        """Handles what is due in this time, or everything; the clock goes on to the end of it."""
        until = None if for_seconds is None else self.now + timedelta(seconds=for_seconds)
        for _ in range(_MOST_STEPS):
            if not self._waiting or (until is not None and self._waiting[0][0] > until):
                self.now = max(self.now, until or self.now)
                return
            due, _, body = heapq.heappop(self._waiting)
            self.now = max(self.now, due)
            task = CallbackMessage.model_validate_json(body).as_task()
            self.outcomes.append(deliver_callback(self.platform, self.send, task, chance=lambda: self._chance))
        raise AssertionError(f"{len(self._waiting)} messages still go round")


class _Queues:
    """The part of `QueueSender` that callbacks use."""

    def __init__(self, line: CallbackLine) -> None:
        self._line = line

    def send_documents(self, queue: str, documents: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        assert 0 <= delay_seconds <= 900, "SQS takes no other delay"
        for document in documents:
            if queue == DEAD_QUEUE:
                self._line.dead.append(dict(document))
            else:
                assert queue == "callback"
                self._line.put(document, delay_seconds=delay_seconds)

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self._line.put({**message.document, "outbox": message.key})
