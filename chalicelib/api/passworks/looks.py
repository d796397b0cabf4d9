"""The look of passes in the words of the Passworks dialect: colours and barcode (passworks-v2, sections 6 and 9)."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.content import Attributes, Content
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.texts import as_digits
from chalicelib.settings import get_settings

BARCODE_FORMATS: Mapping[str, str] = {
    "qrcode": "PKBarcodeFormatQR",
    "pdf417": "PKBarcodeFormatPDF417",
    "aztec": "PKBarcodeFormatAztec",
    "ean128": "PKBarcodeFormatCode128",
    "none": "none",
}
"""format to the value of the header `barcode_type`, which is the other dialect's spelling"""

SHOWN_FORMATS: Mapping[str, str] = {
    **{header: name for name, header in BARCODE_FORMATS.items()},
    "QR_CODE": "qrcode",
    "PDF_417": "pdf417",
    "AZTEC": "aztec",
    "CODE_128": "ean128",
}
"""the way back, from Google's spelling too"""

COLOUR_HEADERS: Mapping[str, str] = {
    "background_color": "background_color",
    "text_color": "foreground_color",
    "label_color": "label_color",
}
"""key to header"""

DEFAULT_FORMAT = "qrcode"
DEFAULT_ALT_TEXT_TYPE = "mirror"

_HEXADECIMAL = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*\)", re.IGNORECASE | re.ASCII)
_TEXT_HEADERS = {"message": "barcode_value", "alt_text": "barcodeAltText"}


def top_level(value: Any) -> Attributes:
    """The attributes of a header that is no barcode's, as clients of the other dialect read them."""
    return {"fieldType": "topLevel", "formatType": 1, "value": value}


def barcode_header(value: Any) -> Attributes:
    """The attributes of a header that belongs to the barcode."""
    return {"fieldType": "barcode", "formatType": 1, "value": value}


def read_barcode(barcode: Mapping[str, Any], field: str = "barcode") -> dict[str, Attributes]:
    """The headers that a barcode object writes: only those of the keys that it has; null is a key's default.

    What it says of `alt_text_type` is a part of the content: see `read_alt_text_type`.

    Raises:
        InvalidRequest: a value is of no use; the field is its path, such as `barcode.format`.
    """
    headers: dict[str, Attributes] = {}
    if "format" in barcode:
        headers["barcode_type"] = barcode_header(BARCODE_FORMATS[_read_format(barcode["format"], f"{field}.format")])
    for key, header in _TEXT_HEADERS.items():
        if key in barcode:
            headers[header] = barcode_header(read_text(barcode[key], f"{field}.{key}"))
    return headers


def read_alt_text_type(barcode: Mapping[str, Any], field: str = "barcode") -> dict[str, Any]:
    """The part of the content that a barcode object writes; nothing without that key.

    Raises:
        InvalidRequest: it is no text.
    """
    if "alt_text_type" not in barcode:
        return {}
    return {"alt_text_type": read_text(barcode["alt_text_type"], f"{field}.alt_text_type") or DEFAULT_ALT_TEXT_TYPE}


def show_barcode(content: Content) -> dict[str, Any]:
    """The barcode object of a content. A format that the dialect has no word for is shown as `none`."""
    header = content.header("barcode_type")
    return {
        "format": DEFAULT_FORMAT if header in (None, "") else SHOWN_FORMATS.get(str(header), "none"),
        "message": show_text(content.header("barcode_value")),
        "alt_text": show_text(content.header("barcodeAltText")),
        "alt_text_type": show_text(content.lists.get("alt_text_type")) or DEFAULT_ALT_TEXT_TYPE,
    }


def read_colour(text: Any, field: str) -> str:
    """A colour as `#rrggbb` in lower case; it may be written so, as `#rgb` or as `rgb(r,g,b)`.

    Raises:
        InvalidRequest: it is none of these.
    """
    colour = _parse_colour(text)
    if colour is None:
        raise InvalidRequest("must be a colour such as #44b084", field=field)
    return colour


def show_colour(content: Content, header: str) -> str | None:
    """The colour in a header as `#rrggbb`; None if there is none that can be read."""
    return _parse_colour(content.header(header))


def show_text(value: Any) -> str:
    """A value as text; nothing is the empty text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def read_text(value: Any, field: str) -> str:
    """A text, or a whole number as its digits; null is the empty text.

    Raises:
        InvalidRequest: it is something else, or too long.
    """
    value = as_digits(value)
    if not isinstance(value, str | None):
        raise InvalidRequest("must be a string", field=field)
    text = value or ""
    limit = get_settings().limits.value_characters
    if len(text) > limit:
        raise InvalidRequest(f"has {len(text)} characters, the limit is {limit}", field=field)
    return text


def _read_format(value: Any, field: str) -> str:
    if value is None:
        return DEFAULT_FORMAT
    if not isinstance(value, str) or value not in BARCODE_FORMATS:
        raise InvalidRequest(f"must be one of {', '.join(BARCODE_FORMATS)}", field=field)
    return value


def _parse_colour(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    text = value.strip(string.whitespace)
    if match := _HEXADECIMAL.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return f"#{digits.lower()}"
    if match := _RGB.fullmatch(text):
        parts = [int(part) for part in match.groups()]
        return "#{:02x}{:02x}{:02x}".format(*parts) if max(parts) <= 255 else None
    return None
