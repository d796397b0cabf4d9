"""Holds answers against the description of the API: every one that a test gets, by its route and status.

Strictly: a status that is not described, a member that a closed object does not have, a header that is missing, or one
of ours that nobody would know of, is a fault.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from chalice.local import LocalGateway, RouteMatcher
from jsonschema import Draft202012Validator

from chalicelib.domain import callbacks
from chalicelib.domain.callback_events import CallbackEvent
from chalicelib.domain.receivers import Dialect
from openapi.document import FILE

_OURS = (
    *("x-", "passel-", "retry-after", "etag", "last-modified", "www-authenticate", "ratelimit", "idempotency"),
    "content-disposition",
)
_UNSAID = ("x-content-type-options", "x-robots-tag")
"""headers that speak to browsers and search engines alone"""


@cache
def description() -> Any:
    """The committed document."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def resolve(item: Any) -> Any:
    """An object of the document, wherever it stands."""
    while "$ref" in item:
        found = description()
        for step in item["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        item = found
    return item


@cache
def validator(pointer: tuple[str, ...]) -> Draft202012Validator:
    """Of the schema that stands at a place of the document."""
    schema = description()
    for step in pointer:
        schema = resolve(schema)[step]
    return Draft202012Validator({"components": description()["components"], "allOf": [schema]})


def find_fault(*, method: str, route: str, status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """What the description does not say of an answer, or says otherwise; None if it agrees or knows no such route."""
    operation = description()["paths"].get(route, {}).get(method.lower())
    if operation is None:
        return None
    described = operation["responses"].get(str(status))
    if described is None:
        return "the status is not described"
    return _header_fault(resolve(described), headers) or _body_fault(
        ("paths", route, method.lower(), "responses", str(status)), resolve(described), headers, body
    )


def _header_fault(described: Any, headers: Mapping[str, str]) -> str | None:
    known = {name.lower(): resolve(header) for name, header in described.get("headers", {}).items()}
    sent = {name.lower() for name in headers}
    missing = {name for name, header in known.items() if header.get("required")} - sent
    unknown = {name for name in sent - known.keys() if name.startswith(_OURS) and name not in _UNSAID}
    if missing or unknown:
        return f"headers missing {sorted(missing)}, not described {sorted(unknown)}"
    return None


def _body_fault(place: tuple[str, ...], described: Any, headers: Mapping[str, str], body: bytes) -> str | None:
    content = described.get("content", {})
    if not content:
        return "a body that is not described" if body else None
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/json")
    media = kind.partition(";")[0].strip()
    if media not in content:
        return f"the type {media} is not described"
    if media != "application/json":
        return None
    for error in validator((*place, "content", media, "schema")).iter_errors(json.loads(body)):
        best = _deepest(error)
        return f"{best.json_path}: {best.message[:300]}"
    return None


WEBHOOKS = {
    "installed": "pass_installed",
    "uninstalled": "pass_uninstalled",
    "personalized": "pass_personalized",
}
"""event of the Airship dialect to webhook; in the other dialect all are one"""


def find_webhook_fault(event: CallbackEvent) -> str | None:
    """What the description does not say of what is posted to a team, or says otherwise."""
    name = WEBHOOKS[event.name] if event.dialect is Dialect.AIRSHIP else "campaign_pass_event"
    place = ("webhooks", name, "post", "requestBody", "content", "application/json", "schema")
    for error in validator(place).iter_errors(dict(event.body)):
        best = _deepest(error)
        return f"{best.json_path}: {best.message[:300]}"
    return None


def _deepest(error: Any) -> Any:
    while error.context:
        error = max(error.context, key=lambda each: len(each.absolute_path))
    return error


@contextmanager
def held_against_the_description() -> Iterator[list[str]]:
    """Every answer of this process while the block runs; the faults that were found are in the list."""
    from app import app

    faults: list[str] = []
    matcher = RouteMatcher(list(app.routes))
    original = LocalGateway.handle_request

    def handle_request(self: Any, method: str, path: str, headers: Any, body: Any) -> Any:
        answer = original(self, method, path, headers, body)
        if self._app_object is not app:  # some tests make one of their own
            return answer
        route = matcher.match_route(path).route
        content = answer["body"]
        data = base64.b64decode(content) if answer.get("isBase64Encoded") else str(content or "").encode()
        fault = find_fault(
            method=method,
            route=route,
            status=answer["statusCode"],
            headers={**answer["headers"], **answer["multiValueHeaders"]},
            body=data,
        )
        if fault is not None:
            faults.append(f"{method} {route} {answer['statusCode']}: {fault}")
        return answer

    signed = callbacks.sign_request

    def sign_request(receiver: Any, event: Any, *, now: Any) -> Any:
        fault = find_webhook_fault(event)
        if fault is not None:
            faults.append(f"callback {event.dialect} {event.name}: {fault}")
        return signed(receiver, event, now=now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalGateway, "handle_request", handle_request)
        patch.setattr(callbacks, "sign_request", sign_request)
        yield faults
