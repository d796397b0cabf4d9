"""Google's save and delete callbacks (wallets, sections 4.1 to 4.3)."""

from __future__ import annotations

import logging

from chalice import Blueprint, Response

from chalicelib.api.passkit.entry import WalletRequest, empty, wallet_route
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.google_installs import GoogleReport, record_report
from chalicelib.settings import get_settings
from chalicelib.wiring import get_google_root_keys

google = Blueprint(__name__)

_log = logging.getLogger("passel")


@wallet_route(google, "/v1/google/callback", methods=["POST"])
def receive_google_callback(request: WalletRequest) -> Response:
    """200 for whatever Google signed, also a second time; 400 for anything else."""
    from chalicelib.wallets.google.callbacks import BadCallback, verify_current_callback

    issuer_id = get_settings().google_issuer_id
    if issuer_id is None:
        raise InvalidRequest("no issuer is configured")
    try:
        event = verify_current_callback(
            request.document,
            issuer_id=issuer_id,
            root_keys=get_google_root_keys(),
            now=request.platform.now(),
        )
    except BadCallback as refusal:
        _log.warning("refused a callback that claims to be Google's: %s", refusal.reason)
        raise InvalidRequest("the callback does not verify") from refusal
    record_report(
        request.platform,
        GoogleReport(
            issuer_id=issuer_id,
            object_id=event.object_id,
            event_type=event.event_type,
            nonce=event.nonce,
            expires_at=event.expires_at,
        ),
    )
    return empty(200)
