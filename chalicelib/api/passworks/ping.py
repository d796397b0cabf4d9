"""Whether the service answers (passworks-v2, section 1)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.passworks.entry import PassworksRequest, route

ping = Blueprint(__name__)


@route(ping, "/v2/ping", methods=["GET"], open_to_all=True, operation="ping", answer="passworks_answers.Pong")
def get_pong(_request: PassworksRequest) -> Any:
    """Ask whether the service answers

    No credentials are needed.
    """
    return {"message": "pong"}
