"""Field values as a person reads them. The page is in English; a wallet uses the language of its phone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from chalicelib.domain.passes import parse_moment

_SYMBOLS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}
_WHOLE_CURRENCIES = ("CLP", "ISK", "JPY", "KRW", "VND", "XAF", "XOF")
_DIGITS = 40
"""numbers longer than this are shown as they were written"""

_WEB = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@:/?#&]+@[^\s@:/?#&]+")
_TELEPHONE = re.compile(r"\+?[0-9 ()./-]{3,30}")


def text_of(value: object) -> str:
    """Any value of a pass as text, without blanks around it; nothing for None and for lists."""
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def field_text(attributes: Mapping[str, Any]) -> str:
    """What a field shows: numbers by `numberStyle` and `currencyCode`, dates by `formatType`, else the value itself."""
    text = text_of(attributes.get("value"))
    currency = text_of(attributes.get("currencyCode")).upper()
    style = text_of(attributes.get("numberStyle")).removeprefix("PKNumberStyle")
    kind = text_of(attributes.get("formatType"))
    if currency or style:
        return _number_text(text, currency, style)
    return _date_text(text) if kind == "Date" else text


def _number_text(text: str, currency: str, style: str) -> str:
    number = _parse_number(text)
    if number is None:
        return text
    if currency:
        amount = f"{abs(number):,.{0 if currency in _WHOLE_CURRENCIES else 2}f}"
        sign = "-" if number < 0 else ""
        symbol = _SYMBOLS.get(currency)
        return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}"
    if style == "Percent":
        return f"{_plain(number * 100)}%"
    return f"{number.normalize():E}" if style == "Scientific" else _plain(number)


def _parse_number(text: str) -> Decimal | None:
    if len(text) > _DIGITS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _DIGITS else None


def _plain(number: Decimal) -> str:
    written = f"{number:,f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _date_text(text: str) -> str:
    """`2 January 2026`, with the time if the text has one; as its own time zone tells it."""
    moment = parse_moment(text)
    if moment is None:
        return text
    day = f"{moment.day} {moment:%B} {moment.year}"
    return f"{day}, {moment:%H:%M}" if re.search(r"\d[T ]\d", text) else day


def link_of(value: str, kind: str) -> str | None:
    """Where a value of this `formatType` leads, only ever a web, mail or telephone address; None if nowhere."""
    if kind == "URL" and _WEB.fullmatch(value):
        return value
    if kind == "Email" and _MAIL.fullmatch(value):
        return f"mailto:{value}"
    if kind == "Phone" and _TELEPHONE.fullmatch(value):
        return "tel:" + re.sub(r"[^+0-9]", "", value)
    return None
