"""Answers that Chalice makes itself, before any view: put into the dialect's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice import Response
from chalice.app import CaseInsensitiveMapping

from chalicelib.errors import airship_body

# A type we do not read means that the JSON body we need is not there (airship-wallet-v1, section 3).
_AIRSHIP_STATUSES = {400: 400, 404: 404, 405: 405, 415: 406}


def speak_the_dialect(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Chalice middleware: rewrites `{"Code", "Message"}` bodies. Views never make such bodies."""
    if not event.raw_body:
        # whatever type a request without a body claims, there is nothing to read (section 1, transport)
        event.headers = CaseInsensitiveMapping({**event.headers, "content-type": "application/json"})
    response = get_response(event)
    if not isinstance(response, Response) or not isinstance(response.body, dict) or "Code" not in response.body:
        return response
    status = _AIRSHIP_STATUSES.get(response.status_code, 500)
    details = str(response.body.get("Message", "")) if status != 500 else "an unexpected error occurred"
    return Response(body=airship_body(status, details), status_code=status, headers=response.headers)
