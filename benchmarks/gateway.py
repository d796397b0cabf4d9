"""Events as API Gateway hands them to a function, for benchmarks that call the application as Lambda does."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

HOST = "abcdef1234.execute-api.eu-central-1.amazonaws.com"

_BESIDE = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Host": HOST,
    "User-Agent": "python-httpx/0.28.1",
    "X-Amzn-Trace-Id": "Root=1-65e1c2d3-4f5a6b7c8d9e0f1a2b3c4d5e",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}
"""what a regional gateway adds to a client's own headers, or passes on"""


def basic(key: str, secret: str) -> dict[str, str]:
    """The Authorization header of a key and its secret."""
    return {"Authorization": f"Basic {base64.b64encode(f'{key}:{secret}'.encode()).decode()}"}


def gateway_event(
    method: str,
    route: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    body: object = None,
    **parameters: str,
) -> dict[str, Any]:
    """A request for a route (`/v1/pass/{identifier}`) with its path parameters; a body is sent as JSON."""
    path = route.format(**parameters)
    sent = {**_BESIDE, **({} if body is None else {"Content-Type": "application/json"}), **headers}
    pairs = dict(query or {})
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": pairs or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in pairs.items()} or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": route,
            "httpMethod": method,
            "path": f"/api{path}",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "api",
            "domainName": HOST,
            "requestId": "1f2e3d4c-5b6a-4978-8899-aabbccddeeff",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": _BESIDE["User-Agent"]},
            "apiId": "abcdef1234",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
