"""Around every view: the line of the log that each request gets, and answers that Chalice makes itself, before any
view, put into the words of the dialect that was spoken to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from chalice import Response
from chalice.app import CaseInsensitiveMapping

from chalicelib import errors, metrics
from chalicelib.api.requests import DIALECTS
from chalicelib.observing import observe

# A type we do not read means that the JSON body we need is not there (airship-wallet-v1, section 3).
_AIRSHIP_STATUSES = {400: 400, 404: 404, 405: 405, 415: 406}

_PASSWORKS_ANSWERS = {
    400: (400, errors.BAD_REQUEST),
    404: (404, errors.NOT_FOUND),
    405: (405, errors.BAD_METHOD),
    415: (400, errors.BAD_REQUEST),
}
"""Chalice's status to ours and its error code (passworks-v2, section 12)"""

_UNEXPECTED = "an unexpected error occurred"


_HEALTH_CHECK = "/v1/system/status"


def observe_request(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Chalice middleware, the outermost: one line for each request but a health check that goes well, with its metrics.

    The path is the route's, since a real one may hold a token.
    """
    route, method = event.path, event.method
    request_id = event.context.get("requestId")
    with observe(event.lambda_context, api_request_id=request_id, method=method, route=route) as observation:
        response = get_response(event)
        status: int = response.status_code
        if status < 400 and route == _HEALTH_CHECK:
            return response
        dialect = DIALECTS.get(route, "airship")
        metrics.count("Requests", Dialect=dialect)
        metrics.measure("Latency", observation.milliseconds, Dialect=dialect)
        if status >= 400:
            metrics.count("Errors", Dialect=dialect, Status=f"{status // 100}xx")
        observation.close(logging.INFO, f"{method} {route} {status}", status=status)
        return response


def speak_the_dialect(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Chalice middleware: rewrites `{"Code", "Message"}` bodies. Views never make such bodies."""
    # Chalice refuses to send bytes to a client that does not name their type, or names none
    event.headers = CaseInsensitiveMapping({**event.headers, "accept": "*/*"})
    if not event.raw_body:
        # whatever type a request without a body claims, there is nothing to read (section 1, transport)
        event.headers = CaseInsensitiveMapping({**event.headers, "content-type": "application/json"})
    response = get_response(event)
    if not isinstance(response, Response) or not isinstance(response.body, dict) or "Code" not in response.body:
        return response
    first_segment = event.path.split("/")[1]
    speak = _DIALECTS.get(first_segment, _speak_airship)
    status, body = speak(response.status_code, str(response.body.get("Message", "")))
    return Response(body=body, status_code=status, headers=response.headers)


def _speak_airship(chalice_status: int, details: str) -> tuple[int, dict[str, Any]]:
    status = _AIRSHIP_STATUSES.get(chalice_status, 500)
    return status, errors.airship_body(status, details if status != 500 else _UNEXPECTED)


def _speak_passworks(chalice_status: int, message: str) -> tuple[int, dict[str, Any]]:
    status, error_code = _PASSWORKS_ANSWERS.get(chalice_status, (500, errors.SERVER_FAULT))
    shown = message if status != 500 else _UNEXPECTED
    return status, errors.passworks_body(status=status, error_code=error_code, message=shown, errors={})


_DIALECTS = {"v2": _speak_passworks}
"""by the first segment of a route; the others' clients have no error body of their own"""
