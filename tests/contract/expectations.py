"""What every answer has to hold to: error bodies (sections 3, 9.7), key sets and dates (section 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Any, Protocol

DESCRIPTIONS = {
    400: "Invalid Request Parameters.",
    404: "The resource is no longer at that location.",
}
"""section 3: the documented words; those of other statuses are free text"""

SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TICKET_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


ERROR_KEYS = frozenset({"code", "description", "details", "error", "error_code"})
GATEWAY_ERROR_KEYS = ERROR_KEYS | {"status_code", "message", "errors"}
"""what stands before every route answers the clients of all dialects alike"""


class Answer(Protocol):
    """An HTTP answer, of whatever client."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in any case."""

    @property
    def text(self) -> str:
        """The body."""

    def json(self) -> Any:
        """The body as JSON."""


def find_error_fault(response: Answer, *statuses: int) -> str | None:
    """What is wrong with a refusal that should have one of these statuses, or None."""
    seen = f"{response.status_code} {response.text[:300]}"
    if response.status_code not in statuses:
        return f"expected {statuses}, got {seen}"
    if not response.headers["content-type"].startswith("application/json"):
        return f"not application/json: {response.headers['content-type']}"
    body = response.json()
    if not isinstance(body, dict) or set(body) not in (ERROR_KEYS, GATEWAY_ERROR_KEYS):
        return f"not the keys of 9.7: {seen}"
    if not body["code"] == body["error_code"] == response.status_code:
        return f"codes differ: {seen}"
    if body["description"] != body["error"] or not isinstance(body["details"], str):
        return f"texts differ or are none: {seen}"
    if body["description"] != DESCRIPTIONS.get(response.status_code, body["description"]):
        return f"not the documented description: {seen}"
    return None


def check_error(response: Answer, *statuses: int, mentions: str = "") -> None:
    """Asserts a refusal with the whole error body of 9.7."""
    assert find_error_fault(response, *statuses) is None
    assert mentions in response.json()["details"]


def check_no_fault(faults: Mapping[str, str | None]) -> None:
    """Asserts that none of many cases has a fault, and names every one that has."""
    wrong = [f"{case}: {fault}" for case, fault in faults.items() if fault]
    assert not wrong, "\n".join(wrong)


def check_keys(document: Any, required: Set[str], optional: Set[str] = frozenset()) -> None:
    """Asserts that an object has exactly these keys, and of the optional ones any, but never null."""
    assert isinstance(document, dict)
    assert set(document) - optional == required
    assert not {key for key, value in document.items() if value is None}


def check_pagination(document: Any, **values: Any) -> None:
    """Asserts a whole pagination object; what is not given has the default of an ordinary list."""
    defaults: dict[str, Any] = {"order": "id", "page": 1, "direction": "DESC", "pageSize": 10}
    expected = defaults | values
    expected.setdefault("start", (expected["page"] - 1) * expected["pageSize"])
    assert document == expected
    assert {type(document[key]) for key in ("page", "start", "pageSize")} == {int}
