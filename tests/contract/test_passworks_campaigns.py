"""Campaigns: created, read, changed and deleted (passworks-v2, sections 6, 9 and 12)."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.templates import STYLES
from chalicelib.schemas.passworks import ROOTS
from tests.contract.campaigns import (
    TYPES,
    UNKNOWN_ID,
    UNKNOWN_IDS,
    add_image,
    check_refusal,
    create_campaign,
    create_pass,
    open_pass,
    patch_campaign,
    path_of,
    post_campaign,
    walk,
)
from tests.contract.expectations import MILLISECONDS, SECONDS, UUID
from tests.contract.raw_http import basic, send
from tests.support.rivals import run_together
from tests.support.stack import Stack, Tenant

BLANK_BARCODE = {"format": "qrcode", "message": "", "alt_text": "", "alt_text_type": "mirror"}
DEFAULTS: dict[str, Any] = {
    "gwallet_usage": None,
    "gwallet_status": None,
    "gwallet_message": None,
    "organization_name": None,
    "barcode": BLANK_BARCODE,
    "barcodes": [],
    "allow_multiple_redeems": False,
    "header_fields": [],
    "primary_fields": [],
    "secondary_fields": [],
    "auxiliary_fields": [],
    "back_fields": [],
    "locations": [],
    "beacons": [],
    "expiration_date": None,
    "code_type": "sequencial",
    "code_fixed_value": None,
    "render_on_short_url": False,
    "redeem_count": 0,
    "remote_form_url": None,
    "og": True,
    "og_description": "",
    "javascript": None,
    "stylesheet": None,
    "user_info": {},
    "sync_locations_on_merge": True,
    "sync_beacons_on_merge": True,
    "state": "published",
}
"""what a campaign shows that sent none of these (section 6)"""

OTHER_KEYS = {"id", "name", "template_id", "certificate_id", "created_at", "updated_at", "distributions"}
DISTRIBUTION_KEYS = [
    "id",
    "distribution_type",
    "state",
    "page_url",
    "pkpass_url",
    "preview_url",
    "page_short_url",
    "pkpass_short_url",
    "preview_short_url",
    "created_at",
    "updated_at",
    "published_at",
]
OFFER = {"key": "offer", "value": "20% off", "label": "Any premium dog food"}
PLACE = {"latitude": 38.7, "longitude": -9.1}
BEACON = {"proximity_uuid": "74278bda-b644-4520-8f0c-720eaf059935", "major": 1, "minor": 2}


def look_names(tenant: Tenant) -> list[str]:
    return [look["name"] for look in tenant.call("GET", "/v2/templates?per_page=50")]


def campaign_names(tenant: Tenant) -> list[str]:
    return [each["name"] for type_ in TYPES for each in tenant.call("GET", f"/v2/{type_}?per_page=50")]


def new_look(tenant: Tenant, **template: Any) -> dict[str, Any]:
    body = {"name": "Cocacola", "pass_type": "coupon", "icon_id": add_image(tenant), **template}
    answer = tenant.request("POST", "/v2/templates", json={"template": body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def shown(field: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"value": None, "label": None, "behaviour": "fixed", **field, "data_type": "text", "required": True, **more}


def test_a_campaign_of_an_icon_has_every_documented_key_at_its_default(tenant: Tenant) -> None:
    icon = add_image(tenant)

    campaign = create_campaign(tenant, icon_id=icon)

    assert campaign | DEFAULTS == campaign
    assert set(campaign) >= OTHER_KEYS
    assert (campaign["name"], campaign["description"], campaign["icon_id"]) == ("Helloworld", "Helloworld", icon)
    assert UUID.fullmatch(campaign["id"])
    assert SECONDS.fullmatch(campaign["created_at"])
    assert SECONDS.fullmatch(campaign["updated_at"])
    assert tenant.call("GET", path_of(campaign)) == campaign
    assert tenant.call("GET", "/v2/coupons/") == [campaign]


def test_a_campaign_has_one_distribution_whose_addresses_stand_at_the_top_too(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)

    (distribution,) = campaign["distributions"]

    assert list(distribution) == DISTRIBUTION_KEYS
    assert UUID.fullmatch(distribution["id"])
    assert (distribution["distribution_type"], distribution["state"]) == ("downloadPage", "published")
    assert all(MILLISECONDS.fullmatch(distribution[key]) for key in ("created_at", "updated_at", "published_at"))
    assert distribution["pkpass_url"] == distribution["page_url"] + ".pkpass"
    assert distribution["preview_url"].startswith(distribution["page_url"] + ".png?updated_at=")
    for key in ("page_url", "pkpass_url", "page_short_url", "pkpass_short_url"):
        assert campaign[key] == distribution[key]


def test_everything_that_is_sent_comes_back(tenant: Tenant) -> None:
    content: dict[str, Any] = {
        "name": "All of it",
        "description": "Everything",
        "organization_name": "Luis",
        "logo_text": "Acme",
        "background_color": "#44b084",
        "text_color": "#ffffff",
        "label_color": "#010203",
        "barcode": {"format": "pdf417", "message": "12", "alt_text": "twelve", "alt_text_type": "mirror"},
        "barcodes": [{"format": "aztec", "message": "13", "alt_text": "", "alt_text_type": "mirror"}],
        "associated_store_identifiers": [284417350],
        "gwallet_usage": True,
        "code_type": "fixed",
        "code_fixed_value": "ABC",
        "allow_multiple_redeems": True,
        "og": False,
        "og_description": "See this",
        "javascript": "alert(1)",
        "stylesheet": "p {}",
        "user_info": {"email": "a@example.com", "nested": [1]},
        "max_distance": 100,
        "relevant_date": "2030-01-02T03:04:05Z",
        "sync_locations_on_merge": False,
        "sync_beacons_on_merge": False,
    }
    images = {f"{kind}_id": add_image(tenant, kind) for kind in ("icon", "logo", "strip", "thumbnail", "background")}

    campaign = create_campaign(tenant, **content, **images)

    assert campaign | content | images == campaign
    assert tenant.call("GET", path_of(campaign)) == campaign


def test_sub_objects_have_exactly_the_documented_keys(tenant: Tenant) -> None:
    campaign = create_campaign(
        tenant,
        primary_fields=[OFFER],
        back_fields=[{"key": "terms", "behaviour": "dynamic"}],
        locations=[PLACE, {**PLACE, "altitude": 3, "relevant_text": "Nearby"}],
        beacons=[BEACON, {"proximity_uuid": BEACON["proximity_uuid"]}],
        expiration_date="2016-08-09T16:30:54+02:00",
    )

    assert campaign["primary_fields"] == [shown(OFFER)]
    assert campaign["back_fields"] == [shown({"key": "terms", "behaviour": "dynamic"})]
    assert campaign["locations"] == [
        {**PLACE, "altitude": None, "relevant_text": None},
        {**PLACE, "altitude": 3, "relevant_text": "Nearby"},
    ]
    assert campaign["beacons"] == [
        {**BEACON, "relevant_text": None},
        {"major": None, "minor": None, "proximity_uuid": BEACON["proximity_uuid"], "relevant_text": None},
    ]
    assert campaign["expiration_date"] == "2016-08-09T14:30:54.000+00:00"


def test_a_campaign_of_a_template_looks_like_it(tenant: Tenant) -> None:
    look = new_look(
        tenant,
        logo_text="Acme",
        background_color="#44b084",
        barcode={"format": "aztec", "message": "9", "alt_text": "x"},
    )

    campaign = create_campaign(tenant, template_id=look["id"])

    for key in ("icon_id", "logo_text", "background_color", "text_color", "barcode"):
        assert campaign[key] == look[key]
    assert campaign["template_id"] == look["id"]
    assert look_names(tenant) == ["Cocacola"]


def test_a_campaign_without_template_gets_one_of_its_own(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, background_color="#44b084")

    look = tenant.call("GET", f"/v2/templates/{campaign['template_id']}")

    assert (look["name"], look["pass_type"]) == ("Template for Helloworld", "coupon")
    assert (look["icon_id"], look["background_color"]) == (campaign["icon_id"], "#44b084")


def test_a_template_and_other_colours_make_a_template_of_both(tenant: Tenant) -> None:
    look = new_look(tenant, background_color="#44b084", logo_text="Acme")

    campaign = create_campaign(tenant, template_id=look["id"], background_color="#000000")

    assert campaign["template_id"] != look["id"]
    assert (campaign["background_color"], campaign["logo_text"]) == ("#000000", "Acme")
    assert look_names(tenant) == ["Cocacola", "Template for Helloworld"]


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_has_its_own_root_key_and_style(tenant: Tenant, campaign_type: str) -> None:
    campaign = create_campaign(tenant, campaign_type)

    look = tenant.call("GET", f"/v2/templates/{campaign['template_id']}")

    assert look["pass_type"] == STYLES[campaign_type]
    for other in TYPES:
        status = 200 if other == campaign_type else 404
        assert tenant.request("GET", f"/v2/{other}/{campaign['id']}").status_code == status
        assert len(tenant.call("GET", f"/v2/{other}")) == (other == campaign_type)
    assert STYLES[campaign_type] in open_pass(tenant, create_pass(tenant, campaign))


@pytest.mark.parametrize("transit_type", ["air", "boat", "train", "bus", "generic"])
def test_a_boarding_pass_takes_every_transit_type(tenant: Tenant, transit_type: str) -> None:
    campaign = create_campaign(tenant, "boarding_passes", transit_type=transit_type)

    assert campaign["transit_type"] == transit_type
    document = open_pass(tenant, create_pass(tenant, campaign))
    assert document["boardingPass"]["transitType"] == f"PKTransitType{transit_type.capitalize()}"


@pytest.mark.parametrize("transit_type", [None, "", "rocket"])
def test_a_boarding_pass_needs_a_known_transit_type(tenant: Tenant, transit_type: str | None) -> None:
    check_refusal(post_campaign(tenant, "boarding_passes", transit_type=transit_type), 422, 10100, "transit_type")


@pytest.mark.parametrize(("campaign_type", "metres"), [("coupons", 100), ("event_tickets", 1000)])
def test_the_distance_has_a_limit(tenant: Tenant, campaign_type: str, metres: int) -> None:
    campaign = create_campaign(tenant, campaign_type, max_distance=metres)
    update = {"json": {ROOTS[campaign_type]: {"max_distance": metres + 1}}}

    refused = post_campaign(tenant, campaign_type, name="Other", max_distance=metres + 1)

    assert campaign["max_distance"] == metres
    check_refusal(refused, 422, 10100, "max_distance")
    check_refusal(tenant.request("PATCH", path_of(campaign), **update), 422, 10100, "max_distance")
    check_refusal(
        tenant.request("POST", f"{path_of(campaign)}/passes", json={"pass": {"max_distance": metres + 1}}),
        422,
        10100,
        "max_distance",
    )


def test_an_event_ticket_has_a_background_or_a_strip(tenant: Tenant) -> None:
    images = {"background_id": add_image(tenant, "background"), "strip_id": add_image(tenant, "strip")}

    check_refusal(post_campaign(tenant, "event_tickets", **images), 422, 10100, "background_id")
    ticket = create_campaign(tenant, "event_tickets", strip_id=images["strip_id"])
    answer = tenant.request("PATCH", path_of(ticket), json={"event_ticket": {"background_id": images["background_id"]}})
    check_refusal(answer, 422, 10100, "background_id")
    assert create_campaign(tenant, "coupons", name="Other", **images)["strip_id"] == images["strip_id"]


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": ""}),
    ("name", {"name": "  "}),
    ("name", {"name": None}),
    ("name", {"name": 5}),
    ("name", {"name": "n" * 256}),
    ("icon_id", {"icon_id": None}),
    ("icon_id", {"icon_id": ""}),
    ("icon_id", {"icon_id": UNKNOWN_ID}),
    ("icon_id", {"icon_id": 5}),
    ("logo_id", {"logo_id": UNKNOWN_ID}),
    ("thumbnail_id", {"thumbnail_id": "nothing"}),
    ("template_id", {"template_id": UNKNOWN_ID}),
    ("certificate_id", {"certificate_id": UNKNOWN_ID}),
    ("background_color", {"background_color": "red"}),
    ("text_color", {"text_color": "#12"}),
    ("label_color", {"label_color": 5}),
    ("logo_text", {"logo_text": {}}),
    ("barcode.format", {"barcode": {"format": "code39"}}),
    ("barcode.message", {"barcode": {"message": []}}),
    ("barcode", {"barcode": "12"}),
    ("barcodes[0].format", {"barcodes": [{"format": "code39"}]}),
    ("code_type", {"code_type": "sequential"}),
    ("code_fixed_value", {"code_type": "fixed"}),
    ("og", {"og": "maybe"}),
    ("max_distance", {"max_distance": -1}),
    ("max_distance", {"max_distance": "far"}),
    ("max_distance", {"max_distance": True}),
    ("locations[0].altitude", {"locations": [{**PLACE, "altitude": "high"}]}),
    ("expiration_date", {"expiration_date": "tomorrow"}),
    ("user_info", {"user_info": "none"}),
    ("primary_fields", {"primary_fields": "none"}),
    ("primary_fields[0]", {"primary_fields": [5]}),
    ("primary_fields[0].key", {"primary_fields": [{"value": "1"}]}),
    ("primary_fields[0].key", {"primary_fields": [{"key": ""}]}),
    ("primary_fields[0].key", {"primary_fields": [{"key": "push_message"}]}),
    ("primary_fields[1].key", {"primary_fields": [OFFER, OFFER]}),
    ("back_fields[0].key", {"primary_fields": [OFFER], "back_fields": [OFFER]}),
    ("back_fields[0].behaviour", {"back_fields": [{"key": "k", "behaviour": "loose"}]}),
    ("back_fields[0].value", {"back_fields": [{"key": "k", "value": {}}]}),
    ("locations", {"locations": [PLACE] * 11}),
    ("locations[0].latitude", {"locations": [{"latitude": 91, "longitude": 0}]}),
    ("locations[0].longitude", {"locations": [{"latitude": 1}]}),
    ("beacons", {"beacons": [BEACON] * 11}),
    ("beacons[0].proximity_uuid", {"beacons": [{"major": 1}]}),
    *[
        ("beacons[0].major", {"beacons": [{**BEACON, "major": value}]})
        for value in (65536, "1_0", "1.0", " 1 ", "+1", "")
    ],
    ("associated_store_identifiers[0]", {"associated_store_identifiers": ["1_0"]}),
    ("associated_store_identifiers[1]", {"associated_store_identifiers": ["1", "1.0"]}),
]


@pytest.mark.parametrize(("field", "content"), REFUSED)
def test_a_wrong_value_is_422_under_its_name_and_nothing_is_written(
    tenant: Tenant, field: str, content: dict[str, Any]
) -> None:
    check_refusal(post_campaign(tenant, **content), 422, 10100, field)
    assert campaign_names(tenant) == look_names(tenant) == []

    campaign = create_campaign(tenant)
    answer = tenant.request("PATCH", path_of(campaign), json={"coupon": {"background_color": "#000000", **content}})
    if field != "icon_id" or content["icon_id"]:
        check_refusal(answer, 422, 10100, field)
        assert tenant.call("GET", path_of(campaign)) == campaign
        assert look_names(tenant) == ["Template for Helloworld"]


def test_ten_locations_and_beacons_are_taken(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, locations=[PLACE] * 10, beacons=[BEACON] * 10)

    assert (len(campaign["locations"]), len(campaign["beacons"])) == (10, 10)


def test_a_template_of_another_style_or_account_is_refused(tenant: Tenant, stack: Stack) -> None:
    ticket = new_look(tenant, pass_type="eventTicket")
    foreign = create_campaign(stack.tenant())

    check_refusal(post_campaign(tenant, template_id=ticket["id"]), 422, 10100, "template_id")
    check_refusal(post_campaign(tenant, template_id=foreign["template_id"]), 422, 10100, "template_id")
    check_refusal(post_campaign(tenant, icon_id=foreign["icon_id"]), 422, 10100, "icon_id")
    campaign = create_campaign(tenant)
    answer = tenant.request("PATCH", path_of(campaign), json={"coupon": {"template_id": ticket["id"]}})
    check_refusal(answer, 422, 10100, "template_id")


def test_unknown_keys_are_ignored(tenant: Tenant) -> None:
    campaign = create_campaign(
        tenant, foreground_color="no colour", state="archived", redeem_count=9, primary_fields=[{**OFFER, "x": 1}]
    )

    assert (campaign["state"], campaign["redeem_count"]) == ("published", 0)
    assert campaign["primary_fields"] == [shown(OFFER)]


@pytest.mark.parametrize("body", ["", "null", "{}", "[]", '{"name":"Helloworld"}', '{"store_card":{}}'])
def test_a_body_without_its_root_key_is_422(tenant: Tenant, body: str) -> None:
    campaign = create_campaign(tenant)

    check_refusal(tenant.request("POST", "/v2/coupons", content=body), 422, 10100, "coupon")
    check_refusal(tenant.request("PATCH", path_of(campaign), content=body), 422, 10100, "coupon")


@pytest.mark.parametrize("root", ["null", "[]", "{}"])
def test_an_empty_root_lacks_a_name_on_create_and_changes_nothing_on_update(tenant: Tenant, root: str) -> None:
    campaign = create_campaign(tenant)

    check_refusal(tenant.request("POST", "/v2/coupons", content=f'{{"coupon":{root}}}'), 422, 10100, "name")
    changed = tenant.call("PATCH", path_of(campaign), content=f'{{"coupon":{root}}}')
    assert changed | {"updated_at": campaign["updated_at"]} == campaign | {
        key: changed[key] for key in ("distributions", "preview_url", "preview_short_url")
    }


@pytest.mark.parametrize("body", ["{", '{"coupon":{"name":}}', "\xff", "{'coupon':1}"])
def test_malformed_json_is_400(tenant: Tenant, body: str) -> None:
    campaign = create_campaign(tenant)

    path = path_of(campaign)
    for method, target in (("POST", "/v2/coupons"), ("PATCH", path), ("POST", f"{path}/passes")):
        check_refusal(tenant.request(method, target, content=body.encode("latin-1")), 400, 10000)


@pytest.mark.parametrize("body", ["5", '"coupon"', "true", '{"coupon":5}', '{"coupon":[1]}'])
def test_json_that_is_no_object_is_422(tenant: Tenant, body: str) -> None:
    check_refusal(tenant.request("POST", "/v2/coupons", content=body), 422, 10100)


def test_a_body_needs_no_content_type(tenant: Tenant) -> None:
    body = json.dumps({"coupon": {"name": "Plain", "icon_id": add_image(tenant)}})

    answer = send(tenant, "POST", "/v2/coupons/", headers={"Authorization": basic(tenant)}, body=body)

    assert answer.status_code == 201, answer.text


def test_an_empty_array_is_an_empty_object_everywhere(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, barcode=[], user_info=[])

    assert (campaign["barcode"], campaign["user_info"]) == (BLANK_BARCODE, {})


def test_a_name_is_taken_whatever_the_type_until_its_campaign_is_deleted(tenant: Tenant, stack: Stack) -> None:
    campaign = create_campaign(tenant)

    refused = post_campaign(tenant, "generics")
    assert check_refusal(refused, 422, 10100, "name") == "Validation failed"
    assert refused.json()["errors"] == {"name": ["is taken"]}
    create_campaign(stack.tenant())
    assert tenant.call("DELETE", path_of(campaign)) == {"errors": []}
    create_campaign(tenant, "generics")


def test_an_update_to_a_taken_name_is_refused_and_to_the_own_is_not(tenant: Tenant) -> None:
    create_campaign(tenant, name="First")
    second = create_campaign(tenant, name="Second")

    check_refusal(tenant.request("PATCH", path_of(second), json={"coupon": {"name": "First"}}), 422, 10100, "name")
    assert patch_campaign(tenant, second, name="Second")["name"] == "Second"
    assert patch_campaign(tenant, second, name="Third")["name"] == "Third"
    create_campaign(tenant, name="Second")


def test_of_eight_creates_of_one_name_one_succeeds_and_leaves_one_template(tenant: Tenant) -> None:
    icon = add_image(tenant)

    answers = run_together([partial(post_campaign, tenant, icon_id=icon) for _ in range(8)])

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 7}
    for answer in answers:
        if answer.status_code == 422:
            check_refusal(answer, 422, 10100, "name")
    (campaign,) = tenant.call("GET", "/v2/coupons")
    (look,) = tenant.call("GET", "/v2/templates")
    assert campaign["template_id"] == look["id"]
    tenant.call("DELETE", path_of(campaign))
    create_campaign(tenant)


def test_of_eight_renames_to_one_name_one_succeeds(tenant: Tenant) -> None:
    campaigns = [create_campaign(tenant, name=f"Number {number}") for number in range(8)]

    answers = run_together(
        [partial(tenant.request, "PATCH", path_of(each), json={"coupon": {"name": "One"}}) for each in campaigns]
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 7}
    assert campaign_names(tenant).count("One") == 1


@pytest.mark.parametrize("campaign_type", TYPES)
@pytest.mark.parametrize("own", [True, False])
def test_an_update_stands_under_its_own_root_or_under_pass(tenant: Tenant, campaign_type: str, own: bool) -> None:
    campaign = create_campaign(tenant, campaign_type)
    root = ROOTS[campaign_type] if own else "pass"

    changed = tenant.call("PATCH", path_of(campaign), json={root: {"description": "New"}})

    assert changed["description"] == "New"


def test_the_own_root_goes_before_pass(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)

    changed = tenant.call(
        "PATCH", path_of(campaign), json={"pass": {"description": "no"}, "coupon": {"description": "yes"}}
    )

    assert changed["description"] == "yes"


def test_an_update_merges_fields_by_key(tenant: Tenant) -> None:
    other = {"key": "other", "value": "1", "label": "Other", "behaviour": "dynamic"}
    campaign = create_campaign(tenant, primary_fields=[OFFER, other], back_fields=[{"key": "terms", "value": "All"}])

    changed = patch_campaign(
        tenant, campaign, primary_fields=[{"key": "offer", "value": "30% off"}, {"key": "new", "label": "New"}]
    )

    assert changed["primary_fields"] == [
        shown({**OFFER, "value": "30% off"}),
        shown(other),
        shown({"key": "new", "label": "New"}),
    ]
    assert changed["back_fields"] == campaign["back_fields"]
    assert tenant.call("GET", path_of(campaign)) == changed


def test_null_in_a_field_is_a_value(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])

    changed = patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "label": None}])

    assert changed["primary_fields"] == [shown({**OFFER, "label": None})]


def test_an_empty_array_empties_its_group_alone(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], back_fields=[{"key": "terms"}])

    changed = patch_campaign(tenant, campaign, primary_fields=[])

    assert (changed["primary_fields"], changed["back_fields"]) == ([], campaign["back_fields"])


def test_a_field_moves_to_the_group_that_it_is_sent_in(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])

    changed = patch_campaign(tenant, campaign, back_fields=[{"key": "offer"}])

    assert (changed["primary_fields"], changed["back_fields"]) == ([], [shown(OFFER)])


def test_locations_and_beacons_are_replaced_whole(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, locations=[PLACE, PLACE], beacons=[BEACON])

    changed = patch_campaign(tenant, campaign, locations=[{"latitude": 1, "longitude": 2}], beacons=[])

    assert changed["locations"] == [{"latitude": 1, "longitude": 2, "altitude": None, "relevant_text": None}]
    assert changed["beacons"] == []
    assert patch_campaign(tenant, campaign, name="Other")["locations"] == changed["locations"]


def test_the_parts_of_a_barcode_are_kept_one_by_one(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, barcode={"format": "aztec", "message": "12", "alt_text": "twelve"})

    changed = patch_campaign(tenant, campaign, barcode={"message": "13"})

    assert changed["barcode"] == {"format": "aztec", "message": "13", "alt_text": "twelve", "alt_text_type": "mirror"}


def test_changing_the_look_makes_a_template_with_the_next_free_name(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)

    changed = patch_campaign(tenant, campaign, background_color="#44b084")

    look = tenant.call("GET", f"/v2/templates/{changed['template_id']}")
    assert (look["name"], look["background_color"]) == ("Template for Helloworld-1", "#44b084")
    assert look["icon_id"] == campaign["icon_id"]
    assert patch_campaign(tenant, campaign, logo_text="Acme")["background_color"] == "#44b084"
    assert look_names(tenant) == [f"Template for Helloworld{suffix}" for suffix in ("", "-1", "-2")]


def test_what_does_not_change_the_look_makes_no_template(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, background_color="#44b084", barcode={"format": "aztec"})

    changed = patch_campaign(
        tenant, campaign, description="New", background_color="#44B084", logo_text="", barcode={"message": "12"}
    )

    assert changed["template_id"] == campaign["template_id"]
    assert look_names(tenant) == ["Template for Helloworld"]


@pytest.mark.parametrize("campaign_type", TYPES)
def test_a_campaign_can_be_sent_back_as_it_was_read(tenant: Tenant, campaign_type: str) -> None:
    campaign = create_campaign(
        tenant,
        campaign_type,
        primary_fields=[OFFER],
        back_fields=[{"key": "terms", "behaviour": "dynamic"}],
        locations=[PLACE],
        beacons=[BEACON],
        barcodes=[{"format": "aztec"}],
        expiration_date="2030-01-01",
        background_color="#44b084",
    )

    changed = tenant.call("PATCH", path_of(campaign), json={ROOTS[campaign_type]: campaign})

    moved = ("updated_at", "distributions", "preview_url", "preview_short_url")
    assert {key: value for key, value in changed.items() if key not in moved} == {
        key: value for key, value in campaign.items() if key not in moved
    }
    assert look_names(tenant) == ["Template for Helloworld"]


def test_another_template_replaces_the_whole_look_and_nothing_else(tenant: Tenant) -> None:
    campaign = create_campaign(
        tenant,
        logo_id=add_image(tenant, "logo"),
        background_color="#44b084",
        primary_fields=[OFFER],
        locations=[PLACE],
        barcode={"format": "aztec", "message": "12"},
    )
    look = new_look(tenant, text_color="#ffffff")

    changed = patch_campaign(tenant, campaign, template_id=look["id"])

    assert changed["template_id"] == look["id"]
    for key in ("icon_id", "logo_id", "background_color", "text_color", "logo_text"):
        assert changed[key] == look[key]
    for key in ("primary_fields", "locations"):
        assert changed[key] == campaign[key]
    assert look_names(tenant) == ["Template for Helloworld", "Cocacola"]


def test_a_template_or_asset_in_use_cannot_be_deleted(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    icon, look = f"/v2/assets/{campaign['icon_id']}", f"/v2/templates/{campaign['template_id']}"

    assert check_refusal(tenant.request("DELETE", icon), 412, 10103).startswith("Asset in use by 1 templates, e.g.: ")
    check_refusal(tenant.request("DELETE", look), 412, 10103)
    tenant.call("DELETE", path_of(campaign))
    assert tenant.call("DELETE", look) == {"errors": []}
    assert tenant.call("DELETE", icon) == {"errors": []}


@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_unknown_campaign_is_404_and_its_deletion_412(tenant: Tenant, unknown: str) -> None:
    path = f"/v2/coupons/{unknown}"

    check_refusal(tenant.request("GET", path), 404, 10004, "campaign")
    check_refusal(tenant.request("PATCH", path, json={"coupon": {}}), 404, 10004, "campaign")
    for action in ("merge", "push", "pause", "resume", "archive"):
        check_refusal(tenant.request("POST", f"{path}/{action}"), 404, 10004, "campaign")
    answer = tenant.request("DELETE", path)
    check_refusal(answer, 412, 10104, "campaign")
    assert answer.json()["errors"] == {"campaign": "Campaign not found."}


def test_nothing_of_another_account_or_type_is_found(tenant: Tenant, stack: Stack) -> None:
    campaign = create_campaign(tenant)
    stranger = stack.tenant()

    for who, path in ((stranger, path_of(campaign)), (tenant, f"/v2/generics/{campaign['id']}")):
        check_refusal(who.request("GET", path), 404, 10004, "campaign")
        check_refusal(who.request("PATCH", path, json={"pass": {"name": "Mine"}}), 404, 10004, "campaign")
        check_refusal(who.request("DELETE", path), 412, 10104, "campaign")
    assert stranger.call("GET", "/v2/coupons") == []
    assert tenant.call("GET", path_of(campaign)) == campaign


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Una", "Salus", "Victus"]),
        ("q[name_eq]=Salus", ["Salus"]),
        ("q[name_cont]=us", ["Salus", "Victus"]),
        ("q[name_matches]=_na", ["Una"]),
        ("q[state_eq]=paused", ["Victus"]),
        ("q[state_not_eq]=paused&q[name_eq]=Una", ["Una"]),
        ("q[redeem_count_gt]=0", ["Salus"]),
        ("q[redeem_count_eq]=0&q[s]=name+desc", ["Victus", "Una"]),
        ("q[s]=created_at+desc", ["Victus", "Salus", "Una"]),
        ("q[s]=redeem_count+desc&per_page=1", ["Salus"]),
        ("q[created_at_gteq]=2000-01-01&q[updated_at_lt]=2000-01-01", []),
        ("per_page=1&page=2", ["Salus"]),
        ("offset=1&per_page=2", ["Salus", "Victus"]),
    ],
)
def test_a_query_filters_orders_and_cuts(tenant: Tenant, query: str, names: list[str]) -> None:
    campaigns = [create_campaign(tenant, name=name) for name in ("Una", "Salus", "Victus")]
    pass_ = create_pass(tenant, campaigns[1])
    tenant.call("POST", f"{path_of(campaigns[1])}/passes/{pass_['id']}/redeem")
    tenant.call("POST", f"{path_of(campaigns[2])}/pause")

    assert [each["name"] for each in tenant.call("GET", f"/v2/coupons/?{query}")] == names


def test_lists_have_paging_headers_and_can_be_walked(tenant: Tenant) -> None:
    for number in range(3):
        create_campaign(tenant, name=f"{number}")

    answer = tenant.request("GET", "/v2/coupons?per_page=2")

    assert (answer.headers["X-Total"], answer.headers["X-Total-Pages"], answer.headers["X-Next-Page"]) == (
        "3",
        "2",
        "2",
    )
    assert [[each["name"] for each in page] for page in walk(tenant, "/v2/coupons?per_page=2")] == [["0", "1"], ["2"]]
    answer = tenant.request("GET", "/v2/coupons?q[colour_eq]=red")
    assert "Attributes: id, name, state, redeem_count, created_at, updated_at." in check_refusal(
        answer, 422, 10101, "q"
    )


def test_an_icon_can_be_changed_but_not_taken_away(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)

    answer = tenant.request("PATCH", path_of(campaign), json={"coupon": {"icon_id": None}})

    check_refusal(answer, 422, 10100, "icon_id")
    assert tenant.call("GET", path_of(campaign)) == campaign
