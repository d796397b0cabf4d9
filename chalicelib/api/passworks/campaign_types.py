"""What a path names: the type of a campaign, the campaign, and a pass of it (passworks-v2, sections 2, 6 and 12)."""

from __future__ import annotations

from chalicelib.api.passworks.entry import PassworksRequest, decode
from chalicelib.domain.campaign_lists import get_campaign_or_raise, get_pass_of_campaign_or_raise
from chalicelib.domain.errors import NotFound
from chalicelib.domain.passes import Pass
from chalicelib.domain.templates import STYLES, Template

ALIASES = {"event_tickers": "event_tickets"}
"""printed so on the registrations page alone, which is where it is accepted (section 2)"""

_LARGEST_ECHO_CHARACTERS = 40


def check_campaign_type(segment: str, *, alias: bool = False) -> str:
    """The campaign type that a path segment names; `alias` lets the misprint of the registrations page through.

    Raises:
        NotFound: there is no such type.
    """
    name = decode(segment)
    if alias:
        name = ALIASES.get(name, name)
    if name not in STYLES:
        raise NotFound("campaign type", name[:_LARGEST_ECHO_CHARACTERS])
    return name


def get_campaign(request: PassworksRequest, campaign_type: str, campaign_id: str, alias: bool = False) -> Template:
    """The account's campaign that two path segments name. One call.

    Raises:
        NotFound: unknown, another account's, or of another type.
    """
    return get_campaign_or_raise(
        request.platform,
        project_id=request.project_id,
        campaign_type=check_campaign_type(campaign_type, alias=alias),
        campaign_id=decode(campaign_id),
    )


def get_pass(request: PassworksRequest, template: Template, pass_id: str) -> Pass:
    """The pass of a campaign that a path segment names. One call.

    Raises:
        NotFound: unknown, or of another campaign.
    """
    return get_pass_of_campaign_or_raise(request.platform, template, decode(pass_id))
