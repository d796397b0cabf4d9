"""Passes of a campaign (passworks-v2, sections 7, 8 and 12)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.passworks import answers
from chalicelib.api.passworks.campaign_types import get_campaign, get_pass
from chalicelib.api.passworks.campaigns import read_push_message
from chalicelib.api.passworks.contents import read_pass
from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.filters import read_query
from chalicelib.api.passworks.paging import paging_headers, read_paging
from chalicelib.domain import campaign_lists, campaign_passes, issuing, redeeming
from chalicelib.domain.errors import DeleteRefused, InvalidRequest, NotFound
from chalicelib.domain.paging import Window
from chalicelib.domain.passes import PassReference
from chalicelib.schemas.passworks import ROOTS
from chalicelib.settings import get_settings

campaign_pass_routes = Blueprint(__name__)

_PASSES = "/v2/{campaign_type}/{campaign_id}/passes"
_PASS = _PASSES + "/{pass_id}"
_CAMPAIGN_REDEEM = "/v2/{campaign_type}/{campaign_id}/redeem"


@route(campaign_pass_routes, _PASSES, methods=["GET"])
def list_passes_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """One page of the passes of a campaign."""
    template = get_campaign(request, campaign_type, campaign_id)
    paging = read_paging(request)
    page = campaign_lists.list_passes_of_campaign(
        request.platform,
        template,
        query=read_query(request, attributes=campaign_lists.PASS_ATTRIBUTES),
        window=Window(paging.offset, paging.size),
    )
    documents = [answers.show_pass(pass_, template, base_url=request.base_url) for pass_ in page.items]
    return Reply(document=documents, headers=paging_headers(paging, page.total))


@route(campaign_pass_routes, _PASSES, methods=["POST"], status=201)
def create_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """From the campaign, with what the body overrides; a body is not needed."""
    template = get_campaign(request, campaign_type, campaign_id)
    draft = read_pass(request.root("pass", ROOTS[template.campaign_type], optional=True))
    pass_ = campaign_passes.create_pass_of_campaign(request.platform, template, draft=draft)
    return answers.show_pass(pass_, template, base_url=request.base_url)


@route(campaign_pass_routes, _PASS, methods=["GET"])
def get_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """The whole pass."""
    template = get_campaign(request, campaign_type, campaign_id)
    return answers.show_pass(get_pass(request, template, pass_id), template, base_url=request.base_url)


@route(campaign_pass_routes, _PASS, methods=["PATCH", "POST"])
def update_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Merged with what the pass shows; with `merge` false, with what the campaign shows now."""
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = get_pass(request, template, pass_id)
    body = request.root("pass", ROOTS[template.campaign_type])
    changed = campaign_passes.update_pass_of_campaign(
        request.platform,
        template,
        pass_,
        draft=read_pass(body),
        restart=not _read_switch(request, body, "merge", default=True),
        announced=_read_switch(request, body, "push", default=True),
    )
    return answers.show_pass(changed, template, base_url=request.base_url)


def _read_switch(request: PassworksRequest, body: dict[str, Any], name: str, *, default: bool) -> bool:
    """A switch that stands inside the pass or beside it (section 8)."""
    value = body.get(name, request.document.get(name))
    if value is None:
        return default
    known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
    if not isinstance(value, bool | str | int) or value not in known:
        raise InvalidRequest("must be true or false", field=name)
    return known[value]


@route(campaign_pass_routes, _PASS, methods=["DELETE"])
def delete_pass_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """With its registrations."""
    template = get_campaign(request, campaign_type, campaign_id)
    try:
        pass_ = get_pass(request, template, pass_id)
        reference = PassReference(pass_id=pass_.pass_id)
        issuing.delete_pass(request.platform, project_id=request.project_id, reference=reference)
    except NotFound as error:
        raise DeleteRefused("pass", decode(pass_id)[:40]) from error
    return {"errors": []}


@route(campaign_pass_routes, _PASS + "/push", methods=["POST"])
def push_pass(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Writes the message, if there is one, to the pass, and pushes to its devices."""
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = get_pass(request, template, pass_id)
    campaign_passes.push_pass(request.platform, pass_, message=read_push_message(request))
    return {"message": f"push notifications sent for pass with id: {pass_.serial_number} on campaign '{template.name}'"}


@route(campaign_pass_routes, _PASS + "/redeem", methods=["POST"])
def redeem_pass(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Redeems the pass; a comment is optional."""
    template = get_campaign(request, campaign_type, campaign_id)
    body = request.root("pass", ROOTS[template.campaign_type], optional=True)
    pass_ = redeeming.redeem_pass(
        request.platform, template, serial_number=decode(pass_id), comment=_read_comment(body)
    )
    return answers.show_pass(pass_, template, base_url=request.base_url)


@route(campaign_pass_routes, _PASS + "/reset_redeem", methods=["POST"])
def reset_redeem(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """Makes the pass redeemable again."""
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = redeeming.reset_redeem(request.platform, template, get_pass(request, template, pass_id))
    return answers.show_pass(pass_, template, base_url=request.base_url)


@route(campaign_pass_routes, _CAMPAIGN_REDEEM, methods=["POST"])
def redeem_by_code(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Redeems the pass with a code."""
    template = get_campaign(request, campaign_type, campaign_id)
    body = request.root("pass", ROOTS[template.campaign_type])
    code = body.get("redeem_code")
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    if not isinstance(code, str) or not code:
        raise InvalidRequest("can't be blank", field="redeem_code")
    found = redeeming.get_pass_by_code_or_raise(request.platform, template, code)
    pass_ = redeeming.redeem_pass(
        request.platform, template, serial_number=found.serial_number, comment=_read_comment(body)
    )
    return answers.show_pass(pass_, template, base_url=request.base_url)


@route(campaign_pass_routes, _CAMPAIGN_REDEEM + "/{redeem_code}", methods=["GET"])
def get_pass_by_code(request: PassworksRequest, campaign_type: str, campaign_id: str, redeem_code: str) -> Any:
    """The pass with a code."""
    template = get_campaign(request, campaign_type, campaign_id)
    pass_ = redeeming.get_pass_by_code_or_raise(request.platform, template, decode(redeem_code))
    return answers.show_pass(pass_, template, base_url=request.base_url)


def _read_comment(body: dict[str, Any]) -> str | None:
    comment, limit = body.get("comment"), get_settings().limits.redeem_comment_characters
    if comment is not None and (not isinstance(comment, str) or len(comment) > limit):
        raise InvalidRequest(f"must be a text of at most {limit} characters", field="comment")
    return comment or None
