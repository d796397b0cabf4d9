"""What a pass shows, and how writes of it merge.

Content is entries (fields and headers, each with attributes such as value and label) and lists (locations, beacons and
the like). Every attribute remembers the ticket that last wrote it, and the higher ticket wins (DESIGN, section 4). So
writes may arrive twice, late or in any order and the outcome is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.errors import InvalidRequest

Attributes = dict[str, Any]

NOT_ASSIGNED = "notAssigned"
"""field type of a field that has no place on the pass"""

FIELD_TYPES = ("primary", "secondary", "tertiary", "auxiliary", "back", "header")
"""Apple's; a Google field type names a module"""

COMMON_ATTRIBUTES = frozenset({"value", "label", "changeMessage"})
PLACEMENT_ATTRIBUTES = frozenset({"fieldType", "behaviour"})
"""Where a field stands and whether a merge may overwrite it: written in one dialect alone (passworks-v2, section 6)"""
MODULE_ATTRIBUTES = frozenset({"header", "body", "uri", "description", "balance", "image"})
"""What a write may set of any entry, and what beside that of a Google module (airship-wallet-v1, section 5)."""

UNSHOWN_ATTRIBUTES = frozenset({"behaviour"})
"""of a field: what is for merges alone"""

EXPIRATION = "expirationDate"
SHOWN_HEADERS = (
    EXPIRATION,
    "relevantDate",
    "barcode_value",
    "barcode_type",
    "barcode_encoding",
    "barcodeAltText",
    "logo_text",
    "foreground_color",
    "background_color",
    "label_color",
    "maxDistance",
    "groupingIdentifier",
    "sharingProhibited",
    "transitType",
)
"""headers that make a pass, beside those of images (`logo_image`); any other is kept and shown to API clients alone"""
IMAGE_HEADER, IMAGE_PART = "_image", "_id"
"""what the names of images end with: of headers in one dialect, of lists in the other"""
IMAGE_KINDS = ("icon", "logo", "strip", "thumbnail", "background", "footer")

VOIDED = "voided"
"""the label of an `expirationDate` that ends the pass at once"""

UNSHOWN_LISTS = ("universalLinks", "alt_text_type")
"""what no wallet has a place for"""

PLACES = ("locations", "beacons")
SHOWN_OF_PLACES = (
    "latitude",
    "longitude",
    "altitude",
    "relevantText",
    "relevant_text",
    "proximityUUID",
    "proximity_uuid",
    "major",
    "minor",
)
"""what wallets read of a place; its name, its city and the like are for API clients"""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
"""made once, since making it costs as much as a small pass; what came as JSON holds no circle"""


@dataclass(slots=True)
class Entry:
    """One field or header: its attributes, and for each one written since creation the ticket that wrote it.

    The ticket of a default is negative.
    """

    attributes: Attributes
    tickets: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Content:
    """Everything a pass shows. `lists` holds what a write replaces whole (locations, beacons and the like, section 5 of
    airship-wallet-v1), `list_tickets` dates them."""

    fields: dict[str, Entry] = field(default_factory=dict)
    headers: dict[str, Entry] = field(default_factory=dict)
    lists: dict[str, Any] = field(default_factory=dict)
    list_tickets: dict[str, int] = field(default_factory=dict)

    def encode(self) -> str:
        """Compact JSON: the stored form."""
        document: dict[str, Any] = {
            "fields": {name: _encode_entry(entry) for name, entry in self.fields.items()},
            "headers": {name: _encode_entry(entry) for name, entry in self.headers.items()},
        }
        if self.lists:
            document["lists"] = self.lists
        if self.list_tickets:
            document["list_tickets"] = self.list_tickets
        return _encode(document)

    def header(self, name: str, attribute: str = "value") -> Any:
        """An attribute of a header; None if there is none."""
        entry = self.headers.get(name)
        return None if entry is None else entry.attributes.get(attribute)

    def copy_for(self, update: ContentUpdate) -> Content:
        """A copy that may take the update without touching this one; what the update does not name is shared."""
        return Content(
            fields=_copy_named(self.fields, (*update.fields, *update.defaults)),
            headers=_copy_named(self.headers, update.headers),
            lists=dict(self.lists),
            list_tickets=dict(self.list_tickets),
        )

    @classmethod
    def decode(cls, text: str) -> Content:
        """The content that `encode` wrote."""
        document = json.loads(text)
        return cls(
            fields={name: _decode_entry(entry) for name, entry in document["fields"].items()},
            headers={name: _decode_entry(entry) for name, entry in document["headers"].items()},
            lists=document.get("lists", {}),
            list_tickets=document.get("list_tickets", {}),
        )


def _copy_named(entries: Mapping[str, Entry], names: Iterable[str]) -> dict[str, Entry]:
    copied = dict(entries)
    for name in names:
        if name in copied:
            copied[name] = Entry(dict(copied[name].attributes), dict(copied[name].tickets))
    return copied


def _encode_entry(entry: Entry) -> list[Any]:
    return [entry.attributes, entry.tickets] if entry.tickets else [entry.attributes]


def _decode_entry(stored: list[Any]) -> Entry:
    return Entry(attributes=stored[0], tickets=stored[1] if len(stored) > 1 else {})


def check_content_size(content: Content, *, of: str, maximum_bytes: int) -> None:
    """Checks that content can be stored; `of` is what would hold it, a pass or a template.

    Raises:
        InvalidRequest
    """
    check_stored_size(content.encode(), of=of, maximum_bytes=maximum_bytes)


def check_stored_size(stored: str, *, of: str, maximum_bytes: int) -> None:
    """The same of content that is encoded already.

    Raises:
        InvalidRequest
    """
    size_bytes = len(stored.encode())
    if size_bytes > maximum_bytes:
        raise InvalidRequest(f"the {of} would hold {size_bytes} bytes of content, the limit is {maximum_bytes}")


@dataclass(frozen=True, slots=True)
class ContentUpdate:
    """A partial write: only what it names is changed."""

    fields: Mapping[str, Attributes] = field(default_factory=dict)
    headers: Mapping[str, Attributes] = field(default_factory=dict)
    lists: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Attributes] = field(default_factory=dict)
    """of fields: written where an attribute is missing. Any other write wins over them, and of several defaults the one
    with the lowest ticket, which in order would have been the first to find the attribute missing"""

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing, whatever it meets."""
        return not (self.fields or self.headers or self.lists or self.defaults)

    @property
    def image_kinds(self) -> set[str]:
        """Those of the images that it names, such as `logo`."""
        kinds = {name.removesuffix(IMAGE_HEADER) for name in self.headers if name.endswith(IMAGE_HEADER)}
        return kinds | {name.removesuffix(IMAGE_PART) for name in self.lists if name.endswith(IMAGE_PART)}

    def encode(self) -> str:
        """JSON: the stored form."""
        return _encode({"fields": self.fields, "headers": self.headers, "lists": self.lists, "defaults": self.defaults})

    @classmethod
    def decode(cls, text: str) -> ContentUpdate:
        """The update that `encode` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Merge:
    """What applying an update did: `written` if the stored content differs, `changed` if a value in it does, `shown` if
    what a wallet shows of it does: a field without a place is on no card, and an unknown header neither."""

    written: bool
    changed: bool
    shown: bool

    def __or__(self, other: Merge) -> Merge:
        return Merge(self.written or other.written, self.changed or other.changed, self.shown or other.shown)


NOTHING_DONE = Merge(written=False, changed=False, shown=False)


def new_entry(name: str) -> Entry:
    """An entry for a field that the template does not know: placed by its name (`primary1`), else not at all."""
    kind = name.rstrip("0123456789")
    return Entry(attributes={"fieldType": kind if kind in FIELD_TYPES else NOT_ASSIGNED})


def apply_update(content: Content, update: ContentUpdate, *, ticket_id: int) -> Merge:
    """Merges an update into content in place; an attribute that a higher ticket wrote stays as it is.

    Idempotent and order-independent: any sequence of the same updates with the same tickets gives the same attributes.
    A ticket is written down even where the value stays equal, so that a lower ticket arriving later still loses.
    """
    done = NOTHING_DONE
    for name, attributes in update.fields.items():
        done |= _write_field(content, name, attributes, ticket=ticket_id, may_write=_wins)
    for name, attributes in update.headers.items():
        done |= _write_header(content, name, attributes, ticket=ticket_id)
    for name, attributes in update.defaults.items():
        done |= _write_field(content, name, attributes, ticket=-ticket_id, may_write=_fills)
    for name, value in update.lists.items():
        if content.list_tickets.get(name, 0) < ticket_id:
            done |= _write_list(content, name, value, ticket=ticket_id)
    return done


def _write_field(
    content: Content, name: str, attributes: Attributes, *, ticket: int, may_write: Callable[[Entry, str, int], bool]
) -> Merge:
    is_new = name not in content.fields
    entry = content.fields.setdefault(name, new_entry(name)) if is_new else content.fields[name]
    was_placed = is_placed(entry)
    written, changed = _write(entry, attributes, ticket=ticket, may_write=may_write)
    return Merge(
        written=is_new or written,
        changed=is_new or bool(changed),
        shown=(is_new or bool(changed - UNSHOWN_ATTRIBUTES)) and (was_placed or is_placed(entry)),
    )


def _write_header(content: Content, name: str, attributes: Attributes, *, ticket: int) -> Merge:
    is_new = name not in content.headers
    entry = content.headers.setdefault(name, Entry(attributes={}))
    before = _header_as_shown(name, entry)
    written, changed = _write(entry, attributes, ticket=ticket, may_write=_wins)
    return Merge(
        written=is_new or written,
        changed=is_new or bool(changed),
        shown=bool(changed) and is_shown_header(name) and _header_as_shown(name, entry) != before,
    )


def _header_as_shown(name: str, entry: Entry) -> str:
    """What wallets read of a header: its value, of which none is as good as an empty one, and whether it voids."""
    value = entry.attributes.get("value")
    return _encode(["" if value is None else value, name == EXPIRATION and entry.attributes.get("label") == VOIDED])


def _write_list(content: Content, name: str, value: Any, *, ticket: int) -> Merge:
    before, missing = content.lists.get(name), _is_missing_anyway(content.lists, name, value)
    differs = not missing and _differs(content.lists, name, value)
    content.lists[name] = value
    content.list_tickets[name] = ticket
    shown = (
        differs
        and name not in UNSHOWN_LISTS
        and (name not in PLACES or _encode(_as_shown(before)) != _encode(_as_shown(value)))
    )
    return Merge(written=True, changed=differs, shown=shown)


def _as_shown(places: Any) -> Any:
    """What wallets read of locations or beacons."""
    if not isinstance(places, list):
        return places
    return [
        {key: place[key] for key in SHOWN_OF_PLACES if key in place} if isinstance(place, Mapping) else place
        for place in places
    ]


def _write(
    entry: Entry, attributes: Attributes, *, ticket: int, may_write: Callable[[Entry, str, int], bool]
) -> tuple[bool, set[str]]:
    """Whether anything was written, and the attributes whose values differ."""
    written, changed = False, set()
    for attribute, value in attributes.items():
        if not may_write(entry, attribute, ticket):
            continue
        if _differs(entry.attributes, attribute, value):
            changed.add(attribute)
        entry.attributes[attribute] = value
        entry.tickets[attribute] = ticket
        written = True
    return written, changed


def _wins(entry: Entry, attribute: str, ticket: int) -> bool:
    return entry.tickets.get(attribute, 0) < ticket and _accepts(entry, attribute)


def _fills(entry: Entry, attribute: str, ticket: int) -> bool:
    """Whether a default, whose ticket is negative, finds nothing there, or a default that was accepted later."""
    return attribute not in entry.attributes or entry.tickets.get(attribute, 0) < ticket


def is_placed(entry: Entry) -> bool:
    """Whether a field has a place on a card."""
    return (entry.attributes.get("fieldType") or NOT_ASSIGNED) != NOT_ASSIGNED


def _accepts(entry: Entry, attribute: str) -> bool:
    """Only a module has module attributes: the official client refuses to read them anywhere else."""
    field_type = entry.attributes.get("fieldType", NOT_ASSIGNED)
    if attribute in COMMON_ATTRIBUTES or attribute in PLACEMENT_ATTRIBUTES:
        return True
    return field_type not in FIELD_TYPES and field_type != NOT_ASSIGNED


def _differs(values: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether it is another value as JSON; in Python 1, 1.0 and True are equal, also inside of lists."""
    if name not in values or values[name] != value or type(values[name]) is not type(value):
        return True
    return isinstance(value, list | dict) and _encode(values[name]) != _encode(value)


def _is_missing_anyway(lists: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether an empty list is written where there is none: the pass shows what it showed."""
    return name not in lists and value in (None, "", [], {})


def is_shown_header(name: str) -> bool:
    """Whether a wallet shows anything of a header."""
    return name in SHOWN_HEADERS or (name.endswith(IMAGE_HEADER) and name.removesuffix(IMAGE_HEADER) in IMAGE_KINDS)


def overlay(template: Content, own: ContentUpdate) -> Content:
    """The content of a new pass: the template's, with what the request sent on top."""
    content = Content.decode(template.encode())
    for entries, updates in ((content.fields, own.fields), (content.headers, own.headers)):
        for name, attributes in updates.items():
            if name not in entries:
                entries[name] = new_entry(name) if entries is content.fields else Entry(attributes={})
            entry = entries[name]
            entry.attributes.update({key: value for key, value in attributes.items() if _accepts(entry, key)})
    content.lists.update(own.lists)
    if own.image_kinds:
        from chalicelib.domain.assets import prefer_headers  # which few passes need

        prefer_headers(content, own.headers)
    return content
