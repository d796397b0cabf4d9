"""What a Passworks client writes, as changes of content (passworks-v2, sections 6 to 8 and 12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.content import (
    NOT_ASSIGNED,
    Attributes,
    Content,
    ContentUpdate,
    Entry,
)
from chalicelib.domain.looks import LOOK_IMAGES
from chalicelib.domain.templates import Template

PUSH_MESSAGE = "push_message"
"""the field that a message is written to: a wallet shows a text only when a field with a change message differs"""

LOOK_HEADERS = ("logo_text", "background_color", "foreground_color", "label_color", "barcode_type")
LOOK_PARTS = (*LOOK_IMAGES, "transit_type", "alt_text_type")
"""What belongs to a look; writing one of these to a campaign makes a new look (section 9)."""

OWN_HEADERS = ("barcode_value", "barcodeAltText")
OWN_PARTS = ("thumbnail_id", "user_info", "barcodes", "certificate_id", "style")
"""What a merge leaves to each pass."""


_FIELD_ATTRIBUTES = ("value", "label", "changeMessage", "fieldType", "behaviour")
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
        if entry.attributes.get("fieldType") in draft.emptied:
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
        attributes = _keep(entry, _FIELD_ATTRIBUTES)
        if attributes.get("behaviour") == "dynamic" and "value" in attributes:
            defaults[name] = {"value": attributes.pop("value")}
        fields[name] = attributes
    headers = {
        name: _keep(entry, _HEADER_ATTRIBUTES)
        for name, entry in content.headers.items()
        if name not in OWN_HEADERS and name != "expirationDate"
    }
    expiration = content.headers.get("expirationDate")
    if expiration is not None and "value" in expiration.attributes:
        headers["expirationDate"] = {"value": expiration.attributes["value"]}
    parts = {name: value for name, value in content.lists.items() if name not in OWN_PARTS}
    for name, kept in (
        ("locations", options.sync_locations_on_merge),
        ("beacons", options.sync_beacons_on_merge),
    ):
        if kept:
            parts.setdefault(name, [])
        else:
            parts.pop(name, None)
    return ContentUpdate(fields=fields | push_message_update(message), headers=headers, lists=parts, defaults=defaults)


def restart_update(template: Template, draft: ContentDraft) -> ContentUpdate:
    """What a pass update with `merge` false writes: the draft on top of the campaign's current content (section 12)."""
    content = write_into(template.content, draft)
    return ContentUpdate(
        fields={name: _keep(entry, _FIELD_ATTRIBUTES) for name, entry in content.fields.items()},
        headers={
            name: _keep(entry, _HEADER_ATTRIBUTES)
            for name, entry in content.headers.items()
            if name in draft.headers or name not in (*OWN_HEADERS, "expirationDate")
        },
        lists={name: value for name, value in content.lists.items() if name in draft.parts or name not in OWN_PARTS},
    )


def _keep(entry: Entry, names: tuple[str, ...]) -> Attributes:
    return {name: entry.attributes[name] for name in names if name in entry.attributes}
