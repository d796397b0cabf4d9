"""Tickets and the system's status (airship-wallet-v1, section 7). Neither looks at Api-Revision (section 1)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import answers
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.domain import finding

tickets = Blueprint(__name__)


@route(tickets, "/v1/ticket/{ticket_id}", methods=["GET"], revision=False, answer="airship_answers.WholeTicket")
def get_ticket(request: AirshipRequest, ticket_id: str) -> Any:
    """Get a ticket

    How far an update is. Ask again until `Status` is `COMPLETED`; `FAILED` says that some passes could not be updated.
    """
    ticket = finding.get_ticket_or_raise(request.platform, project_id=request.project_id, segment=ticket_id)
    return answers.whole_ticket(ticket)


@route(
    tickets,
    "/v1/system/status",
    methods=["GET"],
    open_to_all=True,
    revision=False,
    answer="airship_answers.SystemStatus",
)
def get_system_status(_request: AirshipRequest) -> Any:
    """Ask whether the service answers

    No credentials are needed.
    """
    return {"Hello": "World"}
