"""A connection that sends what it is told byte for byte, and shows names of headers as they came."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.stack import Tenant


@dataclass(frozen=True)
class WireAnswer:
    """An answer; header names keep their letter case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def exactly(self, name: str) -> str | None:
        """A header by the letters of its name, as a client reads it that minds their case."""
        return next((value for found, value in self.headers if found == name), None)

    def anyhow(self, name: str) -> str | None:
        """A header by its name in any case."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)

    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def exchange(
    tenant: Tenant,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> WireAnswer:
    """One request and its answer. Only Host is added, and Content-Length where there is a body; nothing is followed."""
    connection = http.client.HTTPConnection(urlsplit(str(tenant.http.base_url)).netloc, timeout=60)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return WireAnswer(status=response.status, headers=tuple(response.getheaders()), body=response.read())
    finally:
        connection.close()
