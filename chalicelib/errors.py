"""The one map from domain errors to answers, in each dialect's own shape.

error              Airship /v1                                         Passworks /v2
DeleteRefused      404  The resource is no longer at that location.    412  10104
NotFound           404  The resource is no longer at that location.    404  10004
Unauthorized       401  Unauthorized                                   401  10001, with WWW-Authenticate
UnreadableBody     406  Not Acceptable Request                         400  10000
RateLimited        429  Too Many Requests, with Retry-After            503  10429, with Retry-After
InUse              400  Invalid Request Parameters.                    412  10103
StateRefused       400  Invalid Request Parameters.                    412  10102
RedeemRefused      400  Invalid Request Parameters.                    412  10105
PreconditionFailed 412  Precondition Failed                            412  10106
KeyReused          422  Unprocessable Content                          422  10107
InvalidFilter      400  Invalid Request Parameters.                    422  10101
InvalidRequest     400  Invalid Request Parameters.                    422  10100
StillAtWork        409  Conflict, with Retry-After                     503  10500, with Retry-After
Busy, Conflict     503  Service Unavailable, with Retry-After          503  10500, with Retry-After
anything else      500  Internal Server Error                          500  10500

Wallets read no body: 401 for Unauthorized, 404 for NotFound, 400 for any other refusal, 503 and 500 as above.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    409: "Conflict",
    412: "Precondition Failed",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""airship-wallet-v1, section 3; 409, 412 and 422 only for who sends an `If-Match` or an `Idempotency-Key`"""

_UNEXPECTED = "an unexpected error occurred"

# The most specific first; an error that is none of these is a fault of ours.
AIRSHIP_STATUSES: tuple[tuple[type[errors.PasselError], int], ...] = (
    (errors.NotFound, 404),
    (errors.Unauthorized, 401),
    (errors.UnreadableBody, 406),
    (errors.RateLimited, 429),
    (errors.PreconditionFailed, 412),
    (errors.KeyReused, 422),
    (errors.InvalidRequest, 400),
    (errors.Refused, 400),
    (errors.StillAtWork, 409),
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
            return ErrorAnswer(status=status, body=airship_body(status, _say(error)), headers=_when_to_retry(error))
    return ErrorAnswer(status=500, body=airship_body(500, _UNEXPECTED), headers={})


BAD_REQUEST = 10000
BAD_CREDENTIALS = 10001
NOT_FOUND = 10004
BAD_METHOD = 10005
INVALID = 10100
BAD_FILTER = 10101
BAD_STATE = 10102
IN_USE = 10103
NOTHING_TO_DELETE = 10104
NOT_REDEEMABLE = 10105
TOO_MANY_REQUESTS = 10429
NOT_AS_SEEN = 10106
KEY_REUSED = 10107
SERVER_FAULT = 10500
"""the numbers are passworks-v2, section 12, but for 10106 and 10107; only 10103 is the live service's own"""

# The most specific first, as above. Too many requests are a 503 and no 429: both official clients raise an error for
# the statuses that they list, and hand any other answer to their caller as the object that was asked for. 429 is in
# neither list (section 3), so a pass that was not created would look like one that was. 503 is in both, and generic
# libraries wait for its Retry-After as they do for that of a 429; the body's code tells it from a fault of ours.
PASSWORKS_CODES: tuple[tuple[type[errors.PasselError], int, int], ...] = (
    (errors.DeleteRefused, 412, NOTHING_TO_DELETE),
    (errors.NotFound, 404, NOT_FOUND),
    (errors.Unauthorized, 401, BAD_CREDENTIALS),
    (errors.UnreadableBody, 400, BAD_REQUEST),
    (errors.RateLimited, 503, TOO_MANY_REQUESTS),
    (errors.InUse, 412, IN_USE),
    (errors.StateRefused, 412, BAD_STATE),
    (errors.RedeemRefused, 412, NOT_REDEEMABLE),
    (errors.PreconditionFailed, 412, NOT_AS_SEEN),
    (errors.KeyReused, 422, KEY_REUSED),
    (errors.InvalidFilter, 422, BAD_FILTER),
    (errors.InvalidRequest, 422, INVALID),
    (errors.Refused, 422, INVALID),
    (errors.Busy, 503, SERVER_FAULT),
    (errors.Conflict, 503, SERVER_FAULT),
)
"""Error, status, error code. No other statuses: a Passworks client may take an unknown one for success (section 3)."""

WHOLE_OBJECT = "base"
"""the key in `errors` of what concerns no single attribute"""


def passworks_body(*, status: int, error_code: int, message: str, errors: Mapping[str, Any]) -> dict[str, Any]:
    """The error body that both Passworks clients read (passworks-v2, section 3). `errors` is never an array."""
    return {"status_code": status, "error_code": error_code, "message": message, "errors": dict(errors)}


def passworks_answer(error: Exception) -> ErrorAnswer:
    """The answer to an error in the Passworks dialect. Nothing of an unexpected error is shown."""
    for known, status, error_code in PASSWORKS_CODES:
        if isinstance(error, known):
            message, problems = _describe(error)
            body = passworks_body(status=status, error_code=error_code, message=message, errors=problems)
            headers = _when_to_retry(error)
            if status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="Passworks"'
            return ErrorAnswer(status=status, body=body, headers=headers)
    body = passworks_body(status=500, error_code=SERVER_FAULT, message=_UNEXPECTED, errors={})
    return ErrorAnswer(status=500, body=body, headers={})


def _describe(error: errors.PasselError) -> tuple[str, dict[str, Any]]:
    """The message and the values of `errors`: a list of problems where a value is wrong, else a sentence."""
    if isinstance(error, errors.NotFound):
        message = f"{error.kind.capitalize()} not found."
        return message, {error.kind.replace(" ", "_"): message}
    if isinstance(error, errors.InvalidFilter):
        return f"{error.problem}. {error.advice}".rstrip(), {"q": error.problem}
    if isinstance(error, errors.PreconditionFailed):
        return str(error), {WHOLE_OBJECT: str(error)}
    if isinstance(error, errors.InUse | errors.StateRefused | errors.RedeemRefused):
        return error.problem, {error.field or WHOLE_OBJECT: error.problem}
    if isinstance(error, errors.InvalidRequest):
        return "Validation failed", {error.field or WHOLE_OBJECT: [error.problem]}
    return _say(error), {}


def _say(error: errors.PasselError) -> str:
    if isinstance(error, errors.Conflict):
        return "too many writers at once"
    # what is to be done about it stands in the log, for the operator
    return "no number can be given out at present" if isinstance(error, errors.NumberTaken) else str(error)


def _when_to_retry(error: errors.PasselError) -> dict[str, str]:
    if isinstance(error, errors.Busy | errors.Conflict | errors.RateLimited):
        return {"Retry-After": str(getattr(error, "retry_after_seconds", 1))}
    return {}


_WALLET_STATUSES: tuple[tuple[type[errors.PasselError], int], ...] = (
    (errors.Unauthorized, 401),
    (errors.NotFound, 404),
    (errors.Refused, 400),
    (errors.Busy, 503),
    (errors.Conflict, 503),
)


def wallet_answer(error: Exception) -> ErrorAnswer:
    """The answer to an error where a wallet calls; what it sent never makes it a 5xx (wallets, section 2.2)."""
    for known, status in _WALLET_STATUSES:
        if isinstance(error, known):
            return ErrorAnswer(status=status, body={"message": _say(error)}, headers=_when_to_retry(error))
    return ErrorAnswer(status=500, body={"message": _UNEXPECTED}, headers={})
