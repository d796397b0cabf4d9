"""Whether an answer is one that its dialect's clients know.

The statuses are those of the operations that the run makes (airship-wallet-v1, sections 1, 3, 5, 7 and 9;
passworks-v2, sections 3 and 12; wallets, section 2.2), and 503 with `Retry-After`, which is what storage that fails
comes to in all of them (`chalicelib/errors.py`). That is true of wallets as well: no 5xx comes of what a wallet sends,
but storage that does not answer is none of its doing, and a wallet that is told 503 tries again. 500 is never right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.errors import AIRSHIP_DESCRIPTIONS

_PASSWORKS_CODES = {404: 10004, 412: 10104, 422: 10100, 503: 10500}


class Dialect(StrEnum):
    """Whose words an answer has to be in."""

    AIRSHIP = "airship"
    PASSWORKS = "passworks"
    PASSKIT = "passkit"


_STATUSES: dict[Dialect, frozenset[int]] = {
    Dialect.AIRSHIP: frozenset({200, 400, 404, 429, 503}),
    Dialect.PASSWORKS: frozenset({200, 201, 404, 412, 503}),
    Dialect.PASSKIT: frozenset({200, 201, 204, 304, 401, 429, 503}),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def asks_to_try_again(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (429, 503)


def find_faults(dialect: Dialect, answer: Answer) -> Iterator[str]:
    """What is wrong with an answer, whatever was asked."""
    if answer.status not in _STATUSES[dialect]:
        yield f"status {answer.status} with {answer.body[:300]!r}"
        return
    if answer.asks_to_try_again and not answer.headers.get("retry-after", "").isdecimal():
        yield f"{answer.status} without Retry-After"
    if b"Traceback" in answer.body:
        yield f"a traceback: {answer.body[:300]!r}"
    if dialect is Dialect.PASSKIT:
        return
    document = answer.document
    if document is None:
        yield f"{answer.status} with a body that is no JSON: {answer.body[:300]!r}"
    elif answer.status >= 400:
        yield from _check_error(dialect, answer.status, document)


def _check_error(dialect: Dialect, status: int, document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"{status} with {document!r}"
        return
    description = AIRSHIP_DESCRIPTIONS.get(status)
    if dialect is Dialect.AIRSHIP:
        details = document.get("details")
        expected = {"code": status, "description": description, "error": description, "error_code": status}
        shown = {name: value for name, value in document.items() if name != "details"}
        is_right = shown == expected and isinstance(details, str)
    else:
        code = _PASSWORKS_CODES.get(status)
        is_right = (
            document.keys() == {"status_code", "error_code", "message", "errors"}
            and (document["status_code"], document["error_code"]) == (status, code)
            and isinstance(document["message"], str)
            and isinstance(document["errors"], dict)
        )
    if not is_right:
        yield f"{status} with a body that is not the dialect's: {document!r}"
