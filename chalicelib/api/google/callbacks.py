"""Google's save and delete callbacks (wallets, sections 4.1 to 4.3)."""

from __future__ import annotations

import logging

from chalice import Blueprint, Response

from chalicelib.api.declared import Says
from chalicelib.api.passkit.entry import WalletRequest, empty, wallet_route
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.finding import parse_id
from chalicelib.domain.google_installs import GoogleReport, record_report
from chalicelib.wiring import get_google_root_keys, get_wallet_services

google = Blueprint(__name__)

_log = logging.getLogger("passel")


_CALLBACK: Says = {"body": "read_by_hand.GoogleCallbackBody", "answers": {200: None}}


@wallet_route(google, "/v1/google/callback", methods=["POST"], dialect="google", open_to_all=True, **_CALLBACK)
def receive_google_callback(request: WalletRequest) -> Response:
    """Take a callback of Google's

    For the issuer that projects share: somebody saved a pass in Google Wallet or removed it. 200 for whatever Google
    signed, also a second time; 400 for anything else.
    """
    return _receive(request, get_wallet_services().get_shared_issuer())


@wallet_route(
    google, "/v1/google/callback/{project_id}", methods=["POST"], dialect="google", open_to_all=True, **_CALLBACK
)
def receive_google_callback_of_project(request: WalletRequest, project_id: str) -> Response:
    """Take a callback of Google's for a project

    For the issuer of one project, which the address names and the message never does.
    """
    # Anybody may name any project here, and SSM lets an account ask forty times a second, for everything that it
    # holds. So it is asked only about projects that there are (wallets, section 4.2).
    number = parse_id(project_id)
    if number is None or request.platform.projects.get_project(project_id=number) is None:
        return _receive(request, None)
    return _receive(request, _find_issuer(number))


def _find_issuer(project_id: int) -> str | None:
    account = get_wallet_services().get_google(project_id)
    return None if account is None else account.issuer_id


def _receive(request: WalletRequest, issuer_id: str | None) -> Response:
    from chalicelib.wallets.google.callbacks import BadCallback, verify_current_callback

    try:
        if issuer_id is None:
            raise BadCallback("no issuer is configured")
        event = verify_current_callback(
            request.document,
            issuer_id=issuer_id,
            root_keys=get_google_root_keys(),
            now=request.platform.now(),
        )
    except BadCallback as refusal:
        _log.warning("refused a callback that claims to be Google's: %s", refusal.reason)
        raise InvalidRequest("the callback does not verify") from refusal
    report = GoogleReport(
        issuer_id=issuer_id,
        object_id=event.object_id,
        event_type=event.event_type,
        nonce=event.nonce,
        expires_at=event.expires_at,
    )
    record_report(request.platform, report, issuer_of=_find_issuer)
    return empty(200)
