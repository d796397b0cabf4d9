"""Passes of a campaign (passworks-v2, sections 7, 8 and 12)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from chalice import Blueprint

from chalicelib.api.declared import OWN_ROOT, Body
from chalicelib.api.passworks import answers
from chalicelib.api.passworks.campaign_types import get_campaign, get_pass
from chalicelib.api.passworks.campaigns import PUSH, read_push_message
from chalicelib.api.passworks.contents import read_pass
from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.filters import filters, read_query
from chalicelib.api.passworks.paging import PAGING, paging_headers, read_paging
from chalicelib.domain import campaign_lists, campaign_passes, issuing, redeeming
from chalicelib.domain.errors import DeleteRefused, NotFound
from chalicelib.domain.paging import Window
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.templates import Template
from chalicelib.schemas.passworks import ROOTS

if TYPE_CHECKING:
    from chalicelib.schemas.passworks import PassSwitches, UpdatePassBody
    from chalicelib.schemas.passworks_redeems import RedeemBody, RedeemByCodeBody

campaign_pass_routes = Blueprint(__name__)

_PASSES = "/v2/{campaign_type}/{campaign_id}/passes"
_PASS = _PASSES + "/{pass_id}"
_CAMPAIGN_REDEEM = "/v2/{campaign_type}/{campaign_id}/redeem"


@route(
    campaign_pass_routes,
    _PASSES,
    methods=["GET"],
    query=(*PAGING, filters(campaign_lists.PASS_ATTRIBUTES)),
    answer="passworks_answers.PassObject[]",
    shares=("paging",),
)
def list_passes_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """List the passes of a campaign

    One page, the oldest first unless `q[s]` says otherwise. `email` filters by `user_info.email`.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    paging = read_paging(request)
    page = campaign_lists.list_passes_of_campaign(
        request.platform,
        template,
        query=read_query(request),
        window=Window(paging.offset, paging.size),
    )
    documents = [answers.show_pass(pass_, template, base_url=request.base_url) for pass_ in page.items]
    return Reply(document=documents, headers=paging_headers(paging, page.total))


@route(
    campaign_pass_routes,
    _PASSES,
    methods=["POST"],
    status=201,
    body=Body(model="passworks.PassBody", roots=("pass", OWN_ROOT), may_be_empty=True),
    answer="passworks_answers.PassObject",
    shares=("create",),
    refuses=(412,),
    takes_key=True,
)
def create_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Create a pass

    From the campaign, with what the body overrides; no body is needed. Fields match those of the campaign by `key`. A
    campaign with codes `per_pass` needs `barcode.message`, of at most 1,024 bytes. 412 while the campaign is paused or
    archived.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    draft = read_pass(request.read_body(own_root=ROOTS[template.campaign_type]))
    show = _shower(request, template)
    return show(campaign_passes.create_pass_of_campaign(request.finishing(show), template, draft=draft))


def _shower(request: PassworksRequest, template: Template) -> Callable[[Pass], Any]:
    """What shows a pass of a campaign."""
    return partial(answers.show_pass, template=template, base_url=request.base_url)


@route(campaign_pass_routes, _PASS, methods=["GET"], answer="passworks_answers.PassObject")
def get_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Get a pass of a campaign

    Everything that the pass shows, its addresses, and whether and how often it was redeemed.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    return answers.show_pass(get_pass(request, template, pass_id), template, base_url=request.base_url)


@route(
    campaign_pass_routes,
    _PASS,
    methods=["PATCH", "POST"],
    body=Body(model="passworks.UpdatePassBody", roots=("pass", OWN_ROOT), beside="passworks.PassSwitches"),
    answer="passworks_answers.PassObject",
    shares=("pass update",),
    takes_key=True,
)
def update_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Update a pass of a campaign

    Merged with what the pass shows; with `merge` false, with what the campaign shows now. Devices that hold the pass
    are pushed, unless `push` is false: then they see the change when they ask by themselves. The two switches stand
    inside the root key or beside it.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = get_pass(request, template, pass_id)
    body: UpdatePassBody = request.read_body(own_root=ROOTS[template.campaign_type])
    changed = campaign_passes.update_pass_of_campaign(
        request.platform,
        template,
        pass_,
        draft=read_pass(body),
        restart=not _read_switch(request, body, "merge"),
        announced=_read_switch(request, body, "push"),
        expect=request.expectation(_shower(request, template)),
    )
    return answers.show_pass(changed, template, base_url=request.base_url)


def _read_switch(request: PassworksRequest, body: UpdatePassBody, name: str) -> bool:
    """A switch that stands inside the pass or beside it (section 8); on if it stands nowhere."""
    switches: PassSwitches = body if name in body.model_fields_set else request.read_beside()
    value: bool | None = getattr(switches, name)
    return True if value is None else value


@route(
    campaign_pass_routes,
    _PASS,
    methods=["DELETE"],
    answer="passworks_answers.Deleted",
    shares=("pass update",),
    refuses=(412,),
)
def delete_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Delete a pass of a campaign

    With its registrations. 412 if the campaign has no such pass.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    try:
        pass_ = get_pass(request, template, pass_id)
        reference = PassReference(pass_id=pass_.pass_id)
        expect = request.expectation(_shower(request, template))
        issuing.delete_pass(request.platform, project_id=request.project_id, reference=reference, expect=expect)
    except NotFound as error:
        raise DeleteRefused("pass", decode(pass_id)[:40]) from error
    return {"errors": []}


@route(
    campaign_pass_routes,
    _PASS + "/push",
    methods=["POST"],
    body=PUSH,
    answer="passworks_answers.Message",
    shares=("pass update",),
    takes_key=True,
)
def push_pass(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Push a pass

    Writes the message, if there is one, to the pass, where devices show it, and pushes to its devices.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = get_pass(request, template, pass_id)
    answer = {
        "message": f"push notifications sent for pass with id: {pass_.serial_number} on campaign '{template.name}'"
    }
    message, expect = read_push_message(request), request.expectation(_shower(request, template))
    campaign_passes.push_pass(request.finishing(lambda _: answer), pass_, message=message, expect=expect)
    return answer


@route(
    campaign_pass_routes,
    _PASS + "/redeem",
    methods=["POST"],
    body=Body(model="passworks_redeems.RedeemBody", roots=("pass", OWN_ROOT), may_be_empty=True),
    answer="passworks_answers.PassObject",
    shares=("redeem", "pass update"),
    refuses=(412,),
    takes_key=True,
)
def redeem_pass(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Redeem a pass

    Counts it, and voids the pass unless the campaign has `allow_multiple_redeems`. 412 if it is voided already.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    body: RedeemBody = request.read_body(own_root=ROOTS[template.campaign_type])
    return _redeem(request, template, serial_number=decode(pass_id), comment=body.comment or None)


def _redeem(request: PassworksRequest, template: Template, *, serial_number: str, comment: str | None) -> Any:
    show = _shower(request, template)
    return show(
        redeeming.redeem_pass(
            request.finishing(show),
            template,
            serial_number=serial_number,
            comment=comment,
            expect=request.expectation(show),
        )
    )


@route(
    campaign_pass_routes,
    _PASS + "/reset_redeem",
    methods=["POST"],
    answer="passworks_answers.PassObject",
    shares=("pass update",),
    takes_key=True,
)
def reset_redeem(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Make a pass redeemable again

    What was counted stays. A pass that is not voided stays as it is.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    expect = request.expectation(_shower(request, template))
    pass_ = redeeming.reset_redeem(request.platform, template, get_pass(request, template, pass_id), expect=expect)
    return answers.show_pass(pass_, template, base_url=request.base_url)


@route(
    campaign_pass_routes,
    _CAMPAIGN_REDEEM,
    methods=["POST"],
    body=Body(model="passworks_redeems.RedeemByCodeBody", roots=("pass", OWN_ROOT)),
    answer="passworks_answers.PassObject",
    shares=("redeem", "pass update"),
    refuses=(412,),
    takes_key=True,
)
def redeem_by_code(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Redeem the pass with a code

    As by its id. 404 if no pass of the campaign has the code.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    body: RedeemByCodeBody = request.read_body(own_root=ROOTS[template.campaign_type])
    found = redeeming.get_pass_by_code_or_raise(request.platform, template, body.redeem_code)
    return _redeem(request, template, serial_number=found.serial_number, comment=body.comment or None)


@route(
    campaign_pass_routes,
    _CAMPAIGN_REDEEM + "/{redeem_code}",
    methods=["GET"],
    answer="passworks_answers.PassObject",
    refuses=(412,),
)
def get_pass_by_code(request: PassworksRequest, campaign_type: str, campaign_id: str, redeem_code: str) -> Any:
    """Find the pass with a code

    412 if callers gave the code to several passes.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = redeeming.get_pass_by_code_or_raise(request.platform, template, decode(redeem_code))
    return answers.show_pass(pass_, template, base_url=request.base_url)
