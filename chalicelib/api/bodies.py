"""Reading request bodies: bounded, and with errors that say what is wrong."""

from __future__ import annotations

import json
from typing import Any, Never
from urllib.parse import parse_qs

from chalicelib.domain.errors import InvalidRequest, UnreadableBody
from chalicelib.settings import get_settings

FORM = "application/x-www-form-urlencoded"


def check_body_size(body: bytes, *, maximum_bytes: int) -> None:
    """Raises:
    InvalidRequest: the body is larger than the limit.
    """
    if len(body) > maximum_bytes:
        raise InvalidRequest(f"the body has {len(body)} bytes, the limit is {maximum_bytes}", field="body")


def read_form(body: bytes) -> dict[str, str]:
    """The last value of each field of a form body."""
    fields = parse_qs(body.decode("utf-8", errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def parse_json(body: bytes | str) -> Any:
    """The document, of any type.

    Raises:
        UnreadableBody: it is missing or no JSON that can be stored as UTF-8.
    """
    if not body:
        raise UnreadableBody("a JSON body is required")
    try:
        # strictly, which `json` does not do by itself: it lets half a surrogate pair through
        text = body if isinstance(body, str) else body.decode("utf-8-sig")
        document = json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_float)
        # an escaped half of a surrogate pair is legal JSON but no text
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnreadableBody("the body is not valid JSON") from error
    limit = get_settings().limits.body_depth
    if _is_deeper(document, limit):
        raise UnreadableBody(f"the body is nested more than {limit} deep")
    return document


def _is_deeper(document: Any, limit: int) -> bool:
    """Level by level instead of by recursion, since deep nesting is what it looks for."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number
