"""The latest version of a pass (wallets, section 2.2)."""

from __future__ import annotations

from chalice import Blueprint, Response

from chalicelib.api.passkit.delivery import freshness, send_pkpass
from chalicelib.api.passkit.entry import WalletRequest, empty, note_pass, wallet_route
from chalicelib.api.requests import PKPASS
from chalicelib.domain.callback_events import report_delivery
from chalicelib.domain.http_dates import parse_http_date
from chalicelib.domain.registering import get_held_pass
from chalicelib.domain.reporting import Event

latest_passes = Blueprint(__name__)


@wallet_route(
    latest_passes,
    "/v1/passes/{pass_type}/{serial_number}",
    methods=["GET"],
    answers={200: PKPASS, 304: None},
    shares=("freshness", "if modified since"),
)
def get_latest_pass(request: WalletRequest, pass_type: str, serial_number: str) -> Response:
    """Get the latest version of a pass

    The signed file, or 304 if the wallet has this version, which `If-Modified-Since` says in whole seconds.
    """
    held = request.held_pass(pass_type=pass_type, serial_number=serial_number)
    pass_, standing = get_held_pass(request.platform, held)
    note_pass(pass_)
    since = parse_http_date(request.header("if-modified-since") or "")
    if since is not None and pass_.last_modified <= since:
        return empty(304, freshness(pass_))
    response = send_pkpass(request.platform, pass_, base_url=request.base_url, event=Event.FETCHES)
    report_delivery(request.platform, pass_, name="fetched", campaign_id=standing.campaign_id)
    return response
