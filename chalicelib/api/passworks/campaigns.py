"""Campaigns (passworks-v2, sections 6, 7 and 12)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from chalice import Blueprint

from chalicelib import logs
from chalicelib.api.declared import OWN_ROOT, Body
from chalicelib.api.passworks import answers
from chalicelib.api.passworks.campaign_types import check_campaign_type, get_campaign
from chalicelib.api.passworks.contents import read_campaign
from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.filters import filters, read_query
from chalicelib.api.passworks.paging import PAGING, paging_headers, read_paging
from chalicelib.domain import campaign_editing, campaign_lists
from chalicelib.domain.campaigns import CampaignState
from chalicelib.domain.errors import DeleteRefused, InvalidRequest, NotFound
from chalicelib.domain.paging import Window
from chalicelib.domain.templates import Template
from chalicelib.domain.tickets import Ticket
from chalicelib.schemas.passworks import ROOTS
from chalicelib.wiring import get_keyring

if TYPE_CHECKING:
    from chalicelib.schemas.passworks_redeems import PushBody

campaigns = Blueprint(__name__)

_CAMPAIGN = "/v2/{campaign_type}/{campaign_id}"


PUSH = Body(model="passworks_redeems.PushBody", may_be_empty=True)


@route(
    campaigns,
    "/v2/{campaign_type}",
    methods=["GET"],
    query=(*PAGING, filters(campaign_lists.CAMPAIGN_ATTRIBUTES)),
    answer="passworks_answers.CampaignObject[]",
    shares=("paging",),
)
def list_campaigns(request: PassworksRequest, campaign_type: str) -> Any:
    """List campaigns

    One page of the campaigns of a type, the oldest first unless `q[s]` says otherwise.
    """
    paging = read_paging(request)
    page = campaign_lists.list_campaigns(
        request.platform,
        project_id=request.project_id,
        campaign_type=check_campaign_type(campaign_type),
        query=read_query(request),
        window=Window(paging.offset, paging.size),
    )
    documents = [_show(request, template, redeem_count=redeems) for template, redeems in page.items]
    return Reply(document=documents, headers=paging_headers(paging, page.total))


@route(
    campaigns,
    "/v2/{campaign_type}",
    methods=["POST"],
    status=201,
    body=Body(model="passworks.NewCampaignBody", roots=(OWN_ROOT,)),
    answer="passworks_answers.CampaignObject",
    shares=("create",),
    takes_key=True,
)
def create_campaign(request: PassworksRequest, campaign_type: str) -> Any:
    """Create a campaign

    `name` is required, unique among the account's campaigns, and so is either `template_id` or `icon_id`. With a
    `template_id` the campaign looks as that template says; writing colours, images or the barcode's format beside it
    makes a template of its own. The root key is that of the type in the path: `coupon` for `coupons`.
    """
    known_type = check_campaign_type(campaign_type)
    draft = read_campaign(request.read_body(own_root=ROOTS[known_type]))
    _check_certificate(request, draft.options.get("certificate_id"))
    show = partial(_show, request, redeem_count=0)
    return show(
        campaign_editing.create_campaign(
            request.finishing(show), project_id=request.project_id, campaign_type=known_type, draft=draft
        )
    )


@route(campaigns, _CAMPAIGN, methods=["GET"], operation="get_campaign", answer="passworks_answers.CampaignObject")
def get_one_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Get a campaign

    What passes issued from now on show. Those that were issued before may show something else until they are merged.
    """
    return _show(request, get_campaign(request, campaign_type, campaign_id))


@route(
    campaigns,
    _CAMPAIGN,
    methods=["PATCH"],
    body=Body(model="passworks.CampaignBody", roots=(OWN_ROOT, "pass")),
    answer="passworks_answers.CampaignObject",
    refuses=(412,),
    takes_key=True,
)
def update_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Update a campaign

    Only what the body names is changed. Field arrays are merged by `key`: fields that are not sent stay, and an entry
    with a value alone keeps its label; an explicit `[]` empties the group. Passes that were issued before keep what
    they show until the campaign is merged. The root key is the type's own, or `pass`.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    draft = read_campaign(request.read_body(own_root=ROOTS[template.campaign_type]))
    _check_certificate(request, draft.options.get("certificate_id"))
    return _show(request, campaign_editing.update_campaign(request.platform, template, draft=draft))


@route(campaigns, _CAMPAIGN, methods=["DELETE"], answer="passworks_answers.Deleted", refuses=(412,))
def delete_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Delete a campaign

    With its passes and their registrations. 412 if there is no such campaign.
    """
    known_type, wanted = check_campaign_type(campaign_type), decode(campaign_id)
    try:
        campaign_editing.delete_campaign(
            request.platform, project_id=request.project_id, campaign_type=known_type, campaign_id=wanted
        )
    except NotFound as error:
        raise DeleteRefused("campaign", wanted[:40]) from error
    return {"errors": []}


@route(
    campaigns,
    _CAMPAIGN + "/pause",
    methods=["POST"],
    answer="passworks_answers.CampaignObject",
    refuses=(412,),
    takes_key=True,
)
def pause_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Pause a campaign

    No more passes are issued until it is resumed. 412 if it is not published.
    """
    return _change_state(request, campaign_type, campaign_id, CampaignState.PAUSED)


@route(
    campaigns,
    _CAMPAIGN + "/resume",
    methods=["POST"],
    answer="passworks_answers.CampaignObject",
    refuses=(412,),
    takes_key=True,
)
def resume_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Resume a campaign

    Passes are issued again. 412 if it is not paused.
    """
    return _change_state(request, campaign_type, campaign_id, CampaignState.PUBLISHED)


@route(
    campaigns,
    _CAMPAIGN + "/archive",
    methods=["POST"],
    answer="passworks_answers.CampaignObject",
    refuses=(412,),
    takes_key=True,
)
def archive_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Archive a campaign

    No more passes are issued, for good. 412 if it is archived.
    """
    return _change_state(request, campaign_type, campaign_id, CampaignState.ARCHIVED)


def _change_state(request: PassworksRequest, campaign_type: str, campaign_id: str, state: CampaignState) -> Any:
    template = get_campaign(request, campaign_type, campaign_id)
    return _show(request, campaign_editing.change_state(request.platform, template, state=state))


@route(
    campaigns,
    _CAMPAIGN + "/merge",
    methods=["POST"],
    body=PUSH,
    answer="passworks_answers.Message",
    shares=("bulk",),
    takes_key=True,
)
def merge_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Merge a campaign into its passes

    Copies the campaign's content into every pass, then pushes: fixed fields are overwritten, values of dynamic ones are
    kept, locations and beacons are overwritten unless `sync_locations_on_merge` or `sync_beacons_on_merge` is false.
    Answered at once; the work is done afterwards. With a `push_message` devices show it.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    message = read_push_message(request)

    def show(ticket: Ticket) -> Any:
        return {"message": f"Started merging {ticket.progress.total} passes for campaign '{template.name}'."}

    ticket = campaign_editing.merge_campaign(request.finishing(show), template, message=message)
    logs.note(ticket_id=None if ticket is None else ticket.ticket_id)
    return _nothing_to_update(template) if ticket is None else show(ticket)


@route(
    campaigns,
    _CAMPAIGN + "/push",
    methods=["POST"],
    body=PUSH,
    answer="passworks_answers.Message",
    shares=("bulk",),
    takes_key=True,
)
def push_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Push all passes of a campaign

    Writes the message, if there is one, to every pass, where devices show it, and pushes to all devices.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    message = read_push_message(request)

    def show(passes: int) -> Any:
        return {"message": f"Started sending {passes} pass push notifications for campaign '{template.name}'."}

    platform = request.finishing(lambda ticket: show(ticket.progress.total))
    passes = campaign_editing.push_campaign(platform, template, message=message)
    return show(passes) if passes else _nothing_to_update(template)


def _nothing_to_update(template: Template) -> Any:
    return {"message": f"There are no passes to update for campaing '{template.name}'."}


def read_push_message(request: PassworksRequest) -> str | None:
    """The message of a push or merge, in whichever of its places it stands (section 7); None if there is none.

    Raises:
        InvalidRequest: it is no text, or too long.
    """
    body: PushBody = request.read_body()
    return body.push_message or None


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
