"""The barcodes of a pass, in the words of Wallet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.content import Content
from chalicelib.wallets.apple.values import as_text

QR, PDF417, AZTEC, CODE128 = (f"PKBarcodeFormat{name}" for name in ("QR", "PDF417", "Aztec", "Code128"))

FORMATS: Mapping[str, str] = {
    **{name: name for name in (QR, PDF417, AZTEC, CODE128)},
    "QR_CODE": QR,
    "PDF_417": PDF417,
    "AZTEC": AZTEC,
    "CODE_128": CODE128,
    "qrcode": QR,
    "pdf417": PDF417,
    "aztec": AZTEC,
    "ean128": CODE128,
}
"""Apple's, Google's and Passworks' names (airship-wallet-v1, section 6; passworks-v2, section 6)"""

_DEFAULT_ENCODING = "iso-8859-1"
_ENCODINGS = ("iso-8859-1", "utf-8", "us-ascii", "utf-16", "windows-1252", "shift_jis")


def render_barcodes(content: Content) -> list[dict[str, Any]]:
    """The main barcode of the headers, then the further ones; each pair of format and message once."""
    barcodes: list[dict[str, Any]] = []
    for barcode in (_render_main(content), *_render_further(content)):
        if barcode is not None and not any(_same(barcode, other) for other in barcodes):
            barcodes.append(barcode)
    return barcodes


def find_old_form(barcodes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The barcode for systems that know one only, and no Code 128."""
    return next((barcode for barcode in barcodes if barcode["format"] != CODE128), None)


def _render_main(content: Content) -> dict[str, Any] | None:
    return _render(
        # a pass that names no format has the default of templates
        format_name=as_text(content.header("barcode_type")) or QR,
        message=as_text(content.header("barcode_value")),
        alternative=as_text(content.header("barcodeAltText")),
        encoding=as_text(content.header("barcode_encoding")),
    )


def _render_further(content: Content) -> Iterator[dict[str, Any] | None]:
    further = content.lists.get("barcodes")
    for barcode in further if isinstance(further, list) else ():
        if isinstance(barcode, Mapping):
            message = as_text(barcode.get("message"))
            mirrored = message if barcode.get("alt_text_type") == "mirror" else ""
            yield _render(
                format_name=as_text(barcode.get("format")) or QR,
                message=message,
                alternative=as_text(barcode.get("alt_text")) or mirrored,
            )


def _render(*, format_name: str, message: str, alternative: str, encoding: str = "") -> dict[str, Any] | None:
    format_ = FORMATS.get(format_name)
    if format_ is None or not message:
        return None
    barcode = {"format": format_, "message": message, "messageEncoding": _choose_encoding(message, encoding)}
    return barcode | {"altText": alternative} if alternative else barcode


def _choose_encoding(message: str, wanted: str) -> str:
    """The encoding asked for if Wallet knows it and it holds the message."""
    for encoding in (wanted.strip().lower(), _DEFAULT_ENCODING):
        if encoding in _ENCODINGS and _holds(encoding, message):
            return encoding
    return "utf-8"


def _holds(encoding: str, message: str) -> bool:
    try:
        message.encode(encoding)
    except UnicodeError:
        return False
    return True


def _same(barcode: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (barcode["format"], barcode["message"]) == (other["format"], other["message"])
