"""What a card shows, taken from the content of a pass or of a template: pure, and the same for page and picture.

Order, placement and number of the fields follow the layouts of Apple Wallet (Apple, Wallet Passes, pass styles). What
has no place on the front stands among the details, so that a page never hides what a pass says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from chalicelib.domain.assets import HIDDEN_BY_STRIP, STYLE_IMAGES, find_asset
from chalicelib.domain.content import Content, Entry
from chalicelib.domain.passes import Pass, parse_moment
from chalicelib.pages.colours import BLACK, WHITE, Colour, contrast, parse_colour
from chalicelib.pages.formatting import field_text, link_of, text_of

Style = Literal["boardingPass", "coupon", "eventTicket", "generic", "storeCard"]
BarcodeFormat = Literal["qr", "pdf417", "aztec", "code128", "other"]
Alignment = Literal["natural", "left", "center", "right"]

HEADER_FIELDS, ROW_FIELDS = 3, 4
STYLE_ROW_FIELDS: dict[Style, int] = {"boardingPass": 5}
STYLE_PRIMARY_FIELDS: dict[Style, int] = {"boardingPass": 2}

_BARCODES: dict[str, BarcodeFormat] = {
    "qr": "qr",
    "qrcode": "qr",
    "pdf417": "pdf417",
    "aztec": "aztec",
    "code128": "code128",
    "ean128": "code128",
}
_TRANSITS = ("air", "boat", "bus", "generic", "train")
_FRONT_TYPES = ("header", "primary", "secondary", "tertiary", "auxiliary")


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field, its value as a person reads it."""

    key: str
    label: str
    value: str
    alignment: Alignment = "natural"
    link: str | None = None
    """where the value leads: a web, mail or telephone address"""


@dataclass(frozen=True, slots=True)
class BarcodeView:
    """The code that is scanned, and the text under it."""

    format: BarcodeFormat
    message: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class ImageView:
    """One of our own assets, by id for who reads it and by address for who shows it."""

    asset_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """Everything a page or a picture shows of a pass."""

    style: Style
    background: Colour
    foreground: Colour
    label: Colour
    logo_text: str
    organization: str
    description: str
    header_fields: tuple[FieldView, ...]
    primary_fields: tuple[FieldView, ...]
    rows: tuple[tuple[FieldView, ...], ...]
    """secondary and auxiliary fields, as they stand under one another"""
    details: tuple[FieldView, ...]
    """the back, and what the front has no room for"""
    barcode: BarcodeView | None
    images: Mapping[str, ImageView]
    """by kind: icon, logo, strip, thumbnail, background, footer; only what the style shows"""
    transit: str | None
    voided: bool
    expired: bool

    @property
    def title(self) -> str:
        """What to call the card in one line."""
        return self.description or self.logo_text or self.organization or "Pass"

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Which way the card is laid out: as its first letters are read."""
        shown = (self.logo_text, *(field.label + field.value for field in self.primary_fields), self.title)
        for character in " ".join(shown):
            if (direction := unicodedata.bidirectional(character)) in ("L", "R", "AL"):
                return "ltr" if direction == "L" else "rtl"
        return "ltr"


def view_pass(
    pass_: Pass, *, style: str, organization: str, description: str, base_url: str, now: datetime, codes: bool
) -> CardView:
    """The card of a pass; style, organization and description are the template's, for a pass that does not say.

    `codes` puts the redeem code into a barcode without a message (passworks-v2, section 8).
    """
    return view_content(
        pass_.content,
        style=style,
        organization=organization,
        description=description,
        base_url=base_url,
        now=now,
        redeem_code=pass_.redeem_code if codes else "",
    )


def view_content(
    content: Content,
    *,
    style: str,
    organization: str,
    description: str,
    base_url: str,
    now: datetime,
    redeem_code: str = "",
) -> CardView:
    """The card of a template's content, as a pass fresh from it would look."""
    own_style = _known_style(content.lists.get("style")) or _known_style(style) or "generic"
    groups = _group_fields(content)
    background, foreground, label = _colours(content)
    front, rest = _place(groups, own_style)
    voided, expired = _validity(content, now)
    transit = content.lists.get("transit_type") or _header(content, "transitType")
    return CardView(
        style=own_style,
        background=background,
        foreground=foreground,
        label=label,
        logo_text=_header(content, "logo_text"),
        organization=text_of(content.lists.get("organization_name")) or organization,
        description=text_of(content.lists.get("description")) or description,
        header_fields=front["header"],
        primary_fields=front["primary"],
        rows=tuple(row for row in (front["first"], front["second"]) if row),
        details=(*rest, *groups["back"]),
        barcode=_barcode(content, redeem_code),
        images=_images(content, own_style, base_url),
        transit=_transit(transit) if own_style == "boardingPass" else None,
        voided=voided,
        expired=expired,
    )


def _known_style(style: object) -> Style | None:
    return next((cast(Style, known) for known in STYLE_IMAGES if known == style), None)


def _transit(value: object) -> str:
    name = text_of(value).removeprefix("PKTransitType").lower()
    return name if name in _TRANSITS else "generic"


def _group_fields(content: Content) -> dict[str, tuple[FieldView, ...]]:
    """Fields by where they belong, each group in its order. A Google module with something to say is a detail."""
    groups: dict[str, list[FieldView]] = {group: [] for group in (*_FRONT_TYPES, "back")}
    for name, entry in sorted(content.fields.items(), key=lambda item: _order(item[1])):
        kind = entry.attributes.get("fieldType", "notAssigned")
        if kind in groups:
            field = _field(name, entry.attributes)
            if field.value or not entry.attributes.get("hideEmpty"):
                groups[kind].append(field)
        elif kind != "notAssigned":
            field = _module(name, entry.attributes)
            groups["back"] += [field] if field.value else []
    groups["auxiliary"] = groups.pop("tertiary") + groups["auxiliary"]
    return {group: tuple(fields) for group, fields in groups.items()}


def _order(entry: Entry) -> float:
    order = entry.attributes.get("order")
    return order if isinstance(order, int | float) else float("inf")


def _field(name: str, attributes: Mapping[str, Any]) -> FieldView:
    value = field_text(attributes)
    alignment = text_of(attributes.get("textAlignment")).removeprefix("PKTextAlignment").lower()
    return FieldView(
        key=name,
        label=text_of(attributes.get("label")),
        value=value,
        alignment=cast(Alignment, alignment) if alignment in ("left", "center", "right") else "natural",
        link=link_of(value, text_of(attributes.get("formatType"))),
    )


def _module(name: str, attributes: Mapping[str, Any]) -> FieldView:
    label = attributes.get("header") or attributes.get("label") or attributes.get("description")
    value = field_text(attributes) or text_of(attributes.get("body") or attributes.get("balance"))
    address = text_of(attributes.get("uri"))
    return FieldView(key=name, label=text_of(label), value=value or address, link=link_of(address, "URL"))


def _place(
    groups: Mapping[str, tuple[FieldView, ...]], style: Style
) -> tuple[dict[str, tuple[FieldView, ...]], tuple[FieldView, ...]]:
    """The fields on the front by place, and those that found none.

    A coupon and a store card have one row for secondary and auxiliary fields; on a boarding pass the auxiliary row is
    the upper one.
    """
    no_fields: tuple[FieldView, ...] = ()
    first, second = secondary, auxiliary = groups["secondary"], groups["auxiliary"]
    if style in ("coupon", "storeCard"):
        first, second = secondary + auxiliary, no_fields
    elif style == "boardingPass":
        first, second = auxiliary, secondary
    row = STYLE_ROW_FIELDS.get(style, ROW_FIELDS)
    places = {
        "header": (groups["header"], HEADER_FIELDS),
        "primary": (groups["primary"], STYLE_PRIMARY_FIELDS.get(style, 1)),
        "first": (first, row),
        "second": (second, row),
    }
    front = {place: fields[:room] for place, (fields, room) in places.items()}
    rest = tuple(field for fields, room in places.values() for field in fields[room:])
    return front, rest


def _header(content: Content, name: str, attribute: str = "value") -> str:
    return text_of(content.header(name, attribute))


def _colours(content: Content) -> tuple[Colour, Colour, Colour]:
    """Background, text and labels; without colours of its own a pass is dark on white or what can be read best."""
    background = parse_colour(_header(content, "background_color")) or WHITE
    readable = max(BLACK, WHITE, key=lambda colour: contrast(colour, background))
    foreground = parse_colour(_header(content, "foreground_color")) or readable
    return background, foreground, parse_colour(_header(content, "label_color")) or foreground


def _validity(content: Content, now: datetime) -> tuple[bool, bool]:
    expiry = parse_moment(_header(content, "expirationDate"))
    return _header(content, "expirationDate", "label") == "voided", expiry is not None and expiry <= now


def _barcode(content: Content, redeem_code: str) -> BarcodeView | None:
    """The main barcode: the headers', else the first of the Passworks list; None without anything to scan."""
    kind, message = _header(content, "barcode_type"), _header(content, "barcode_value")
    alt_text = _header(content, "barcodeAltText")
    listed = content.lists.get("barcodes")
    if not kind and not message and isinstance(listed, list) and listed and isinstance(listed[0], dict):
        kind, message, alt_text = (text_of(listed[0].get(key)) for key in ("format", "message", "alt_text"))
    name = kind.removeprefix("PKBarcodeFormat").replace("_", "").lower() or "qr"
    message = message or redeem_code
    if not message or name == "none":
        return None
    return BarcodeView(_BARCODES.get(name, "other"), message, alt_text or redeem_code)


def _images(content: Content, style: Style, base_url: str) -> dict[str, ImageView]:
    """The images that the style shows; beside a strip an event ticket has neither thumbnail nor background."""
    images: dict[str, ImageView] = {}
    for kind in STYLE_IMAGES[style]:
        asset_id = find_asset(content, kind)
        if asset_id:
            images[kind] = ImageView(asset_id, f"{base_url.rstrip('/')}/uploads/asset/{asset_id}/original.png")
    if style == "eventTicket" and "strip" in images:
        images = {kind: image for kind, image in images.items() if kind not in HIDDEN_BY_STRIP}
    return images
