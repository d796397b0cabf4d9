"""The fields of a pass as Google's text modules and links, and where each stands (wallets, section 4.4).

A field is shown through references to the object's module and, where that is empty, to the class's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.domain.content import FIELD_TYPES, NOT_ASSIGNED, Attributes, Content, Entry
from chalicelib.domain.google_ports import Announcement
from chalicelib.domain.google_shared import is_written_later
from chalicelib.wallets.apple.values import as_number, as_text, is_day, parse_date

BLANK = "\u00a0"
"""stands for an empty value where the class has one: an empty module would let the class's show through"""

ROWS = (("header", "primary"), ("secondary",), ("auxiliary", "tertiary"))
"""the field types of the three rows on the front; what finds no room there is among the details"""
ROW_FIELDS = 3

_LINKS = ("URL", "Phone", "Email")
_WEB = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@:/?#&]+@[^\s@:/?#&]+")
_TELEPHONE = re.compile(r"\+?[0-9 ()./-]{3,30}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class FieldText:
    """What a field shows. All is empty where it is not shown."""

    header: str = ""
    body: str = ""
    uri: str | None = None
    """where it leads, if it is a link"""


NOTHING = FieldText()


def is_placed(content: Content, name: str) -> bool:
    """Whether a field has a place on the pass: Apple's types have, and Google's modules."""
    entry = content.fields.get(name)
    return entry is not None and as_text(entry.attributes.get("fieldType") or NOT_ASSIGNED) != NOT_ASSIGNED


def list_placed(content: Content) -> list[str]:
    """Names of the fields with a place, by `order`, then as stored."""

    def position(name: str) -> float:
        order = as_number(content.fields[name].attributes.get("order"))
        return float("inf") if order is None else order

    return sorted((name for name in content.fields if is_placed(content, name)), key=position)


def field_key(name: str) -> str:
    """The name as the id of a module, which takes few characters: another name never gets the same one."""
    if _KEY.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{re.sub('[^A-Za-z0-9_-]', '_', name)[:48]}-{digest}"


def read_field(content: Content, name: str) -> FieldText:
    """What a content shows of a field."""
    if not is_placed(content, name):
        return NOTHING
    attributes = content.fields[name].attributes
    header = as_text(attributes.get("label") or attributes.get("header")).strip()
    body = _write_value(attributes) or as_text(attributes.get("body") or attributes.get("balance")).strip()
    uri = _find_link(body, attributes)
    if not body and not uri:
        return NOTHING
    return FieldText(header, body, uri)


def _write_value(attributes: Attributes) -> str:
    """A value as a person reads it; Google formats nothing itself."""
    value, format_type = attributes.get("value"), attributes.get("formatType")
    text = as_text(value).strip()
    if format_type == "Date":
        moment = parse_date(value)
        if moment is None:
            return text
        day = f"{moment.day} {moment:%B} {moment.year}"
        return day if is_day(value) else f"{day}, {moment:%H:%M}"
    number = as_number(value)
    if number is None:
        return text
    currency = as_text(attributes.get("currencyCode")).strip().upper()
    if format_type != "Number" and re.fullmatch("[A-Z]{3}", currency):
        return f"{Decimal(str(number)):,.2f} {currency}"
    if attributes.get("numberStyle") == "PKNumberStylePercent":
        return f"{(Decimal(str(number)) * 100).normalize():f}%"
    return text


def _find_link(text: str, attributes: Attributes) -> str | None:
    uri = as_text(attributes.get("uri")).strip()
    if _WEB.fullmatch(uri):
        return uri
    kind = attributes.get("formatType")
    if kind == "URL" and _WEB.fullmatch(text):
        return text
    if kind == "Email" and _MAIL.fullmatch(text):
        return f"mailto:{text}"
    if kind == "Phone" and _TELEPHONE.fullmatch(text):
        return "tel:" + re.sub(r"[^+0-9]", "", text)
    return None


def render_shared(shared: Content) -> dict[str, Any]:
    """The modules of a class: every value that its objects may leave to it."""
    texts = {name: read_field(shared, name) for name in list_placed(shared)}
    return _render_modules(shared, texts)


def render_own(own: Content, shared: Content) -> dict[str, Any]:
    """The modules of an object: fields that show something else than the class, or were written later."""
    texts: dict[str, FieldText] = {}
    for name in list_placed(shared):
        text, base = read_field(own, name), read_field(shared, name)
        if text == base and not (text != NOTHING and is_written_later(own, shared, name)):
            continue
        texts[name] = FieldText(body=BLANK) if text == NOTHING else text
    return _render_modules(shared, texts)


def _render_modules(shared: Content, texts: dict[str, FieldText]) -> dict[str, Any]:
    """Lists are sent even when empty: a patch replaces them whole (wallets, section 4.4)."""
    modules: dict[str, Any] = {
        "textModulesData": [
            {"id": field_key(name), "header": text.header, "body": text.body}
            for name, text in texts.items()
            if text.uri is None and text.body
        ]
    }
    if any(_may_link(entry) for entry in shared.fields.values()):
        uris = [
            {"id": field_key(name), "uri": text.uri, "description": text.header or text.body}
            for name, text in texts.items()
            if text.uri is not None
        ]
        modules["linksModuleData"] = {"uris": uris}
    return modules


def _may_link(entry: Entry) -> bool:
    """Whether a field can be a link: by its format, or as one of Google's modules."""
    field_type = as_text(entry.attributes.get("fieldType") or NOT_ASSIGNED)
    if entry.attributes.get("formatType") in _LINKS:
        return True
    return field_type not in (*FIELD_TYPES, NOT_ASSIGNED)


def list_announcements(own: Content, names: Iterable[str]) -> tuple[Announcement, ...]:
    """The fields that tell when they change (wallets, section 5.1: `changeMessage`), with what they would tell now."""
    return tuple(_read_announcements(own, names))


def _read_announcements(own: Content, names: Iterable[str]) -> Iterator[Announcement]:
    for name in names:
        text = read_field(own, name)
        message = own.fields[name].attributes.get("changeMessage") if name in own.fields else None
        if text != NOTHING and isinstance(message, str) and "%@" in message:
            yield Announcement(name=name, header=text.header, body=message.replace("%@", text.body))


def render_layout(shared: Content) -> dict[str, Any]:
    """Where each field stands: three rows of up to three on the front, everything else among the details."""
    left = list_placed(shared)
    rows = []
    for kinds in ROWS:
        types = {name: as_text(shared.fields[name].attributes.get("fieldType")) for name in left}
        row = [name for kind in kinds for name in left if types[name] == kind][:ROW_FIELDS]
        if row:
            rows.append(_render_row([_render_item(shared, name) for name in row]))
            left = [name for name in left if name not in row]
    items = [{"item": _render_item(shared, name)} for name in left]
    return {
        "cardTemplateOverride": {"cardRowTemplateInfos": rows} if rows else None,
        "detailsTemplateOverride": {"detailsItemInfos": items} if items else None,
    }


def _render_row(items: list[dict[str, Any]]) -> dict[str, Any]:
    if len(items) == 1:
        return {"oneItem": {"item": items[0]}}
    if len(items) == 2:
        return {"twoItems": {"startItem": items[0], "endItem": items[1]}}
    return {"threeItems": {"startItem": items[0], "middleItem": items[1], "endItem": items[2]}}


def _render_item(shared: Content, name: str) -> dict[str, Any]:
    """The first reference that leads to something is shown."""
    key = field_key(name)
    places = ["textModulesData"] + ["linksModuleData.uris"] * _may_link(shared.fields[name])
    paths = [f"{owner}.{place}['{key}']" for owner in ("object", "class") for place in places]
    return {"firstValue": {"fields": [{"fieldPath": path} for path in paths]}}
