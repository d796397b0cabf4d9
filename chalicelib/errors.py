"""The one map from domain errors to answers, in each dialect's own shape.

error              Airship /v1
NotFound           404  The resource is no longer at that location.
Unauthorized       401  Unauthorized
UnreadableBody     406  Not Acceptable Request
InvalidRequest     400  Invalid Request Parameters.
Busy, Conflict     503  Service Unavailable, with Retry-After
anything else      500  Internal Server Error
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.domain import errors


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Status, headers and JSON body of a refusal."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


AIRSHIP_DESCRIPTIONS: dict[int, str] = {
    400: "Invalid Request Parameters.",
    401: "Unauthorized",
    404: "The resource is no longer at that location.",
    405: "Method Not Allowed",
    406: "Not Acceptable Request",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""airship-wallet-v1, section 3"""

# The most specific first; an error that is none of these is a fault of ours.
AIRSHIP_STATUSES: tuple[tuple[type[errors.PasselError], int], ...] = (
    (errors.NotFound, 404),
    (errors.Unauthorized, 401),
    (errors.UnreadableBody, 406),
    (errors.InvalidRequest, 400),
    (errors.Refused, 400),
    (errors.Busy, 503),
    (errors.Conflict, 503),
)


def airship_body(status: int, details: str) -> dict[str, Any]:
    """The error body that every Airship client reads (airship-wallet-v1, section 9.7)."""
    description = AIRSHIP_DESCRIPTIONS[status]
    return {
        "code": status,
        "description": description,
        "details": details,
        "error": description,
        "error_code": status,
    }


def airship_answer(error: Exception) -> ErrorAnswer:
    """The answer to an error in the Airship dialect. Nothing of an unexpected error is shown."""
    for known, status in AIRSHIP_STATUSES:
        if isinstance(error, known):
            headers = {}
            if isinstance(error, errors.Busy | errors.Conflict):
                headers["Retry-After"] = str(getattr(error, "retry_after_seconds", 1))
            details = "too many writers at once" if isinstance(error, errors.Conflict) else str(error)
            return ErrorAnswer(status=status, body=airship_body(status, details), headers=headers)
    return ErrorAnswer(status=500, body=airship_body(500, "an unexpected error occurred"), headers={})
