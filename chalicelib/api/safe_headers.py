"""Headers that every answer has unless its view says otherwise: nobody keeps it, and nobody guesses what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from chalice import Response

SAFE_HEADERS: Final[Mapping[str, str]] = {
    # answers hold tokens and what people gave of themselves, and an `api_key` in an address forbids no cache to keep it
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def add_safe_headers(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Chalice middleware; also for answers that Chalice makes itself."""
    response = get_response(event)
    if isinstance(response, Response):
        named = {name.lower() for name in response.headers}
        response.headers |= {name: value for name, value in SAFE_HEADERS.items() if name.lower() not in named}
    return response
