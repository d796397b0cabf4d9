"""Headers that every answer has unless its view says otherwise: nobody keeps it, and nobody guesses what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice import Response

from chalicelib.api.requests import JSON


def add_safe_headers(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Chalice middleware; also for answers that Chalice makes itself.

    Answers hold tokens and what people gave of themselves, and an `api_key` in an address forbids no cache to keep one.
    """
    response = get_response(event)
    if isinstance(response, Response):
        named = {name.lower(): value for name, value in response.headers.items()}
        if "cache-control" not in named:
            response.headers["Cache-Control"] = "no-store"
        if "x-content-type-options" not in named and not _is_json(response, named.get("content-type")):
            response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _is_json(response: Response, content_type: Any) -> bool:
    """Browsers take JSON for nothing else, and clients of lists look at every header that begins with `X-`."""
    return isinstance(response.body, dict | list) or str(content_type).startswith(JSON)
