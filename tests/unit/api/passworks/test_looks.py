"""Colours and barcodes between the Passworks dialect and stored content (passworks-v2, sections 6 and 9)."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

import pytest

from chalicelib.api.passworks import looks
from chalicelib.domain.content import Content, Entry
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.templates import APPLE, BARCODES, GOOGLE
from chalicelib.schemas.passworks_shown import COLOUR


def content_of(**headers: Any) -> Content:
    return Content(headers={name: Entry({"value": value}) for name, value in headers.items()})


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("#44b084", "#44b084"),
        ("#44B084", "#44b084"),
        ("#f0A", "#ff00aa"),
        (" #ffffff ", "#ffffff"),
        ("rgb(68,176,132)", "#44b084"),
        ("RGB( 0 , 10 , 255 )", "#000aff"),
    ],
)
def test_a_colour_is_kept_as_six_digits_in_lower_case(written: str, stored: str) -> None:
    assert looks.read_colour(written, "text_color") == stored
    assert looks.show_colour(content_of(foreground_color=written), "foreground_color") == stored


@pytest.mark.parametrize("written", ["", "44b084", "#44b08", "#44b0844", "red", "rgb(256,0,0)", "rgb(1,2)", 5, [], {}])
def test_what_is_no_colour_is_refused_under_its_field_and_not_shown(written: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"must be a colour") as caught:
        looks.read_colour(written, "text_color")
    assert caught.value.field == "text_color"
    assert looks.show_colour(content_of(foreground_color=written), "foreground_color") is None


@pytest.mark.parametrize(
    ("written", "is_one"),
    [
        ("\t#44b084\n", True),
        ("#44b084\x1f", False),
        ("\ufeff#44b084", False),
        ("rgb(\u20031,2,3)", False),
        ("rgb(007,2,3)", True),
        ("rgb(0007,2,3)", False),
    ],
)
def test_a_colour_is_read_as_described(written: str, is_one: bool) -> None:
    assert (re.search(COLOUR["anyOf"][0]["pattern"], written) is not None) is is_one
    with nullcontext() if is_one else pytest.raises(InvalidRequest):
        looks.read_colour(written, "text_color")


def test_a_colour_that_is_not_there_is_none() -> None:
    assert looks.show_colour(Content(), "foreground_color") is None


@pytest.mark.parametrize("format_", ["qrcode", "pdf417", "aztec", "ean128", "none"])
def test_a_barcode_comes_back_as_it_was_written(format_: str) -> None:
    barcode = {"format": format_, "message": "12", "alt_text": "twelve", "alt_text_type": "text"}

    headers = looks.read_barcode(barcode)
    content = Content(
        headers={name: Entry(attributes) for name, attributes in headers.items()},
        lists=looks.read_alt_text_type(barcode),
    )

    assert looks.show_barcode(content) == barcode
    assert all((each["fieldType"], each["formatType"]) == ("barcode", 1) for each in headers.values())


@pytest.mark.parametrize(("key", "header"), [("message", "barcode_value"), ("alt_text", "barcodeAltText")])
def test_a_partial_barcode_writes_only_what_it_names(key: str, header: str) -> None:
    assert looks.read_barcode({key: "x"}) == {header: {"fieldType": "barcode", "formatType": 1, "value": "x"}}
    assert looks.read_alt_text_type({key: "x"}) == {}


def test_an_empty_barcode_writes_nothing() -> None:
    assert (looks.read_barcode({}), looks.read_alt_text_type({})) == ({}, {})


def test_null_is_the_default_of_a_key() -> None:
    barcode = dict.fromkeys(("format", "message", "alt_text", "alt_text_type"))

    values = {name: each["value"] for name, each in looks.read_barcode(barcode).items()}

    assert values == {"barcode_type": "PKBarcodeFormatQR", "barcode_value": "", "barcodeAltText": ""}
    assert looks.read_alt_text_type(barcode) == {"alt_text_type": "mirror"}


def test_a_number_as_message_is_its_digits() -> None:
    assert looks.read_barcode({"message": 7})["barcode_value"]["value"] == "7"


@pytest.mark.parametrize(
    ("barcode", "field"),
    [
        ({"format": "QRCODE"}, "barcode.format"),
        ({"format": 1}, "barcode.format"),
        ({"format": []}, "barcode.format"),
        ({"message": True}, "barcode.message"),
        ({"message": "x" * 8193}, "barcode.message"),
        ({"alt_text": []}, "barcode.alt_text"),
    ],
)
def test_a_barcode_of_no_use_is_refused_under_its_field(barcode: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        looks.read_barcode(barcode)
    assert caught.value.field == field
    with pytest.raises(InvalidRequest) as caught:
        looks.read_barcode(barcode, "barcodes[3]")
    assert caught.value.field == field.replace("barcode", "barcodes[3]", 1)


def test_content_without_a_barcode_shows_the_documented_defaults() -> None:
    assert looks.show_barcode(Content()) == {
        "format": "qrcode",
        "message": "",
        "alt_text": "",
        "alt_text_type": "mirror",
    }


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        *zip(BARCODES[APPLE], ["pdf417", "aztec", "qrcode", "ean128"], strict=True),
        *zip(BARCODES[GOOGLE], ["pdf417", "aztec", "qrcode", "ean128", "none", "none", "none"], strict=True),
    ],
)
def test_the_other_dialects_barcode_types_are_shown(header: str, shown: str) -> None:
    assert looks.show_barcode(content_of(barcode_type=header))["format"] == shown


@pytest.mark.parametrize(
    ("written", "text"), [("1.0", "1.0"), (12, "12"), (12.0, "12"), (-0.0, "0"), (1e20, f"1{'0' * 20}"), (None, "")]
)
def test_a_whole_number_is_read_as_its_digits(written: Any, text: str) -> None:
    assert looks.read_text(written, "logo_text") == text


@pytest.mark.parametrize("written", [True, False, 1.5, [], {}, float("inf"), float("nan")])
def test_what_is_no_text_is_refused(written: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be a string"):
        looks.read_text(written, "logo_text")


def test_numbers_of_the_other_dialect_are_shown_as_text() -> None:
    barcode = looks.show_barcode(content_of(barcode_value=12, barcodeAltText=1.5))

    assert (barcode["message"], barcode["alt_text"]) == ("12", "1.5")
