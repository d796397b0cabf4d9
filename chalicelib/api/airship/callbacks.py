"""Where a project's own systems are told of installs (airship-wallet-v1, section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalice import Blueprint, Response

from chalicelib.api.airship import queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.requests import JSON
from chalicelib.domain import receiver_editing
from chalicelib.domain.errors import NotFound
from chalicelib.domain.receivers import Dialect

if TYPE_CHECKING:
    from chalicelib.schemas.callbacks import CallbackBody

callbacks = Blueprint(__name__)

SECRET_HEADER = "Passel-Signing-Secret"
"""only in the reply that makes the secret; later the command line shows it"""

_PATH = "/v1/project/{identifier}/settings/callback"
_NAMES = {"identifier": "project_id"}


@route(
    callbacks,
    _PATH,
    methods=["POST"],
    names=_NAMES,
    body="callbacks.CallbackBody",
    answer="airship_answers.CallbackSettings",
    shares=("signing secret",),
)
def set_callback(request: AirshipRequest, identifier: str) -> Any:
    """Set up callbacks

    From now on what happens to the project's passes is posted to addresses below `baseUrl`, with these headers; see the
    webhooks of this document. Answered with the same document. The first time the answer has the header
    `Passel-Signing-Secret`, with which callbacks are signed; it is not shown again.
    """
    queries.check_project(request, identifier)
    body: CallbackBody = request.read_body()
    receiver, is_new = receiver_editing.set_airship_receiver(
        request.platform, project_id=request.project_id, base_url=body.base_url, headers=body.headers
    )
    document = _show(body.base_url, body.headers)
    if not is_new:
        return document
    return Response(
        body=document,
        status_code=200,
        headers={"Content-Type": JSON, SECRET_HEADER: receiver.secret, "Cache-Control": "no-store"},
    )


@route(callbacks, _PATH, methods=["GET"], names=_NAMES, answer="airship_answers.CallbackSettings")
def get_callback(request: AirshipRequest, identifier: str) -> Any:
    """Get the settings of callbacks

    404 if none are set up. An addition of Passel's.
    """
    queries.check_project(request, identifier)
    receiver = receiver_editing.get_receiver_or_raise(request.platform, project_id=request.project_id)
    if receiver.airship is None:
        raise NotFound("callback of project", request.project_id)
    return _show(receiver.airship.base_url, receiver.airship.headers)


@route(callbacks, _PATH, methods=["DELETE"], names=_NAMES, answer="airship_answers.RemovedCallback")
def remove_callback(request: AirshipRequest, identifier: str) -> Any:
    """Stop callbacks

    What still waits to be told is dropped. An addition of Passel's.
    """
    queries.check_project(request, identifier)
    receiver_editing.remove_receiver(request.platform, project_id=request.project_id, dialect=Dialect.AIRSHIP)
    return {"status": "success"}


def _show(base_url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"baseUrl": base_url, "headers": dict(headers)}
