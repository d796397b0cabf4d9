"""Clients of the Airship dialect, each with the habits that the contract tells of (airship-wallet-v1)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote, quote_plus, urlencode

from tests.drills.wire import WireAnswer, exchange
from tests.support.stack import Tenant

GAVE_UP = {"ABORTED", "FAILED", "ABANDONED"}


class Failed(Exception):
    """What a client throws at its caller."""


class AirshipClient(Protocol):
    """What a story asks of a client."""

    tenant: Tenant

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Reads."""

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """Writes."""

    def name(self, text: str) -> str:
        """A name as this client writes it into a path."""

    def walk(self, path: str, key: str, *, page_size: int) -> Iterator[list[Any]]:
        """The pages of a list."""


class OfficialClient:
    """The published Python client: a slash at the end of every path, strict types, one page too many."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Always with a question mark, as in `GET /v1/pass/?...` (section 1)."""
        return self._read(self._exchange("GET", f"{path}/?{urlencode(query or {})}"))

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """A body that is not needed is an empty one without a content type (section 1)."""
        return self._read(self._exchange(method, f"{path}/", document))

    def name(self, text: str) -> str:
        """Percent-encoded."""
        return quote(text, safe="")

    def walk(self, path: str, key: str, *, page_size: int) -> Iterator[list[Any]]:
        """Until a page is empty (section 4, paging)."""
        page = 1
        while True:
            answer = self.get(path, {"pageSize": page_size, "page": page, "order": "id", "direction": "ASC"})
            paging = answer["pagination"] if "pagination" in answer else answer["Pagination"]
            if (paging["page"], paging["pageSize"]) != (page, page_size):
                raise Failed(f"asked for page {page} of {page_size}, got {paging}")
            if not answer[key]:
                return
            yield answer[key]
            page += 1

    def _exchange(self, method: str, target: str, document: Any = None) -> WireAnswer:
        secret = base64.b64encode(f"{self.tenant.key}:{self.tenant.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Api-Revision": "1.2"}
        if document is None:
            return exchange(self.tenant, method, target, headers=headers, body=None if method == "GET" else b"")
        headers["Content-Type"] = "application/json"
        return exchange(self.tenant, method, target, headers=headers, body=json.dumps(document).encode())

    def _read(self, answer: WireAnswer) -> Any:
        """Only 200 is success (section 1); the body of anything else must be an object with these keys (section 3)."""
        if answer.anyhow("Content-Type") not in ("application/json", "application/json; charset=utf-8"):
            raise Failed(f"an answer of the type {answer.anyhow('Content-Type')}")
        document = answer.document()
        if answer.status != 200:
            raise Failed(f"{document['error_code']} {document['error']}: {document['details']}")
        return document


class EchoingClient(OfficialClient):
    """Sends an answer's whole pagination object back, with the page raised by one (section 4, paging)."""

    def walk(self, path: str, key: str, *, page_size: int) -> Iterator[list[Any]]:
        """Until a page is not full."""
        answer = self.get(path, {"pageSize": page_size})
        while True:
            if not answer[key]:
                return
            yield answer[key]
            echoed = dict(answer["pagination"] if "pagination" in answer else answer["Pagination"])
            echoed["page"] += 1
            answer = self.get(path, echoed)


class FormClient:
    """An older mobile client: a secret instead of Basic, JSON in a form, pages from 0, names as in a form."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The secret stands in the query (section 2)."""
        parameters = urlencode({**(query or {}), "api_key": self.tenant.secret})
        return self._read(exchange(self.tenant, "GET", f"{path}?{parameters}", headers={}))

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """The secret stands beside `json` in the form; where there is no form, in the query (section 2)."""
        if document is None:
            target = f"{path}?{urlencode({'api_key': self.tenant.secret})}"
            return self._read(exchange(self.tenant, method, target, headers={}, body=b""))
        form = urlencode({"json": json.dumps(document), "api_key": self.tenant.secret}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._read(exchange(self.tenant, method, path, headers=headers, body=form))

    def name(self, text: str) -> str:
        """A space becomes a plus (section 1)."""
        return quote_plus(text)

    def walk(self, path: str, key: str, *, page_size: int) -> Iterator[list[Any]]:
        """From page 0, which is answered as the first, and on with 2 (section 9.6)."""
        for page in (0, *range(2, 1000)):
            rows = self.get(path, {"pageSize": page_size, "page": page})[key]
            if not rows:
                return
            yield rows

    def _read(self, answer: WireAnswer) -> Any:
        """Reads `code`, `description` and `details` of whatever is not 200, 201 included (sections 1 and 3)."""
        document = answer.document()
        if answer.status != 200:
            raise Failed(f"{document['code']} {document['description']} {document['details']}")
        return document
