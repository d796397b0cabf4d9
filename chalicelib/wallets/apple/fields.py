"""The fields of a pass, in their places.

Wallet refuses a whole pass for one number style on a text, so a style is said only where the value bears it (wallets,
section 5.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.content import Attributes, Content
from chalicelib.wallets.apple.values import as_number, as_text, is_day, is_number, parse_date, write_date

GROUPS = {
    "header": "headerFields",
    "primary": "primaryFields",
    "secondary": "secondaryFields",
    "auxiliary": "auxiliaryFields",
    "tertiary": "auxiliaryFields",
    "back": "backFields",
}
"""field type to the place that Wallet has for it; fields of any other type are not on the pass"""

_ALIGNMENTS = frozenset(f"PKTextAlignment{side}" for side in ("Left", "Center", "Right", "Natural"))
_NUMBER_STYLES = frozenset(f"PKNumberStyle{style}" for style in ("Decimal", "Percent", "Scientific", "SpellOut"))
_UNALIGNED = ("primaryFields", "backFields")
"""places where Wallet sets the alignment itself"""


def render_fields(content: Content) -> dict[str, list[dict[str, Any]]]:
    """Every group of fields, empty ones too; within a group by `order`, then as stored."""
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in GROUPS.values()}
    fields = sorted(content.fields.items(), key=lambda item: _position(item[1].attributes))
    for name, entry in fields:
        group = GROUPS.get(as_text(entry.attributes.get("fieldType")))
        if group is not None and not _is_hidden(entry.attributes):
            groups[group].append(_render_field(name, entry.attributes, group=group))
    return groups


def _position(attributes: Attributes) -> float:
    order = as_number(attributes.get("order"))
    return float("inf") if order is None else order


def _is_hidden(attributes: Attributes) -> bool:
    return as_text(attributes.get("hideEmpty")).lower() == "true" and not as_text(attributes.get("value")).strip()


def _render_field(name: str, attributes: Attributes, *, group: str) -> dict[str, Any]:
    field: dict[str, Any] = {"key": name}
    if label := as_text(attributes.get("label")):
        field["label"] = label
    field |= _render_value(attributes)
    message = attributes.get("changeMessage")
    if isinstance(message, str) and "%@" in message:
        field["changeMessage"] = message
    if group not in _UNALIGNED and attributes.get("textAlignment") in _ALIGNMENTS:
        field["textAlignment"] = attributes["textAlignment"]
    return field


def _render_value(attributes: Attributes) -> Mapping[str, Any]:
    value = attributes.get("value")
    format_type = attributes.get("formatType")
    styled = None
    if format_type == "Date":
        styled = _render_date(value)
    elif format_type in ("Number", "Currency", None):
        styled = _render_number(value, attributes)
    return styled or {"value": value if is_number(value) else as_text(value)}


def _render_number(value: Any, attributes: Attributes) -> dict[str, Any] | None:
    number = as_number(value)
    currency = as_text(attributes.get("currencyCode")).strip().upper()
    if number is None:
        return None
    if attributes.get("formatType") != "Number" and re.fullmatch("[A-Z]{3}", currency):
        return {"value": number, "currencyCode": currency}
    if attributes.get("numberStyle") in _NUMBER_STYLES:
        return {"value": number, "numberStyle": attributes["numberStyle"]}
    return None


def _render_date(value: Any) -> dict[str, Any] | None:
    moment = parse_date(value)
    if moment is None:
        return None
    styles: dict[str, Any] = {
        "value": write_date(moment),
        "dateStyle": "PKDateStyleMedium",
        "timeStyle": "PKDateStyleNone" if is_day(value) else "PKDateStyleShort",
    }
    if moment.tzinfo is None:
        # as written, wherever the phone is: a bare day would else be the day before in the west
        styles["ignoresTimeZone"] = True
    return styles
