"""Classes and objects for Google: what is in them, and what leaves an object to its class (wallets, section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import Content, Entry
from chalicelib.domain.google_ports import GoogleType, Rendered
from chalicelib.domain.google_shared import MOST_FIELDS, add_missing_fields, apply_shared, begin_shared
from chalicelib.domain.passes import Pass
from chalicelib.domain.templates import Template
from chalicelib.domain.wallet_services import GoogleAccount
from chalicelib.wallets.google.rendering import GooglePassRenderer
from chalicelib.wallets.google.texts import BLANK, field_key, is_placed, read_field, render_own, render_shared
from local.google_rules import RESOURCES, find_fault, list_paths
from tests.support.google_issuer import (
    BASE_URL,
    ISSUER,
    PROJECT_ID,
    START,
    TYPES,
    apply,
    make_content,
    make_pass,
    make_template,
    update,
    write_values,
)

ACCOUNT = GoogleAccount(issuer_id=ISSUER)
LOGO_ID = "8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00"
LOGO_URL = f"{BASE_URL}/uploads/asset/{LOGO_ID}/original.png"
RENDERER = GooglePassRenderer(public_base_url=BASE_URL, default_logo_url="https://passes.example.com/logo.png")
LAPTOP = GooglePassRenderer(public_base_url="http://127.0.0.1:8000")


def render_class(template: Template, *, renderer: GooglePassRenderer = RENDERER) -> dict[str, Any]:
    return renderer.render_class(
        template, account=ACCOUNT, google_type=renderer.choose_type(template), shared=begin_shared(template.content)
    ).body


def render_object(pass_: Pass, template: Template, *, renderer: GooglePassRenderer = RENDERER) -> Rendered:
    return renderer.render_object(
        pass_,
        template=template,
        account=ACCOUNT,
        google_type=renderer.choose_type(template),
        shared=begin_shared(template.content),
        now=START,
    )


def render_one(
    fields: Mapping[str, Mapping[str, Any]] | None = None, headers: Mapping[str, Any] | None = None, **lists: Any
) -> dict[str, Any]:
    """The object of a generic pass with this content."""
    template = make_template(content=make_content(fields, headers, **lists))
    return render_object(make_pass(template), template).body


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is left once Google has taken out the members that are null."""
    return {
        name: without_empty(value) if isinstance(value, dict) else value
        for name, value in document.items()
        if value is not None
    }


RICH = make_content(
    {
        "points": {"fieldType": "header", "label": "Points", "value": 33, "order": 2},
        "name": {"fieldType": "primary", "label": "Name", "value": "Luis"},
        "site": {"fieldType": "back", "label": "Site", "value": "https://example.com", "formatType": "URL"},
        "Número de sócio": {"fieldType": "secondary", "label": "No.", "value": "007"},
    },
    {
        "background_color": "rgb(10, 20, 30)",
        "logo_image": LOGO_ID,
        "strip_image": "https://images.example.com/strip.png",
        "logo_text": "Café",
        "barcode_type": "PKBarcodeFormatPDF417",
        "barcode_value": "12345",
        "barcodeAltText": "No. 12345",
        "expirationDate": "2026-03-01T10:00+01:00",
        "groupingIdentifier": "family",
    },
    organization_name="Café Ltd",
    description="Ten coffees",
    transit_type="bus",
    locations=[{"id": 1, "latitude": 38.7, "longitude": -9.1, "relevantText": "Near"}, {"latitude": 200}],
)


@pytest.mark.parametrize("content", [None, Content(), RICH], ids=["plain", "empty", "rich"])
@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_has_what_google_demands(campaign_type: str, content: Content | None) -> None:
    template = make_template(campaign_type, content)
    google_type = RENDERER.choose_type(template)

    of_class = without_empty(render_class(template))
    of_object = without_empty(render_object(make_pass(template), template).body)

    assert find_fault(google_type.class_resource, of_class, issuer_id=ISSUER) is None
    assert find_fault(google_type.object_resource, of_object, issuer_id=ISSUER) is None


def test_each_type_of_campaign_has_its_type_at_google() -> None:
    assert {name: RENDERER.choose_type(make_template(name)) for name in TYPES} == {
        "generics": GoogleType.GENERIC,
        "coupons": GoogleType.OFFER,
        "event_tickets": GoogleType.EVENT_TICKET,
        "store_cards": GoogleType.LOYALTY,
        "boarding_passes": GoogleType.TRANSIT,
    }
    assert {one.class_resource for one in GoogleType} | {one.object_resource for one in GoogleType} == RESOURCES


def test_what_cannot_have_googles_mandatory_members_is_generic() -> None:
    flight = make_template("boarding_passes", make_content(transit_type="air"))

    assert RENDERER.choose_type(flight) is GoogleType.GENERIC
    for name in ("store_cards", "boarding_passes"):
        assert LAPTOP.choose_type(make_template(name)) is GoogleType.GENERIC
    named = make_content(headers={"logo_image": "https://images.example.com/logo.png"})
    assert LAPTOP.choose_type(make_template("store_cards", named)) is GoogleType.LOYALTY


@pytest.mark.parametrize(
    ("written", "transit_type"),
    [("train", "RAIL"), ("bus", "BUS"), ("PKTransitTypeBoat", "FERRY"), ("generic", "OTHER"), (None, "OTHER")],
)
def test_a_boarding_pass_says_what_it_is_for(written: str | None, transit_type: str) -> None:
    lists: dict[str, Any] = {} if written is None else {"transit_type": written}
    template = make_template("boarding_passes", Content(lists=lists))

    assert render_class(template)["transitType"] == transit_type


def test_a_class_shows_the_look_and_the_shared_values() -> None:
    body = render_class(make_template("store_cards", RICH))

    assert body["issuerName"] == "Café Ltd"
    assert body["programName"] == "Ten coffees"
    assert body["programLogo"]["sourceUri"] == {"uri": LOGO_URL}
    assert body["heroImage"]["sourceUri"] == {"uri": "https://images.example.com/strip.png"}
    assert body["hexBackgroundColor"] == "#0a141e"
    assert body["callbackOptions"] == {"url": f"{BASE_URL}/v1/google/callback/{PROJECT_ID}"}
    assert body["reviewStatus"] == "UNDER_REVIEW"
    key = field_key("Número de sócio")
    assert body["textModulesData"] == [
        {"id": "points", "header": "Points", "body": "33"},
        {"id": "name", "header": "Name", "body": "Luis"},
        {"id": key, "header": "No.", "body": "007"},
    ]
    assert body["linksModuleData"] == {"uris": [{"id": "site", "uri": "https://example.com", "description": "Site"}]}


def test_a_field_is_shown_from_the_object_and_else_from_the_class() -> None:
    layout = render_class(make_template("coupons", RICH))["classTemplateInfo"]
    key = field_key("Número de sócio")

    def texts(name: str) -> list[str]:
        return [f"{owner}.textModulesData['{name}']" for owner in ("object", "class")]

    first, second = layout["cardTemplateOverride"]["cardRowTemplateInfos"]
    assert list_paths(first["twoItems"]["startItem"]) == texts("points")
    assert list_paths(first["twoItems"]["endItem"]) == texts("name")
    assert list_paths(second["oneItem"]) == texts(key)
    assert list_paths(layout["detailsTemplateOverride"]) == [
        "object.textModulesData['site']",
        "object.linksModuleData.uris['site']",
        "class.textModulesData['site']",
        "class.linksModuleData.uris['site']",
    ]


def test_what_finds_no_room_on_the_front_is_among_the_details() -> None:
    fields = {f"f{number}": {"fieldType": "secondary", "value": number} for number in range(5)}
    fields["hidden"] = {"fieldType": "notAssigned", "value": "x"}
    layout = render_class(make_template(content=make_content(fields)))["classTemplateInfo"]

    (row,) = layout["cardTemplateOverride"]["cardRowTemplateInfos"]
    assert list(row) == ["threeItems"]
    assert list(row["threeItems"]) == ["startItem", "middleItem", "endItem"]
    details = [list_paths(one)[0] for one in layout["detailsTemplateOverride"]["detailsItemInfos"]]
    assert details == ["object.textModulesData['f3']", "object.textModulesData['f4']"]


def test_keys_hold_googles_characters_only_and_never_meet() -> None:
    names = ["a b", "a_b", "a.b", "", "ü", "x" * 100, "x" * 101, "it's"]
    keys = [field_key(name) for name in names]

    assert len(set(keys)) == len(keys)
    assert all(key and set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for key in keys)
    assert field_key("Points_1-x") == "Points_1-x"


def test_without_a_public_https_address_there_are_no_images_and_no_callback() -> None:
    body = render_class(make_template("coupons", RICH), renderer=LAPTOP)

    assert "callbackOptions" not in body
    assert body["titleImage"] is None
    assert body["heroImage"]["sourceUri"] == {"uri": "https://images.example.com/strip.png"}


def test_a_new_object_carries_no_field_of_its_own() -> None:
    template = make_template(content=RICH)

    body = render_object(make_pass(template), template).body

    assert (body["textModulesData"], body["linksModuleData"]) == ([], {"uris": []})
    assert body["cardTitle"] == {"defaultValue": {"language": "en", "value": "Café Ltd"}}
    assert body["header"] == {"defaultValue": {"language": "en", "value": "Ten coffees"}}
    assert body["logo"]["sourceUri"] == {"uri": LOGO_URL}
    assert body["hexBackgroundColor"] == "#0a141e"
    assert body["barcode"] == {"type": "PDF_417", "value": "12345", "alternateText": "No. 12345"}
    assert body["validTimeInterval"] == {"end": {"date": "2026-03-01T09:00:00+00:00"}}
    assert body["groupingInfo"] == {"groupingId": "family"}
    assert body["merchantLocations"] == [{"latitude": 38.7, "longitude": -9.1}]


def test_an_object_carries_what_differs_whole() -> None:
    template = make_template(content=RICH)
    pass_ = update(make_pass(template), 1, name="Ana", site="ask at the desk")

    assert render_object(pass_, template).body["textModulesData"] == [
        {"id": "name", "header": "Name", "body": "Ana"},
        {"id": "site", "header": "Site", "body": "ask at the desk"},
    ]


def test_an_object_carries_what_a_later_ticket_wrote_even_if_it_is_as_shared() -> None:
    template = make_template(content=RICH)
    pass_ = update(make_pass(template), 1, name="Luis")

    assert [one["id"] for one in render_object(pass_, template).body["textModulesData"]] == ["name"]


def test_an_empty_value_hides_the_shared_one() -> None:
    template = make_template(content=RICH)
    pass_ = update(make_pass(template), 1, name=None)

    assert render_object(pass_, template).body["textModulesData"] == [{"id": "name", "header": "", "body": BLANK}]


@pytest.mark.parametrize(
    ("headers", "barcode"),
    [
        ({}, None),
        ({"barcode_value": "1"}, {"type": "QR_CODE", "value": "1", "alternateText": None}),
        ({"barcode_value": "1", "barcode_type": "none"}, None),
        ({"barcode_value": "1", "barcode_type": "AZTEC"}, {"type": "AZTEC", "value": "1", "alternateText": None}),
        ({"barcode_value": "1", "barcode_type": "EAN_13"}, {"type": "EAN_13", "value": "1", "alternateText": None}),
        ({"barcode_value": "", "barcode_type": "EAN_13"}, None),
    ],
)
def test_a_barcode_is_one_that_google_shows(headers: dict[str, Any], barcode: Any) -> None:
    assert render_one(headers=headers)["barcode"] == barcode


def test_a_barcode_of_the_other_dialect_is_shown() -> None:
    listed = [{"format": "ean128", "message": "9", "alt_text_type": "mirror"}]

    assert render_one(barcodes=listed)["barcode"] == {"type": "CODE_128", "value": "9", "alternateText": "9"}


def test_the_state_says_whether_a_pass_is_good() -> None:
    template = make_template()
    plain = make_pass(template)

    def state(pass_: Pass) -> Any:
        return render_object(pass_, template).body["state"]

    def ending(after: timedelta, label: str = "valid") -> Pass:
        entry = Entry({"value": (START + after).isoformat(), "label": label})
        return replace(plain, content=replace_header(plain.content, entry))

    assert state(plain) == "ACTIVE"
    assert state(ending(timedelta(seconds=1))) == "ACTIVE"
    assert state(ending(timedelta())) == "EXPIRED"
    assert state(ending(timedelta(days=1), "voided")) == "INACTIVE"
    assert state(replace(ending(timedelta(days=1), "voided"), redeemed_count=1)) == "COMPLETED"


def replace_header(content: Content, expiration: Entry) -> Content:
    return Content(fields=content.fields, headers={**content.headers, "expirationDate": expiration})


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"value": 12.5, "currencyCode": "eur"}, "12.50 EUR"),
        ({"value": "1234", "currencyCode": "USD", "formatType": "Currency"}, "1,234.00 USD"),
        ({"value": 0.25, "formatType": "Number", "numberStyle": "PKNumberStylePercent"}, "25%"),
        ({"value": "2026-01-02", "formatType": "Date"}, "2 January 2026"),
        ({"value": "2026-01-02T9:05", "formatType": "Date"}, "2 January 2026, 09:05"),
        ({"value": "soon", "formatType": "Date"}, "soon"),
        ({"value": "007"}, "007"),
        ({"value": True}, "true"),
        ({"value": "a lot", "currencyCode": "EUR"}, "a lot"),
        ({"body": "module"}, "module"),
        ({"balance": 5}, "5"),
    ],
)
def test_values_are_written_as_a_person_reads_them(attributes: dict[str, Any], text: str) -> None:
    content = make_content({"field": {"fieldType": "primary", **attributes}})

    assert read_field(content, "field").body == text


@pytest.mark.parametrize(
    ("attributes", "uri"),
    [
        ({"value": "https://x.example/a", "formatType": "URL"}, "https://x.example/a"),
        ({"value": "javascript:alert(1)", "formatType": "URL"}, None),
        ({"value": "a@x.example", "formatType": "Email"}, "mailto:a@x.example"),
        ({"value": "+351 21 000", "formatType": "Phone"}, "tel:+35121000"),
        ({"value": "text", "uri": "http://x.example"}, "http://x.example"),
        ({"value": "text", "uri": "data:text/html,x"}, None),
        ({"value": "https://x.example"}, None),
    ],
)
def test_only_web_mail_and_telephone_addresses_are_links(attributes: dict[str, Any], uri: str | None) -> None:
    content = make_content({"field": {"fieldType": "linkModule", **attributes}})

    assert read_field(content, "field").uri == uri


def test_only_fields_with_a_change_message_announce() -> None:
    fields = {
        "points": {"fieldType": "primary", "label": "Points", "value": 3, "changeMessage": "Now %@"},
        "silent": {"fieldType": "primary", "value": 3, "changeMessage": "changed"},
        "hidden": {"fieldType": "notAssigned", "value": 3, "changeMessage": "%@"},
    }
    template = make_template(content=make_content(fields))

    (announcement,) = render_object(make_pass(template), template).announcements

    assert (announcement.name, announcement.header, announcement.body) == ("points", "Points", "Now 3")


def test_the_number_of_fields_that_single_passes_add_is_bounded() -> None:
    template = make_template()
    fields = {f"back{number}": {"fieldType": "back", "value": "x"} for number in range(MOST_FIELDS + 5)}
    pass_ = replace(make_pass(template), content=make_content(fields))

    shared = add_missing_fields(begin_shared(template.content), [pass_], is_placed=is_placed)

    assert len(shared.fields) == MOST_FIELDS
    assert add_missing_fields(shared, [make_pass(template)], is_placed=is_placed) is shared


Step = tuple[int | None, str, str, int]
"""which pass (None is every one), field, value, ticket"""

STEPS = st.lists(
    st.tuples(
        st.sampled_from([None, 0, 1]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "0", "1", "2"]),
        st.integers(1, 12),
    ),
    max_size=8,
    unique_by=lambda step: step[3],
)


@given(steps=STEPS)
def test_whatever_is_written_google_shows_what_each_pass_holds(steps: list[Step]) -> None:
    """Updates arrive in any order. A pass is sent after an update of its own, and when an update of all changes it: not
    when that left it as it is, so the object must carry what a later ticket wrote."""
    fields = {name: {"fieldType": "primary", "value": "0"} for name in ("a", "b")}
    template = make_template(content=make_content(fields))
    shared = begin_shared(template.content)
    passes = [make_pass(template, pass_id) for pass_id in (1, 2)]
    sent = [render_own(pass_.content, shared) for pass_ in passes]

    for target, name, value, ticket_id in steps:
        if target is None:
            shared = apply_shared(shared, write_values(**{name: value}), ticket_id=ticket_id)
        for position, before in enumerate(passes):
            if target in (None, position):
                passes[position] = apply(before, write_values(**{name: value}), ticket_id)
                if target is not None or shown_by(passes[position]) != shown_by(before):
                    sent[position] = render_own(passes[position].content, shared)
        assert [shown(own, render_shared(shared)) for own in sent] == [shown_by(pass_) for pass_ in passes]


def shown_by(pass_: Pass) -> dict[str, str]:
    return {name: read_field(pass_.content, name).body for name in ("a", "b")}


def shown(own: Mapping[str, Any], of_class: Mapping[str, Any]) -> dict[str, str]:
    """What the references of the layout lead to."""
    modules = [{module["id"]: module["body"] for module in one["textModulesData"]} for one in (own, of_class)]
    found = {name: modules[0].get(name) or modules[1].get(name) or "" for name in ("a", "b")}
    return {name: text.strip() for name, text in found.items()}
