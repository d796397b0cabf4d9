"""Dead-letter queues in SQS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.dead_letters import DeadLetter
from chalicelib.domain.errors import Busy
from chalicelib.store.connection import Database

_LETTERS_PER_CALL = 10
"""SQS's limit"""
_WAIT_SECONDS = 1
"""so that all of SQS's servers are asked"""


class SqsDeadLetters:
    """Implements `DeadLetters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, queue: str) -> list[DeadLetter]:
        """See `DeadLetters`."""
        with _translated():
            answer = self._sqs.receive_message(
                QueueUrl=self._url(queue), MaxNumberOfMessages=_LETTERS_PER_CALL, WaitTimeSeconds=_WAIT_SECONDS
            )
        return [
            DeadLetter(body=message["Body"], receipt=message["ReceiptHandle"]) for message in answer.get("Messages", [])
        ]

    def remove(self, queue: str, letter: DeadLetter) -> None:
        """See `DeadLetters`."""
        with _translated():
            self._sqs.delete_message(QueueUrl=self._url(queue), ReceiptHandle=letter.receipt)

    def put_back(self, queue: str, letter: DeadLetter) -> None:
        """See `DeadLetters`."""
        with _translated():
            self._sqs.change_message_visibility(
                QueueUrl=self._url(queue), ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )

    @property
    def _sqs(self) -> Any:
        return self._database.sqs

    def _url(self, queue: str) -> str:
        url: str = self._sqs.get_queue_url(QueueName=self._database.settings.queue_name(queue))["QueueUrl"]
        return url


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Busy("the queue cannot be reached") from error
