"""One embedded stack for a test session, and projects on it that never meet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from local.embedded import Calls, Embedded, run_embedded

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
            timeout=60,
            trust_env=False,
            verify=False,
        )
        self._clients.append(http)
        return Tenant(project_id=project.project_id, key=issued.key, secret=issued.secret, http=http)

    def drain(self, timeout_seconds: float = 60) -> None:
        """Hands every waiting message to its worker, in this thread."""
        self.pump.drain(timeout_seconds)

    def count_calls(self) -> AbstractContextManager[Calls]:
        """Counts the DynamoDB calls of this process while the block runs."""
        return self._embedded.count_calls()

    def close(self) -> None:
        """Closes what tests opened."""
        for client in self._clients:
            client.close()


@contextmanager
def run_stack() -> Iterator[Stack]:
    """Starts everything, for as long as the block runs."""
    with run_embedded() as embedded:
        running = Stack(embedded)
        try:
            yield running
        finally:
            running.close()


__all__ = ["Calls", "Stack", "Tenant", "run_stack"]
