"""Pausing, resuming, archiving and deleting campaigns (passworks-v2, sections 3, 6 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import samples
from tests.contract.campaigns import (
    TYPES,
    check_refusal,
    create_campaign,
    create_pass,
    open_pass,
    pass_path,
    patch_campaign,
    path_of,
    stored_pass,
    stored_template,
)
from tests.contract.expectations import check_error
from tests.contract.raw_http import basic, send
from tests.support.stack import Stack, Tenant


def act(tenant: Tenant, campaign: dict[str, Any], *actions: str) -> dict[str, Any]:
    shown: dict[str, Any] = campaign
    for action in actions:
        shown = tenant.call("POST", f"{path_of(campaign)}/{action}")
    return shown


@pytest.mark.parametrize("campaign_type", TYPES)
@pytest.mark.parametrize(
    ("actions", "state"),
    [
        (("pause",), "paused"),
        (("pause", "resume"), "published"),
        (("archive",), "archived"),
        (("pause", "archive"), "archived"),
        (("pause", "resume", "pause"), "paused"),
    ],
)
def test_a_change_answers_with_the_campaign(
    tenant: Tenant, campaign_type: str, actions: tuple[str, ...], state: str
) -> None:
    campaign = create_campaign(tenant, campaign_type)

    shown = act(tenant, campaign, *actions)

    assert (shown["state"], shown.keys()) == (state, campaign.keys())
    assert tenant.call("GET", path_of(campaign)) == shown


@pytest.mark.parametrize(
    ("actions", "refused", "message"),
    [
        ((), "resume", "Can't resume from published to publish"),
        (("pause",), "pause", "Can't pause from paused to pause"),
        (("archive",), "resume", "Can't resume from archived to publish"),
        (("archive",), "pause", "Can't pause from archived to pause"),
        (("archive",), "archive", "Can't archive from archived to archive"),
    ],
)
def test_a_change_that_cannot_be_is_412_with_the_documented_words(
    tenant: Tenant, actions: tuple[str, ...], refused: str, message: str
) -> None:
    campaign = create_campaign(tenant)
    before = act(tenant, campaign, *actions)

    answer = tenant.request("POST", f"{path_of(campaign)}/{refused}")

    assert answer.status_code == 412
    assert answer.json() == {"status_code": 412, "error_code": 10102, "message": message, "errors": {"state": message}}
    assert tenant.call("GET", path_of(campaign))["state"] == before["state"]


@pytest.mark.parametrize("body", [None, "", "null", "{}", "[]", '{"coupon":{}}'])
def test_a_change_takes_any_body(tenant: Tenant, body: str | None) -> None:
    campaign = create_campaign(tenant)

    answer = send(tenant, "POST", f"{path_of(campaign)}/pause/", headers={"Authorization": basic(tenant)}, body=body)

    assert (answer.status_code, answer.json()["state"]) == (200, "paused")


@pytest.mark.parametrize("action", ["pause", "archive"])
def test_no_pass_is_made_while_a_campaign_rests(tenant: Tenant, action: str) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    template_id = stored_template(tenant, campaign).template_id
    act(tenant, campaign, action)

    check_refusal(tenant.request("POST", f"{path_of(campaign)}/passes"), 412, 10102, "state")
    check_error(tenant.request("POST", f"/v1/pass/{template_id}", json={}), 400)
    check_error(tenant.request("POST", f"/v1/pass/{template_id}/bulk", json={"passes": [{}]}), 400)

    assert tenant.call("GET", f"{path_of(campaign)}/passes") == [pass_]


def test_what_was_issued_lives_on_while_a_campaign_rests(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    act(tenant, campaign, "archive")

    patch_campaign(tenant, campaign, logo_text="New")
    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()

    assert open_pass(tenant, pass_)["logoText"] == "New"
    assert tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")["voided"] is True


def test_passes_are_made_again_after_a_resume(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)

    act(tenant, campaign, "pause", "resume")

    assert create_pass(tenant, campaign)["redeem_code"] == "00000001"


@pytest.mark.parametrize("body", [None, "{}", "null"])
@pytest.mark.parametrize("state", [None, "pause", "archive"])
def test_a_campaign_goes_with_its_passes(tenant: Tenant, body: str | None, state: str | None) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    pass_id, template_id = stored_pass(tenant, pass_).pass_id, stored_template(tenant, campaign).template_id
    page = pass_["pkpass_url"]
    act(tenant, campaign, *([state] if state else []))

    answer = tenant.request("DELETE", path_of(campaign), content=body)

    assert (answer.status_code, answer.json()) == (200, {"errors": []})
    for path in (path_of(campaign), f"{path_of(campaign)}/passes", pass_path(campaign, pass_)):
        check_refusal(tenant.request("GET", path), 404, 10004)
    check_error(tenant.request("GET", f"/v1/pass/{pass_id}"), 404)
    check_error(tenant.request("GET", f"/v1/template/{template_id}"), 404)
    assert tenant.request("GET", page).status_code == 404
    assert tenant.call("GET", "/v2/coupons") == []
    check_refusal(tenant.request("DELETE", path_of(campaign)), 412, 10104, "campaign")


def test_passes_of_the_other_dialect_go_with_their_campaign(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    template_id = stored_template(tenant, campaign).template_id
    path = f"/v1/pass/{template_id}/id/member-1"
    pass_id = int(tenant.call("POST", path, json={"tags": ["gold"]})["id"])

    tenant.call("DELETE", path_of(campaign))

    check_error(tenant.request("GET", f"/v1/pass/{pass_id}"), 404)
    assert samples.passes_of(tenant, "gold") == []
