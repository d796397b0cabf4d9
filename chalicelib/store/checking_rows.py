"""Whether a row is what the check takes it for: nothing missing, nothing of another type, no value that nobody knows.

What is required follows from the models. Left out is what has a kind of damage of its own, such as the keys of indexes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.models import Model

from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.checking import Place, Row
from chalicelib.domain.content import Content
from chalicelib.domain.passes import PassStatus, from_milliseconds
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.tags import TagReference
from chalicelib.domain.tickets import TicketStatus
from chalicelib.store.campaign_models import AssetRow, LookRow, RedeemRow, RegistrationRow
from chalicelib.store.delivery_models import OutboxRow
from chalicelib.store.models import (
    CredentialRow,
    ExternalIdRow,
    MembershipRow,
    PassRow,
    ProjectRow,
    RateAttribute,
    SegmentRow,
    SequenceRow,
    SweepRow,
    TagRow,
    TemplateRow,
    TicketPartRow,
    TicketRow,
)

_MODELS: Final[Mapping[str, type[Model]]] = {
    "projects": ProjectRow,
    "credentials": CredentialRow,
    "sequences": SequenceRow,
    "templates": TemplateRow,
    "looks": LookRow,
    "assets": AssetRow,
    "passes": PassRow,
    "external-ids": ExternalIdRow,
    "tags": TagRow,
    "memberships": MembershipRow,
    "segments": SegmentRow,
    "registrations": RegistrationRow,
    "redeems": RedeemRow,
    "tickets": TicketRow,
    "ticket-parts": TicketPartRow,
    "sweeps": SweepRow,
    "outbox": OutboxRow,
}
"""by bare name every table that the check reads; the models' own names are bound to a deployment"""

_MENDED: Final[Mapping[str, frozenset[str]]] = {
    "passes": frozenset(
        {
            "segment",
            "template_segment",
            "updated_shard",
            "updated_order",
            "code_key",
            "registrations",
            "redeemed_count",
        }
    ),
    "tags": frozenset({"project_segment"}),
    "memberships": frozenset({"tag_segment", "status"}),
    "registrations": frozenset({"template_segment", "pass_segment", "segment", "token_key"}),
    "redeems": frozenset({"template_segment", "pass_segment"}),
    "tickets": frozenset({"open"}),
}
"""attributes that follow from others, so that a mend sets them whatever they hold"""

_TYPES: Final[Mapping[type, tuple[type, ...]]] = {
    NumberAttribute: (int,),
    RateAttribute: (int, float),
    UnicodeAttribute: (str,),
    BooleanAttribute: (bool,),
    UnicodeSetAttribute: (frozenset,),
}

_NONSENSE = (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError)
"""what reading nonsense ends in"""


class Unreadable(Exception):
    """A row of a table that makes no sense; `fault` says why and does not show what it holds."""

    def __init__(self, table: str, row: Row, fault: str) -> None:
        super().__init__(f"{table}: {fault}")
        self.table = table
        self.row = row
        self.fault = fault


class _Shape(NamedTuple):
    key: tuple[str, ...]
    types: Mapping[str, tuple[type, ...]]
    """of all attributes that are looked at"""
    required: frozenset[str]


def _shape(table: str, model: type[Model]) -> _Shape:
    attributes = model.get_attributes()
    key = tuple(name for name, each in attributes.items() if each.is_hash_key or each.is_range_key)
    types = {
        name: _TYPES[type(each)] for name, each in attributes.items() if name not in _MENDED.get(table, frozenset())
    }
    required = {name for name in types if not attributes[name].null and attributes[name].default is None}
    return _Shape(key, types, frozenset(required))


_SHAPES: Final = {table: _shape(table, model) for table, model in _MODELS.items()}


def latest_ticket(content: str) -> int:
    """The highest ticket that wrote anything of a pass's content; raises one of several errors if that is nonsense."""
    decoded = Content.decode(content)
    tickets = [0, *decoded.list_tickets.values()]
    for entry in (*decoded.fields.values(), *decoded.headers.values()):
        entry.attributes.keys()
        tickets += entry.tickets.values()
    return max(map(abs, tickets))


def _read_name_key(key: str) -> None:
    project_id, _sort, _name = key.split("#", 2)
    int(project_id)


def _read_collection(key: str) -> None:
    kind, _, rest = key.partition(":")
    if kind in ("pass-registrations", "pass-redeems"):
        int(rest)


def _read_sequence_name(name: str) -> None:
    kind, _, rest = name.partition(":")
    if kind == "block":
        _project_id, _index = map(int, rest.split(":"))
    elif kind == "passes":
        int(rest)


def _read_references(tags: AbstractSet[str]) -> None:
    for text in tags:
        TagReference.parse(text)


_READERS: Final[Mapping[tuple[str, str], Callable[[Any], object]]] = {
    ("passes", "status"): PassStatus,
    ("passes", "tags"): _read_references,
    ("passes", "content"): latest_ticket,
    ("passes", "created_at"): from_milliseconds,
    ("passes", "updated_at"): from_milliseconds,
    ("templates", "campaign"): CampaignOptions.decode,
    ("templates", "content"): Content.decode,
    ("looks", "document"): lambda text: Content.decode(json.loads(text)["content"]),
    ("external-ids", "key"): _read_name_key,
    ("tags", "key"): _read_name_key,
    ("segments", "collection"): _read_collection,
    ("sequences", "name"): _read_sequence_name,
    ("registrations", "wallet"): Wallet,
    ("redeems", "created_at"): from_milliseconds,
    ("tickets", "status"): TicketStatus,
    ("outbox", "document"): lambda text: json.loads(text).get("project_id"),
}


def find_fault(table: str, row: Row, attributes: Sequence[str] | None = None) -> str | None:
    """Why a row, or what of its `attributes` was read, makes no sense; None if it does."""
    shape = _SHAPES[table]
    wanted = shape.required if attributes is None else shape.required.intersection((*attributes, *shape.key))
    missing = sorted(wanted - row.keys())
    if missing:
        return f"{', '.join(missing)} is missing"
    for name, value in row.items():
        expected = shape.types.get(name)
        if expected is not None and type(value) not in expected:
            return f"{name} is of another type"
        if table == "segments" and expected is None and type(value) is not int:
            return f"{name} is not a number"
        read = _READERS.get((table, name))
        if read is not None and not _makes_sense(read, value):
            return f"{name} is not understood"
    return None


def _makes_sense(read: Callable[[Any], object], value: Any) -> bool:
    try:
        read(value)
    except _NONSENSE:
        return False
    return True


def list_projected(table: str, index_name: str) -> Sequence[str] | None:
    """The attributes that an index holds beside keys; None if it holds all."""
    for index in _MODELS[table]._indexes.values():
        if index.Meta.index_name == index_name:
            projection = index.Meta.projection
            return None if projection.projection_type == "ALL" else tuple(projection.non_key_attributes or ())
    raise KeyError(index_name)


def key_of(table: str, row: Row) -> tuple[tuple[str, int | str], ...]:
    """A row's key, as a `Place` has it."""
    return tuple((name, row[name]) for name in _SHAPES[table].key)


def place_of(table: str, key: Sequence[int | str]) -> Place:
    """The place of a row by the values of its key."""
    return Place(table, tuple(zip(_SHAPES[table].key, key, strict=True)))
