"""What a card takes from the content of a pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.domain.content import Content, Entry
from chalicelib.pages.colours import BLACK, WHITE, Colour
from chalicelib.pages.views import BarcodeView, FieldView, ImageView, view_pass
from tests.support.samples import sample_pass
from tests.unit.pages.cards import BASE_URL, LOGO_ID, NOW, field, make_card, make_content, view


def keys(fields: tuple[FieldView, ...]) -> list[str]:
    return [each.key for each in fields]


def test_fields_stand_in_their_groups_by_order_and_then_as_written() -> None:
    card = make_card(
        {
            "last": field("secondary", "c"),
            "second": field("secondary", "b", order=2),
            "first": field("secondary", "a", order=1),
            "title": field("primary", "t"),
            "terms": field("back", "x"),
            "hidden": field("notAssigned", "y"),
        }
    )

    assert keys(card.primary_fields) == ["title"]
    assert [keys(row) for row in card.rows] == [["first", "second", "last"]]
    assert keys(card.details) == ["terms"]


@pytest.mark.parametrize(
    ("style", "rows"),
    [
        ("coupon", [["s", "a"]]),
        ("storeCard", [["s", "a"]]),
        ("generic", [["s"], ["a"]]),
        ("eventTicket", [["s"], ["a"]]),
        ("boardingPass", [["a"], ["s"]]),
    ],
)
def test_each_style_has_its_own_rows(style: str, rows: list[list[str]]) -> None:
    card = make_card({"s": field("secondary", "1"), "a": field("auxiliary", "2")}, style=style)

    assert [keys(row) for row in card.rows] == rows


def test_what_the_front_has_no_room_for_is_among_the_details() -> None:
    fields = {f"s{number}": field("secondary", number) for number in range(6)}
    primary = {"p0": field("primary", "a"), "p1": field("primary", "b")}

    card = make_card({**fields, **primary, "terms": field("back", "x")})

    assert keys(card.primary_fields) == ["p0"]
    assert [keys(row) for row in card.rows] == [["s0", "s1", "s2", "s3"]]
    assert keys(card.details) == ["p1", "s4", "s5", "terms"]


def test_only_a_boarding_pass_has_two_primary_fields_and_a_transit() -> None:
    fields = {"from": field("primary", "LIS"), "to": field("primary", "SFO")}

    boarding = make_card(fields, style="boardingPass", transit_type="air")
    generic = make_card(fields, style="generic", transit_type="air")

    assert (keys(boarding.primary_fields), boarding.transit) == (["from", "to"], "air")
    assert (keys(generic.primary_fields), generic.transit) == (["from"], None)


def test_an_empty_field_is_left_out_only_if_it_asks_for_that() -> None:
    card = make_card({"kept": field("back", None), "gone": field("back", "", hideEmpty=True)})

    assert keys(card.details) == ["kept"]


def test_a_google_module_is_a_detail() -> None:
    module = Entry({"fieldType": "textModulesData", "header": "Terms", "body": "None"})

    assert make_card({"m": module}).details == (FieldView("m", "Terms", "None"),)


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"value": 1234.5, "numberStyle": "PKNumberStyleDecimal"}, "1,234.5"),
        ({"value": "33.0", "numberStyle": "PKNumberStyleDecimal"}, "33"),
        ({"value": "0.25", "numberStyle": "PKNumberStylePercent"}, "25%"),
        ({"value": "12345", "numberStyle": "PKNumberStyleScientific"}, "1.2345E+4"),
        ({"value": "-1234.5", "currencyCode": "EUR"}, "-€1,234.50"),
        ({"value": 500, "currencyCode": "jpy"}, "¥500"),
        ({"value": "9", "currencyCode": "CHF"}, "9.00 CHF"),
        ({"value": "ten", "currencyCode": "EUR"}, "ten"),
        ({"value": "NaN", "currencyCode": "EUR"}, "NaN"),
        ({"value": "1e999999999", "numberStyle": "PKNumberStyleDecimal"}, "1e999999999"),
        ({"value": "2026-08-09", "formatType": "Date"}, "9 August 2026"),
        ({"value": "2026-08-09T14:30:00+02:00", "formatType": "Date"}, "9 August 2026, 14:30"),
        ({"value": "soon", "formatType": "Date"}, "soon"),
        ({"value": "2026-08-09"}, "2026-08-09"),
    ],
)
def test_values_are_written_as_a_person_reads_them(attributes: Mapping[str, Any], shown: str) -> None:
    card = make_card({"f": Entry({"fieldType": "primary", **attributes})})

    assert card.primary_fields[0].value == shown


@pytest.mark.parametrize(
    ("kind", "value", "link"),
    [
        ("URL", "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("URL", "javascript:alert(1)", None),
        ("URL", "data:text/html,x", None),
        ("Email", "a@example.com", "mailto:a@example.com"),
        ("Email", "a@example.com?bcc=b@example.com", None),
        ("Phone", "+351 (21) 000-000", "tel:+35121000000"),
        ("Phone", "call me", None),
        ("String", "https://example.com", None),
    ],
)
def test_a_value_leads_only_to_web_mail_and_telephone_addresses(kind: str, value: str, link: str | None) -> None:
    card = make_card({"f": field("back", value, formatType=kind)})

    assert card.details[0].link == link


@pytest.mark.parametrize(
    ("written", "colour"),
    [
        ("rgb(1,2,3)", Colour(1, 2, 3)),
        (" rgb( 1, 2, 3 ) ", Colour(1, 2, 3)),
        ("#0A0b0c", Colour(10, 11, 12)),
        ("rgb(256,0,0)", WHITE),
        ("red", WHITE),
        ("#000;}body{display:none", WHITE),
        ("rgb(0,0,0);x:url(//evil)", WHITE),
        ("", WHITE),
    ],
)
def test_a_colour_is_three_numbers_or_the_default(written: str, colour: Colour) -> None:
    assert make_card(headers={"background_color": written}).background == colour


@pytest.mark.parametrize(("background", "readable"), [("#ffffff", BLACK), ("#102030", WHITE)])
def test_text_without_a_colour_can_be_read(background: str, readable: Colour) -> None:
    card = make_card(headers={"background_color": background})

    assert (card.foreground, card.label) == (readable, readable)


@pytest.mark.parametrize(
    ("headers", "lists", "barcode"),
    [
        ({"barcode_type": "PKBarcodeFormatQR", "barcode_value": "1"}, {}, BarcodeView("qr", "1", "")),
        (
            {"barcode_type": "PDF_417", "barcode_value": "1", "barcodeAltText": "one"},
            {},
            BarcodeView("pdf417", "1", "one"),
        ),
        ({"barcode_type": "PKBarcodeFormatCode128", "barcode_value": 7}, {}, BarcodeView("code128", "7", "")),
        ({"barcode_type": "EAN_13", "barcode_value": "1"}, {}, BarcodeView("other", "1", "")),
        ({"barcode_type": "none", "barcode_value": "1"}, {}, None),
        ({"barcode_type": "PKBarcodeFormatQR", "barcode_value": ""}, {}, None),
        ({}, {"barcodes": [{"format": "aztec", "message": "m", "alt_text": "a"}]}, BarcodeView("aztec", "m", "a")),
        ({}, {"barcodes": [{"format": "none", "message": "m"}]}, None),
        ({}, {"barcodes": []}, None),
    ],
)
def test_the_barcode_comes_from_the_headers_or_the_list(
    headers: Mapping[str, object], lists: Mapping[str, Any], barcode: BarcodeView | None
) -> None:
    assert make_card(headers=headers, **lists).barcode == barcode


def test_a_barcode_without_a_message_shows_the_redeem_code() -> None:
    content = make_content(headers={"barcode_type": "PKBarcodeFormatQR", "barcode_value": ""})

    assert view(content, "00000001").barcode == BarcodeView("qr", "00000001", "00000001")


@pytest.mark.parametrize(
    "written",
    [LOGO_ID, f"{BASE_URL}/uploads/asset/{LOGO_ID}/original.png", f"https://old.example/uploads/asset/{LOGO_ID}"],
)
def test_an_image_is_one_of_our_assets_at_our_own_address(written: str) -> None:
    card = make_card(headers={"logo_image": written})

    assert card.images == {"logo": ImageView(LOGO_ID, f"{BASE_URL}/uploads/asset/{LOGO_ID}/original.png")}


@pytest.mark.parametrize("written", ["https://evil.example/track.png", "javascript:1", f"{LOGO_ID}/../x", 7])
def test_any_other_image_is_left_out(written: object) -> None:
    assert make_card(logo_id=written).images == {}


def test_a_style_shows_only_the_images_it_has_a_place_for() -> None:
    ids: dict[str, Any] = {
        f"{kind}_id": LOGO_ID for kind in ("icon", "logo", "strip", "thumbnail", "background", "footer")
    }

    shown = {style: set(make_card(style=style, **ids).images) for style in ("generic", "eventTicket", "boardingPass")}

    assert shown == {
        "generic": {"icon", "logo", "thumbnail"},
        "eventTicket": {"icon", "logo", "strip"},
        "boardingPass": {"icon", "logo", "footer"},
    }


@pytest.mark.parametrize(
    ("value", "label", "voided", "expired"),
    [
        (None, "voided", True, False),
        (None, "valid", False, False),
        ("2026-01-01T23:59:59Z", "valid", False, True),
        ("2026-01-02", "valid", False, True),
        ("2026-01-02T00:00:01+00:00", "valid", False, False),
        ("never", None, False, False),
    ],
)
def test_a_pass_is_voided_by_its_label_and_expires_at_its_date(
    value: str | None, label: str | None, voided: bool, expired: bool
) -> None:
    card = view(Content(headers={"expirationDate": Entry({"value": value, "label": label})}))

    assert (card.voided, card.expired) == (voided, expired)


@pytest.mark.parametrize(("text", "direction"), [("نادي", "rtl"), ("תל אביב", "rtl"), ("12 Club", "ltr"), ("", "ltr")])
def test_a_card_is_laid_out_as_its_text_is_read(text: str, direction: str) -> None:
    assert make_card(headers={"logo_text": text}).direction == direction


def test_what_the_pass_says_of_itself_comes_before_what_its_template_says() -> None:
    card = make_card(style="coupon", organization_name="Own", description="Mine")

    assert (card.style, card.organization, card.description) == ("coupon", "Own", "Mine")
    assert (make_card(style="unheard of").style, make_card().organization) == ("generic", "Paw Planet")


@pytest.mark.parametrize(("codes", "message"), [(True, "00000042"), (False, None)])
def test_the_card_of_a_pass_shows_its_own_redeem_code_where_the_campaign_asks_for_it(
    codes: bool, message: str | None
) -> None:
    pass_ = sample_pass(content=make_content({"p": field("primary", "x")}), redeem_code="00000042")

    card = view_pass(
        pass_, style="coupon", organization="Org", description="Des", base_url=BASE_URL, now=NOW, codes=codes
    )

    assert (card.style, card.organization, card.title, keys(card.primary_fields)) == ("coupon", "Org", "Des", ["p"])
    assert (card.barcode.message if card.barcode else None) == message
