"""Messages to the workers, over SQS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.counted_index import Collection
from chalicelib.domain.errors import StorageUnavailable
from chalicelib.domain.outgoing import Outgoing
from chalicelib.store.connection import Database

MESSAGES_PER_CALL = 10
"""SQS's limit for one batch"""

SEGMENTS_PER_SWEEP = 20
"""segments that one sweep message asks for"""

BYTES_PER_CALL = 250_000
"""a margin below SQS's limit of 256 KB for one batch, which is also that of one message"""

_SEND_ATTEMPTS = 3


class SqsQueueSender:
    """Implements `QueueSender`. Queue addresses are looked up once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._urls: dict[str, str] = {}

    def send_plan(self, *, ticket_id: int, start: int = 0) -> None:
        """See `QueueSender`."""
        from chalicelib.schemas.messages import PlanMessage

        self._send("plan", [PlanMessage(ticket_id=ticket_id, start=start).model_dump_json()])

    def send_segments(self, *, ticket_id: int, segments: Sequence[int]) -> None:
        """See `QueueSender`."""
        from chalicelib.schemas.messages import SegmentMessage

        messages = [SegmentMessage(ticket_id=ticket_id, segment=segment).model_dump_json() for segment in segments]
        self._send("segment", messages)

    def send_sweep(self, *, collection: Collection, segments: Sequence[int] | None = None) -> None:
        """See `QueueSender`. Waits first for writers that may still be on their way to the dead collection."""
        from chalicelib.schemas.messages import SweepMessage

        if segments is None:
            messages = [SweepMessage(collection=collection.key).model_dump_json()]
            self._send("sweep", messages, delay_seconds=self._database.settings.sweep_delay_seconds)
            return
        chunks = [segments[start : start + SEGMENTS_PER_SWEEP] for start in range(0, len(segments), SEGMENTS_PER_SWEEP)]
        self._send(
            "sweep",
            [SweepMessage(collection=collection.key, segments=list(chunk)).model_dump_json() for chunk in chunks],
        )

    def send_documents(self, queue: str, documents: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        """See `QueueSender`."""
        self._send(queue, [_encode(document) for document in documents], delay_seconds=delay_seconds)

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        """See `QueueSender`."""
        for queue in sorted({message.queue for message in messages}):
            self._send(
                queue,
                [_encode({**each.document, "outbox": each.key}) for each in messages if each.queue == queue],
            )

    def _send(self, queue: str, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        try:
            for batch in _cut(bodies):
                self._send_batch(queue, batch, delay_seconds)
        except (BotoCoreError, ClientError) as error:
            raise StorageUnavailable("the queue cannot be reached") from error

    def _send_batch(self, queue: str, bodies: Sequence[str], delay_seconds: int) -> None:
        pending = {
            str(position): {"Id": str(position), "MessageBody": body, "DelaySeconds": delay_seconds}
            for position, body in enumerate(bodies)
        }
        for _ in range(_SEND_ATTEMPTS):
            answer = self._database.sqs.send_message_batch(QueueUrl=self._url(queue), Entries=list(pending.values()))
            for sent in answer.get("Successful", []):
                pending.pop(sent["Id"], None)
            if not pending:
                return
        raise StorageUnavailable("the queue did not take every message")

    def _url(self, queue: str) -> str:
        if queue not in self._urls:
            name = self._database.settings.queue_name(queue)
            self._urls[queue] = self._database.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[queue]


def _encode(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _cut(bodies: Sequence[str]) -> Iterator[list[str]]:
    """Neighbours that fit into one call."""
    batch: list[str] = []
    size_bytes = 0
    for body in bodies:
        own_bytes = len(body.encode())
        if batch and (len(batch) == MESSAGES_PER_CALL or size_bytes + own_bytes > BYTES_PER_CALL):
            yield batch
            batch, size_bytes = [], 0
        batch.append(body)
        size_bytes += own_bytes
    if batch:
        yield batch
