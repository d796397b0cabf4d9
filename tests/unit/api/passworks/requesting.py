"""Requests as the gateway hands them to us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from chalice.app import Request

from chalicelib.api.declared import NOTHING, Declared
from chalicelib.api.passworks.entry import PassworksRequest


def make_event(
    *,
    query: str = "",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    route: str = "/v2/probe",
    path: str = "/v2/probe",
    method: str = "GET",
) -> dict[str, Any]:
    """An event of API Gateway, as far as we read it."""
    return {
        "requestContext": {"httpMethod": method, "resourcePath": route, "path": path},
        "headers": dict(headers or {"host": "localhost"}),
        "pathParameters": {},
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "body": body,
        "stageVariables": {},
    }


def make_request(
    query: str = "",
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    route: str = "/v2/probe",
    path: str = "/v2/probe",
    declared: Declared = NOTHING,
) -> PassworksRequest:
    """What a view would get, of a route that declares that."""
    event = make_event(query=query, body=body, headers=headers, route=route, path=path)
    return PassworksRequest(Request(event), declared=declared)
