from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.pass_json import MAXIMUM_PLACES, STYLES, render_pass_json
from tests.support.certificates import ORGANIZATION, PASS_TYPE, TEAM
from tests.support.wallet_passes import SERIAL_NUMBER, TOKEN, wallet_pass

BASE = "https://passes.example.com/api"
GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")


@pytest.fixture
def render(credentials: SigningCredentials) -> Any:
    """Renders a pass, or one made of what it is given."""

    def render(pass_: Pass | None = None, **content: Any) -> dict[str, Any]:
        return render_pass_json(pass_ or wallet_pass(**content), credentials=credentials, base_url=BASE)

    return render


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_what_wallet_requires(render: Any, style: str) -> None:
    rendered = render(style=style, fields={"points": {"fieldType": "primary", "value": 3, "label": "Points"}})

    assert rendered["formatVersion"] == 1
    assert rendered["passTypeIdentifier"] == PASS_TYPE
    assert rendered["teamIdentifier"] == TEAM
    assert rendered["serialNumber"] == SERIAL_NUMBER
    assert (rendered["webServiceURL"], rendered["authenticationToken"]) == (BASE, TOKEN)
    assert [key for key in rendered if key in STYLES] == [style]
    assert {group: rendered[style][group] for group in GROUPS} == {
        **{group: [] for group in GROUPS},
        "primaryFields": [{"key": "points", "label": "Points", "value": 3}],
    }
    assert ("transitType" in rendered[style]) == (style == "boardingPass")


@pytest.mark.parametrize("style", [None, "loyalty"])
def test_a_pass_without_a_known_style_is_generic(render: Any, style: str | None) -> None:
    assert "generic" in render(style=style)


def test_nothing_optional_is_in_a_pass_that_shows_nothing(render: Any) -> None:
    assert list(render()) == [
        "formatVersion",
        "passTypeIdentifier",
        "serialNumber",
        "teamIdentifier",
        "organizationName",
        "description",
        "webServiceURL",
        "authenticationToken",
        "generic",
    ]


def test_organization_and_description_fall_back_to_what_there_is(render: Any) -> None:
    def texts(**content: Any) -> tuple[str, str]:
        rendered = render(**content)
        return rendered["organizationName"], rendered["description"]

    logo = {"logo_text": "Café"}

    assert texts() == (ORGANIZATION, ORGANIZATION)
    assert texts(lists={"organization_name": "Café Ltd"}) == ("Café Ltd", "Café Ltd")
    assert texts(headers=logo) == (ORGANIZATION, "Café")
    assert texts(headers=logo, lists={"description": "Ten coffees"}) == (ORGANIZATION, "Ten coffees")
    assert render(headers=logo)["logoText"] == "Café"


@pytest.mark.parametrize("base", ["https://x.example/v1", "https://x.example/api/v1/", "x.example", "ftp://x.example"])
def test_a_base_that_ends_in_v1_or_is_no_web_address_is_refused(credentials: SigningCredentials, base: str) -> None:
    with pytest.raises(ValueError, match="web service address"):
        render_pass_json(wallet_pass(), credentials=credentials, base_url=base)


@pytest.mark.parametrize("base", ["https://x.example", "https://x.example/", "https://x.example/api/v12", "http://v1"])
def test_any_other_base_is_the_web_service_as_it_is(credentials: SigningCredentials, base: str) -> None:
    assert render_pass_json(wallet_pass(), credentials=credentials, base_url=base)["webServiceURL"] == base


@pytest.mark.parametrize(
    ("lists", "headers", "transit_type"),
    [
        ({}, {}, "PKTransitTypeGeneric"),
        ({"transit_type": "air"}, {}, "PKTransitTypeAir"),
        ({"transit_type": "train"}, {"transitType": "PKTransitTypeBus"}, "PKTransitTypeTrain"),
        ({}, {"transitType": "PKTransitTypeBoat"}, "PKTransitTypeBoat"),
        ({"transit_type": "camel"}, {}, "PKTransitTypeGeneric"),
    ],
)
def test_a_boarding_pass_says_how_one_travels(
    render: Any, lists: dict[str, Any], headers: dict[str, str], transit_type: str
) -> None:
    rendered = render(style="boardingPass", lists=lists, headers=headers)

    assert rendered["boardingPass"]["transitType"] == transit_type


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("#fff", "rgb(255, 255, 255)"),
        ("#44b084", "rgb(68, 176, 132)"),
        ("#44B084", "rgb(68, 176, 132)"),
        ("rgb(1,2,3)", "rgb(1, 2, 3)"),
        (" RGB( 1 , 2 , 255 ) ", "rgb(1, 2, 255)"),
        ("rgb(1,2,256)", None),
        ("rgba(1,2,3,0.5)", None),
        ("#ffff", None),
        ("red", None),
        ("", None),
    ],
)
def test_colours_are_written_as_wallet_reads_them_and_unusable_ones_left_out(
    render: Any, written: str, shown: str | None
) -> None:
    rendered = render(headers={"background_color": written, "foreground_color": written, "label_color": written})

    for key in ("backgroundColor", "foregroundColor", "labelColor"):
        assert rendered.get(key) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2014-08-20T9:41-08:00", "2014-08-20T09:41:00-08:00"),
        ("2014-08-20 9:41", "2014-08-20T09:41:00+00:00"),
        ("2026-05-06", "2026-05-06T00:00:00+00:00"),
        ("2026-05-06T07:08", "2026-05-06T07:08:00+00:00"),
        ("2016-08-09T14:30:54.000+00:00", "2016-08-09T14:30:54+00:00"),
        ("2026-05-06T07:08:09Z", "2026-05-06T07:08:09+00:00"),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_have_seconds_and_an_offset_and_unreadable_ones_are_left_out(
    render: Any, written: str, shown: str | None
) -> None:
    rendered = render(headers={"expirationDate": written}, lists={"relevant_date": written})

    assert rendered.get("expirationDate") == shown
    assert rendered.get("relevantDate") == shown
    assert rendered.get("relevantDates") == (None if shown is None else [{"date": shown}])


def test_a_pass_is_voided_by_the_label_of_its_expiration(render: Any) -> None:
    assert render(headers={"expirationDate": {"value": None, "label": "voided"}})["voided"] is True
    assert "voided" not in render(headers={"expirationDate": {"value": "2030-01-01", "label": "valid"}})


def test_locations_are_at_most_ten_and_only_such_as_there_are(render: Any) -> None:
    good = {"id": 7, "latitude": 37, "longitude": -122.3, "city": "Lisbon"}
    bad: list[Any] = [{"latitude": 91, "longitude": 0}, {"latitude": 1}, {"latitude": True, "longitude": 2}, "here"]
    told = {"latitude": "1.5", "longitude": 2, "altitude": 3.5, "relevant_text": "Near"}

    rendered = render(lists={"locations": [*bad, told, {**good, "relevantText": "Here"}, *[good] * 20]})

    assert rendered["locations"][:3] == [
        {"latitude": 1.5, "longitude": 2, "altitude": 3.5, "relevantText": "Near"},
        {"latitude": 37, "longitude": -122.3, "relevantText": "Here"},
        {"latitude": 37, "longitude": -122.3},
    ]
    assert len(rendered["locations"]) == MAXIMUM_PLACES
    assert "locations" not in render(lists={"locations": bad})


def test_beacons_take_either_spelling_and_need_a_uuid(render: Any) -> None:
    beacon = "f8f589e9-c07b-45c8-ae5c-2ab2cf0a3a36"

    rendered = render(
        lists={
            "beacons": [
                {"proximity_uuid": beacon.upper(), "major": 1, "minor": 65536, "relevant_text": "Hi"},
                {"proximityUUID": beacon, "minor": 0, "relevantText": "Ho"},
                {"proximity_uuid": "till", "major": 1},
            ]
        }
    )

    assert rendered["beacons"] == [
        {"proximityUUID": beacon, "major": 1, "relevantText": "Hi"},
        {"proximityUUID": beacon, "minor": 0, "relevantText": "Ho"},
    ]


def test_the_distance_is_a_positive_number_from_either_dialect(render: Any) -> None:
    assert render(lists={"max_distance": 150})["maxDistance"] == 150
    assert render(headers={"maxDistance": "150.5"})["maxDistance"] == 150.5
    assert "maxDistance" not in render(lists={"max_distance": 0})
    assert "maxDistance" not in render(lists={"max_distance": None})


def test_what_apps_and_siri_read_is_passed_on(render: Any) -> None:
    rendered = render(
        style="eventTicket",
        lists={
            "associated_store_identifiers": [1, "x", 2],
            "semantics": {"eventName": "Fair"},
            "user_info": {"b": 1, "a": [None]},
        },
        headers={"groupingIdentifier": "fair", "sharingProhibited": "true"},
    )

    assert rendered["associatedStoreIdentifiers"] == [1, 2]
    assert rendered["semantics"] == {"eventName": "Fair"}
    assert rendered["userInfo"] == {"b": 1, "a": [None]}
    assert rendered["groupingIdentifier"] == "fair"
    assert rendered["sharingProhibited"] is True


def test_only_tickets_and_boarding_passes_are_grouped(render: Any) -> None:
    assert "groupingIdentifier" not in render(style="coupon", headers={"groupingIdentifier": "fair"})


def test_no_member_is_ever_null(render: Any) -> None:
    names = (
        "barcode_type barcode_value barcode_encoding barcodeAltText background_color foreground_color label_color"
        " logo_text expirationDate relevantDate maxDistance transitType groupingIdentifier sharingProhibited"
    )
    parts = (
        "organization_name description transit_type barcodes user_info max_distance relevant_date locations beacons"
        " semantics associated_store_identifiers icon_id"
    )
    attributes = ("value", "label", "changeMessage", "order", "formatType", "numberStyle", "hideEmpty", "textAlignment")

    rendered = render(
        style="boardingPass",
        fields={"empty": {"fieldType": "header", **dict.fromkeys(attributes)}},
        headers={name: {"value": None, "label": None} for name in names.split()},
        lists=dict.fromkeys(parts.split()),
    )

    assert "null" not in json.dumps(rendered)
    assert rendered["boardingPass"]["headerFields"] == [{"key": "empty", "value": ""}]
