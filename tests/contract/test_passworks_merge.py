"""Merge and push: what a campaign's passes take over, and the message that wallets show (passworks-v2, section 7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.domain import bulk_updates
from chalicelib.wiring import get_platform
from tests.contract.campaigns import (
    TYPES,
    add_image,
    check_refusal,
    create_campaign,
    create_pass,
    open_pass,
    pass_path,
    patch_campaign,
    path_of,
    stored_pass,
)
from tests.contract.raw_http import basic, send
from tests.support.phones import STYLES
from tests.support.stack import Stack, Tenant

OFFER = {"key": "offer", "value": "20% off", "label": "Any premium dog food"}
POINTS = {"key": "points", "value": "0", "label": "Points", "behaviour": "dynamic"}
PLACE = {"latitude": 38.7, "longitude": -9.1}
BEACON = {"proximity_uuid": "74278bda-b644-4520-8f0c-720eaf059935", "major": 1, "minor": 2}
MESSAGE = "Free shower inside"

BODIES: dict[str, tuple[str | None, str | None]] = {
    "no body": (None, None),
    "no bytes": ("", None),
    "empty object": ("{}", None),
    "empty array": ("[]", None),
    "null": ("null", None),
    "root": (json.dumps({"push_message": MESSAGE}), MESSAGE),
    "null message": (json.dumps({"push_message": None}), None),
    "empty message": (json.dumps({"push_message": ""}), None),
    **{
        f"under {root}": (json.dumps({root: {"push_message": MESSAGE}}), MESSAGE)
        for root in ("coupon", "store_card", "event_ticket", "boarding_pass", "generic", "pass")
    },
    "empty array under the root": ('{"coupon":[]}', None),
}
"""how it is called: the body, and the message in it (section 7)"""

Scene = tuple[Tenant, dict[str, Any], dict[str, Any]]


def read(tenant: Tenant, campaign: dict[str, Any], pass_: dict[str, Any]) -> dict[str, Any]:
    return dict(tenant.call("GET", pass_path(campaign, pass_)))


def merge(stack: Stack, tenant: Tenant, campaign: dict[str, Any], **body: Any) -> None:
    tenant.call("POST", f"{path_of(campaign)}/merge", json=body)
    stack.drain()


def back_fields(document: dict[str, Any]) -> list[dict[str, Any]]:
    style = next(document[name] for name in STYLES if name in document)
    return list(style["backFields"])


def arrays(pass_: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in pass_.items() if key.endswith("_fields")}


def post(tenant: Tenant, target: str, body: str | None) -> Any:
    headers = {"Authorization": basic(tenant)} | ({} if body is None else {"Content-Type": "application/json"})
    answer = send(tenant, "POST", target, headers=headers, body=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


def check_message(tenant: Tenant, campaign: dict[str, Any], pass_: dict[str, Any], message: str | None) -> None:
    """Asserts what the wallet will show, and that v2 shows no field of it."""
    document = open_pass(tenant, pass_)
    changes = [field for field in back_fields(document) if field.get("changeMessage") == "%@"]
    assert [field["value"] for field in changes] == ([] if message is None else [message])
    assert arrays(read(tenant, campaign, pass_)) == arrays(pass_)


@pytest.mark.parametrize("name", BODIES)
def test_merge_takes_every_body_and_writes_its_message(stack: Stack, tenant: Tenant, name: str) -> None:
    campaign = create_campaign(tenant, name="Paw Planet - Helloworld", back_fields=[OFFER])
    pass_ = create_pass(tenant, campaign)
    body, message = BODIES[name]

    reply = post(tenant, f"{path_of(campaign)}/merge/", body)
    stack.drain()

    assert reply == {"message": "Started merging 1 passes for campaign 'Paw Planet - Helloworld'."}
    check_message(tenant, campaign, pass_, message)


@pytest.mark.parametrize("name", BODIES)
def test_push_takes_every_body_and_writes_its_message(stack: Stack, tenant: Tenant, name: str) -> None:
    campaign = create_campaign(tenant, name="Test", back_fields=[OFFER])
    passes = [create_pass(tenant, campaign) for _ in range(2)]
    body, message = BODIES[name]
    patch_campaign(tenant, campaign, back_fields=[{"key": "offer", "value": "not merged"}])

    reply = post(tenant, f"{path_of(campaign)}/push", body)
    stack.drain()

    assert reply == {"message": "Started sending 2 pass push notifications for campaign 'Test'."}
    for pass_ in passes:
        check_message(tenant, campaign, pass_, message)
        assert stored_pass(tenant, pass_).version == (1 if message is None else 2)


@pytest.mark.parametrize("name", BODIES)
def test_push_of_one_pass_takes_every_body_and_writes_its_message(tenant: Tenant, name: str) -> None:
    campaign = create_campaign(tenant, name="Test", back_fields=[OFFER])
    pass_, other = create_pass(tenant, campaign), create_pass(tenant, campaign)
    body, message = BODIES[name]

    reply = post(tenant, f"{pass_path(campaign, pass_)}/push", body)

    assert reply == {"message": f"push notifications sent for pass with id: {pass_['id']} on campaign 'Test'"}
    check_message(tenant, campaign, pass_, message)
    check_message(tenant, campaign, other, None)


@pytest.mark.parametrize("campaign_type", TYPES)
@pytest.mark.parametrize("action", ["merge", "push"])
def test_without_passes_there_is_nothing_to_do(tenant: Tenant, campaign_type: str, action: str) -> None:
    campaign = create_campaign(tenant, campaign_type, name="NAME")

    for body in (None, json.dumps({"push_message": MESSAGE})):
        reply = post(tenant, f"{path_of(campaign)}/{action}", body)
        assert reply == {"message": "There are no passes to update for campaing 'NAME'."}


@pytest.mark.parametrize("message", [5, ["x"], {"a": 1}, True, "n" * 8193])
def test_a_message_that_is_no_text_is_422(tenant: Tenant, message: Any) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    for target in (f"{path_of(campaign)}/merge", f"{path_of(campaign)}/push", f"{pass_path(campaign, pass_)}/push"):
        for body in ({"push_message": message}, {"push_message": MESSAGE, "coupon": {"push_message": message}}):
            check_refusal(tenant.request("POST", target, json=body), 422, 10100, "push_message")
    assert stored_pass(tenant, pass_).version == 1


def test_malformed_json_is_400(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)

    for action in ("merge", "push"):
        check_refusal(tenant.request("POST", f"{path_of(campaign)}/{action}", content="{"), 400, 10000)


def test_a_second_message_replaces_the_first(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    tenant.call("POST", f"{path_of(campaign)}/push", json={"push_message": "First"})
    tenant.call("POST", f"{pass_path(campaign, pass_)}/push", json={"push_message": "Second"})
    stack.drain()

    check_message(tenant, campaign, pass_, "Second")


def test_a_campaign_is_not_merged_before_it_is_asked_for(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    pass_ = create_pass(tenant, campaign)

    patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "value": "30% off"}])
    stack.drain()

    assert read(tenant, campaign, pass_) == pass_
    assert create_pass(tenant, campaign)["primary_fields"][0]["value"] == "30% off"


def test_fixed_fields_are_overwritten_dynamic_values_kept_and_new_fields_added(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER, POINTS])
    own = [{"key": "offer", "value": "own", "label": "own"}, {"key": "points", "value": "7", "label": "own"}]
    pass_ = create_pass(tenant, campaign, primary_fields=own, back_fields=[{"key": "extra", "value": "own"}])
    patch_campaign(
        tenant,
        campaign,
        primary_fields=[{"key": "offer", "value": "30% off"}, {"key": "points", "value": "1", "label": "Paws"}],
        header_fields=[{"key": "gate", "value": "B", "label": "Gate"}],
        back_fields=[{"key": "level", "value": "low", "label": "Level", "behaviour": "dynamic"}],
    )

    merge(stack, tenant, campaign)

    merged = read(tenant, campaign, pass_)
    assert merged["primary_fields"] == [
        {**OFFER, "value": "30% off", "behaviour": "fixed"},
        {**POINTS, "value": "7", "label": "Paws"},
    ]
    assert merged["header_fields"] == [{"key": "gate", "value": "B", "label": "Gate", "behaviour": "fixed"}]
    assert merged["back_fields"] == [
        {"key": "extra", "value": "own", "label": None, "behaviour": "fixed"},
        {"key": "level", "value": "low", "label": "Level", "behaviour": "dynamic"},
    ]
    assert open_pass(tenant, pass_)["coupon"]["headerFields"] == [{"key": "gate", "value": "B", "label": "Gate"}]


def test_a_dynamic_value_stays_when_it_was_once_merged(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    patch_campaign(tenant, campaign, primary_fields=[POINTS])
    merge(stack, tenant, campaign)
    patch_campaign(tenant, campaign, primary_fields=[{"key": "points", "value": "99"}])

    merge(stack, tenant, campaign)

    assert read(tenant, campaign, pass_)["primary_fields"] == [POINTS]
    assert create_pass(tenant, campaign)["primary_fields"][0]["value"] == "99"


@pytest.mark.parametrize("kept", [True, False])
def test_locations_and_beacons_are_kept_in_step_unless_the_flags_say_otherwise(
    stack: Stack, tenant: Tenant, kept: bool
) -> None:
    flags: dict[str, Any] = {"sync_locations_on_merge": kept, "sync_beacons_on_merge": kept}
    campaign = create_campaign(tenant, locations=[PLACE], beacons=[BEACON], **flags)
    pass_ = create_pass(tenant, campaign)
    own = create_pass(tenant, campaign, locations=[PLACE, PLACE], beacons=[])
    patch_campaign(tenant, campaign, locations=[{"latitude": 1, "longitude": 2}], beacons=[{**BEACON, "major": 9}])

    merge(stack, tenant, campaign)

    for each in (pass_, own):
        merged = read(tenant, campaign, each)
        assert (merged["locations"] == each["locations"]) is (merged["beacons"] == each["beacons"]) is not kept
        if kept:
            assert [(place["latitude"], place["longitude"]) for place in merged["locations"]] == [(1, 2)]
            assert merged["beacons"] == [{**BEACON, "major": 9, "relevant_text": None}]


def test_removed_locations_are_removed(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign, locations=[PLACE], beacons=[BEACON])

    merge(stack, tenant, campaign)

    merged = read(tenant, campaign, pass_)
    assert (merged["locations"], merged["beacons"]) == ([], [])


def test_what_is_the_pass_own_is_not_touched(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, "generics", code_type="per_pass", barcode={"format": "aztec"})
    own = {
        "barcode": {"message": "ABC-1", "alt_text": "own"},
        "thumbnail_id": add_image(tenant, "thumbnail"),
        "user_info": {"email": "a@example.com"},
        "barcodes": [{"format": "pdf417", "message": "1", "alt_text": "x", "alt_text_type": "mirror"}],
    }
    pass_ = create_pass(tenant, campaign, **own)
    patch_campaign(
        tenant,
        campaign,
        barcode={"format": "pdf417", "message": "of the campaign", "alt_text": "of the campaign"},
        thumbnail_id=add_image(tenant, "thumbnail"),
        user_info={"of": "the campaign"},
        barcodes=[],
        background_color="#010203",
    )

    merge(stack, tenant, campaign)

    merged = read(tenant, campaign, pass_)
    for key in ("thumbnail_id", "user_info", "barcodes", "redeem_code", "id", "page_url"):
        assert merged[key] == pass_[key]
    assert merged["barcode"] == {**pass_["barcode"], "format": "pdf417"}
    assert open_pass(tenant, pass_)["backgroundColor"] == "rgb(1, 2, 3)"


def test_the_look_the_description_and_the_end_are_merged_and_a_redeem_stays(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, logo_text="Old")
    pass_ = create_pass(tenant, campaign)
    tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")
    patch_campaign(tenant, campaign, name="New name", logo_text="New", expiration_date="2030-01-01T12:00:00Z")

    merge(stack, tenant, campaign)

    merged, document = read(tenant, campaign, pass_), open_pass(tenant, pass_)
    assert (merged["voided"], merged["expiration_date"]) == (True, "2030-01-01T12:00:00.000+00:00")
    assert (document["logoText"], document["description"], document["voided"]) == ("New", "New name", True)


def test_the_version_rises_only_where_something_changed(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    old = create_pass(tenant, campaign)
    merge(stack, tenant, campaign)
    before = stored_pass(tenant, old)
    patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "value": "30% off"}])
    new = create_pass(tenant, campaign)

    merge(stack, tenant, campaign)
    after = stored_pass(tenant, old)
    merge(stack, tenant, campaign)

    assert (after.version, after.last_modified > before.last_modified) == (before.version + 1, True)
    assert stored_pass(tenant, old).version == after.version
    assert stored_pass(tenant, old).updated_at == after.updated_at
    assert read(tenant, campaign, new)["primary_fields"] == new["primary_fields"]


def test_a_first_merge_of_an_unchanged_campaign_changes_no_field(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER, POINTS], locations=[PLACE], beacons=[BEACON])
    pass_ = create_pass(tenant, campaign)

    merge(stack, tenant, campaign)

    assert stored_pass(tenant, pass_).version == 1
    assert read(tenant, campaign, pass_) == pass_


def test_a_first_merge_of_a_campaign_without_places_changes_no_pass(stack: Stack, tenant: Tenant) -> None:
    """A device would be pushed, and find the pass that it has (wallets, section 2.3, code 0)."""
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    pass_ = create_pass(tenant, campaign)

    merge(stack, tenant, campaign)

    assert stored_pass(tenant, pass_).version == 1


def test_single_updates_and_a_merge_win_in_the_order_of_their_tickets(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER, {"key": "gate", "value": "A"}])
    passes = [create_pass(tenant, campaign) for _ in range(2)]

    def update(pass_: dict[str, Any], key: str, value: str) -> None:
        body = {"pass": {"primary_fields": [{"key": key, "value": value}]}}
        tenant.call("PATCH", pass_path(campaign, pass_), json=body)

    update(passes[0], "offer", "before")
    patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "value": "merged"}])
    tenant.call("POST", f"{path_of(campaign)}/merge")
    update(passes[0], "gate", "after")
    update(passes[1], "offer", "after")
    stack.drain()

    shown = [[field["value"] for field in read(tenant, campaign, each)["primary_fields"]] for each in passes]
    assert shown == [["merged", "after"], ["after", "A"]]


def test_two_merges_whose_work_is_done_in_the_wrong_order_end_as_in_the_right_one(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    platform, tickets = get_platform(), []
    for value in ("1", "2"):
        fields = [{**POINTS, "value": value}, {**OFFER, "value": value}]
        patch_campaign(tenant, campaign, primary_fields=fields)
        tenant.call("POST", f"{path_of(campaign)}/merge")
        tickets.append(max(platform.tickets.list_open()))

    for ticket_id in reversed(tickets):
        bulk_updates.plan_bulk_update(platform, ticket_id=ticket_id)
        segment = stored_pass(tenant, pass_).pass_id // 1000
        assert bulk_updates.update_segment(platform, ticket_id=ticket_id, segment=segment) is not None
    stack.drain()

    shown = {field["key"]: field["value"] for field in read(tenant, campaign, pass_)["primary_fields"]}
    assert shown == {"points": "1", "offer": "2"}


def test_only_passes_of_the_campaign_are_merged(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, name="Own", primary_fields=[OFFER])
    other = create_campaign(tenant, name="Other", primary_fields=[OFFER])
    pass_ = create_pass(tenant, other)
    create_pass(tenant, campaign)
    patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "value": "30% off"}])

    merge(stack, tenant, campaign, push_message=MESSAGE)

    check_message(tenant, other, pass_, None)
    assert read(tenant, other, pass_) == pass_


def test_a_campaign_as_large_as_may_be_is_merged_with_a_message(tenant: Tenant) -> None:
    long = [{"key": f"k{number}", "label": "", "value": "x" * 7800} for number in range(8)]
    campaign = create_campaign(tenant, back_fields=long)
    create_pass(tenant, campaign)

    answer = tenant.request("POST", f"{path_of(campaign)}/merge", json={"push_message": "z" * 8000})

    assert answer.status_code == 200, answer.text
