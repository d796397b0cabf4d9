"""One embedded stack for a test session: dynoxide in memory, moto's SQS, the real tables and queues, the real app."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.definition import create_queues, create_tables
from local.clients import create_client
from local.engine import start_dynoxide, start_queues
from local.environment import PREFIX, apply_environment, build_environment
from local.install import find_or_install
from local.pump import Pump

_names = itertools.count(1)


@dataclass
class Calls:
    """DynamoDB calls that were made while counting, and the units they consumed."""

    operations: list[str] = field(default_factory=list)
    tables: Counter[str] = field(default_factory=Counter)
    units: float = 0.0

    @property
    def total(self) -> int:
        """How many calls."""
        return len(self.operations)


@dataclass
class Tenant:
    """A project of its own, so that tests never meet, and an HTTP client with its credentials."""

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

    def __init__(self, *, url: str, pump: Pump, queues: Any, dynamodb: Any, engine_name: str) -> None:
        self.url = url
        self.pump = pump
        self.queues = queues
        self.dynamodb = dynamodb
        self.engine_name = engine_name
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
            timeout=60,
            trust_env=False,
        )
        self._clients.append(http)
        return Tenant(project_id=project.project_id, key=issued.key, secret=issued.secret, http=http)

    def drain(self, timeout_seconds: float = 60) -> None:
        """Hands every waiting message to its worker, in this thread."""
        self.pump.drain(timeout_seconds)

    @contextmanager
    def count_calls(self) -> Iterator[Calls]:
        """Counts the DynamoDB calls of this process while the block runs."""
        from chalicelib.wiring import get_database

        calls = Calls()
        events = get_database().connection.client.meta.events

        def before(model: Any, **_: Any) -> None:
            calls.operations.append(model.name)

        def after(parsed: dict[str, Any], **_: Any) -> None:
            consumed = parsed.get("ConsumedCapacity") or []
            for entry in consumed if isinstance(consumed, list) else [consumed]:
                calls.tables[entry["TableName"].removeprefix(PREFIX)] += 1
                calls.units += entry["CapacityUnits"]

        events.register("before-call.dynamodb", before)
        events.register("after-call.dynamodb", after)
        try:
            yield calls
        finally:
            events.unregister("before-call.dynamodb", before)
            events.unregister("after-call.dynamodb", after)

    def close(self) -> None:
        """Closes what tests opened."""
        for client in self._clients:
            client.close()


@contextmanager
def run_stack() -> Iterator[Stack]:
    """Starts everything, for as long as the block runs. Without a dynoxide binary moto serves, and says so."""
    engine_name = os.environ.get("ENGINE", "dynoxide")
    binary = find_or_install() if engine_name == "dynoxide" else None
    queues = start_queues()
    engine = start_dynoxide(binary, None) if binary else None
    dynamodb_url = engine.url if engine else queues.url
    apply_environment(
        build_environment(dynamodb_url=dynamodb_url, sqs_url=queues.url) | {"PASSEL_SWEEP_DELAY_SECONDS": "0"}
    )
    dynamodb = create_client("dynamodb", endpoint_url=dynamodb_url)
    sqs = create_client("sqs", endpoint_url=queues.url)
    create_tables(dynamodb, PREFIX)
    create_queues(sqs, PREFIX)

    from app import app
    from chalicelib.workers.handlers import HANDLERS
    from local.server import HttpServer

    server = HttpServer(app, host="127.0.0.1", port=0)
    server.start()
    pump = Pump(sqs, PREFIX, HANDLERS, backoff=lambda _: 0)
    stack = Stack(
        url=server.url, pump=pump, queues=sqs, dynamodb=dynamodb, engine_name="dynoxide" if engine else "moto"
    )
    try:
        yield stack
    finally:
        stack.close()
        server.stop()
        sqs.close()
        dynamodb.close()
        if engine:
            engine.stop()
        queues.stop()
