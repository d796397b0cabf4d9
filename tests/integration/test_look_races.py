"""A look or an image that is deleted just when somebody begins to use it: at least one of the two is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain import campaign_editing, look_editing, storing_assets
from chalicelib.domain.assets import ORIGINAL, image_key
from chalicelib.domain.campaign_drafts import CampaignDraft
from chalicelib.domain.content import Content
from chalicelib.domain.errors import InUse, InvalidRequest
from chalicelib.domain.looks import Look
from chalicelib.domain.ports import Platform
from chalicelib.wiring import get_platform
from tests.contract.campaigns import add_image
from tests.support.rivals import with_rival
from tests.support.stack import Tenant


def make_look(platform: Platform, tenant: Tenant, icon_id: str, name: str = "Look") -> Look:
    content = Content(lists={"style": "coupon", "icon_id": icon_id})
    return look_editing.create_look(platform, project_id=tenant.project_id, name=name, description="", content=content)


def make_campaign(platform: Platform, tenant: Tenant, look: Look) -> object:
    return campaign_editing.create_campaign(
        platform,
        project_id=tenant.project_id,
        campaign_type="coupons",
        draft=CampaignDraft(name="Campaign", look_id=look.look_id),
    )


def delete_look(platform: Platform, tenant: Tenant, look: Look) -> None:
    look_editing.delete_look(platform, project_id=tenant.project_id, look_id=look.look_id, with_assets=True)


def delete_asset(platform: Platform, tenant: Tenant, asset_id: str) -> None:
    storing_assets.delete_asset(
        platform,
        project_id=tenant.project_id,
        asset_id=asset_id,
        is_used=lambda asset: storing_assets.describe_looks_using(platform, asset),
    )


def names(tenant: Tenant, path: str) -> list[Any]:
    return [each.get("name", each["id"]) for each in tenant.call("GET", path)]


def test_a_campaign_whose_look_goes_while_it_is_made_is_refused_and_leaves_its_name_free(tenant: Tenant) -> None:
    platform, icon_id = get_platform(), add_image(tenant)
    look = make_look(platform, tenant, icon_id)
    rival = with_rival(platform, "templates", "create_template", lambda: platform.looks.delete_look(look))

    with pytest.raises(InvalidRequest, match="template_id"):
        make_campaign(rival, tenant, look)

    assert names(tenant, "/v2/coupons") == []
    make_campaign(platform, tenant, make_look(platform, tenant, icon_id))


def test_a_look_that_is_used_while_it_is_deleted_stays(tenant: Tenant) -> None:
    platform, icon_id = get_platform(), add_image(tenant)
    look = make_look(platform, tenant, icon_id)
    rival = with_rival(platform, "looks", "delete_look", lambda: make_campaign(platform, tenant, look))

    with pytest.raises(InUse):
        delete_look(rival, tenant, look)

    assert names(tenant, "/v2/templates") == ["Look"]
    assert names(tenant, "/v2/assets") == [icon_id]


def test_a_look_whose_icon_goes_while_it_is_made_is_refused(tenant: Tenant) -> None:
    platform, icon_id = get_platform(), add_image(tenant)
    rival = with_rival(platform, "looks", "create_look", lambda: delete_asset(platform, tenant, icon_id))

    with pytest.raises(InvalidRequest, match="icon_id"):
        make_look(rival, tenant, icon_id)

    assert names(tenant, "/v2/templates") == []


def test_an_image_that_is_used_while_it_is_deleted_stays_with_its_files(tenant: Tenant) -> None:
    platform, icon_id = get_platform(), add_image(tenant)
    platform.images.write(image_key(icon_id, ORIGINAL), b"the file")
    rival = with_rival(platform, "assets", "delete_asset", lambda: make_look(platform, tenant, icon_id))

    with pytest.raises(InUse):
        delete_asset(rival, tenant, icon_id)

    (asset,) = tenant.call("GET", "/v2/assets")
    assert tenant.http.get(asset["asset_url"]).content == b"the file"
