"""The two published clients of the Passworks dialect, with the habits that the contract tells of (passworks-v2)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import urlencode

from tests.drills.wire import WireAnswer, exchange
from tests.support.stack import Tenant

RUBY_ERRORS = {400, 401, 402, 403, 404, 405, 412, 420, 422, 500, 501, 502, 503, 504}
PHP_ERRORS = {400, 401, 403, 404, 422, 500, 502, 503}
"""the statuses that each takes for errors (section 3); what else there is passes for success"""


_ENDLESS = 1000
"""pages, which no list here has"""


class Failed(Exception):
    """What a client throws at its caller."""

    def __init__(self, status: int, document: Any) -> None:
        super().__init__(f"{status} {document}")
        self.status = status
        self.document = document


class PassworksClient(Protocol):
    """What a story asks of a client."""

    tenant: Tenant
    empty_object: Any
    """as its language writes an empty map"""
    throws_at_412: bool
    """or hands it on as a result (section 3)"""

    def get(self, path: str) -> Any:
        """Reads one object."""

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """Writes."""

    def walk(self, path: str, *, per_page: int) -> Iterator[list[Any]]:
        """The pages of a list."""


def _basic(tenant: Tenant) -> str:
    return "Basic " + base64.b64encode(f"{tenant.key}:{tenant.secret}".encode()).decode()


class RubyClient:
    """Sends a type with every GET and a body with every DELETE; `per_page` only with the first page."""

    throws_at_412 = True

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.empty_object: Any = {}

    def get(self, path: str) -> Any:
        """With a content type and no body (section 1)."""
        return self._read(self._exchange("GET", path))

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """A DELETE carries an empty object (section 8)."""
        return self._read(self._exchange(method, path, {} if document is None else document))

    def walk(self, path: str, *, per_page: int) -> Iterator[list[Any]]:
        """Follows X-Next-Page until there is none, without saying again how large a page is (section 4)."""
        answer = self._exchange("GET", f"{path}?per_page={per_page}")
        while True:
            yield self._read(answer)
            following = answer.anyhow("x-next-page")
            if following is None:
                return
            answer = self._exchange("GET", f"{path}?page={int(following)}")

    def _exchange(self, method: str, target: str, document: Any = None) -> WireAnswer:
        headers = {"Authorization": _basic(self.tenant), "Content-Type": "application/json", "Accept": "*/*"}
        body = None if document is None else json.dumps(document).encode()
        return exchange(self.tenant, method, target, headers=headers, body=body)

    def _read(self, answer: WireAnswer) -> Any:
        """Parses what ends in `json` and nothing else; reads `errors` of an error as an object (section 3)."""
        kind = (answer.anyhow("Content-Type") or "").partition(";")[0].strip()
        if not kind.endswith("json"):
            raise Failed(answer.status, f"cannot be parsed: {kind}")
        document = answer.document()
        if answer.status not in RUBY_ERRORS:
            return document
        for name, problem in document["errors"].items():
            if not isinstance(problem, str | list):
                raise TypeError(f"{name}: {problem}")
        raise Failed(answer.status, document)


class PhpClient:
    """Knows headers by the exact letters of their names; an empty map is `[]`; follows no redirect."""

    throws_at_412 = False

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.empty_object: Any = []

    def get(self, path: str) -> Any:
        """Without a body."""
        return self._read(self._exchange("GET", path))

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """With the charset in the type (section 1)."""
        return self._read(self._exchange(method, path, document))

    def walk(self, path: str, *, per_page: int) -> Iterator[list[Any]]:
        """Always from page 1, repeating everything, as long as X-Next-Page is there; counts by X-Total (section 4)."""
        page: str | None = "1"
        for _ in range(_ENDLESS):
            if page is None:
                return
            query = urlencode({"page": page, "per_page": per_page, "offset": 0})
            answer = self._exchange("GET", f"{path}?{query}")
            rows = self._read(answer)
            if int(answer.exactly("X-Total") or -1) < len(rows):
                raise Failed(answer.status, f"counts {answer.exactly('X-Total')} rows")
            yield rows
            page = answer.exactly("X-Next-Page")
        raise Failed(200, "the list has no end")

    def _exchange(self, method: str, target: str, document: Any = None) -> WireAnswer:
        headers = {"Authorization": _basic(self.tenant)}
        body = None
        if document is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = json.dumps(document).encode()
        return exchange(self.tenant, method, target, headers=headers, body=body)

    def _read(self, answer: WireAnswer) -> Any:
        """A status that it does not know for an error is a success, a redirect without a body a failure."""
        if 300 <= answer.status < 400:
            raise Failed(answer.status, None)
        document = answer.document()
        if answer.status not in PHP_ERRORS:
            return document
        if answer.status in (400, 422) and type(document["error_code"]) is not int:
            raise TypeError(f"Argument 2 must be of the type int: {document}")
        raise Failed(answer.status, document)
