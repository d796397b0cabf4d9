"""The line that each request leaves in the log, with Lambda's event and nothing behind it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app import app
from chalicelib.api import requests as api_requests
from chalicelib.domain.errors import Busy, Conflict, StorageUnavailable
from tests.support.log_lines import LogLines, metric_values, run_as_lambda

CONTEXT = SimpleNamespace(aws_request_id="lambda request")
SECRET = "bGOF_t9MzoUB6YIb1GcjU46qXzXgQ6d_bselTgincwM"
BASIC = base64.b64encode(f"key-of-team:{SECRET}".encode()).decode()


@pytest.fixture
def lines() -> Iterator[LogLines]:
    with run_as_lambda() as written:
        yield written


def call(
    route: str,
    *,
    method: str = "GET",
    path: str | None = None,
    parameters: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, list[str]] | None = None,
    body: str | None = None,
) -> dict[str, Any]:
    """What API Gateway hands to the function, and its answer."""
    event = {
        "resource": route,
        "path": path or route,
        "httpMethod": method,
        "headers": {"Host": "passel.example", **(headers or {})},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": query,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route,
            "path": path or route,
            "requestId": "gateway request",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }
    answer: dict[str, Any] = app(event, CONTEXT)
    return answer


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Whoever signs in meets this."""

    def sign_in(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr(api_requests, "authenticate", sign_in)
    monkeypatch.setattr(api_requests, "get_platform", lambda: None)


def test_a_request_is_one_line_with_its_metrics(lines: LogLines) -> None:
    answer = call("/v1/ticket/{ticket_id}", path="/v1/ticket/6", parameters={"ticket_id": "6"})

    (line,) = lines.all
    assert answer["statusCode"] == line["status"] == 401
    expected = {"level": "INFO", "method": "GET", "route": "/v1/ticket/{ticket_id}", "ticket_id": 6}
    expected |= {"request_id": "lambda request", "api_request_id": "gateway request", "error": "Unauthorized"}
    assert {name: line[name] for name in expected} == expected
    assert line["message"] == "GET /v1/ticket/{ticket_id} 401"
    measured = metric_values(line)
    assert measured == {"Requests": 1, "Errors": 1, "Latency": measured["Latency"]}
    assert (line["Dialect"], line["Status"]) == ("airship", "4xx")


def test_a_health_check_that_goes_well_leaves_none(lines: LogLines) -> None:
    assert call("/v1/system/status")["statusCode"] == 200
    assert lines.text == ""


@pytest.mark.parametrize(
    ("route", "method", "dialect"),
    [
        ("/v2/certificates", "GET", "passworks"),
        ("/v1/devices/{device_id}/registrations/{pass_type}/{serial_number}", "POST", "passkit"),
        ("/v1/pass/{identifier}", "GET", "airship"),
    ],
)
def test_requests_are_counted_by_the_dialect_they_speak(lines: LogLines, route: str, method: str, dialect: str) -> None:
    names = ("device_id", "pass_type", "serial_number", "identifier")
    parameters = {name: "x" for name in names if f"{{{name}}}" in route}
    assert call(route, method=method, parameters=parameters)["statusCode"] == 401

    assert lines.last["Dialect"] == dialect


def test_every_route_has_a_dialect_of_its_own() -> None:
    assert set(api_requests.DIALECTS) >= set(app.routes)
    by_prefix = {"/v2/": "passworks", "/p/": "pages", "/v1/google/": "google", "/v1/devices/": "passkit"}
    for route in app.routes:
        for prefix, dialect in by_prefix.items():
            assert not route.startswith(prefix) or api_requests.DIALECTS[route] == dialect


def test_an_answer_that_chalice_makes_itself_is_a_line_too(lines: LogLines) -> None:
    answer = call("/v1/pass/{identifier}", method="PATCH", path="/v1/pass/5", parameters={"identifier": "5"})

    assert answer["statusCode"] == lines.last["status"] == 405
    assert metric_values(lines.last)["Errors"] == 1


def test_an_unexpected_error_is_told_once_with_its_stack_and_to_us_alone(
    lines: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, RuntimeError("inside"))
    answer = call("/v2/certificates", headers={"Authorization": f"Basic {BASIC}"})

    fault, closing = lines.all
    assert (fault["level"], fault["message"], fault["request_id"]) == (
        "ERROR",
        "list_certificates failed",
        "lambda request",
    )
    assert fault["exception"]["message"] == "inside"
    assert fault["exception"]["stack"][-1].endswith(" sign_in")
    assert (closing["status"], closing["Status"]) == (500, "5xx")
    assert "inside" not in str(answer)


@pytest.mark.parametrize(
    ("error", "cause", "counted"),
    [
        (Busy(), Conflict("two writers met"), "ConflictsExhausted"),
        (Conflict("two writers met"), None, "ConflictsExhausted"),
        (StorageUnavailable("storage is throttled"), OSError("no route"), "StorageFailures"),
        (Busy("passes cannot be signed at present"), None, None),
    ],
)
def test_a_503_says_why_and_is_counted_by_its_cause(
    lines: LogLines, monkeypatch: pytest.MonkeyPatch, error: Exception, cause: Exception | None, counted: str | None
) -> None:
    error.__cause__ = cause
    fail_with(monkeypatch, error)
    answer = call("/v2/certificates", headers={"Authorization": f"Basic {BASIC}"})

    assert answer["statusCode"] == 503
    line = lines.last
    assert (line["error"], line["reason"]) == (type(error).__name__, str(error))
    assert line.get("cause") == (None if cause is None else type(cause).__name__)
    named = {"ConflictsExhausted", "StorageFailures"} & metric_values(line).keys()
    assert named == ({counted} if counted else set())


def test_nothing_that_opens_a_door_is_written(lines: LogLines, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, RuntimeError(f"no such credentials: {SECRET}"))
    device = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    call("/v2/certificates", headers={"Authorization": f"Basic {BASIC}", "Cookie": "passel_4=cookie-secret"})
    call("/v1/tag", query={"api_key": [SECRET]})
    call(
        "/v1/devices/{device_id}/registrations/{pass_type}/{serial_number}",
        method="POST",
        path=f"/v1/devices/{device}/registrations/pass.x/serial",
        parameters={"device_id": device, "pass_type": "pass.x", "serial_number": "serial"},
        headers={"Authorization": "ApplePass pass-token"},
        body='{"pushToken": "push-token"}',
    )
    call(
        "/p/{distribution}/{code}", path="/p/any/code-secret", parameters={"distribution": "any", "code": "code-secret"}
    )

    assert len([line for line in lines.all if "status" in line]) == 4
    for secret in (SECRET, BASIC, "key-of-team", device, "pass-token", "push-token", "code-secret", "cookie-secret"):
        assert secret not in lines.text
