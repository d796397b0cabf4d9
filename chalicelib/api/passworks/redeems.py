"""Uses of passes at a till (passworks-v2, sections 5 and 12)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.declared import Says
from chalicelib.api.passworks.campaign_types import get_campaign, get_pass
from chalicelib.api.passworks.entry import PassworksRequest, Reply, route
from chalicelib.api.passworks.filters import filters, read_query
from chalicelib.api.passworks.paging import PAGING, paging_headers, read_paging
from chalicelib.domain import campaign_lists
from chalicelib.domain.filtering import Kind, show
from chalicelib.domain.paging import Window
from chalicelib.domain.passes import Pass
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.templates import Template

redeems = Blueprint(__name__)

_LIST: Says = {
    "query": (*PAGING, filters(campaign_lists.REDEEM_ATTRIBUTES)),
    "answer": "passworks_answers.RedeemObject[]",
    "shares": ("paging",),
}


@route(redeems, "/v2/{campaign_type}/{campaign_id}/redeems", methods=["GET"], **_LIST)
def list_redeems_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """List the redeems of a campaign

    One page, the oldest first unless `q[s]` says otherwise.
    """
    return _list(request, get_campaign(request, campaign_type, campaign_id))


@route(redeems, "/v2/{campaign_type}/{campaign_id}/passes/{pass_id}/redeems", methods=["GET"], **_LIST)
def list_redeems_of_pass(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """List the redeems of a pass

    One page, the oldest first unless `q[s]` says otherwise.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    return _list(request, template, pass_=get_pass(request, template, pass_id))


def _list(request: PassworksRequest, template: Template, *, pass_: Pass | None = None) -> Reply:
    paging = read_paging(request)
    page = campaign_lists.list_redeems(
        request.platform,
        template,
        pass_=pass_,
        query=read_query(request),
        window=Window(offset=paging.offset, size=paging.size),
    )
    return Reply(document=[_show(row) for row in page.items], headers=paging_headers(paging, page.total))


def _show(redeem: Redeem) -> dict[str, Any]:
    return {
        "id": redeem.redeem_id,
        "pass_id": redeem.serial_number,
        "redeem_code": redeem.redeem_code,
        "comment": redeem.comment,
        "created_at": show(Kind.PRECISE_TIME, redeem.created_at),
    }
