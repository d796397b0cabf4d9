"""What a pass shows, as the model has it: everything that was written, played again in the order of acceptance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

Entries = dict[str, dict[str, Any]]
"""name of a field or header to its attributes"""

PLACES = ("header", "primary", "secondary", "auxiliary", "back")
MESSAGE = "push_message"
FIELD_KEYS = ("fieldType", "value", "label", "changeMessage", "behaviour")
"""of a template's field: what a merge writes; anything else it only adds where it is missing"""


@dataclass
class Shown:
    """Fields and headers with their attributes; `parts` is what else there is."""

    fields: Entries = field(default_factory=dict)
    headers: Entries = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_voided(self) -> bool:
        """No longer to be redeemed."""
        return self.headers.get("expirationDate", {}).get("label") == "voided"

    def groups(self) -> dict[str, list[dict[str, Any]]]:
        """The field arrays of the Passworks dialect, each sorted by key; what a message is written to is in none."""
        arrays: dict[str, list[dict[str, Any]]] = {f"{place}_fields": [] for place in PLACES}
        for key, entry in sorted(self.fields.items()):
            if entry.get("fieldType") in PLACES and key != MESSAGE:
                arrays[f"{entry['fieldType']}_fields"].append(
                    {
                        "key": key,
                        "value": entry.get("value"),
                        "label": entry.get("label"),
                        "behaviour": entry.get("behaviour", "fixed"),
                    }
                )
        return arrays

    def placed(self) -> dict[str, Any]:
        """Values of the fields that stand on the pass."""
        return {key: entry.get("value") for key, entry in self.fields.items() if entry.get("fieldType") in PLACES}


@dataclass(frozen=True)
class Write:
    """An accepted write of content. `defaults` are of fields, and fill only what is missing."""

    order: int
    """its place among all that were accepted"""
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)


def play(base: Shown, writes: Iterable[Write]) -> Shown:
    """What a pass shows after these writes: the later accepted wins, attribute by attribute, whenever it arrived."""
    shown = deepcopy(base)
    for write in sorted(writes, key=lambda each: each.order):
        for name, attributes in write.fields.items():
            _place(shown, name).update(attributes)
        for name, attributes in write.headers.items():
            shown.headers.setdefault(name, {}).update(attributes)
        for name, attributes in write.defaults.items():
            entry = _place(shown, name)
            for attribute, value in attributes.items():
                entry.setdefault(attribute, value)
        shown.parts.update(write.parts)
    return shown


def _place(shown: Shown, name: str) -> dict[str, Any]:
    """A field; one that the pass does not have stands where its name says (`back1`), or nowhere."""
    place = name.rstrip("0123456789")
    return shown.fields.setdefault(name, {"fieldType": place if place in PLACES else "notAssigned"})


def on_cards(shown: Shown) -> Shown:
    """What wallets show of it: no field that has no place."""
    fields = {name: entry for name, entry in shown.fields.items() if entry.get("fieldType") != "notAssigned"}
    return replace(shown, fields=fields)


def message_fields(text: str | None) -> Entries:
    """What a push with a message writes."""
    if not text:
        return {}
    return {MESSAGE: {"value": text, "label": "", "changeMessage": "%@", "fieldType": "back"}}


def merge_of(template: Shown, *, order: int, message: str | None) -> Write:
    """What a merge writes to each pass: fixed fields whole, of dynamic ones all but the value."""
    fields: Entries = {}
    defaults: Entries = {}
    for name, entry in template.fields.items():
        dynamic = entry.get("behaviour") == "dynamic"
        keys = [key for key in FIELD_KEYS if not (dynamic and key == "value")]
        fields[name] = {key: entry[key] for key in keys if key in entry}
        defaults[name] = {key: value for key, value in entry.items() if key not in fields[name]}
    return Write(
        order=order,
        fields=fields | message_fields(message),
        headers=_headers_of(template),
        defaults=defaults,
        parts=dict(template.parts),
    )


def restart_of(template: Shown, own: Entries, *, current: Shown, order: int) -> Write:
    """What an update writes that begins with the template's content: what the template has not loses its place."""
    fields = deepcopy(template.fields)
    for name, attributes in own.items():
        fields.setdefault(name, {"value": None, "label": None}).update(attributes)
    written = {name: {key: entry[key] for key in FIELD_KEYS if key in entry} for name, entry in fields.items()}
    for name, entry in current.fields.items():
        if name not in written and name != MESSAGE:
            written[name] = {"fieldType": "notAssigned"}
        elif name in written and "behaviour" in entry:
            written[name].setdefault("behaviour", "fixed")
    ends: Entries = {"expirationDate": {"value": None}} if "expirationDate" in current.headers else {}
    return Write(order=order, fields=written, headers=_headers_of(template) | ends)


def _headers_of(template: Shown) -> Entries:
    """A template's headers but for what is each pass's own."""
    own = ("expirationDate", "barcode_value", "barcodeAltText")
    return {
        name: {key: entry[key] for key in ("value", "label") if key in entry}
        for name, entry in template.headers.items()
        if name not in own
    }
