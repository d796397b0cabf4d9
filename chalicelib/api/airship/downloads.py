"""The pass as a file, and as Apple's JSON (airship-wallet-v1, section 5)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import queries
from chalicelib.api.airship.entry import AirshipRequest, decode, route
from chalicelib.api.airship.forms import pass_route
from chalicelib.api.declared import Parameter, Says
from chalicelib.api.pages import FILE, HTML, offer_download
from chalicelib.api.passkit.delivery import check_address
from chalicelib.api.requests import PKPASS
from chalicelib.domain import finding
from chalicelib.domain.errors import Busy, NotFound
from chalicelib.domain.page_addresses import pass_code
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.visiting import get_visited_pass_or_raise
from chalicelib.wiring import get_keyring

downloads = Blueprint(__name__)

TOKEN = Parameter(name="token", text="The token of the pass's `url`, which takes the place of credentials.")

_DOWNLOAD: Says = {
    "answers": {200: (PKPASS, HTML)},
    "query": (FILE,),
    "shares": ("freshness",),
    "names": {"external_id": "pass_external_id"},
}


@route(
    downloads,
    "/v1/pass/{identifier}/download",
    methods=["GET"],
    open_to_all=True,
    revision=False,
    operation="download_pass_by_id",
    names={"identifier": "pass_id"},
    answers={200: (PKPASS, HTML)},
    query=(TOKEN, FILE),
    shares=("freshness",),
    refuses=(401,),
)
def download_pass(request: AirshipRequest, identifier: str) -> Any:
    """Download a pass

    This is a pass's `url`: whoever has it with its `token` gets the signed file; without a token, credentials are
    needed. In a browser on Android the answer is a page that offers the wallets that take passes.
    """
    reference = queries.pass_by_id(identifier)
    token = request.query(TOKEN.name)
    if token is None:
        request.authenticate()
        return _download(request, _find(request, reference))
    pass_id = finding.parse_id(decode(identifier))
    if pass_id is None:
        raise NotFound("pass", reference)
    return _download(request, get_visited_pass_or_raise(request.platform, pass_code(pass_id, token)))


@route(
    downloads,
    "/v1/pass/id/{external_id}/download",
    methods=["GET"],
    revision=False,
    **_DOWNLOAD,
)
def download_pass_by_external_id(request: AirshipRequest, external_id: str) -> Any:
    """Download a pass

    The signed file, or in a browser on Android a page that offers the wallets that take passes.
    """
    return _download(request, _find(request, queries.pass_by_external_id(external_id)))


@route(
    downloads,
    "/v1/pass/template/{template_id}/id/{external_id}/download",
    methods=["GET"],
    revision=False,
    **_DOWNLOAD,
)
def download_pass_in_template(request: AirshipRequest, template_id: str, external_id: str) -> Any:
    """Download a pass

    The signed file, or in a browser on Android a page that offers the wallets that take passes.
    """
    return _download(request, _find(request, queries.pass_in_template(template_id, external_id)))


def _find(request: AirshipRequest, reference: PassReference) -> Pass:
    return finding.get_pass_or_raise(request.platform, project_id=request.project_id, reference=reference)


def _download(request: AirshipRequest, pass_: Pass) -> Any:
    """On an iPhone or an unknown client the file, in a browser on Android a page that offers the wallets."""
    return offer_download(request, pass_)


@pass_route(
    downloads, "/viewJSONPass", methods=["GET"], operation="get_pass_json", answer="airship_pass_answers.PassJson"
)
def view_json_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """Get the pass.json of a pass

    The document that the signed file holds, in Apple's words.
    """
    from chalicelib.wallets.apple.pass_json import render_pass_json

    pass_ = _find(request, reference)
    check_address(request.base_url)
    credentials = get_keyring().get_credentials(pass_.project_id, pass_.certificate_id)
    if credentials is None:
        raise Busy("passes cannot be signed at present", retry_after_seconds=60)
    return render_pass_json(pass_, credentials=credentials, base_url=request.base_url)
