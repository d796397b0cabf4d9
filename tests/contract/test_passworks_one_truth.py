"""One row in storage serves both dialects: what one writes the other shows and changes (passworks-v2, section 13)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.assets import find_asset
from chalicelib.domain.passes import Pass
from chalicelib.wiring import get_platform
from tests.contract import samples
from tests.contract.campaigns import (
    TYPES,
    add_image,
    create_campaign,
    create_pass,
    make_campaign,
    open_pass,
    pass_path,
    patch_campaign,
    path_of,
    post_campaign,
    stored_pass,
    stored_template,
)
from tests.contract.strict_reader import find_faults
from tests.support.stack import Stack, Tenant

OFFER = {"key": "offer", "value": "20% off", "label": "Any premium dog food"}
PLACE = {"latitude": 38.7, "longitude": -9.1}
BEACON = {"proximity_uuid": "74278bda-b644-4520-8f0c-720eaf059935", "major": 1, "minor": 2}

TEMPLATE: dict[str, Any] = {
    "name": "Card",
    "description": "A card",
    "projectType": "memberCard",
    "type": "Store Card",
    "fields": {
        name: {"fieldType": name, "label": name.upper(), "value": f"a {name}", "formatType": "String", "order": number}
        for number, name in enumerate(("header", "primary", "secondary", "auxiliary", "back"))
    },
    "headers": {
        "barcode_type": {"fieldType": "barcode", "formatType": 1, "value": "PKBarcodeFormatAztec"},
        "barcode_value": {"fieldType": "barcode", "formatType": 1, "value": "12"},
        "barcodeAltText": {"fieldType": "barcode", "formatType": 1, "value": "twelve"},
        "background_color": {"fieldType": "topLevel", "formatType": 1, "value": "rgb(1,2,3)"},
        "foreground_color": {"fieldType": "topLevel", "formatType": 1, "value": "#ffffff"},
        "logo_text": {"fieldType": "topLevel", "formatType": 1, "value": "Acme"},
    },
}


def campaigns_of(tenant: Tenant, campaign_type: str = "store_cards") -> list[dict[str, Any]]:
    return list(tenant.call("GET", f"/v2/{campaign_type}"))


def passes_of(tenant: Tenant, campaign: dict[str, Any]) -> list[dict[str, Any]]:
    return list(tenant.call("GET", f"{path_of(campaign)}/passes"))


def new_card(tenant: Tenant, **body: Any) -> tuple[dict[str, Any], dict[str, Any], int]:
    """A template and a pass of the Airship dialect: campaign and pass as Passworks shows them, and the pass's id."""
    template_id = samples.new_template(tenant, **TEMPLATE, externalId="my-card")
    path = f"/v1/pass/{template_id}/id/member-1"
    pass_id = int(tenant.call("POST", path, json={"tags": ["gold"], **body})["id"])
    (campaign,) = campaigns_of(tenant)
    (pass_,) = passes_of(tenant, campaign)
    return campaign, pass_, pass_id


def test_a_template_is_a_campaign(tenant: Tenant) -> None:
    campaign, _, _ = new_card(tenant)

    for name in ("header", "primary", "secondary", "auxiliary", "back"):
        (field,) = campaign[f"{name}_fields"]
        assert (field["key"], field["value"], field["label"]) == (name, f"a {name}", name.upper())
        assert field["behaviour"] == "fixed"
    barcode = {"format": "aztec", "message": "12", "alt_text": "twelve", "alt_text_type": "mirror"}
    expected = {
        "name": "Card",
        "description": "A card",
        "background_color": "#010203",
        "text_color": "#ffffff",
        "logo_text": "Acme",
        "barcode": barcode,
        "template_id": None,
        "state": "published",
    }
    assert campaign | expected == campaign
    assert tenant.call("GET", path_of(campaign)) == campaign


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_template_type_is_a_campaign_type(tenant: Tenant, campaign_type: str) -> None:
    campaign = make_campaign(tenant, campaign_type)

    (shown,) = campaigns_of(tenant, campaign_type)

    assert shown["id"] == campaign.template.campaign_id


def test_a_pass_of_the_other_dialect_is_a_pass(tenant: Tenant) -> None:
    body = {
        "fields": {"primary": {"value": "own"}},
        "locations": [{**PLACE, "relevantText": "Nearby"}],
        "headers": {"expirationDate": {"value": "2030-01-01T12:00:00Z", "label": "voided"}},
    }

    _, pass_, pass_id = new_card(tenant, **body)

    assert pass_["id"] == pass_["serial_number"] == samples.read_pass(tenant, pass_id)["serialNumber"]
    assert pass_["primary_fields"][0]["value"] == "own"
    assert pass_["locations"] == [{"name": None, "altitude": None, **PLACE, "relevant_text": "Nearby"}]
    assert (pass_["expiration_date"], pass_["voided"]) == ("2030-01-01T12:00:00.000+00:00", True)
    assert pass_["barcode"]["message"] == "12"


def test_a_campaign_is_a_template(tenant: Tenant) -> None:
    campaign = create_campaign(
        tenant,
        "store_cards",
        description="Described",
        primary_fields=[OFFER],
        locations=[PLACE],
        beacons=[BEACON],
        barcode={"format": "pdf417", "message": "12", "alt_text": "twelve"},
        background_color="#010203",
    )
    template_id = stored_template(tenant, campaign).template_id

    shown = tenant.call("GET", f"/v1/template/{template_id}")

    header, model = shown["templateHeader"], shown["fieldsModel"]
    assert (header["name"], header["description"], header["type"]) == ("Helloworld", "Described", "Store Card")
    assert (header["projectType"], header["vendor"]) == ("loyalty", "Apple")
    field = model["fields"]["offer"]
    assert (field["fieldType"], field["value"], field["label"]) == ("primary", OFFER["value"], OFFER["label"])
    values = {name: entry["value"] for name, entry in model["headers"].items()}
    assert values == {
        "barcode_type": "PKBarcodeFormatPDF417",
        "barcode_value": "12",
        "barcodeAltText": "twelve",
        "background_color": "#010203",
    }
    assert [location["value"]["latitude"] for location in shown["userlocations"]] == [38.7]
    assert shown["userlocations"][0]["locationId"]
    assert shown["beacons"] == [{"proximityUUID": BEACON["proximity_uuid"], "major": 1, "minor": 2}]
    assert str(template_id) in [each["id"] for each in tenant.call("GET", "/v1/template/headers")["templateHeaders"]]


STRICT: list[dict[str, Any]] = [
    {"primary_fields": [OFFER]},
    {"header_fields": [{"key": "bare"}], "back_fields": [{"key": "kept", "value": 5, "behaviour": "dynamic"}]},
    {"primary_fields": [OFFER], "barcode": {"format": "ean128"}, "text_color": None, "logo_text": None},
    {"primary_fields": [OFFER], "expiration_date": "2030-01-01", "max_distance": 5, "user_info": {"a": 1}},
]


@pytest.mark.parametrize("content", STRICT)
@pytest.mark.parametrize("campaign_type", TYPES)
def test_the_strict_client_reads_passes_made_here(
    stack: Stack, tenant: Tenant, campaign_type: str, content: dict[str, Any]
) -> None:
    campaign = create_campaign(tenant, campaign_type, **content)
    pass_ = create_pass(tenant, campaign, auxiliary_fields=[{"key": "seat", "value": "7", "behaviour": "dynamic"}])
    pass_id = stored_pass(tenant, pass_).pass_id

    def check() -> None:
        shown = samples.read_pass(tenant, pass_id)
        assert find_faults(shown) == []
        assert "behaviour" not in str(shown)

    check()
    tenant.call("PATCH", pass_path(campaign, pass_), json={"pass": {"auxiliary_fields": [{"key": "n", "label": "N"}]}})
    check()
    tenant.call("POST", f"{path_of(campaign)}/merge", json={"push_message": "Hello"})
    stack.drain()
    check()
    tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")
    check()
    tenant.call("PATCH", pass_path(campaign, pass_), json={"pass": {"auxiliary_fields": []}, "merge": False})
    check()


def test_a_pass_made_here_is_changed_there(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], locations=[PLACE])
    pass_ = create_pass(tenant, campaign)
    pass_id = stored_pass(tenant, pass_).pass_id
    body = {
        "fields": {"offer": {"value": "30% off"}, "back9": {"value": "new", "label": "New"}},
        "headers": {
            "barcode_value": {"value": "99"},
            "background_color": {"value": "rgb(1,2,3)"},
            "expirationDate": {"value": "2030-01-01T12:00:00Z", "label": "valid"},
        },
    }

    tenant.call("PUT", f"/v1/pass/{pass_id}", json=body)
    tenant.call("POST", f"/v1/pass/{pass_id}/locations", json={"locations": [{"latitude": 1, "longitude": 2}]})

    shown = tenant.call("GET", pass_path(campaign, pass_))
    assert [field["value"] for field in shown["primary_fields"]] == ["30% off"]
    assert shown["back_fields"] == [{"key": "back9", "value": "new", "label": "New", "behaviour": "fixed"}]
    assert shown["barcode"]["message"] == "99"
    assert (shown["expiration_date"], shown["voided"]) == ("2030-01-01T12:00:00.000+00:00", False)
    assert [place["latitude"] for place in shown["locations"]] == [38.7, 1]
    assert open_pass(tenant, pass_)["backgroundColor"] == "rgb(1, 2, 3)"


def test_a_pass_made_there_is_changed_here_and_keeps_tags_and_external_id(tenant: Tenant) -> None:
    campaign, pass_, pass_id = new_card(tenant)
    body = {
        "pass": {
            "primary_fields": [{"key": "primary", "value": "new"}],
            "back_fields": [],
            "locations": [PLACE],
            "barcode": {"format": "qrcode", "message": "99"},
            "expiration_date": "2030-01-01T12:00:00Z",
        }
    }

    tenant.call("PATCH", pass_path(campaign, pass_), json=body)

    shown = tenant.call("GET", "/v1/pass/id/member-1")
    assert int(shown["id"]) == pass_id
    assert (shown["externalId"], shown["tags"]) == ("member-1", ["gold"])
    primary = shown["fields"]["primary"]
    assert (primary["value"], primary["label"], primary["formatType"], primary["order"]) == (
        "new",
        "PRIMARY",
        "String",
        1,
    )
    assert shown["fields"]["back"]["fieldType"] == "notAssigned"
    assert shown["headers"]["barcode_type"]["value"] == "PKBarcodeFormatQR"
    assert shown["headers"]["barcode_value"]["value"] == "99"
    assert shown["headers"]["expirationDate"]["value"] == "2030-01-01T12:00:00Z"
    assert [(place["latitude"], bool(place["id"])) for place in shown["locations"]] == [(38.7, True)]
    assert find_faults(shown) == []


def test_a_template_made_there_is_changed_here(tenant: Tenant) -> None:
    campaign, _, _ = new_card(tenant)
    template_id = stored_template(tenant, campaign).template_id

    patch_campaign(
        tenant,
        campaign,
        name="Renamed",
        description="New",
        text_color="#000000",
        primary_fields=[{"key": "primary", "value": "new"}],
        locations=[PLACE],
    )

    shown = tenant.call("GET", "/v1/template/id/my-card")
    header, model = shown["templateHeader"], shown["fieldsModel"]
    assert (header["id"], header["name"], header["description"]) == (str(template_id), "Renamed", "New")
    assert (header["type"], header["projectType"], header["externalId"]) == ("Store Card", "memberCard", "my-card")
    assert (model["fields"]["primary"]["value"], model["fields"]["primary"]["order"]) == ("new", 1)
    assert model["headers"]["foreground_color"]["value"] == "#000000"
    assert len(shown["userlocations"]) == 1
    assert create_pass(tenant, campaign)["primary_fields"][0]["value"] == "new"


def test_a_campaign_made_here_is_changed_there_and_keeps_its_images_and_options(tenant: Tenant) -> None:
    images = {name: add_image(tenant, name[:-3]) for name in ("icon_id", "logo_id", "strip_id")}
    campaign = create_campaign(
        tenant,
        "store_cards",
        primary_fields=[OFFER],
        description="Old",
        code_type="fixed",
        code_fixed_value="SUMMER",
        user_info={"a": 1},
        **images,
    )
    template_id = stored_template(tenant, campaign).template_id

    tenant.call("PUT", f"/v1/template/{template_id}", json={**TEMPLATE, "headers": {}, "name": "Helloworld"})

    shown = tenant.call("GET", path_of(campaign))
    kept = {key: campaign[key] for key in ("id", "template_id", "code_type", "code_fixed_value", "user_info")}
    assert shown | images | kept == shown
    assert (shown["name"], shown["description"]) == ("Helloworld", "A card")
    assert [field["key"] for field in shown["primary_fields"]] == ["primary"]
    pass_ = create_pass(tenant, campaign)
    assert pass_["barcode"]["message"] == "SUMMER"
    assert open_pass(tenant, pass_)["description"] == "A card"


def test_a_change_of_type_there_moves_the_campaign_and_the_style_of_new_passes(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, "coupons")
    template_id = stored_template(tenant, campaign).template_id

    tenant.call("PUT", f"/v1/template/{template_id}", json=TEMPLATE)

    (moved,) = campaigns_of(tenant)
    assert (moved["id"], campaigns_of(tenant, "coupons")) == (campaign["id"], [])
    assert "storeCard" in open_pass(tenant, create_pass(tenant, moved))


def test_a_campaign_may_be_doubled_and_renamed_there_to_a_name_that_is_taken(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, "store_cards", name="First")
    other = create_campaign(tenant, "store_cards", name="Second")
    ids = [stored_template(tenant, each).template_id for each in (campaign, other)]

    tenant.call("POST", f"/v1/template/duplicate/{ids[0]}")
    tenant.call("PUT", f"/v1/template/{ids[1]}", json={**TEMPLATE, "name": "First"})

    assert [each["name"] for each in campaigns_of(tenant)] == ["First"] * 3
    assert post_campaign(tenant, name="First").status_code == 422
    create_campaign(tenant, name="Second")


def test_a_name_of_the_other_dialect_is_taken_here(tenant: Tenant) -> None:
    samples.new_template(tenant, name="Card")
    samples.new_template(tenant, name="Card")

    assert post_campaign(tenant, name="Card").json()["errors"] == {"name": ["is taken"]}


def test_dynamic_fields_stay_dynamic_when_the_template_is_written_there(stack: Stack, tenant: Tenant) -> None:
    dynamic = {"key": "primary", "value": "0", "label": "Points", "behaviour": "dynamic"}
    campaign = create_campaign(tenant, "store_cards", primary_fields=[dynamic])
    pass_ = create_pass(tenant, campaign, primary_fields=[{"key": "primary", "value": "7"}])
    template_id = stored_template(tenant, campaign).template_id

    tenant.call("PUT", f"/v1/template/{template_id}", json={**TEMPLATE, "name": "Helloworld"})
    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()

    (field,) = tenant.call("GET", pass_path(campaign, pass_))["primary_fields"]
    assert field == {"key": "primary", "value": "7", "label": "PRIMARY", "behaviour": "dynamic"}


def test_a_merge_brings_fields_that_were_added_there_whole(stack: Stack, tenant: Tenant) -> None:
    campaign, pass_, pass_id = new_card(tenant)
    price = {"fieldType": "secondary", "label": "Price", "value": "5", "formatType": "Currency", "currencyCode": "EUR"}
    body = {**TEMPLATE, "fields": {**TEMPLATE["fields"], "price": price}}
    tenant.call("PUT", "/v1/template/id/my-card", json=body)

    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()

    shown = samples.read_pass(tenant, pass_id)
    assert shown["fields"]["price"] == price
    assert (shown["tags"], shown["externalId"]) == (["gold"], "member-1")
    document = open_pass(tenant, pass_)
    fields = {field["key"]: field for field in document["storeCard"]["secondaryFields"]}
    assert (fields["price"]["value"], fields["price"]["currencyCode"]) == (5, "EUR")


def test_a_merge_brings_the_modules_of_a_google_template(stack: Stack, tenant: Tenant) -> None:
    template_id = samples.new_template(tenant, **samples.GOOGLE_TEMPLATE)
    pass_id = samples.new_pass(tenant, template_id)
    (campaign,) = campaigns_of(tenant, "coupons")
    fields = {**samples.GOOGLE_TEMPLATE["fields"], "info": {"fieldType": "textModulesData", "header": "H", "body": "B"}}
    tenant.call("PUT", f"/v1/template/{template_id}", json={**samples.GOOGLE_TEMPLATE, "fields": fields})

    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()

    shown = samples.read_pass(tenant, pass_id)
    assert (shown["fields"]["info"]["header"], shown["fields"]["info"]["body"]) == ("H", "B")
    assert find_faults(shown, google=True) == []


def test_a_bulk_update_by_tag_changes_what_is_shown_here_and_when(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    tagged, other = create_pass(tenant, campaign), create_pass(tenant, campaign)
    samples.add_tags(tenant, stored_pass(tenant, tagged).pass_id, "gold")
    # times here are whole seconds
    created_at = datetime.fromisoformat(other["updated_at"])
    while datetime.now(UTC) < created_at + timedelta(seconds=1):
        time.sleep(0.05)

    tenant.call("PUT", "/v1/tag/gold/passes", json={"fields": {"offer": {"value": "gold"}}})
    stack.drain()

    shown = tenant.call("GET", pass_path(campaign, tagged))
    assert shown["primary_fields"] == [{**OFFER, "value": "gold", "behaviour": "fixed"}]
    assert shown["updated_at"] > tagged["updated_at"]
    assert shown["created_at"] == tagged["created_at"]
    assert tenant.call("GET", pass_path(campaign, other)) == other
    query = f"q[updated_at_gt]={other['updated_at']}"
    assert tenant.call("GET", f"{path_of(campaign)}/passes?{query}") == [shown]


def test_a_merge_keeps_tags_and_external_ids_and_moves_the_time_there(stack: Stack, tenant: Tenant) -> None:
    campaign, _, pass_id = new_card(tenant)
    before = samples.read_pass(tenant, pass_id)
    patch_campaign(tenant, campaign, primary_fields=[{"key": "primary", "value": "merged"}])

    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()

    after = samples.read_pass(tenant, pass_id)
    assert after["fields"]["primary"]["value"] == "merged"
    assert after["updatedAt"] > before["updatedAt"]
    for key in ("tags", "externalId", "serialNumber", "url", "createdAt"):
        assert after[key] == before[key]


def test_the_code_of_a_pass_of_the_other_dialect_is_not_put_into_its_barcode(tenant: Tenant) -> None:
    template_id = samples.new_template(tenant)
    samples.new_pass(tenant, template_id)
    (campaign,) = campaigns_of(tenant)

    (there,) = passes_of(tenant, campaign)
    here = create_pass(tenant, campaign)

    assert (there["redeem_code"], there["barcode"]["message"]) == ("00000001", "")
    assert (here["redeem_code"], here["barcode"]["message"]) == ("00000002", "00000002")


def test_a_pass_made_there_of_a_campaign_made_here_shows_its_code(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])

    pass_id = samples.new_pass(tenant, stored_template(tenant, campaign).template_id)

    (pass_,) = passes_of(tenant, campaign)
    assert pass_["barcode"]["message"] == pass_["redeem_code"] == "00000001"
    assert samples.read_pass(tenant, pass_id)["headers"]["barcode_value"]["value"] == "00000001"


def test_what_is_deleted_there_is_gone_here(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    template_id = stored_template(tenant, campaign).template_id

    tenant.call("DELETE", f"/v1/pass/{stored_pass(tenant, pass_).pass_id}")
    assert passes_of(tenant, campaign) == []
    tenant.call("DELETE", f"/v1/template/{template_id}")
    assert campaigns_of(tenant, "coupons") == []
    create_campaign(tenant)


def test_a_barcode_of_none_can_be_written_back_there(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    pass_ = create_pass(tenant, campaign, barcode={"format": "none"})
    path = f"/v1/pass/{stored_pass(tenant, pass_).pass_id}"

    tenant.call("PUT", path, json={"headers": {"barcode_type": tenant.call("GET", path)["headers"]["barcode_type"]}})

    assert tenant.call("GET", pass_path(campaign, pass_))["barcode"]["format"] == "none"


def test_a_boarding_pass_template_of_the_other_dialect_can_be_edited_here(tenant: Tenant) -> None:
    tenant.call("POST", "/v1/template", json={**TEMPLATE, "type": "Boarding Pass", "projectType": "boardingPass"})
    (campaign,) = tenant.call("GET", "/v2/boarding_passes")

    assert patch_campaign(tenant, campaign, og=False)["og"] is False


def test_a_look_that_the_other_dialect_changes_is_a_new_template_here(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, background_color="#123456", primary_fields=[OFFER])
    template_id = stored_template(tenant, campaign).template_id
    colour = {"background_color": {"fieldType": "topLevel", "formatType": 1, "value": "rgb(1,2,3)"}}

    tenant.call("PUT", f"/v1/template/{template_id}", json={**TEMPLATE, "type": "Coupon", "headers": colour})

    shown = tenant.call("GET", path_of(campaign))
    assert shown["template_id"] != campaign["template_id"]
    assert tenant.call("GET", f"/v2/templates/{shown['template_id']}")["background_color"] == "#010203"
    assert tenant.call("GET", f"/v2/templates/{campaign['template_id']}")["background_color"] == "#123456"


def test_a_template_of_the_other_dialect_gets_a_look_of_its_type_here(tenant: Tenant) -> None:
    template_id = tenant.call("POST", "/v1/template", json={**TEMPLATE, "type": "Event Ticket"})["templateId"]
    (campaign,) = tenant.call("GET", "/v2/event_tickets")

    changed = patch_campaign(tenant, campaign, icon_id=add_image(tenant), background_color="#123456")
    assert tenant.call("GET", f"/v2/templates/{changed['template_id']}")["pass_type"] == "eventTicket"

    colour = {"background_color": {"fieldType": "topLevel", "formatType": 1, "value": "rgb(1,2,3)"}}
    body = {**TEMPLATE, "type": "Event Ticket", "headers": colour}
    tenant.call("PUT", f"/v1/template/{template_id}", json=body)
    assert {look["pass_type"] for look in tenant.call("GET", "/v2/templates")} == {"eventTicket"}


def test_the_image_that_was_named_last_is_shown_whichever_dialect_named_it(tenant: Tenant, stack: Stack) -> None:
    first, second = add_image(tenant, "logo"), add_image(tenant, "logo")
    campaign = create_campaign(tenant, logo_id=first)
    made_here = stored_pass(tenant, create_pass(tenant, campaign))
    assert find_asset(made_here.content, "logo") == first
    template_id = made_here.template_id

    by_header = {"headers": {"logo_image": {"value": second}}}
    made_there = tenant.call("POST", f"/v1/pass/{template_id}", json=by_header)["id"]
    assert find_asset(_stored(tenant, made_there).content, "logo") == second

    tenant.call("PUT", f"/v1/template/{template_id}", json={"name": "Helloworld", "type": "Coupon", **by_header})
    assert find_asset(stored_pass(tenant, create_pass(tenant, campaign)).content, "logo") == second
    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()
    assert find_asset(_stored(tenant, made_here.pass_id).content, "logo") == second

    patch_campaign(tenant, campaign, logo_id=first)
    assert find_asset(stored_pass(tenant, create_pass(tenant, campaign)).content, "logo") == first
    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()
    assert find_asset(_stored(tenant, made_there).content, "logo") == first


def _stored(tenant: Tenant, pass_id: int | str) -> Pass:
    found = get_platform().passes.get_pass(project_id=tenant.project_id, pass_id=int(pass_id))
    assert found is not None
    return found
