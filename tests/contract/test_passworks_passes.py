"""Passes of campaigns: created, listed, changed and deleted (passworks-v2, sections 6, 8 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.campaigns import (
    TYPES,
    UNKNOWN_ID,
    UNKNOWN_IDS,
    add_image,
    check_refusal,
    create_campaign,
    create_pass,
    open_pass,
    pass_path,
    patch_campaign,
    path_of,
    stored_pass,
    walk,
)
from tests.contract.expectations import SECONDS, UUID
from tests.contract.raw_http import basic, send
from tests.support.stack import Stack, Tenant

KEYS = {
    "id",
    "campaign_id",
    "voided",
    "serial_number",
    "redeem_code",
    "redeemed_count",
    "barcode",
    "barcodes",
    "expiration_date",
    "max_distance",
    "relevant_date",
    "header_fields",
    "primary_fields",
    "secondary_fields",
    "auxiliary_fields",
    "back_fields",
    "locations",
    "beacons",
    "user_info",
    "page_url",
    "pkpass_url",
    "page_short_url",
    "pkpass_short_url",
    "gwallet_usage",
    "gwallet_status",
    "gwallet_message",
    "created_at",
    "updated_at",
}
"""section 8"""

OFFER = {"key": "offer", "value": "20% off", "label": "Any premium dog food"}
TERMS = {"key": "terms", "value": "All", "label": "Terms"}
PLACE = {"latitude": 38.7, "longitude": -9.1}
BEACON = {"proximity_uuid": "74278bda-b644-4520-8f0c-720eaf059935", "major": 1, "minor": 2}


def shown(field: dict[str, Any]) -> dict[str, Any]:
    return {"value": None, "label": None, "behaviour": "fixed", **field}


def barcode(message: str, **more: Any) -> dict[str, Any]:
    return {"format": "qrcode", "message": message, "alt_text": message, "alt_text_type": "mirror", **more}


def place(**more: Any) -> dict[str, Any]:
    return {"name": None, "altitude": None, **PLACE, "relevant_text": None, **more}


def post(tenant: Tenant, campaign: dict[str, Any], **content: Any) -> Any:
    return tenant.request("POST", f"{path_of(campaign)}/passes", json={"pass": content})


def patch(tenant: Tenant, campaign: dict[str, Any], pass_: dict[str, Any], **content: Any) -> dict[str, Any]:
    return dict(tenant.call("PATCH", pass_path(campaign, pass_), json={"pass": content}))


def version(tenant: Tenant, pass_: dict[str, Any]) -> int:
    return stored_pass(tenant, pass_).version


def test_a_pass_has_every_documented_key_and_what_its_campaign_shows(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], locations=[PLACE], beacons=[BEACON])

    pass_ = create_pass(tenant, campaign)

    assert set(pass_) >= KEYS
    assert "authentication_token" not in pass_
    expected = {
        "campaign_id": campaign["id"],
        "voided": False,
        "serial_number": pass_["id"],
        "redeem_code": "00000001",
        "redeemed_count": 0,
        "barcode": barcode("00000001"),
        "barcodes": [barcode("00000001")],
        "expiration_date": None,
        "max_distance": None,
        "relevant_date": None,
        "header_fields": [],
        "primary_fields": [shown(OFFER)],
        "secondary_fields": [],
        "auxiliary_fields": [],
        "back_fields": [],
        "locations": [place()],
        "beacons": [{**BEACON, "relevant_text": None}],
        "user_info": {},
        "gwallet_usage": False,
        "gwallet_status": None,
        "gwallet_message": None,
    }
    assert pass_ | expected == pass_
    assert UUID.fullmatch(pass_["id"])
    assert SECONDS.fullmatch(pass_["created_at"])
    assert pass_["updated_at"] == pass_["created_at"]
    assert pass_["pkpass_url"] == pass_["page_url"] + ".pkpass"
    assert pass_["page_url"].startswith(campaign["page_url"] + "/")
    assert tenant.call("GET", pass_path(campaign, pass_)) == pass_
    assert tenant.call("GET", f"{path_of(campaign)}/passes") == [pass_]


def test_the_file_of_a_pass_shows_what_the_pass_does(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], background_color="#010203", description="Described")

    document = open_pass(tenant, create_pass(tenant, campaign, back_fields=[TERMS]))

    assert document["coupon"]["primaryFields"] == [OFFER]
    assert document["coupon"]["backFields"] == [TERMS]
    assert (document["backgroundColor"], document["description"]) == ("rgb(1, 2, 3)", "Described")
    assert [each["message"] for each in document["barcodes"]] == ["00000001"]
    assert document["barcode"]["altText"] == "00000001"


@pytest.mark.parametrize("body", [None, "", "{}", "null", "[]", '{"pass":{}}', '{"pass":[]}', '{"pass":null}'])
def test_a_pass_needs_no_body(tenant: Tenant, body: str | None) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    headers = {"Authorization": basic(tenant)}

    answer = send(tenant, "POST", f"{path_of(campaign)}/passes/", headers=headers, body=body)

    assert answer.status_code == 201, answer.text
    assert answer.json()["primary_fields"] == [shown(OFFER)]


def test_everything_that_may_be_overridden_is(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], locations=[PLACE, PLACE], user_info={"a": 1})
    thumbnail = add_image(tenant, "thumbnail")
    own = {
        "thumbnail_id": thumbnail,
        "barcode": {"format": "aztec", "message": "12", "alt_text": "twelve", "alt_text_type": "mirror"},
        "barcodes": [{"format": "pdf417", "message": "13", "alt_text": "x", "alt_text_type": "mirror"}],
        "user_info": {"email": "a@example.com"},
    }

    pass_ = create_pass(
        tenant,
        campaign,
        primary_fields=[{"key": "offer", "value": "30% off"}],
        back_fields=[TERMS],
        locations=[{**PLACE, "relevant_text": "Nearby", "altitude": 5}],
        beacons=[BEACON],
        expiration_date="2016-08-09T14:30:54Z",
        **own,
    )

    assert pass_ | own == pass_
    assert pass_["primary_fields"] == [shown({**OFFER, "value": "30% off"})]
    assert pass_["back_fields"] == [shown(TERMS)]
    assert pass_["locations"] == [place(relevant_text="Nearby", altitude=5)]
    assert pass_["beacons"] == [{**BEACON, "relevant_text": None}]
    assert pass_["expiration_date"] == "2016-08-09T14:30:54.000+00:00"
    assert tenant.call("GET", pass_path(campaign, pass_)) == pass_


def test_an_empty_array_empties_its_group_in_the_pass_alone(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], back_fields=[TERMS], locations=[PLACE])

    pass_ = create_pass(tenant, campaign, primary_fields=[], locations=[])

    assert (pass_["primary_fields"], pass_["back_fields"], pass_["locations"]) == ([], [shown(TERMS)], [])
    assert open_pass(tenant, pass_)["coupon"]["primaryFields"] == []
    assert create_pass(tenant, campaign)["primary_fields"] == [shown(OFFER)]


def test_sequential_codes_count_from_one_in_each_campaign(tenant: Tenant) -> None:
    first, second = create_campaign(tenant, name="First"), create_campaign(tenant, name="Second")

    codes = [create_pass(tenant, campaign)["redeem_code"] for campaign in (first, first, second, first)]

    assert codes == ["00000001", "00000002", "00000001", "00000003"]


def test_a_fixed_code_is_the_message_and_the_redeem_code_stays_a_number(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, code_type="fixed", code_fixed_value="SUMMER")

    passes = [create_pass(tenant, campaign) for _ in range(2)]

    assert [pass_["barcode"] for pass_ in passes] == [barcode("SUMMER")] * 2
    assert [pass_["redeem_code"] for pass_ in passes] == ["00000001", "00000002"]


def test_a_code_per_pass_is_its_message(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, code_type="per_pass")

    pass_ = create_pass(tenant, campaign, barcode={"message": "ABC-1"})

    assert (pass_["redeem_code"], pass_["barcode"]) == ("ABC-1", barcode("ABC-1"))
    assert tenant.call("GET", f"{path_of(campaign)}/redeem/ABC-1") == pass_


@pytest.mark.parametrize("message", [None, "", "ABC-1", "n" * 1025])
def test_a_code_per_pass_must_be_there_once_and_short(tenant: Tenant, message: str | None) -> None:
    campaign = create_campaign(tenant, code_type="per_pass", barcode={"message": "of the campaign"})
    create_pass(tenant, campaign, barcode={"message": "ABC-1"})
    content = {} if message is None else {"barcode": {"message": message}}

    check_refusal(post(tenant, campaign, **content), 422, 10100, "barcode.message")

    assert len(tenant.call("GET", f"{path_of(campaign)}/passes")) == 1


def test_the_longest_code_can_be_found(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, code_type="per_pass")
    pass_ = create_pass(tenant, campaign, barcode={"message": "n" * 1024})

    assert tenant.call("GET", f"{path_of(campaign)}/redeem/{'n' * 1024}") == pass_
    check_refusal(tenant.request("GET", f"{path_of(campaign)}/redeem/{'n' * 4000}"), 404, 10004, "pass")
    check_refusal(
        tenant.request("POST", f"{path_of(campaign)}/redeem", json={"pass": {"redeem_code": "n" * 4000}}), 404, 10004
    )


def test_messages_and_alternative_texts_default_to_the_code_one_by_one(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, barcode={"format": "aztec"}, barcodes=[{"format": "pdf417"}])

    assert create_pass(tenant, campaign)["barcode"] == barcode("00000001", format="aztec")
    own = create_pass(tenant, campaign, barcode={"message": "12"})
    assert own["barcode"] == barcode("12", format="aztec", alt_text="00000002")
    assert own["barcodes"] == [barcode("00000002", format="pdf417")]
    assert create_pass(tenant, campaign, barcode={"alt_text": "x"})["barcode"] == barcode(
        "00000003", format="aztec", alt_text="x"
    )


def test_a_message_of_the_campaign_is_that_of_its_passes(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, barcode={"message": "12", "alt_text": "twelve"})

    pass_ = create_pass(tenant, campaign)

    assert (pass_["redeem_code"], pass_["barcode"]) == ("00000001", barcode("12", alt_text="twelve"))


@pytest.mark.parametrize("format_", ["qrcode", "pdf417", "aztec", "ean128", "none"])
def test_every_format_can_be_set_and_merged(tenant: Tenant, stack: Stack, format_: str) -> None:
    campaign = create_campaign(tenant)
    created = create_pass(tenant, campaign, barcode={"format": format_})
    updated = create_pass(tenant, campaign)

    assert created["barcode"]["format"] == format_
    assert patch(tenant, campaign, updated, barcode={"format": format_})["barcode"]["format"] == format_
    merged = create_pass(tenant, campaign)
    patch_campaign(tenant, campaign, barcode={"format": format_})
    tenant.call("POST", f"{path_of(campaign)}/merge")
    stack.drain()
    assert tenant.call("GET", pass_path(campaign, merged))["barcode"]["format"] == format_
    assert ("barcodes" in open_pass(tenant, merged)) == (format_ != "none")


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("thumbnail_id", {"thumbnail_id": UNKNOWN_ID}),
    ("expiration_date", {"expiration_date": "soon"}),
    ("user_info", {"user_info": [1]}),
    ("barcode.format", {"barcode": {"format": "code39"}}),
    ("barcodes[1].message", {"barcodes": [{}, {"message": {}}]}),
    ("locations", {"locations": [PLACE] * 11}),
    ("locations[0].latitude", {"locations": [{"latitude": "north", "longitude": 1}]}),
    ("beacons", {"beacons": [BEACON] * 11}),
    ("header_fields[0].value", {"header_fields": [{"key": "a", "value": []}]}),
    ("back_fields[0].key", {"header_fields": [OFFER], "back_fields": [OFFER]}),
    ("merge", {"merge": "perhaps"}),
    ("push", {"push": []}),
]


@pytest.mark.parametrize(("field", "content"), REFUSED)
def test_a_wrong_value_is_422_under_its_name_and_nothing_is_written(
    tenant: Tenant, field: str, content: dict[str, Any]
) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    pass_ = create_pass(tenant, campaign)

    if field not in ("merge", "push"):
        check_refusal(post(tenant, campaign, **content), 422, 10100, field)
    for method in ("PATCH", "POST"):
        body = {"pass": {"primary_fields": [{"key": "new", "value": "new"}], **content}}
        check_refusal(tenant.request(method, pass_path(campaign, pass_), json=body), 422, 10100, field)
    assert tenant.call("GET", f"{path_of(campaign)}/passes") == [pass_]
    assert version(tenant, pass_) == 1


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_an_update_merges_with_what_the_pass_shows(tenant: Tenant, method: str) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], back_fields=[TERMS])
    pass_ = create_pass(tenant, campaign, user_info={"email": "a@example.com"}, locations=[PLACE])
    body = {
        "pass": {
            "primary_fields": [{"key": "offer", "value": "30% off"}],
            "back_fields": [{"key": "more", "label": "More"}],
            "unknown": 1,
        }
    }

    changed = tenant.call(method, pass_path(campaign, pass_), json=body)

    assert changed["primary_fields"] == [shown({**OFFER, "value": "30% off"})]
    assert changed["back_fields"] == [shown(TERMS), shown({"key": "more", "label": "More"})]
    for key in ("user_info", "locations", "barcode", "redeem_code", "id", "page_url"):
        assert changed[key] == pass_[key]
    assert tenant.call("GET", pass_path(campaign, pass_)) == changed
    assert version(tenant, pass_) == 2


def test_an_update_replaces_lists_and_empties_groups(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], back_fields=[TERMS], locations=[PLACE], beacons=[BEACON])
    pass_ = create_pass(tenant, campaign, expiration_date="2030-01-01")

    changed = patch(
        tenant,
        campaign,
        pass_,
        primary_fields=[],
        locations=[],
        beacons=[],
        expiration_date=None,
        user_info={"a": 1},
        barcodes=[{"format": "aztec", "message": "1"}],
    )

    assert changed["primary_fields"] == changed["locations"] == changed["beacons"] == []
    assert (changed["back_fields"], changed["expiration_date"], changed["user_info"]) == (
        [shown(TERMS)],
        None,
        {"a": 1},
    )
    assert changed["barcodes"] == [barcode("1", format="aztec", alt_text="")]
    restored = patch(tenant, campaign, pass_, primary_fields=[{"key": "offer"}])
    assert restored["primary_fields"] == [shown(OFFER)]


def test_a_pass_can_be_sent_back_as_it_was_read(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], back_fields=[{**TERMS, "behaviour": "dynamic"}])
    pass_ = create_pass(tenant, campaign, locations=[PLACE], beacons=[BEACON], expiration_date="2030-01-01")

    changed = patch(tenant, campaign, pass_, **pass_)

    moved = ("updated_at",)
    assert {key: changed[key] for key in KEYS if key not in moved} == {
        key: pass_[key] for key in KEYS if key not in moved
    }


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("switch", [False, "false", 0, "0", 0.0])
def test_without_merge_the_update_begins_with_what_the_campaign_shows_now(
    tenant: Tenant, inside: bool, switch: Any
) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER], back_fields=[TERMS])
    pass_ = create_pass(
        tenant,
        campaign,
        primary_fields=[{"key": "offer", "value": "own"}],
        back_fields=[{"key": "extra", "value": "own"}],
        locations=[PLACE],
        beacons=[BEACON],
        expiration_date="2030-01-01",
        user_info={"a": 1},
    )
    patch_campaign(tenant, campaign, back_fields=[{"key": "terms", "value": "New"}], expiration_date="2031-01-01")
    content = {"header_fields": [{"key": "gate", "value": "7"}]}
    body = {"pass": {**content, "merge": switch}} if inside else {"pass": content, "merge": switch}

    changed = tenant.call("PATCH", pass_path(campaign, pass_), json=body)

    assert changed["primary_fields"] == [shown(OFFER)]
    assert changed["back_fields"] == [shown({**TERMS, "value": "New"})]
    assert changed["header_fields"] == [shown({"key": "gate", "value": "7"})]
    assert (changed["locations"], changed["beacons"], changed["user_info"]) == ([], [], {})
    assert changed["expiration_date"] == "2031-01-01T00:00:00.000+00:00"
    assert (changed["barcode"], changed["redeem_code"]) == (barcode("00000001"), "00000001")


def test_without_merge_a_redeemed_pass_stays_voided(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, expiration_date="2030-01-01")
    pass_ = create_pass(tenant, campaign)
    tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")

    changed = tenant.call("PATCH", pass_path(campaign, pass_), json={"pass": {}, "merge": False})

    assert (changed["voided"], changed["expiration_date"]) == (True, "2030-01-01T00:00:00.000+00:00")


@pytest.mark.parametrize("value", [True, False, "true", "false", None])
@pytest.mark.parametrize("inside", [True, False])
def test_the_push_switch_stands_in_either_place(tenant: Tenant, value: Any, inside: bool) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    content: dict[str, Any] = {"back_fields": [TERMS]}
    body = {"pass": {**content, "push": value}} if inside else {"pass": content, "push": value}

    changed = tenant.call("PATCH", pass_path(campaign, pass_), json=body)

    assert changed["back_fields"] == [shown(TERMS)]


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"push":true}'])
def test_an_update_without_its_root_is_422(tenant: Tenant, body: str) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    for method in ("PATCH", "POST"):
        answer = tenant.request(method, pass_path(campaign, pass_), content=body)
        check_refusal(answer, 422, 10100, "pass")


def test_an_update_that_changes_nothing_leaves_the_version(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, primary_fields=[OFFER])
    pass_ = create_pass(tenant, campaign)

    assert patch(tenant, campaign, pass_, primary_fields=[OFFER]) == pass_
    assert version(tenant, pass_) == 1


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_the_ends_of_time_can_be_shown(tenant: Tenant, written: str) -> None:
    campaign = create_campaign(tenant, expiration_date=written)

    assert create_pass(tenant, campaign)["expiration_date"] == campaign["expiration_date"]
    assert len(tenant.call("GET", f"{path_of(campaign)}/passes?q[expiration_date_not_eq]=2016-01-01")) == 1


@pytest.mark.parametrize("body", [None, "{}", "null"])
def test_a_deleted_pass_is_gone(tenant: Tenant, body: str | None) -> None:
    campaign = create_campaign(tenant)
    kept, pass_ = create_pass(tenant, campaign), create_pass(tenant, campaign)

    answer = tenant.request("DELETE", pass_path(campaign, pass_), content=body)

    assert (answer.status_code, answer.json()) == (200, {"errors": []})
    check_refusal(tenant.request("GET", pass_path(campaign, pass_)), 404, 10004, "pass")
    answer = tenant.request("DELETE", pass_path(campaign, pass_))
    check_refusal(answer, 412, 10104, "pass")
    assert answer.json()["errors"] == {"pass": "Pass not found."}
    assert tenant.call("GET", f"{path_of(campaign)}/passes") == [kept]
    check_refusal(tenant.request("GET", f"{path_of(campaign)}/redeem/{pass_['redeem_code']}"), 404, 10004, "pass")


ACTIONS = [("GET", ""), ("PATCH", ""), ("POST", ""), ("POST", "/push"), ("POST", "/redeem"), ("POST", "/reset_redeem")]


@pytest.mark.parametrize(("method", "action"), ACTIONS)
def test_a_pass_is_found_in_its_own_campaign_type_and_account_alone(
    tenant: Tenant, stack: Stack, method: str, action: str
) -> None:
    campaign, other = create_campaign(tenant, name="Own"), create_campaign(tenant, name="Other")
    pass_ = create_pass(tenant, campaign)
    foreign = create_campaign(stack.tenant())

    for path in (
        pass_path(other, pass_),
        pass_path(foreign, pass_),
        f"/v2/generics/{campaign['id']}/passes/{pass_['id']}",
        *(f"{path_of(campaign)}/passes/{unknown}" for unknown in UNKNOWN_IDS),
    ):
        check_refusal(tenant.request(method, path + action, json={"pass": {}}), 404, 10004)
    assert stack.tenant().request(method, pass_path(campaign, pass_) + action).status_code == 404
    assert tenant.call("GET", pass_path(campaign, pass_)) == pass_


def test_a_pass_is_found_by_its_code(tenant: Tenant) -> None:
    campaign, other = create_campaign(tenant, name="Own"), create_campaign(tenant, name="Other")
    create_pass(tenant, campaign)
    pass_ = create_pass(tenant, campaign)

    assert tenant.call("GET", f"{path_of(campaign)}/redeem/00000002/") == pass_
    for path in (f"{path_of(campaign)}/redeem/2", f"{path_of(other)}/redeem/00000002"):
        answer = tenant.request("GET", path)
        check_refusal(answer, 404, 10004, "pass")


@pytest.fixture(scope="module")
def listed(stack: Stack) -> tuple[Tenant, dict[str, Any], list[dict[str, Any]]]:
    """A campaign with four passes: the first changed last, the second redeemed, the third with an end."""
    tenant = stack.tenant()
    campaign = create_campaign(tenant)
    passes = [
        create_pass(tenant, campaign, user_info={"email": "Ann@example.com"}),
        create_pass(tenant, campaign, user_info={"email": "bob@example.com"}),
        create_pass(tenant, campaign, expiration_date="2030-01-01T12:00:00Z"),
        create_pass(tenant, campaign),
    ]
    tenant.call("POST", f"{pass_path(campaign, passes[1])}/redeem")
    return tenant, campaign, [tenant.call("GET", pass_path(campaign, pass_)) for pass_ in passes]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2, 3]),
        ("q[s]=created_at+desc", [3, 2, 1, 0]),
        ("q[s]=created_at+desc&q[redeemed_count_eq]=0", [3, 2, 0]),
        ("q[redeem_code_eq]=00000002", [1]),
        ("q[redeem_code_cont]=0003", [2]),
        ("q[redeem_code_gt]=00000002&q[s]=redeem_code+desc", [3, 2]),
        ("q[redeemed_count_gteq]=1", [1]),
        ("q[redeemed_count_eq]=0", [0, 2, 3]),
        ("q[voided_eq]=true", [1]),
        ("q[voided_eq]=false", [0, 2, 3]),
        ("q[expiration_date_eq]=2030-01-01T12:00:00Z", [2]),
        ("q[expiration_date_gt]=2030-01-02", []),
        ("q[expiration_date_lteq]=2030-01-02", [2]),
        ("q[email_eq]=bob@example.com", [1]),
        ("q[email_matches]=ann%25", [0]),
        ("q[email_cont]=EXAMPLE&q[voided_eq]=false", [0]),
        ("q[created_at_gteq]=2000-01-01&q[updated_at_gteq]=2000-01-01", [0, 1, 2, 3]),
        ("q[updated_at_lt]=2000-01-01", []),
        ("q[s]=email+desc", [1, 0, 2, 3]),
        ("q[s]=redeemed_count+desc&per_page=2", [1, 0]),
        ("per_page=3&page=2", [3]),
        ("offset=1&per_page=2", [1, 2]),
        ("q[email_eq]=nobody", []),
    ],
)
def test_a_query_filters_orders_and_cuts(
    listed: tuple[Tenant, dict[str, Any], list[dict[str, Any]]], query: str, numbers: list[int]
) -> None:
    tenant, campaign, passes = listed

    found = tenant.call("GET", f"{path_of(campaign)}/passes?{query}")

    assert [pass_["redeem_code"] for pass_ in found] == [passes[number]["redeem_code"] for number in numbers]
    assert found == [passes[number] for number in numbers]


@pytest.mark.parametrize("key", ["id", "serial_number"])
def test_filters_by_id(listed: tuple[Tenant, dict[str, Any], list[dict[str, Any]]], key: str) -> None:
    tenant, campaign, passes = listed
    wanted = passes[2]["id"]

    assert tenant.call("GET", f"{path_of(campaign)}/passes?q[{key}_eq]={wanted}") == [passes[2]]
    assert tenant.call("GET", f"{path_of(campaign)}/passes?q[{key}_not_eq]={wanted}") == [
        pass_ for pass_ in passes if pass_["id"] != wanted
    ]
    assert tenant.call("GET", f"{path_of(campaign)}/passes?q[{key}_eq]=nothing") == []


def test_an_unknown_filter_names_the_attributes_of_passes(
    listed: tuple[Tenant, dict[str, Any], list[dict[str, Any]]],
) -> None:
    tenant, campaign, _ = listed

    message = check_refusal(tenant.request("GET", f"{path_of(campaign)}/passes?q[tag_eq]=x"), 422, 10101, "q")

    attributes = (
        "id, serial_number, redeem_code, redeemed_count, voided, expiration_date, created_at, updated_at, email"
    )
    assert f"Attributes: {attributes}." in message


def test_lists_have_paging_headers_and_can_be_walked(
    listed: tuple[Tenant, dict[str, Any], list[dict[str, Any]]],
) -> None:
    tenant, campaign, passes = listed
    path = f"{path_of(campaign)}/passes?per_page=3"

    headers = tenant.request("GET", path).headers

    names = ("X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Next-Page", "X-Offset")
    assert [headers[name] for name in names] == ["4", "2", "1", "3", "2", "0"]
    assert "X-Prev-Page" not in headers
    assert list(walk(tenant, path)) == [passes[:3], passes[3:]]


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_has_passes(tenant: Tenant, campaign_type: str) -> None:
    campaign = create_campaign(tenant, campaign_type)
    pass_ = create_pass(tenant, campaign)

    assert tenant.call("GET", f"{path_of(campaign)}/passes/") == [pass_]
    assert patch(tenant, campaign, pass_, back_fields=[TERMS])["back_fields"] == [shown(TERMS)]
    assert tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")["voided"] is True
    assert tenant.call("DELETE", f"{pass_path(campaign, pass_)}/") == {"errors": []}
