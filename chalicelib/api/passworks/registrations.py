"""Passes that are in a wallet now, one row for each device (passworks-v2, sections 2, 4 and 5)."""

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
from chalicelib.domain.registrations import RegistrationSummary
from chalicelib.domain.templates import Template

registrations = Blueprint(__name__)

_LIST: Says = {
    "query": (*PAGING, filters(campaign_lists.REGISTRATION_ATTRIBUTES)),
    "answer": "passworks_answers.RegistrationObject[]",
    "shares": ("paging",),
    "names": {"campaign_type": "campaign_type_or_alias"},
}


@route(registrations, "/v2/{campaign_type}/{campaign_id}/registrations", methods=["GET"], **_LIST)
def list_registrations_of_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """List the registrations of a campaign

    One page, the oldest first unless `q[s]` says otherwise. A registration is one pass
    in one wallet on one device now: removing the pass ends it.
    """
    return _list(request, get_campaign(request, campaign_type, campaign_id, alias=True))


@route(
    registrations,
    "/v2/{campaign_type}/{campaign_id}/passes/{pass_id}/registrations",
    methods=["GET"],
    **_LIST,
)
def list_registrations_of_pass(request: PassworksRequest, campaign_type: str, campaign_id: str, pass_id: str) -> Any:
    """List the registrations of a pass

    One page, the oldest first unless `q[s]` says otherwise.
    """
    template = get_campaign(request, campaign_type, campaign_id, alias=True)
    return _list(request, template, pass_=get_pass(request, template, pass_id))


def _list(request: PassworksRequest, template: Template, *, pass_: Pass | None = None) -> Reply:
    paging = read_paging(request)
    page = campaign_lists.list_registrations(
        request.platform,
        template,
        pass_=pass_,
        query=read_query(request),
        window=Window(offset=paging.offset, size=paging.size),
    )
    return Reply(document=[_show(row) for row in page.items], headers=paging_headers(paging, page.total))


def _show(registration: RegistrationSummary) -> dict[str, Any]:
    """Exactly the five documented keys: nothing here may tell one device from another."""
    return {
        "id": registration.registration_id,
        "pass_id": registration.serial_number,
        "wallet": str(registration.wallet),
        "device_os": registration.wallet.device_os,
        "created_at": show(Kind.PRECISE_TIME, registration.created_at),
    }
