"""A person gives name and address to a pass (wallets, section 2.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib.api.passkit.entry import WalletRequest, note_pass, wallet_route
from chalicelib.api.requests import decode
from chalicelib.domain.errors import Busy, NotFound, Unauthorized
from chalicelib.domain.passes import Pass
from chalicelib.domain.personalizing import personalize_pass
from chalicelib.domain.registering import get_held_pass, get_named_pass
from chalicelib.wiring import get_keyring

if TYPE_CHECKING:
    from chalicelib.schemas.callbacks import PersonalizationBody

personalization = Blueprint(__name__)

LARGEST_BODY_BYTES = 16 * 1024

OCTETS = "application/octet-stream"


@wallet_route(
    personalization,
    "/v1/passes/{pass_type}/{serial_number}/personalize",
    methods=["POST"],
    maximum_body_bytes=LARGEST_BODY_BYTES,
    body="callbacks.PersonalizationBody",
    answer=OCTETS,
    open_to_all=True,
    refuses=(401,),
)
def personalize(request: WalletRequest, pass_type: str, serial_number: str) -> Response:
    """Personalize a pass

    A person gives name and address to it. The answer is a detached PKCS #7 signature over the personalization token. If
    the token of the pass is shown, it is checked.
    """
    pass_ = _find(request, pass_type, serial_number)
    note_pass(pass_)
    body: PersonalizationBody = request.read_body()
    signature = _sign(pass_, body.token)
    try:
        personalize_pass(request.platform, pass_, token=body.token, info=body.info)
    except NotFound as error:
        raise Unauthorized("the pass or its token is unknown") from error
    return Response(body=signature, status_code=200, headers={"Content-Type": OCTETS, "Cache-Control": "no-store"})


def _find(request: WalletRequest, pass_type: str, serial_number: str) -> Pass:
    if request.header("authorization") is None:
        named = get_named_pass(request.platform, pass_type=decode(pass_type), serial_number=decode(serial_number))
        return named[0]
    return get_held_pass(request.platform, request.held_pass(pass_type=pass_type, serial_number=serial_number))[0]


def _sign(pass_: Pass, token: str) -> bytes:
    """A detached PKCS#7 signature over the token's bytes, with the certificate of the pass."""
    from chalicelib.wallets.apple.signature import sign_manifest

    credentials = get_keyring().get_credentials(pass_.project_id, pass_.certificate_id)
    if credentials is None:
        raise Busy("passes cannot be signed at present", retry_after_seconds=60)
    return sign_manifest(token.encode(), credentials=credentials, signed_at=datetime.now(UTC))
