"""One client: it sends a request until it gets an answer that does not ask to try again, as real clients do."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from local.engine import HOST
from tests.chaos.contract import Answer, Dialect, find_faults
from tests.chaos.journal import Journal, Operation, Try

TIMEOUT_SECONDS = 40.0
"""longer than any function of the API may run (29 s)"""

MOST_TRIES = 12
PATIENCE_SECONDS = 25.0
"""after which a client gives up"""

RETRY_AFTER_SCALE = 0.25
"""of the seconds that an answer asks to wait for: the run is short"""

Pause = Callable[[float], None]


class GivenUp(Exception):
    """No answer came that says what happened."""


class Client:
    """Sends to any of the servers. One thread uses it."""

    def __init__(self, *, ports: Sequence[int], journal: Journal, random: Random, pause: Pause) -> None:
        self._ports = ports
        self._journal = journal
        self._random = random
        self._pause = pause
        self._connections: dict[int, tuple[http.client.HTTPConnection, float]] = {}

    def ask(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        dialect: Dialect = Dialect.AIRSHIP,
        headers: Mapping[str, str],
        body: Any = None,
    ) -> Answer:
        """The answer that settles it. Each try and whatever is wrong with its answer are noted.

        Raises:
            GivenUp: patience is over.
        """
        data = None if body is None else json.dumps(body).encode()
        until = self._journal.clock() + PATIENCE_SECONDS
        for _ in range(MOST_TRIES):
            answer = self._try(operation, method, path, headers, data)
            if answer is not None:
                for fault in find_faults(dialect, answer):
                    self._journal.complain(f"{method} {path} was answered with {fault}", operation)
                if not answer.asks_to_try_again:
                    return answer
            if self._journal.clock() > until:
                break
            asked = float(answer.headers.get("retry-after", "1")) if answer else 1.0
            self._pause(asked * RETRY_AFTER_SCALE * self._random.uniform(0.5, 1.5))
        raise GivenUp

    def _try(
        self, operation: Operation, method: str, path: str, headers: Mapping[str, str], data: bytes | None
    ) -> Answer | None:
        server = self._random.randrange(len(self._ports))
        own = Try(server=server, started=self._journal.clock())
        operation.tries.append(own)
        try:
            connection, own.opened = self._connect(server)
            connection.request(method, path, body=data, headers={"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            own.ended = self._journal.clock()
            self.hang_up(server)
            if isinstance(error, TimeoutError):
                self._journal.complain(f"{method} {path} was not answered within {TIMEOUT_SECONDS:.0f} s", operation)
            return None
        own.ended = self._journal.clock()
        own.status = response.status
        if response.will_close:
            self.hang_up(server)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _connect(self, server: int) -> tuple[http.client.HTTPConnection, float]:
        if server not in self._connections:
            connection = http.client.HTTPConnection(HOST, self._ports[server], timeout=TIMEOUT_SECONDS)
            opened = self._journal.clock()
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[server] = (connection, opened)
        return self._connections[server]

    def hang_up(self, server: int) -> None:
        """Closes the connection to a server, if there is one."""
        connection = self._connections.pop(server, None)
        if connection is not None:
            connection[0].close()

    def close(self) -> None:
        """Closes all connections."""
        for server in list(self._connections):
            self.hang_up(server)
