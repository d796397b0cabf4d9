from __future__ import annotations

from typing import Any

import pytest

from chalicelib.wallets.apple.barcodes import find_old_form, render_barcodes
from tests.support.wallet_passes import wallet_pass

QR = "PKBarcodeFormatQR"


def rendered(*, main: dict[str, Any] | None = None, further: Any = None) -> list[dict[str, Any]]:
    headers = {name: {"value": value} for name, value in (main or {}).items()}
    return render_barcodes(wallet_pass(headers=headers, lists={"barcodes": further}).content)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    ("names", "format_"),
    [
        (("PKBarcodeFormatQR", "QR_CODE", "qrcode"), "PKBarcodeFormatQR"),
        (("PKBarcodeFormatPDF417", "PDF_417", "pdf417"), "PKBarcodeFormatPDF417"),
        (("PKBarcodeFormatAztec", "AZTEC", "aztec"), "PKBarcodeFormatAztec"),
        (("PKBarcodeFormatCode128", "CODE_128", "ean128"), "PKBarcodeFormatCode128"),
    ],
)
def test_each_format_is_known_by_the_names_of_three_vendors(names: tuple[str, ...], format_: str, number: int) -> None:
    expected = [{"format": format_, "message": "42", "messageEncoding": "iso-8859-1"}]

    assert rendered(main={"barcode_type": names[number], "barcode_value": "42"}) == expected
    assert rendered(further=[{"format": names[number], "message": "42"}]) == expected


def test_a_message_without_a_format_is_a_qr_code() -> None:
    assert [barcode["format"] for barcode in rendered(main={"barcode_value": "42"})] == [QR]


@pytest.mark.parametrize("format_name", ["none", "UPC_A", "EAN_13", "CODE_39", "PKBarcodeFormat"])
def test_a_format_that_wallet_lacks_is_no_barcode(format_name: str) -> None:
    assert rendered(main={"barcode_type": format_name, "barcode_value": "42"}) == []
    assert rendered(further=[{"format": format_name, "message": "42"}]) == []


@pytest.mark.parametrize("message", ["", None])
def test_without_a_message_there_is_no_barcode(message: str | None) -> None:
    assert rendered(main={"barcode_type": QR, "barcode_value": message}) == []
    assert rendered(further=[{"format": "qrcode", "message": message}, "42", None]) == []


def test_the_main_barcode_comes_first_and_the_same_one_only_once() -> None:
    found = rendered(
        main={"barcode_type": "PKBarcodeFormatCode128", "barcode_value": "42"},
        further=[
            {"format": "ean128", "message": "42"},
            {"format": "pdf417", "message": "42"},
            {"format": "qrcode", "message": "42"},
        ],
    )

    assert [barcode["format"] for barcode in found] == [
        "PKBarcodeFormatCode128",
        "PKBarcodeFormatPDF417",
        "PKBarcodeFormatQR",
    ]
    assert find_old_form(found) == found[1]


def test_code_128_has_no_old_form() -> None:
    found = rendered(main={"barcode_type": "PKBarcodeFormatCode128", "barcode_value": "42"})

    assert len(found) == 1
    assert find_old_form(found) is None


@pytest.mark.parametrize(
    ("message", "wanted", "encoding"),
    [
        ("café", None, "iso-8859-1"),
        ("café", "utf-8", "utf-8"),
        ("café", "UTF-8", "utf-8"),
        ("café", "us-ascii", "iso-8859-1"),
        ("café", "base64", "iso-8859-1"),
        ("€ 5", None, "utf-8"),
        ("€ 5", "iso-8859-1", "utf-8"),
        ("€ 5", "windows-1252", "windows-1252"),
    ],
)
def test_the_encoding_always_holds_the_message(message: str, wanted: str | None, encoding: str) -> None:
    (barcode,) = rendered(main={"barcode_value": message, "barcode_encoding": wanted})

    assert barcode["messageEncoding"] == encoding
    message.encode(barcode["messageEncoding"])


def test_the_text_beneath_is_the_callers_or_mirrors_the_message_where_that_is_asked_for() -> None:
    assert rendered(main={"barcode_value": "42", "barcodeAltText": "No. 42"})[0]["altText"] == "No. 42"
    assert "altText" not in rendered(main={"barcode_value": "42", "barcodeAltText": ""})[0]
    mirrored = {"format": "qrcode", "message": "42", "alt_text_type": "mirror"}
    assert rendered(further=[{**mirrored, "alt_text": ""}])[0]["altText"] == "42"
    assert rendered(further=[{**mirrored, "alt_text": "No. 42"}])[0]["altText"] == "No. 42"


def test_a_message_that_is_a_number_is_written_out() -> None:
    assert rendered(main={"barcode_value": 42})[0]["message"] == "42"
