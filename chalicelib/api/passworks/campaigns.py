"""Campaigns (passworks-v2, sections 6, 7 and 12)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib import logs
from chalicelib.api.passworks import answers
from chalicelib.api.passworks.campaign_types import check_campaign_type, get_campaign
from chalicelib.api.passworks.contents import read_campaign
from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.filters import read_query
from chalicelib.api.passworks.paging import paging_headers, read_paging
from chalicelib.domain import campaign_editing, campaign_lists
from chalicelib.domain.campaigns import CampaignState
from chalicelib.domain.errors import DeleteRefused, InvalidRequest, NotFound
from chalicelib.domain.paging import Window
from chalicelib.domain.templates import Template
from chalicelib.schemas.passworks import ROOTS
from chalicelib.settings import get_settings
from chalicelib.wiring import get_keyring

campaigns = Blueprint(__name__)

_CAMPAIGN = "/v2/{campaign_type}/{campaign_id}"


@route(campaigns, "/v2/{campaign_type}", methods=["GET"])
def list_campaigns(request: PassworksRequest, campaign_type: str) -> Any:
    """One page of the campaigns of a type."""
    paging = read_paging(request)
    page = campaign_lists.list_campaigns(
        request.platform,
        project_id=request.project_id,
        campaign_type=check_campaign_type(campaign_type),
        query=read_query(request, attributes=campaign_lists.CAMPAIGN_ATTRIBUTES),
        window=Window(paging.offset, paging.size),
    )
    documents = [_show(request, template, redeem_count=redeems) for template, redeems in page.items]
    return Reply(document=documents, headers=paging_headers(paging, page.total))


@route(campaigns, "/v2/{campaign_type}", methods=["POST"], status=201)
def create_campaign(request: PassworksRequest, campaign_type: str) -> Any:
    """With a look of its own, or with one that is there."""
    known_type = check_campaign_type(campaign_type)
    draft = read_campaign(request.root(ROOTS[known_type]))
    _check_certificate(request, draft.options.get("certificate_id"))
    template = campaign_editing.create_campaign(
        request.platform, project_id=request.project_id, campaign_type=known_type, draft=draft
    )
    return _show(request, template, redeem_count=0)


@route(campaigns, _CAMPAIGN, methods=["GET"])
def get_one_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """The whole campaign."""
    return _show(request, get_campaign(request, campaign_type, campaign_id))


@route(campaigns, _CAMPAIGN, methods=["PATCH"])
def update_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Merges fields by key. The root key is the type's own, or `pass` as one client has it."""
    template = get_campaign(request, campaign_type, campaign_id)
    draft = read_campaign(request.root(ROOTS[template.campaign_type], "pass"))
    _check_certificate(request, draft.options.get("certificate_id"))
    return _show(request, campaign_editing.update_campaign(request.platform, template, draft=draft))


@route(campaigns, _CAMPAIGN, methods=["DELETE"])
def delete_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """With its passes and their registrations."""
    known_type, wanted = check_campaign_type(campaign_type), decode(campaign_id)
    try:
        campaign_editing.delete_campaign(
            request.platform, project_id=request.project_id, campaign_type=known_type, campaign_id=wanted
        )
    except NotFound as error:
        raise DeleteRefused("campaign", wanted[:40]) from error
    return {"errors": []}


@route(campaigns, _CAMPAIGN + "/pause", methods=["POST"])
def pause_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """No more passes are issued until it is resumed."""
    return _change_state(request, campaign_type, campaign_id, CampaignState.PAUSED)


@route(campaigns, _CAMPAIGN + "/resume", methods=["POST"])
def resume_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Passes are issued again."""
    return _change_state(request, campaign_type, campaign_id, CampaignState.PUBLISHED)


@route(campaigns, _CAMPAIGN + "/archive", methods=["POST"])
def archive_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """No more passes are issued, for good."""
    return _change_state(request, campaign_type, campaign_id, CampaignState.ARCHIVED)


def _change_state(request: PassworksRequest, campaign_type: str, campaign_id: str, state: CampaignState) -> Any:
    template = get_campaign(request, campaign_type, campaign_id)
    return _show(request, campaign_editing.change_state(request.platform, template, state=state))


@route(campaigns, _CAMPAIGN + "/merge", methods=["POST"])
def merge_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Copies the campaign's content into every pass."""
    template = get_campaign(request, campaign_type, campaign_id)
    message = read_push_message(request)
    ticket = campaign_editing.merge_campaign(request.platform, template, message=message)
    logs.note(ticket_id=None if ticket is None else ticket.ticket_id)
    if ticket is None:
        return _nothing_to_update(template)
    return {"message": f"Started merging {ticket.progress.total} passes for campaign '{template.name}'."}


@route(campaigns, _CAMPAIGN + "/push", methods=["POST"])
def push_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Writes the message, if there is one, to every pass, and pushes to all devices."""
    template = get_campaign(request, campaign_type, campaign_id)
    message = read_push_message(request)
    passes = campaign_editing.push_campaign(request.platform, template, message=message)
    if not passes:
        return _nothing_to_update(template)
    return {"message": f"Started sending {passes} pass push notifications for campaign '{template.name}'."}


def _nothing_to_update(template: Template) -> Any:
    return {"message": f"There are no passes to update for campaing '{template.name}'."}


def read_push_message(request: PassworksRequest) -> str | None:
    """The message of a push or merge, in whichever of its places it stands (section 7); None if there is none.

    Raises:
        InvalidRequest: it is no text, or too long.
    """
    document = request.document
    places = [document, *(document.get(name) for name in (*ROOTS.values(), "pass"))]
    found = [place.get("push_message") for place in places if isinstance(place, dict)]
    message = next((each for each in found if each is not None), None)
    limit = get_settings().limits.value_characters
    if message is not None and (not isinstance(message, str) or len(message) > limit):
        raise InvalidRequest(f"must be a text of at most {limit} characters", field="push_message")
    return message or None


def _check_certificate(request: PassworksRequest, certificate_id: str | None) -> None:
    if certificate_id is not None and get_keyring().get_credentials(request.project_id, certificate_id) is None:
        raise InvalidRequest("is not a certificate of this account", field="certificate_id")


def _show(request: PassworksRequest, template: Template, *, redeem_count: int | None = None) -> Any:
    if redeem_count is None:
        redeem_count = campaign_lists.count_redeems(request.platform, [template])[template.template_id]
    default = get_keyring().get_credentials(request.project_id, None)
    return answers.show_campaign(
        template,
        base_url=request.base_url,
        redeem_count=redeem_count,
        certificate_id=None if default is None else default.certificate_id,
    )
