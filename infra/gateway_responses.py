"""What the gateway itself answers where no route of ours is reached.

One place for both gateways: the package step writes these into the API Gateway template, and the local server answers
with them too, so a client meets the same status and body on a laptop and on AWS.

A gateway cannot tell one path from another in these answers, so each body has the keys of both REST dialects, and each
status is one that neither dialect's clients take for a success. One key is in both: `error_code` is the HTTP status, as
Airship clients need it; Passworks clients ask no more than that it is an integer.
Source of the body: airship-wallet-v1, sections 3 and 9.7; passworks-v2, section 3 (every error is a JSON object,
whatever layer made it).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from chalicelib.errors import airship_body, passworks_body

CONTENT_TYPE = "application/json"

NO_ROUTE = "MISSING_AUTHENTICATION_TOKEN"
"""API Gateway's name for a path or method that no route has"""
BAD_REQUEST = "DEFAULT_4XX"
SERVER_FAULT = "DEFAULT_5XX"


@dataclass(frozen=True)
class GatewayResponse:
    """One answer, complete: the body is sent as it stands."""

    status: int
    body: str


def error_response(*, status: int, details: str) -> GatewayResponse:
    """An answer in the error shape of both dialects at once.

    Raises:
        KeyError: no description is known for `status`.
    """
    body = passworks_body(status=status, error_code=status, message=details, errors={}) | airship_body(status, details)
    return GatewayResponse(status=status, body=json.dumps(body, separators=(",", ":")))


GATEWAY_RESPONSES: dict[str, GatewayResponse] = {
    NO_ROUTE: error_response(status=404, details="no such route"),
    BAD_REQUEST: error_response(status=400, details="the gateway refused the request"),
    SERVER_FAULT: error_response(status=500, details="the gateway failed"),
    # Without entries of their own these would take the default's status, and a client could not tell when to try again.
    # Not 429, which Passworks clients do not know: one of them takes an unknown status for a success.
    "THROTTLED": error_response(status=503, details="too many requests"),
    "QUOTA_EXCEEDED": error_response(status=503, details="quota exceeded"),
    "INTEGRATION_FAILURE": error_response(status=504, details="no answer in time"),
    "INTEGRATION_TIMEOUT": error_response(status=504, details="no answer in time"),
}
"""By the response types of API Gateway, as CloudFormation spells them."""
