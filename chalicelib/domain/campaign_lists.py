"""Lists of campaigns, passes, registrations and redeems, filtered and ordered (passworks-v2, sections 4, 5 and 12).

In its own order, and filtered by what the counters tell apart, a list costs the same on every page. Any other filter
reads all that may match, which a limit bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, TypeVar

from chalicelib.domain.campaigns import LONGEST_CODE_BYTES
from chalicelib.domain.counted_index import (
    Collection,
    Slice,
    count_members,
    locate_page,
    passes_of_template,
    redeems_of_pass,
    redeems_of_template,
    registrations_of_pass,
    registrations_of_template,
)
from chalicelib.domain.errors import InvalidFilter, NotFound
from chalicelib.domain.filtering import Condition, Kind, Predicate, Query, matches, select
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.paging import Page, Window
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.registrations import RegistrationSummary, Wallet
from chalicelib.domain.templates import Template

Item = TypeVar("Item")

PASSES_PER_ROW = 5
"""a pass is read whole to be filtered, and counts as so many rows"""

REGISTRATION_ATTRIBUTES: Mapping[str, Kind] = {
    "id": Kind.UUID,
    "pass_id": Kind.UUID,
    "wallet": Kind.TEXT,
    "device_os": Kind.TEXT,
    "created_at": Kind.PRECISE_TIME,
}
REDEEM_ATTRIBUTES: Mapping[str, Kind] = {
    "id": Kind.UUID,
    "pass_id": Kind.UUID,
    "redeem_code": Kind.TEXT,
    "comment": Kind.TEXT,
    "created_at": Kind.PRECISE_TIME,
}
PASS_ATTRIBUTES: Mapping[str, Kind] = {
    "id": Kind.UUID,
    "serial_number": Kind.UUID,
    "redeem_code": Kind.TEXT,
    "redeemed_count": Kind.NUMBER,
    "voided": Kind.BOOLEAN,
    "expiration_date": Kind.TIME,
    "created_at": Kind.TIME,
    "updated_at": Kind.TIME,
    "email": Kind.TEXT,
}
CAMPAIGN_ATTRIBUTES: Mapping[str, Kind] = {
    "id": Kind.UUID,
    "name": Kind.TEXT,
    "state": Kind.TEXT,
    "redeem_count": Kind.NUMBER,
    "created_at": Kind.TIME,
    "updated_at": Kind.TIME,
}


def get_campaign_or_raise(platform: Platform, *, project_id: int, campaign_type: str, campaign_id: str) -> Template:
    """The template that is that campaign. One call.

    Raises:
        NotFound: unknown, another project's, or of another type (section 12).
    """
    template_id = number_in(campaign_id)
    template = None
    if template_id is not None:
        template = platform.templates.get_template(project_id=project_id, template_id=template_id)
    if template is None or (template.campaign_id, template.campaign_type) != (campaign_id, campaign_type):
        raise NotFound("campaign", campaign_id[:40])
    return template


def get_pass_of_campaign_or_raise(platform: Platform, template: Template, serial_number: str) -> Pass:
    """The pass of a campaign. One call.

    Raises:
        NotFound: unknown, or of another campaign.
    """
    pass_id = number_in(serial_number)
    pass_ = None
    if pass_id is not None:
        pass_ = platform.passes.get_pass(project_id=template.project_id, pass_id=pass_id)
    if pass_ is None or (pass_.serial_number, pass_.template_id) != (serial_number, template.template_id):
        raise NotFound("pass", serial_number[:40])
    return pass_


def list_registrations(
    platform: Platform, template: Template, *, pass_: Pass | None = None, query: Query, window: Window
) -> Page[RegistrationSummary]:
    """The registrations of a campaign, or of one of its passes, oldest first (section 2).

    By wallet, operating system and creation: one call, and one for each segment touched.

    Raises:
        InvalidFilter: too many registrations would have to be read.
    """
    wanted = _take_equal(query, "pass_id")
    if pass_ is None and wanted is not None:
        try:
            pass_ = get_pass_of_campaign_or_raise(platform, template, wanted)
        except NotFound:
            return Page(items=[], total=0)
    collection = registrations_of_pass(pass_.pass_id) if pass_ else registrations_of_template(template.template_id)
    facets, rest = _split_facets(query)

    def read(slices: Sequence[Slice], descending: bool) -> list[RegistrationSummary]:
        return platform.registrations.read_members(collection, slices, facets=facets, descending=descending)

    if pass_ is not None:
        rest = _without(rest, "pass_id", pass_.serial_number)
    return _list_counted(
        platform, collection, facets=facets, query=rest, window=window, read=read, read_attribute=_read_registration
    )


def list_redeems(
    platform: Platform, template: Template, *, pass_: Pass | None = None, query: Query, window: Window
) -> Page[Redeem]:
    """The redeems of a campaign, or of one of its passes, oldest first.

    Raises:
        InvalidFilter: too many redeems would have to be read.
    """
    collection = redeems_of_pass(pass_.pass_id) if pass_ else redeems_of_template(template.template_id)

    def read(slices: Sequence[Slice], descending: bool) -> list[Redeem]:
        return platform.redeems.read_members(collection, slices, descending=descending)

    return _list_counted(
        platform, collection, facets=None, query=query, window=window, read=read, read_attribute=_read_redeem
    )


def list_passes_of_campaign(platform: Platform, template: Template, *, query: Query, window: Window) -> Page[Pass]:
    """The passes of a campaign, oldest first, whole (section 8).

    Raises:
        InvalidFilter: too many passes would have to be read.
    """
    known = _find_directly(platform, template, query)
    if known is not None:
        found = select(known, query=query, read=read_pass)
        return Page(items=found[window.offset : window.offset + window.size], total=len(found))
    collection = passes_of_template(template.template_id)

    def read(slices: Sequence[Slice], descending: bool) -> list[Pass]:
        pass_ids = platform.passes.read_members(collection, slices, facets=None, descending=descending)
        passes = platform.passes.get_passes(pass_ids)
        return [passes[pass_id] for pass_id in pass_ids if pass_id in passes]

    return _list_counted(
        platform,
        collection,
        facets=None,
        query=query,
        window=window,
        read=read,
        read_attribute=read_pass,
        weight=PASSES_PER_ROW,
    )


def list_campaigns(
    platform: Platform, *, project_id: int, campaign_type: str, query: Query, window: Window
) -> Page[tuple[Template, int]]:
    """The campaigns of one type, oldest first, each with its number of redeems. A project has few, so all are read."""
    templates = [
        template
        for template in platform.templates.list_templates(project_id=project_id)
        if template.campaign_type == campaign_type
    ]
    needs_redeems = any(condition.attribute == "redeem_count" for condition in query.conditions) or (
        query.ordering is not None and query.ordering.attribute == "redeem_count"
    )
    redeems = count_redeems(platform, templates) if needs_redeems else {}

    if _is_newest_first(query):
        templates.reverse()

    def read(template: Template, attribute: str) -> Any:
        return _read_campaign(template, attribute, redeems)

    found = select(templates, query=query, read=read)
    page = found[window.offset : window.offset + window.size]
    redeems = redeems or count_redeems(platform, page)
    return Page(items=[(template, redeems[template.template_id]) for template in page], total=len(found))


def _is_newest_first(query: Query) -> bool:
    """Whether rows must be read so, since times are compared in the seconds or milliseconds that clients see."""
    return query.ordering is not None and query.ordering.attribute == "created_at" and query.ordering.descending


def count_redeems(platform: Platform, templates: Sequence[Template]) -> dict[int, int]:
    """How often passes of each template were redeemed. One call a template, side by side."""
    collections = [redeems_of_template(template.template_id) for template in templates]
    totals = platform.counts.count_collections(collections)
    return {template.template_id: total for template, total in zip(templates, totals, strict=True)}


def _list_counted(
    platform: Platform,
    collection: Collection,
    *,
    facets: AbstractSet[str] | None,
    query: Query,
    window: Window,
    read: Callable[[Sequence[Slice], bool], list[Item]],
    read_attribute: Callable[[Item, str], Any],
    weight: int = 1,
) -> Page[Item]:
    counts = platform.counts.read_counts(collection)
    total = count_members(counts, facets)
    ordering = query.ordering
    if query.conditions or (ordering is not None and ordering.attribute != "created_at"):
        if total * weight > platform.bounds.rows_filtered:
            limit = platform.bounds.rows_filtered // weight
            raise InvalidFilter(
                f"{total} rows would have to be read, the limit is {limit}", advice="Narrow the filter."
            )
        descending = _is_newest_first(query)
        slices = locate_page(counts, offset=0, size=total, descending=descending, facets=facets)
        found = select(read(slices, descending), query=query, read=read_attribute)
        return Page(items=found[window.offset : window.offset + window.size], total=len(found))
    descending = _is_newest_first(query)
    slices = locate_page(counts, offset=window.offset, size=window.size, descending=descending, facets=facets)
    return Page(items=read(slices, descending) if slices else [], total=total)


def _split_facets(query: Query) -> tuple[frozenset[str] | None, Query]:
    """Conditions on what the counters tell apart, as wallet ids; and the rest of the query."""
    by_wallet: dict[str, Callable[[Wallet], str]] = {"wallet": str, "device_os": lambda wallet: wallet.device_os}
    counted = [condition for condition in query.conditions if condition.attribute in by_wallet]
    rest = tuple(condition for condition in query.conditions if condition.attribute not in by_wallet)
    if not counted:
        return None, query
    facets = frozenset(
        str(wallet)
        for wallet in Wallet
        if all(matches(condition, by_wallet[condition.attribute](wallet)) for condition in counted)
    )
    return facets, replace(query, conditions=rest)


def _take_equal(query: Query, attribute: str) -> str | None:
    """What one attribute must be equal to, if the query says so."""
    for condition in query.conditions:
        if condition.attribute == attribute and condition.predicate is Predicate.EQ:
            return str(condition.value)
    return None


def _without(query: Query, attribute: str, value: str) -> Query:
    """The query without conditions that hold for every row, since all have this value."""

    def is_open(condition: Condition) -> bool:
        return condition.attribute != attribute or not matches(condition, value)

    return replace(query, conditions=tuple(filter(is_open, query.conditions)))


def _find_directly(platform: Platform, template: Template, query: Query) -> list[Pass] | None:
    """The passes that a query for one id, serial number or code may mean; None if it asks for something else."""
    for attribute in ("id", "serial_number"):
        wanted = _take_equal(query, attribute)
        if wanted is not None:
            try:
                return [get_pass_of_campaign_or_raise(platform, template, wanted)]
            except NotFound:
                return []
    code = _take_equal(query, "redeem_code")
    if code is None:
        return None
    return find_passes_by_code(platform, template, code)


def find_passes_by_code(platform: Platform, template: Template, redeem_code: str) -> list[Pass]:
    """The passes of a campaign with that redeem code: none, one, or several if callers gave a code twice."""
    if not 0 < len(redeem_code.encode()) <= LONGEST_CODE_BYTES:
        return []
    pass_ids = platform.passes.find_by_code(template_id=template.template_id, redeem_code=redeem_code)
    found = [platform.passes.get_pass(project_id=template.project_id, pass_id=pass_id) for pass_id in pass_ids]
    return [pass_ for pass_ in found if pass_ is not None and pass_.redeem_code == redeem_code]


def _read_registration(registration: RegistrationSummary, attribute: str) -> Any:
    return {
        "id": registration.registration_id,
        "pass_id": registration.serial_number,
        "wallet": str(registration.wallet),
        "device_os": registration.wallet.device_os,
        "created_at": registration.created_at,
    }[attribute]


def _read_redeem(redeem: Redeem, attribute: str) -> Any:
    return {
        "id": redeem.redeem_id,
        "pass_id": redeem.serial_number,
        "redeem_code": redeem.redeem_code,
        "comment": redeem.comment,
        "created_at": redeem.created_at,
    }[attribute]


def read_pass(pass_: Pass, attribute: str) -> Any:
    """An attribute that passes can be filtered and ordered by."""
    user_info = pass_.content.lists.get("user_info")
    return {
        "id": pass_.serial_number,
        "serial_number": pass_.serial_number,
        "redeem_code": pass_.redeem_code,
        "redeemed_count": pass_.redeemed_count,
        "voided": pass_.is_voided,
        "expiration_date": pass_.expires_at,
        "created_at": pass_.created_at,
        "updated_at": pass_.updated_at,
        "email": user_info.get("email") if isinstance(user_info, dict) else None,
    }[attribute]


def _read_campaign(template: Template, attribute: str, redeems: Mapping[int, int]) -> Any:
    return {
        "id": template.campaign_id,
        "name": template.name,
        "state": str(template.campaign.state),
        "redeem_count": redeems.get(template.template_id, 0),
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }[attribute]
