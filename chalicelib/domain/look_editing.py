"""Creating and deleting looks, which Passworks calls templates (passworks-v2, section 9)."""

from __future__ import annotations

import itertools
from dataclasses import replace

from chalicelib.domain.content import Content, check_content_size
from chalicelib.domain.errors import AlreadyExists, InUse, InvalidRequest, NotFound
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.looks import LOOK_IMAGES, Look
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.storing_assets import delete_asset, get_asset_or_raise


def create_look(
    platform: Platform, *, project_id: int, name: str, description: str, content: Content, source: str = "api"
) -> Look:
    """Stores a new look.

    Raises:
        InvalidRequest: there is no icon, an image is unknown, or the name is taken.
        Busy
    """
    check_images(platform, project_id=project_id, content=content)
    if not content.lists.get("icon_id"):
        raise InvalidRequest("can't be blank", field="icon_id")
    check_content_size(content, of="template", maximum_bytes=platform.bounds.content_bytes)
    number, created_at = platform.sequences.next_values(name=f"looks:{project_id}", count=1, now=platform.now())
    look = Look(
        look_id=platform.new_uuid(number),
        number=number,
        project_id=project_id,
        name=name,
        description=description,
        source=source,
        content=content,
        created_at=created_at,
    )
    # the look of a new campaign is not yet what was asked for
    receipt = platform.receipt_for(look) if source == "api" else None
    retry_conflicts(
        lambda: platform.looks.create_look(look, receipt=receipt), budget_seconds=platform.bounds.budget_seconds
    )
    try:
        # whoever deletes an asset counts its users once more after that: of two at least one notices the other
        check_images(platform, project_id=project_id, content=content)
    except InvalidRequest:
        platform.looks.delete_look(look)
        if receipt is not None:
            platform.withdraw()
        raise
    return look


def create_look_for_campaign(
    platform: Platform, *, project_id: int, campaign_name: str, style: str, content: Content
) -> Look:
    """Stores the look of a campaign under the first free name: `Template for <campaign>`, then with `-1`, `-2`, ...

    The style is said by itself: a template of the other dialect has none in its content.

    Raises:
        InvalidRequest: there is no icon, or an image is unknown.
        Busy
    """
    taken = {look.name for look in platform.looks.list_looks(project_id=project_id)}
    content = replace(content, lists={**content.lists, "style": style})
    plain = f"Template for {campaign_name}"
    for number in itertools.count():
        name = f"{plain}-{number}" if number else plain
        if name in taken:
            continue
        try:
            return create_look(
                platform, project_id=project_id, name=name, description="", content=content, source="campaign"
            )
        except AlreadyExists:
            taken.add(name)
    raise AssertionError("numbers do not end")


def check_images(platform: Platform, *, project_id: int, content: Content) -> None:
    """Checks that every image is an asset of the project.

    Raises:
        InvalidRequest: one is not; the field names it.
    """
    for part in LOOK_IMAGES:
        asset_id = content.lists.get(part)
        if asset_id is None:
            continue
        try:
            get_asset_or_raise(platform, project_id=project_id, asset_id=str(asset_id))
        except NotFound as error:
            raise InvalidRequest("is not an asset of this account", field=part) from error


def get_look_or_raise(platform: Platform, *, project_id: int, look_id: str) -> Look:
    """The look of that id.

    Raises:
        NotFound
    """
    number = number_in(look_id)
    for look in platform.looks.list_looks(project_id=project_id) if number is not None else []:
        if look.look_id == look_id:
            return look
    raise NotFound("template", look_id[:40])


def delete_look(platform: Platform, *, project_id: int, look_id: str, with_assets: bool) -> None:
    """Removes a look that no campaign uses; with its images, if all of them are its alone (section 9).

    Raises:
        NotFound, Busy
        InUse: a campaign uses it.
    """
    look = get_look_or_raise(platform, project_id=project_id, look_id=look_id)
    _refuse_if_used(platform, look)
    others = [each for each in platform.looks.list_looks(project_id=project_id) if each.look_id != look_id]
    assets = {str(look.content.lists[part]) for part in LOOK_IMAGES if look.content.lists.get(part)}
    removed = retry_conflicts(lambda: platform.looks.delete_look(look), budget_seconds=platform.bounds.budget_seconds)
    if not removed:
        raise NotFound("template", look_id)
    try:
        _refuse_if_used(platform, look)
    except InUse:
        retry_conflicts(lambda: platform.looks.create_look(look), budget_seconds=platform.bounds.budget_seconds)
        raise
    if with_assets and not any(other.uses(asset_id) for other in others for asset_id in assets):
        for asset_id in sorted(assets):
            try:
                delete_asset(platform, project_id=project_id, asset_id=asset_id, is_used=lambda _: None)
            except NotFound:
                continue


def _refuse_if_used(platform: Platform, look: Look) -> None:
    """Asked before a deletion and again after it, since a campaign may begin to use the look meanwhile."""
    users = [
        template.name
        for template in platform.templates.list_templates(project_id=look.project_id)
        if template.campaign.look_id == look.look_id
    ]
    if users:
        raise InUse(f"Template in use by {len(users)} campaigns, e.g.: {users[0]}", field="template")
