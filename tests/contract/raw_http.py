"""Requests sent byte for byte as written: with no header, encoding or correction of a client's own."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.stack import Tenant


@dataclass(frozen=True)
class RawAnswer:
    """The answer to a raw request."""

    status_code: int
    headers: httpx.Headers
    content: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.content.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


def basic(tenant: Tenant) -> str:
    """The Authorization header of a project."""
    return "Basic " + base64.b64encode(f"{tenant.key}:{tenant.secret}".encode()).decode()


def send(
    tenant: Tenant,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]] = (),
    body: bytes | str | None = None,
) -> RawAnswer:
    """Sends exactly this target, these headers and this body; only Host and Content-Length are added."""
    connection = http.client.HTTPConnection(urlsplit(str(tenant.http.base_url)).netloc, timeout=60)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            connection.putheader(name, value)
        content = body.encode() if isinstance(body, str) else body or b""
        if content or method in ("POST", "PUT", "DELETE"):
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        response = connection.getresponse()
        return RawAnswer(
            status_code=response.status, headers=httpx.Headers(response.getheaders()), content=response.read()
        )
    finally:
        connection.close()


def send_signed(
    tenant: Tenant, method: str, target: str, *, body: bytes | str | None = None, content_type: str = "application/json"
) -> RawAnswer:
    """A raw request with the project's credentials; a body travels with its content type."""
    headers = {"Authorization": basic(tenant), "Api-Revision": "1.2"}
    return send(
        tenant,
        method,
        target,
        headers=headers if body is None else headers | {"Content-Type": content_type},
        body=body,
    )
