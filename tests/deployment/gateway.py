"""The way of a request to the deployed API, without API Gateway: MiniStack makes no routes of Chalice's Swagger file.

What the function gets and gives is the gateway's (developer guide, `set-up-lambda-proxy-integrations`): the route's
path with its variables apart, every body in base64 since all media types are binary, and the stage in the context.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import httpx
from chalice.local import LambdaEventConverter, RouteMatcher


class FunctionError(AssertionError):
    """The function ended with an exception, or in no time; API Gateway would answer 502 or 504."""


class Gateway(httpx.BaseTransport):
    """Carries requests to a function and answers back."""

    def __init__(self, *, awslambda: Any, function: str, stage: str, routes: Iterable[str]) -> None:
        """`stage` is the first part of every path, `routes` are Chalice's."""
        self._lambda = awslambda
        self._function = function
        self._stage = f"/{stage}"
        self._converter = LambdaEventConverter(RouteMatcher(list(routes)))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(self._make_event(request)))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or "statusCode" not in payload:
            raise FunctionError(f"{request.method} {request.url.path}: {json.dumps(payload)}")
        body = payload.get("body") or ""
        content = base64.b64decode(body) if payload.get("isBase64Encoded") else body.encode()
        return httpx.Response(payload["statusCode"], headers=_read_headers(payload), content=content)

    def _make_event(self, request: httpx.Request) -> dict[str, Any]:
        target = request.url.raw_path.decode()
        path = target.partition("?")[0]
        assert path.startswith(f"{self._stage}/"), f"{path} is not on the stage"
        event: dict[str, Any] = self._converter.create_lambda_event(
            method=request.method,
            path=target.removeprefix(self._stage),
            headers={**request.headers, "x-forwarded-proto": "https"},
        )
        event["requestContext"]["path"] = path
        event["pathParameters"] = event["pathParameters"] or None
        body = request.read()
        event["body"] = base64.b64encode(body).decode() if body else None
        event["isBase64Encoded"] = bool(body)
        return event


def _read_headers(payload: dict[str, Any]) -> list[tuple[str, str]]:
    single = list((payload.get("headers") or {}).items())
    several = (payload.get("multiValueHeaders") or {}).items()
    return single + [(name, value) for name, values in several for value in values]
