"""One embedded stack for a test session, and projects on it that never meet."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from moto.sqs.models import sqs_backends

from infra.definition import create_tables, read_tables
from local.clients import REGION
from local.embedded import Calls, Embedded, run_embedded
from local.environment import PREFIX
from local.pump import DrainTimeoutError
from tests.support.aws_actions import ACCOUNT
from tests.support.builders import forget_conflicts, forgotten_conflicts
from tests.support.connections import UNBOUNDED

_PAUSE_SECONDS = 0.02

_names = itertools.count(1)


@dataclass
class Tenant:
    """A project of its own, and an HTTP client with its credentials."""

    project_id: int
    key: str
    secret: str
    http: httpx.Client

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request with credentials and revision."""
        return self.http.request(method, path, **more)

    def call(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of a request that must succeed."""
        response = self.request(method, path, **more)
        assert response.status_code == 200, (method, path, response.status_code, response.text)
        return response.json()


class Stack:
    """Engines, HTTP server and pump."""

    def __init__(self, embedded: Embedded) -> None:
        self._embedded = embedded
        self.url = embedded.url
        self.pump = embedded.pump
        self.queues = embedded.queues
        self.dynamodb = embedded.dynamodb
        self.engine_name = embedded.engine_name
        self.vendors = embedded.vendors
        self._clients: list[httpx.Client] = []

    def tenant(self) -> Tenant:
        """A new project with a key."""
        from chalicelib import operations

        project = operations.create_project(name=f"project {next(_names)}")
        issued = operations.issue_key(project_id=project.project_id)
        http = httpx.Client(
            base_url=self.url,
            auth=(issued.key, issued.secret),
            headers={"Api-Revision": "1.2"},
            limits=UNBOUNDED,
            timeout=60,
            trust_env=False,
            verify=False,
        )
        self._clients.append(http)
        return Tenant(project_id=project.project_id, key=issued.key, secret=issued.secret, http=http)

    def drain(self, timeout_seconds: float = 180) -> None:
        """Hands every waiting message to its worker, in this thread; delayed ones as soon as they are due.

        Most queues are empty most of the time. moto's own books, which are kept in this process, say so at no cost.

        Raises:
            DrainTimeoutError: something was left.
        """
        deadline = time.monotonic() + timeout_seconds
        while left := self._list_waiting():
            if time.monotonic() > deadline:
                raise DrainTimeoutError(f"not empty after {timeout_seconds:g} s: {left}")
            if not self.pump.handle_visible(left):
                time.sleep(_PAUSE_SECONDS)

    def _list_waiting(self) -> list[str]:
        """Queues of workers with a message, be it visible, delayed or in other hands."""
        from chalicelib.workers.handlers import HANDLERS  # reads the settings that the stack has made

        queues = sqs_backends[ACCOUNT][REGION].queues
        return [name for name in HANDLERS if _is_held(queues[PREFIX + name])]

    def forget_everything(self) -> None:
        """Empties all queues, and all tables, so that who reads whole ones has less to read.

        Conflicts are forgotten too. Ids go on: the numbers of sequences stay, but for those of one project (a name with
        a colon); not the time, which a test may have moved on.
        """
        forget_conflicts()
        for url in self.queues.list_queues()["QueueUrls"]:
            self.queues.purge_queue(QueueUrl=url)
        sequences = f"{PREFIX}sequences"
        rows = self.dynamodb.get_paginator("scan").paginate(TableName=sequences).build_full_result()["Items"]
        for table in read_tables(PREFIX):
            self.dynamodb.delete_table(TableName=table["TableName"])
        create_tables(self.dynamodb, PREFIX, wait=False)
        for row in rows:
            if ":" not in row["name"]["S"]:
                number = {"name": row["name"], "value": row["value"]}
                self.dynamodb.put_item(TableName=sequences, Item=number)

    @contextmanager
    def count_calls(self) -> Iterator[Calls]:
        """Counts the DynamoDB calls of this process while the block runs; none is due to writers who met before it."""
        with forgotten_conflicts(), self._embedded.count_calls() as calls:
            yield calls

    def close(self) -> None:
        """Closes what tests opened."""
        for client in self._clients:
            client.close()


def _is_held(queue: Any) -> bool:
    return bool(
        queue.approximate_number_of_messages
        or queue.approximate_number_of_messages_delayed
        or queue.approximate_number_of_messages_not_visible
    )


@contextmanager
def run_stack() -> Iterator[Stack]:
    """Starts everything, for as long as the block runs."""
    # tests that leave messages to nobody may purge a queue more often than once a minute
    os.environ["MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR"] = "false"
    # no credential is read again in the middle of what is counted
    with run_embedded(variables={"PASSEL_CREDENTIAL_CACHE_SECONDS": "86400"}) as embedded:
        running = Stack(embedded)
        try:
            yield running
        finally:
            running.close()


__all__ = ["Calls", "Stack", "Tenant", "run_stack"]
