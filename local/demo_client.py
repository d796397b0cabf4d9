"""What the demo reaches a stack with: where it is, requests whose answers are checked, and the error that ends it."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx


class DemoError(Exception):
    """Something differs from what it must be, or nothing answers; the message says what."""


@dataclass(frozen=True)
class Target:
    """Where to play, and with which credentials."""

    url: str
    key: str
    secret: str
    pushes: str | None = None
    """the feed that tells played phones of their pushes; there is none beyond this machine"""


class Pushes:
    """What the push services of a local stack have been asked to send, for each phone (`local/vendors.py`)."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        self._http = http
        self._url = url

    def count(self, push_token: str) -> int:
        """Pushes so far.

        Raises:
            DemoError
        """
        return self._read(push_token)

    def await_push(self, push_token: str, *, than: int, enough: threading.Event) -> bool:
        """Whether there have been more pushes than that; waits until there are, or the caller has had enough.

        Notices the latter up to 20 s late, the time that the feed takes for one answer.

        Raises:
            DemoError
        """
        while self._read(push_token, after=than) <= than:
            if enough.is_set():
                return False
        return True

    def _read(self, push_token: str, **query: int) -> int:
        url = f"{self._url}/{quote(push_token, safe='')}"
        answer = send(self._http, "GET", url, params=query)
        expect("status of the feed of pushes", answer.status_code, 200)
        return int(read_json(f"GET {url}", answer)["pushes"])


class Api:
    """Both dialects, over a client that has the credentials."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def call(self, method: str, path: str, *, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer that must have this status.

        Raises:
            DemoError: it has not, or there is none.
        """
        return self._read(method, path, status=status, **more)[0]

    def list_rows(self, path: str, *, page_size: int, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Every row of a list whose pages are described in headers (passworks-v2, section 4).

        Raises:
            DemoError: also if its pages do not add up to the total.
        """
        rows: list[dict[str, Any]] = []
        for page in itertools.count(1):
            parameters = {**(query or {}), "page": str(page), "per_page": str(page_size)}
            portion, headers = self._read("GET", path, params=parameters)
            rows += portion
            expect(f"X-Page of {path}", headers["X-Page"], str(page))
            if "X-Next-Page" not in headers:
                break
            expect(
                f"rows and X-Next-Page of {path}", (len(portion), headers["X-Next-Page"]), (page_size, str(page + 1))
            )
        pages = -(-len(rows) // page_size)
        expect(f"X-Total of {path}", headers["X-Total"], str(len(rows)))
        expect(f"X-Total-Pages of {path}", headers["X-Total-Pages"], str(pages))
        return rows

    def _read(self, method: str, path: str, *, status: int = 200, **more: Any) -> tuple[Any, httpx.Headers]:
        answer = send(self._http, method, path, **more)
        document = read_json(f"{method} {path}", answer)
        if answer.status_code != status:
            raise DemoError(f"{method} {path} answered {answer.status_code} where {status} is right: {answer.text}")
        return document, answer.headers


def read_target(data: Path) -> Target:
    """The stack that runs on a data folder.

    Raises:
        DemoError: none does.
    """
    try:
        content = json.loads((data / "run.json").read_text(encoding="utf-8"))
        return Target(url=content["url"], key=content["key"], secret=content["secret"], pushes=content.get("pushes"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DemoError(f"no local stack runs on the data folder {data}; `make run` starts one") from error


def connect(target: Target) -> httpx.Client:
    """A client with the target's credentials."""
    return httpx.Client(
        base_url=target.url,
        auth=(target.key, target.secret),
        headers={"Api-Revision": "1.2"},
        timeout=60,
        trust_env=_trusts_environment(target),
    )


def connect_as_stranger(target: Target) -> httpx.Client:
    """A client without credentials, as phones are. It has no base: passes name whole addresses."""
    return httpx.Client(timeout=60, trust_env=_trusts_environment(target))


def _trusts_environment(target: Target) -> bool:
    """A proxy of the shell's serves only what is not on this machine."""
    return urlsplit(target.url).hostname not in ("127.0.0.1", "localhost")


def send(http: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:
    """The answer, whatever its status.

    Raises:
        DemoError: there is none.
    """
    try:
        return http.request(method, url, **more)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        where = http.base_url if http.base_url.host else url
        raise DemoError(f"{where} does not answer ({error}); `make run` starts a local stack") from error


def read_json(request: str, answer: httpx.Response) -> Any:
    """The document of an answer; `request` names what was asked.

    Raises:
        DemoError: it holds none.
    """
    try:
        return answer.json()
    except ValueError as error:
        raise DemoError(f"{request} answered {answer.status_code} and no JSON") from error


def expect(what: str, actual: object, right: object) -> None:
    """Ends the demo unless both are equal.

    Raises:
        DemoError
    """
    if actual != right:
        raise DemoError(f"{what}: {actual!r:.300} where {right!r:.300} is right")
