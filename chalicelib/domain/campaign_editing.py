"""Creating, changing, stopping and deleting campaigns (passworks-v2, sections 6, 7 and 12)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.domain.bulk_updates import start_campaign_update
from chalicelib.domain.campaign_drafts import (
    CampaignDraft,
    is_same_look,
    look_of,
    merge_update,
    push_message_update,
    with_look,
    write_into,
)
from chalicelib.domain.campaign_lists import get_campaign_or_raise
from chalicelib.domain.campaign_passes import check_distance
from chalicelib.domain.campaigns import CampaignOptions, CampaignState, CodeType
from chalicelib.domain.content import Content, ContentUpdate
from chalicelib.domain.counted_index import Collection, count_members, passes_of_template
from chalicelib.domain.errors import AlreadyExists, Busy, InvalidRequest, NotFound, Refused, StateRefused
from chalicelib.domain.look_editing import check_images, create_look_for_campaign, get_look_or_raise
from chalicelib.domain.looks import Look
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.sweeping import sweep_collection
from chalicelib.domain.template_editing import change_template, create_template
from chalicelib.domain.templates import APPLE, CAMPAIGN_TYPES, STYLES, Template, TemplateDraft, TemplateReference
from chalicelib.domain.tickets import Ticket
from chalicelib.domain.updating import number_locations

PROJECT_TYPES = {
    "boarding_passes": "boardingPass",
    "coupons": "coupon",
    "event_tickets": "eventTicket",
    "generics": "generic",
    "store_cards": "loyalty",
}
"""campaign type to Airship project type"""

APPLE_TYPES = {campaign: name for (vendor, name), campaign in CAMPAIGN_TYPES.items() if vendor == APPLE}
"""campaign type to Airship template type"""

TRANSIT_TYPES = ("air", "boat", "train", "bus", "generic")

PASSES_DELETED_AT_ONCE = 100
"""up to so many, a campaign's passes are gone when its deletion is answered; more are left to the sweep"""

_STATE_WORDS = {
    CampaignState.PAUSED: ("pause", "pause"),
    CampaignState.PUBLISHED: ("resume", "publish"),
    CampaignState.ARCHIVED: ("archive", "archive"),
}
"""state to what leads there, and to how a refusal names it (section 3)"""

_log = logging.getLogger("passel")


def create_campaign(platform: Platform, *, project_id: int, campaign_type: str, draft: CampaignDraft) -> Template:
    """Stores a campaign with the look that it names, or with one of its own.

    Raises:
        InvalidRequest: the name is missing or taken; there is neither look nor icon; a rule of its type is broken.
        Busy
    """
    name = _check_name(platform, project_id=project_id, name=draft.name)
    base, look_id = Content(lists={"style": STYLES[campaign_type]}), draft.look_id
    if look_id is not None:
        base = _get_look_content(platform, project_id=project_id, look_id=look_id, campaign_type=campaign_type)
    content = _number(write_into(base, draft.content))
    _check_content(platform, content, project_id=project_id, campaign_type=campaign_type)
    if look_id is None and not content.lists.get("icon_id"):
        raise InvalidRequest("can't be blank, unless there is a template_id", field="icon_id")
    options = _change_options(CampaignOptions(codes_in_barcodes=True, has_unique_name=True), draft.options)

    def create(own: Look | None) -> Template:
        return create_template(
            platform,
            project_id=project_id,
            draft=TemplateDraft(
                name=name,
                description=draft.description or "",
                vendor=APPLE,
                type=APPLE_TYPES[campaign_type],
                project_type=PROJECT_TYPES[campaign_type],
                content=content,
                campaign=replace(options, look_id=own.look_id if own else look_id),
            ),
            external_id=None,
        )

    if look_id is not None and is_same_look(base, content):
        return _with_look_still_there(platform, create(None), look_id=look_id)
    style = STYLES[campaign_type]
    return _with_own_look(
        platform, project_id=project_id, campaign_name=name, style=style, content=content, write=create
    )


def _with_look_still_there(platform: Platform, template: Template, *, look_id: str) -> Template:
    """A new campaign whose look was not deleted meanwhile, else it goes again.

    Whoever deletes a look counts its users once more after that: of two at least one notices the other.
    """
    try:
        get_look_or_raise(platform, project_id=template.project_id, look_id=look_id)
    except NotFound as error:
        retry_conflicts(
            lambda: platform.templates.delete_template(template, with_passes=True),
            budget_seconds=platform.bounds.budget_seconds,
        )
        platform.withdraw()
        raise InvalidRequest("is not a template of this account", field="template_id") from error
    return template


def _with_own_look(
    platform: Platform,
    *,
    project_id: int,
    campaign_name: str,
    style: str,
    content: Content,
    write: Callable[[Look], Template],
) -> Template:
    """What `write` stores with a new look. If it is refused after all, the look goes again."""
    look = create_look_for_campaign(
        platform, project_id=project_id, campaign_name=campaign_name, style=style, content=look_of(content)
    )
    try:
        return write(look)
    except Refused:
        platform.looks.delete_look(look)
        raise


def update_campaign(platform: Platform, template: Template, *, draft: CampaignDraft) -> Template:
    """Merges changes into a campaign, fields by key. Passes issued before keep what they show until a merge.

    Raises:
        InvalidRequest: the new name is taken, or a rule of its type is broken.
        NotFound, Busy
    """
    project_id, campaign_type = template.project_id, template.campaign_type
    name = template.name
    if draft.name is not None and draft.name != template.name:
        name = _check_name(platform, project_id=project_id, name=draft.name)
    look = None
    if draft.look_id is not None:
        look = _get_look_content(platform, project_id=project_id, look_id=draft.look_id, campaign_type=campaign_type)

    def rebase(current: Template) -> Content:
        return current.content if look is None else with_look(current.content, look)

    def rewrite(current: Template) -> Content:
        return _number(write_into(rebase(current), draft.content))

    def write(own: Look | None) -> Template:
        def change(current: Template) -> Template:
            options = _change_options(current.campaign, draft.options)
            return replace(
                current,
                name=name if name != template.name else current.name,
                description=current.description if draft.description is None else draft.description,
                content=rewrite(current),
                campaign=replace(
                    options,
                    look_id=own.look_id if own else draft.look_id or options.look_id,
                    has_unique_name=options.has_unique_name or name != template.name,
                ),
            )

        reference = TemplateReference(template_id=template.template_id)
        return change_template(platform, project_id=project_id, reference=reference, change=change)

    content = rewrite(template)
    _check_update(platform, template, draft, content)
    if not content.lists.get("icon_id") or is_same_look(rebase(template), content):
        return write(None)
    style = STYLES[campaign_type]
    return _with_own_look(
        platform, project_id=project_id, campaign_name=name, style=style, content=content, write=write
    )


def change_state(platform: Platform, template: Template, *, state: CampaignState) -> Template:
    """Pauses, resumes or archives a campaign.

    Raises:
        StateRefused: it is archived, or it is in that state already (section 12).
        NotFound, Busy
    """
    verb, target = _STATE_WORDS[state]

    def change(current: Template) -> Template:
        before = current.campaign.state
        if before in (CampaignState.ARCHIVED, state):
            raise StateRefused(f"Can't {verb} from {before} to {target}")
        return replace(current, campaign=replace(current.campaign, state=state))

    reference = TemplateReference(template_id=template.template_id)
    return change_template(platform, project_id=template.project_id, reference=reference, change=change)


def delete_campaign(platform: Platform, *, project_id: int, campaign_type: str, campaign_id: str) -> None:
    """Removes a campaign, its passes and their registrations. It is gone at once; of many passes a worker takes care.

    Raises:
        NotFound, Busy
    """

    def attempt() -> Template:
        template = get_campaign_or_raise(
            platform, project_id=project_id, campaign_type=campaign_type, campaign_id=campaign_id
        )
        platform.templates.delete_template(template, with_passes=True)
        return template

    template = retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
    _remove_passes(platform, passes_of_template(template.template_id))


def _remove_passes(platform: Platform, collection: Collection) -> None:
    """The campaign is deleted by now and its passes are noted for the sweep, so nothing that fails here is lost."""
    try:
        if count_members(platform.counts.read_counts(collection)) <= PASSES_DELETED_AT_ONCE:
            sweep_collection(platform, key=collection.key)
        # once more later, for passes that were issued meanwhile
        platform.queues.send_sweep(collection=collection)
    except Busy as error:
        _log.warning("the passes of %s are left to the next sweep: %r", collection.key, error)


def merge_campaign(platform: Platform, template: Template, *, message: str | None) -> Ticket | None:
    """Writes a campaign's content to all its passes; None if it has no pass (section 7).

    Raises:
        InvalidRequest, Busy
    """
    return _update_passes(platform, template, merge_update(template, message=message))


def push_campaign(platform: Platform, template: Template, *, message: str | None) -> int:
    """Writes a message to all passes of a campaign, pushes to whoever holds them, and returns how many there are.

    Without a message nothing is written: their devices are asked to fetch what changed unannounced.

    Raises:
        InvalidRequest, Busy
    """
    ticket = _update_passes(platform, template, ContentUpdate(fields=push_message_update(message)))
    return 0 if ticket is None else ticket.progress.total


def _update_passes(platform: Platform, template: Template, update: ContentUpdate) -> Ticket | None:
    if not count_members(platform.counts.read_counts(passes_of_template(template.template_id))):
        return None
    return start_campaign_update(platform, template=template, update=update)


def _check_name(platform: Platform, *, project_id: int, name: str | None) -> str:
    """Early, for a clear answer; the transaction that stores it decides between two at the same time."""
    if name is None or not name.strip():
        raise InvalidRequest("can't be blank", field="name")
    if any(header.name == name for header in platform.templates.list_headers(project_id=project_id)):
        raise AlreadyExists("is taken", field="name")
    return name


def _get_look_content(platform: Platform, *, project_id: int, look_id: str, campaign_type: str) -> Content:
    try:
        look = get_look_or_raise(platform, project_id=project_id, look_id=look_id)
    except NotFound as error:
        raise InvalidRequest("is not a template of this account", field="template_id") from error
    if look.style != STYLES[campaign_type]:
        raise InvalidRequest(f"is a template for {look.style}, not for {STYLES[campaign_type]}", field="template_id")
    return look.content


def _number(content: Content) -> Content:
    """Locations with ids; a template's are numbered as those of a pass at its creation."""
    update = number_locations(ContentUpdate(lists=content.lists), ticket_id=0)
    return replace(content, lists=dict(update.lists))


def _check_update(platform: Platform, template: Template, draft: CampaignDraft, content: Content) -> None:
    """What holds for changes beyond the rules of any content."""
    before = template.content.lists
    if before.get("transit_type") is None and "transit_type" not in draft.content.parts:
        # a boarding pass of the other dialect has none, and is shown as generic
        content = replace(content, lists={**content.lists, "transit_type": "generic"})
    _check_content(platform, content, project_id=template.project_id, campaign_type=template.campaign_type)
    if before.get("icon_id") and not content.lists.get("icon_id"):
        raise InvalidRequest("can't be blank", field="icon_id")
    code_type = draft.options.get("code_type", template.campaign.code_type)
    if (code_type == CodeType.PER_PASS) != (template.campaign.code_type is CodeType.PER_PASS) and count_members(
        platform.counts.read_counts(passes_of_template(template.template_id))
    ):
        raise InvalidRequest("can't change to or from per_pass once there are passes", field="code_type")


def _check_content(platform: Platform, content: Content, *, project_id: int, campaign_type: str) -> None:
    check_images(platform, project_id=project_id, content=content)
    lists = content.lists
    if len(lists.get("locations") or ()) > platform.bounds.locations:
        raise InvalidRequest(f"has more than {platform.bounds.locations} entries", field="locations")
    if campaign_type == "boarding_passes" and lists.get("transit_type") not in TRANSIT_TYPES:
        raise InvalidRequest(f"must be one of {', '.join(TRANSIT_TYPES)}", field="transit_type")
    if campaign_type == "event_tickets" and lists.get("background_id") and lists.get("strip_id"):
        raise InvalidRequest("can't be used together with strip_id", field="background_id")
    check_distance(content, campaign_type=campaign_type)


def _change_options(options: CampaignOptions, changes: Mapping[str, Any]) -> CampaignOptions:
    changed = replace(options, **changes)
    if changed.code_type == "fixed" and not changed.code_fixed_value:
        raise InvalidRequest("can't be blank with code_type fixed", field="code_fixed_value")
    return changed
