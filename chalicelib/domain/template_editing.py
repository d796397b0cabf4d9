"""Creating, changing and deleting templates (airship-wallet-v1, section 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.domain.assets import prefer_headers
from chalicelib.domain.campaign_drafts import is_same_look, look_of
from chalicelib.domain.campaigns import CampaignOptions, CampaignState
from chalicelib.domain.content import Content, Entry, check_content_size
from chalicelib.domain.counted_index import count_members, passes_of_template
from chalicelib.domain.errors import InUse, InvalidRequest, Refused
from chalicelib.domain.finding import get_template_or_raise
from chalicelib.domain.look_editing import create_look_for_campaign
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.templates import Template, TemplateDraft, TemplateReference
from chalicelib.domain.updating import Location, take_ticket, with_location_ids, without_location


def create_template(platform: Platform, *, project_id: int, draft: TemplateDraft, external_id: str | None) -> Template:
    """Stores a new template.

    Raises:
        AlreadyExists: the external id is taken in the project.
        InvalidRequest, Busy
    """
    check_content_size(draft.content, of="template", maximum_bytes=platform.bounds.content_bytes)
    template_id, created_at = platform.sequences.next_values(name="templates", count=1, now=platform.now())
    template = Template(
        template_id=template_id,
        project_id=project_id,
        campaign_id=platform.new_uuid(template_id),
        external_id=external_id,
        name=draft.name,
        description=draft.description,
        type=draft.type,
        project_type=draft.project_type,
        vendor=draft.vendor,
        content=draft.content,
        created_at=created_at,
        updated_at=created_at,
        revision=1,
        campaign=draft.campaign or CampaignOptions(),
    )
    receipt = platform.receipt_for(template)
    retry_conflicts(
        lambda: platform.templates.create_template(template, receipt=receipt),
        budget_seconds=platform.bounds.budget_seconds,
    )
    return template


def duplicate_template(platform: Platform, *, project_id: int, reference: TemplateReference) -> Template:
    """A new template like another one, without its external id.

    Raises:
        NotFound, Busy
    """
    original = get_template_or_raise(platform, project_id=project_id, reference=reference)
    draft = TemplateDraft(
        name=original.name,
        description=original.description,
        vendor=original.vendor,
        type=original.type,
        project_type=original.project_type,
        content=original.content,
        # the copy has the same name, so it cannot be the only one
        campaign=replace(original.campaign, state=CampaignState.PUBLISHED, has_unique_name=False),
    )
    return create_template(platform, project_id=project_id, draft=draft, external_id=None)


def update_template(
    platform: Platform, *, project_id: int, reference: TemplateReference, draft: TemplateDraft
) -> Template:
    """Replaces a template; its locations stay, which have calls of their own, and what only campaigns have, such as
    images and which fields are dynamic. Issued passes keep what they show.

    Raises:
        InvalidRequest: the vendor would change, which issued passes could not follow.
        NotFound, Busy
    """

    before = get_template_or_raise(platform, project_id=project_id, reference=reference)
    rewritten = _rewrite(before, draft)
    look = None
    has_look = before.campaign.look_id is not None and rewritten.content.lists.get("icon_id")
    if has_look and not is_same_look(before.content, rewritten.content):
        # passworks-v2, section 9: what changes the look of a campaign makes a new one
        look = create_look_for_campaign(
            platform,
            project_id=project_id,
            campaign_name=draft.name,
            style=rewritten.style,
            content=look_of(rewritten.content),
        )

    def change(template: Template) -> Template:
        changed = _rewrite(template, draft)
        return changed if look is None else replace(changed, campaign=replace(changed.campaign, look_id=look.look_id))

    try:
        return change_template(platform, project_id=project_id, reference=reference, change=change)
    except Refused:
        if look is not None:
            platform.looks.delete_look(look)
        raise


def _rewrite(template: Template, draft: TemplateDraft) -> Template:
    if draft.vendor != template.vendor:
        raise InvalidRequest(f"the vendor of a template cannot change from {template.vendor}", field="vendor")
    kept = {name: value for name, value in template.content.lists.items() if name != "beacons"}
    lists = {**draft.content.lists, **kept}
    fields = {
        name: _keep_behaviour(entry, template.content.fields.get(name)) for name, entry in draft.content.fields.items()
    }
    has_unique_name = template.campaign.has_unique_name and draft.name == template.name
    content = Content(fields=fields, headers=draft.content.headers, lists=lists)
    prefer_headers(content, content.headers)
    return replace(
        template,
        campaign=replace(template.campaign, has_unique_name=has_unique_name),
        name=draft.name,
        description=draft.description,
        type=draft.type,
        project_type=draft.project_type,
        content=content,
    )


def _keep_behaviour(entry: Entry, before: Entry | None) -> Entry:
    """The field as written, with what only campaigns say of it (passworks-v2, section 13)."""
    if before is None or "behaviour" not in before.attributes:
        return entry
    return Entry({**entry.attributes, "behaviour": before.attributes["behaviour"]})


def delete_template(platform: Platform, *, project_id: int, reference: TemplateReference) -> Template:
    """Removes a template that has no passes.

    It is hidden first and its passes are counted again after that, so that a pass issued meanwhile is not orphaned.

    Raises:
        InUse: it has passes.
        NotFound, Busy
    """

    def attempt() -> Template:
        template = get_template_or_raise(platform, project_id=project_id, reference=reference)
        _refuse_if_used(platform, template)
        platform.templates.delete_template(template)
        return template

    template = retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
    try:
        _refuse_if_used(platform, template)
    except InUse:
        retry_conflicts(
            lambda: platform.templates.restore_template(template), budget_seconds=platform.bounds.budget_seconds
        )
        raise
    return template


def _refuse_if_used(platform: Platform, template: Template) -> None:
    passes = count_members(platform.counts.read_counts(passes_of_template(template.template_id)))
    if passes:
        raise InUse(f"template {template.template_id} still has {passes} passes; delete them first")


def add_locations(
    platform: Platform, *, project_id: int, reference: TemplateReference, locations: Sequence[Location]
) -> list[Location]:
    """Appends locations to a template, for passes issued from now on, and returns them with their ids.

    Raises:
        InvalidRequest: the template would have more than 10.
        NotFound, Busy
    """
    ticket_id, _ = take_ticket(platform)
    added = with_location_ids(locations, ticket_id=ticket_id)

    def change(template: Template) -> Template:
        existing = template.content.lists.get("locations", [])
        if len(existing) + len(added) > platform.bounds.locations:
            raise InvalidRequest(f"a template has at most {platform.bounds.locations} locations", field="locations")
        return _with_locations(template, [*existing, *added])

    change_template(platform, project_id=project_id, reference=reference, change=change)
    return added


def remove_location(
    platform: Platform, *, project_id: int, reference: TemplateReference, location_id: int | None
) -> None:
    """Removes one location of a template.

    Raises:
        NotFound: the template or the location.
        Busy
    """

    def change(template: Template) -> Template:
        existing = template.content.lists.get("locations", [])
        return _with_locations(template, without_location(existing, location_id))

    change_template(platform, project_id=project_id, reference=reference, change=change)


def _with_locations(template: Template, locations: list[Location]) -> Template:
    content = replace(template.content, lists={**template.content.lists, "locations": locations})
    return replace(template, content=content)


def change_template(
    platform: Platform,
    *,
    project_id: int,
    reference: TemplateReference,
    change: Callable[[Template], Template],
) -> Template:
    """Reads a template, changes it and writes it, again if somebody else wrote it meanwhile.

    Raises:
        InvalidRequest: the template would outgrow its limit.
        NotFound, Busy; whatever `change` raises
    """

    def attempt() -> Template:
        before = get_template_or_raise(platform, project_id=project_id, reference=reference)
        changed = change(before)
        check_content_size(changed.content, of="template", maximum_bytes=platform.bounds.content_bytes)
        after = replace(changed, revision=before.revision + 1, updated_at=max(platform.now(), before.updated_at))
        platform.templates.update_template(before=before, after=after)
        return after

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
