"""Passes and registrations as records of a file, and whole lists of them, one segment after the other.

Nothing that opens anything is in a record: no token, no address with one, no push token, no device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from chalicelib.domain.cells import is_same, join_tags, write_cell, write_json
from chalicelib.domain.content import COMMON_ATTRIBUTES, MODULE_ATTRIBUTES, Attributes, Content, Entry
from chalicelib.domain.counted_index import Collection, locate_page
from chalicelib.domain.importing import LISTS, MORE, Kind
from chalicelib.domain.listing import tag_names_of
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import RegistrationSummary

Document = dict[str, Any]
Place = tuple[Kind, str, str]
"""of a column: field or header, the entry's name, the attribute"""

PASSES_AT_ONCE = 100
"""so many whole passes are held at a time"""

WRITABLE = COMMON_ATTRIBUTES | MODULE_ATTRIBUTES

_FIRST = (
    "id",
    "externalId",
    "tags",
    "status",
    "platform",
    "publicUrl",
    "templateId",
    "serialNumber",
    "redeemCode",
    "redeemedCount",
    "createdAt",
    "updatedAt",
    "installedAt",
    "uninstalledAt",
)

REGISTRATION_COLUMNS = (
    "registrationId",
    "passId",
    "externalId",
    "serialNumber",
    "wallet",
    "deviceOs",
    "createdAt",
)


def walk_passes(
    platform: Platform, collection: Collection, *, project_id: int, template_ids: AbstractSet[int]
) -> Iterator[tuple[int, list[tuple[Pass, list[str]]]]]:
    """The passes of a list by id, as far as they are of these templates, each with the names of its tags.

    Some at a time, with how many members of the list were gone through for them. What is made or deleted meanwhile may
    be missing or not. For n passes n / 1000 queries and n / 50 batch reads.

    Raises:
        Busy
    """
    for count in platform.counts.read_counts(collection):
        pass_ids = platform.passes.list_segment(collection, count.segment)
        for start in range(0, len(pass_ids), PASSES_AT_ONCE):
            wanted = pass_ids[start : start + PASSES_AT_ONCE]
            found = platform.passes.get_passes(wanted)
            passes = [
                pass_ for pass_id in wanted if (pass_ := found.get(pass_id)) and pass_.template_id in template_ids
            ]
            names = tag_names_of(platform, project_id=project_id, passes=passes)
            yield len(wanted), [(pass_, names[pass_.pass_id]) for pass_ in passes]


def walk_registrations(
    platform: Platform, collection: Collection
) -> Iterator[list[tuple[RegistrationSummary, str | None]]]:
    """The registrations of a list, oldest first, some at a time, each with the external id of its pass.

    Raises:
        Busy
    """
    for count in platform.counts.read_counts(collection):
        slices = locate_page([count], offset=0, size=count.members(), descending=False)
        found = platform.registrations.read_members(collection, slices, facets=None, descending=False)
        pass_ids = list(dict.fromkeys(registration.pass_id for registration in found))
        external_ids = {each.pass_id: each.external_id for each in platform.passes.get_summaries(pass_ids)}
        yield [(registration, external_ids.get(registration.pass_id)) for registration in found]


class PassTable:
    """The columns of a file of passes, by which `importing` knows them again.

    What fields and headers the templates have gets a column. Whatever else a pass holds that can be written, and that
    its template does not give it anyway, stands in the last one. `given` is what a template gives to new passes.
    """

    def __init__(self, templates: Mapping[int, Content], *, given: Mapping[int, Content]) -> None:
        self._templates = templates
        self._given = given
        places: dict[Place, None] = {}
        for kind in (Kind.FIELD, Kind.HEADER):
            for template in templates.values():
                for name, entry in _entries(template, kind).items():
                    places.update({(kind, name, attribute): None for attribute in _attributes(entry)})
        self._places = list(places)

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return [*_FIRST, *map(_name_column, self._places), *LISTS, MORE]

    def make_cells(self, pass_: Pass, tag_names: Iterable[str]) -> list[str]:
        """The line of a pass."""
        template, given = (contents[pass_.template_id] for contents in (self._templates, self._given))
        return [
            *_first_cells(pass_, tag_names),
            *(self._make_cell(place, pass_.content, template) for place in self._places),
            *(_list_cell(pass_.content, name) for name in LISTS),
            self._more_cell(pass_.content, given),
        ]

    def _make_cell(self, place: Place, content: Content, template: Content) -> str:
        kind, name, attribute = place
        entry = _entries(content, kind).get(name)
        if entry is None or attribute not in entry.attributes:
            return ""
        value = entry.attributes[attribute]
        own = _entries(template, kind).get(name)
        attributes = {} if own is None else own.attributes
        # what is neither text nor number came with the template, and cannot be written; what is empty may stay so
        if isinstance(value, list | dict) or (value in ("", None) and is_same(attributes.get(attribute, ...), value)):
            return ""
        return write_cell(value, like=attributes.get(attribute))

    def _more_cell(self, content: Content, given: Content) -> str:
        more: Document = {}
        for kind in (Kind.FIELD, Kind.HEADER):
            entries = {
                name: own
                for name, entry in _entries(content, kind).items()
                if (own := self._own_attributes(kind, name, entry, given)) is not None
            }
            if entries:
                more[kind.value] = entries
        return write_json(more) if more else ""

    def _own_attributes(self, kind: Kind, name: str, entry: Entry, content: Content) -> Attributes | None:
        """What no column shows and the template does not give; None if there is nothing."""
        given = _entries(content, kind).get(name)
        own = {
            attribute: value
            for attribute, value in entry.attributes.items()
            if attribute in WRITABLE
            and (kind, name, attribute) not in self._places
            and not (
                given is not None and attribute in given.attributes and is_same(given.attributes[attribute], value)
            )
        }
        return own if own or given is None else None


def make_pass_document(pass_: Pass, tag_names: Sequence[str]) -> Document:
    """A pass as JSON: everything it shows, with values as they are."""
    content = pass_.content
    document: Document = {
        "id": str(pass_.pass_id),
        "externalId": pass_.external_id,
        "tags": list(tag_names),
        "status": str(pass_.status),
        "platform": pass_.platform,
        "publicUrl": None if pass_.public_type is None else {"type": pass_.public_type},
        "templateId": str(pass_.template_id),
        "serialNumber": pass_.serial_number,
        "redeemCode": pass_.redeem_code,
        "redeemedCount": pass_.redeemed_count,
        "createdAt": _show(pass_.created_at),
        "updatedAt": _show(pass_.updated_at),
        "installedAt": _show(pass_.installed_at) or None,
        "uninstalledAt": _show(pass_.uninstalled_at) or None,
        "fields": {name: entry.attributes for name, entry in content.fields.items()},
        "headers": {name: entry.attributes for name, entry in content.headers.items()},
        **{name: content.lists[name] for name in LISTS if name in content.lists},
    }
    return {name: value for name, value in document.items() if value is not None}


def make_registration_cells(registration: RegistrationSummary, external_id: str | None) -> list[str]:
    """The line of a registration."""
    document = make_registration_document(registration, external_id)
    return [str(document.get(name, "")) for name in REGISTRATION_COLUMNS]


def make_registration_document(registration: RegistrationSummary, external_id: str | None) -> Document:
    """A registration as JSON."""
    document = {
        "registrationId": registration.registration_id,
        "passId": str(registration.pass_id),
        "externalId": external_id,
        "serialNumber": registration.serial_number,
        "wallet": str(registration.wallet),
        "deviceOs": registration.wallet.device_os,
        "createdAt": _show(registration.created_at),
    }
    return {name: value for name, value in document.items() if value is not None}


def _first_cells(pass_: Pass, tag_names: Iterable[str]) -> list[str]:
    return [
        str(pass_.pass_id),
        pass_.external_id or "",
        join_tags(tag_names),
        str(pass_.status),
        pass_.platform or "",
        pass_.public_type or "",
        str(pass_.template_id),
        pass_.serial_number,
        pass_.redeem_code,
        str(pass_.redeemed_count),
        _show(pass_.created_at),
        _show(pass_.updated_at),
        _show(pass_.installed_at),
        _show(pass_.uninstalled_at),
    ]


def _entries(content: Content, kind: Kind) -> Mapping[str, Entry]:
    return content.fields if kind is Kind.FIELD else content.headers


def _attributes(entry: Entry) -> list[str]:
    """Of a template's entry, the attributes that have a column: the value, and what a module shows beside it."""
    modules = [attribute for attribute in sorted(MODULE_ATTRIBUTES) if attribute in entry.attributes]
    return modules if modules and "value" not in entry.attributes else ["value", *modules]


def _name_column(place: Place) -> str:
    kind, name, attribute = place
    what = "field" if kind is Kind.FIELD else "header"
    return f"{what}:{name}" if attribute == "value" else f"{what}.{attribute}:{name}"


def _list_cell(content: Content, name: str) -> str:
    """What a request may send: locations are numbered anew wherever they go."""
    value = content.lists.get(name)
    if value is None:
        return ""
    if name == "locations":
        value = [{key: part for key, part in location.items() if key != "id"} for location in value]
    return write_json(value)


def _show(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
