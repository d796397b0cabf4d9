"""What a Passworks client writes, as changes of content (passworks-v2, sections 6 to 8 and 12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.content import (
    EXPIRATION,
    MODULE_ATTRIBUTES,
    NOT_ASSIGNED,
    Attributes,
    Content,
    ContentUpdate,
    Entry,
)
from chalicelib.domain.looks import LOOK_IMAGES
from chalicelib.domain.templates import APPLE, DEFAULT_BARCODES, Template

PUSH_MESSAGE = "push_message"
"""the field that a message is written to: a wallet shows a text only when a field with a change message differs"""

BARCODE_TYPE = "barcode_type"
LOOK_HEADERS = ("logo_text", "background_color", "foreground_color", "label_color", BARCODE_TYPE)
LOOK_PARTS = (*LOOK_IMAGES, "transit_type", "alt_text_type")
"""What belongs to a look; writing one of these to a campaign makes a new look (section 9)."""

OWN_HEADERS = ("barcode_value", "barcodeAltText")
KEPT_PARTS = ("barcodes", "certificate_id", "style")
OWN_PARTS = ("thumbnail_id", "user_info", *KEPT_PARTS)
"""What a merge leaves to each pass; `KEPT_PARTS` are left alone even where a pass begins anew."""

_LOOK_DEFAULTS = {BARCODE_TYPE: DEFAULT_BARCODES[APPLE], "alt_text_type": "mirror"}

_EMPTY_PARTS: Mapping[str, Any] = {
    "locations": [],
    "beacons": [],
    "user_info": {},
    "thumbnail_id": None,
    "max_distance": None,
    "relevant_date": None,
}
"""what a pass that begins anew shows of a part that its campaign has not"""

_FIELD_ATTRIBUTES = ("fieldType", "value", "label", "changeMessage", "behaviour", *sorted(MODULE_ATTRIBUTES))
_VALUES = ("value", "body")
"""what a dynamic field keeps: its value, which a Google text module calls its body"""
_HEADER_ATTRIBUTES = ("value", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDraft:
    """A partial write. `emptied` names groups, such as `primary`, whose other fields go."""

    fields: Mapping[str, Attributes] = field(default_factory=dict)
    emptied: frozenset[str] = frozenset()
    headers: Mapping[str, Attributes] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changes_look(self) -> bool:
        """Whether it writes anything that belongs to a look."""
        return any(name in LOOK_HEADERS for name in self.headers) or any(name in LOOK_PARTS for name in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDraft:
    """What a create or update of a campaign brings. `options` are attributes of `CampaignOptions`."""

    name: str | None = None
    description: str | None = None
    look_id: str | None = None
    content: ContentDraft = field(default_factory=ContentDraft)
    options: Mapping[str, Any] = field(default_factory=dict)


def as_update(draft: ContentDraft, *, current: Content) -> ContentUpdate:
    """The update that brings a draft into content. Fields of emptied groups lose their place, which hides them."""
    fields = {name: dict(attributes) for name, attributes in draft.fields.items()}
    for name, entry in current.fields.items():
        if entry.attributes.get("fieldType") in draft.emptied and name not in fields and name != PUSH_MESSAGE:
            fields[name] = {"fieldType": NOT_ASSIGNED}
    return ContentUpdate(fields=fields, headers=draft.headers, lists=draft.parts)


def write_into(content: Content, draft: ContentDraft) -> Content:
    """A template's content with a draft on top; fields of emptied groups are gone. `content` stays as it was."""
    written = Content.decode(content.encode())
    for name, entry in list(written.fields.items()):
        if entry.attributes.get("fieldType") in draft.emptied and name not in draft.fields:
            del written.fields[name]
    for entries, updates in ((written.fields, draft.fields), (written.headers, draft.headers)):
        for name, attributes in updates.items():
            entries.setdefault(name, Entry(attributes={})).attributes.update(attributes)
    for entry in written.fields.values():
        entry.attributes.setdefault("fieldType", NOT_ASSIGNED)
        entry.attributes.setdefault("value", None)
        entry.attributes.setdefault("label", None)
    written.lists.update(draft.parts)
    return written


def with_look(content: Content, look: Content) -> Content:
    """A template's content with another look, of which nothing stays that the new one has not."""
    headers: dict[str, Attributes] = {
        name: {"value": None} for name in LOOK_HEADERS if name in content.headers and name != BARCODE_TYPE
    }
    parts = {name: None for name in LOOK_PARTS if name in content.lists}
    headers |= {name: dict(entry.attributes) for name, entry in look.headers.items()}
    return write_into(content, ContentDraft(headers=headers, parts=parts | look.lists))


def is_same_look(content: Content, other: Content) -> bool:
    """Whether two contents look alike; what is empty, or the default of what is missing, makes no difference."""
    return _normal_look(content) == _normal_look(other)


def _normal_look(content: Content) -> dict[str, Any]:
    look = look_of(content)
    shown = {name: entry.attributes.get("value") for name, entry in look.headers.items()} | look.lists
    return {name: value for name, value in shown.items() if value not in (None, "", _LOOK_DEFAULTS.get(name))}


def look_of(content: Content) -> Content:
    """The part of a content that is its look."""
    return Content(
        headers={name: entry for name, entry in content.headers.items() if name in LOOK_HEADERS},
        lists={name: value for name, value in content.lists.items() if name in LOOK_PARTS or name == "style"},
    )


def push_message_update(message: str | None) -> dict[str, Attributes]:
    """The field that makes a wallet show a message (section 7); nothing without a message."""
    if not message:
        return {}
    return {PUSH_MESSAGE: {"value": message, "label": "", "changeMessage": "%@", "fieldType": "back"}}


def merge_update(template: Template, *, message: str | None = None) -> ContentUpdate:
    """What a merge writes to every pass of a campaign (section 6): fixed fields whole, of dynamic ones all but the
    value, the look, and the lists that are kept in step. What is each pass's own stays."""
    content, options = template.content, template.campaign
    fields: dict[str, Attributes] = {}
    defaults: dict[str, Attributes] = {}
    for name, entry in content.fields.items():
        fields[name], defaults[name] = _divide(entry)
    headers = {
        name: _keep(entry, _HEADER_ATTRIBUTES)
        for name, entry in content.headers.items()
        if name not in OWN_HEADERS and name != EXPIRATION
    }
    parts = {name: value for name, value in content.lists.items() if name not in OWN_PARTS}
    parts["description"] = template.description or template.name
    for name, kept in (
        ("locations", options.sync_locations_on_merge),
        ("beacons", options.sync_beacons_on_merge),
    ):
        if kept:
            parts.setdefault(name, [])
        else:
            parts.pop(name, None)
    return ContentUpdate(
        fields=fields | push_message_update(message),
        headers=headers | _expiration_of(content),
        lists=parts,
        defaults={name: attributes for name, attributes in defaults.items() if attributes},
    )


def _divide(entry: Entry) -> tuple[Attributes, Attributes]:
    """What a merge writes of a field, and what it only adds to a pass that lacks it."""
    written = _keep(entry, _FIELD_ATTRIBUTES)
    if written.get("behaviour") == "dynamic":
        written = {name: value for name, value in written.items() if name not in _VALUES}
    return written, {name: value for name, value in entry.attributes.items() if name not in written}


def _expiration_of(content: Content) -> dict[str, Attributes]:
    """The end of a campaign's passes without whether one is voided, which is each pass's own."""
    entry = content.headers.get(EXPIRATION)
    return (
        {} if entry is None or "value" not in entry.attributes else {EXPIRATION: {"value": entry.attributes["value"]}}
    )


def restart_update(template: Template, draft: ContentDraft, *, current: Content) -> ContentUpdate:
    """What a pass update with `merge` false writes: the draft on top of the campaign's current content (section 12).

    The code in the barcode stays, and whether the pass is voided; fields that the campaign has not lose their place.
    """
    content = write_into(template.content, draft)
    fields = {name: _keep(entry, _FIELD_ATTRIBUTES) for name, entry in content.fields.items()}
    for name in current.fields.keys() & fields.keys():
        if "behaviour" in current.fields[name].attributes:
            fields[name].setdefault("behaviour", "fixed")
    for name in current.fields.keys() - fields.keys() - {PUSH_MESSAGE}:
        fields[name] = {"fieldType": NOT_ASSIGNED}
    headers = {
        name: _keep(entry, _HEADER_ATTRIBUTES)
        for name, entry in content.headers.items()
        if name != EXPIRATION and (name in draft.headers or name not in OWN_HEADERS)
    }
    expiration: dict[str, Attributes] = {EXPIRATION: {"value": None}} if EXPIRATION in current.headers else {}
    lists = {name: empty for name, empty in _EMPTY_PARTS.items() if name in current.lists}
    lists |= {name: value for name, value in content.lists.items() if name in draft.parts or name not in KEPT_PARTS}
    return ContentUpdate(fields=fields, headers=headers | expiration | _expiration_of(content), lists=lists)


def _keep(entry: Entry, names: tuple[str, ...]) -> Attributes:
    return {name: entry.attributes[name] for name in names if name in entry.attributes}
