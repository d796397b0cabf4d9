"""The words of the consistency check: what is damage, where it is, and the guarded writes that mend it.

Rows are plain mappings of attribute to value, named as in ARCHITECTURE.md. Every write of a mend expects exactly what
was read, so a concurrent writer wins and the place is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

Value = int | float | str | bool | frozenset[str]
Row = Mapping[str, Any]
"""attribute to `Value`; which of these it is, the attribute says"""


class Kind(StrEnum):
    """The kinds of damage. Their names are stable; `checking_kinds` says what each means and what mends it."""

    UNREADABLE = "unreadable"
    PROJECT_MISSING = "project-missing"
    PASS_KEYS = "pass-keys"
    PASS_TEMPLATE = "pass-template"
    PASS_DELETED_TEMPLATE = "pass-deleted-template"
    STATUS = "status"
    REGISTRATION_COUNT = "registration-count"
    REDEEM_COUNT = "redeem-count"
    MEMBERSHIP_MISSING = "membership-missing"
    MEMBERSHIP_STRAY = "membership-stray"
    MEMBERSHIP_STATUS = "membership-status"
    MEMBERSHIP_KEYS = "membership-keys"
    MEMBERSHIP_DEAD = "membership-dead"
    REGISTRATION_KEYS = "registration-keys"
    REGISTRATION_STRAY = "registration-stray"
    REDEEM_KEYS = "redeem-keys"
    EXTERNAL_ID = "external-id"
    TAG_ROWS = "tag-rows"
    TEMPLATE_LOOK = "template-look"
    COUNTER = "counter"
    COUNTER_NEGATIVE = "counter-negative"
    COUNTER_DEAD = "counter-dead"
    REPORT_REDEEMS = "report-redeems"
    REPORT_INSTALLS = "report-installs"
    BLOCK = "block"
    SEQUENCE_BEHIND = "sequence-behind"
    TICKET_OPEN = "ticket-open"
    TICKET_PROGRESS = "ticket-progress"
    TICKET_STUCK = "ticket-stuck"
    OUTBOX_STUCK = "outbox-stuck"


@dataclass(frozen=True, slots=True)
class Place:
    """One row: its table's bare name and its key."""

    table: str
    key: tuple[tuple[str, int | str], ...]

    def __str__(self) -> str:
        return f"{self.table} {', '.join(str(value) for _, value in self.key)}"


def project_place(project_id: int) -> Place:
    """The row of a project."""
    return Place("projects", (("project_id", project_id),))


def pass_place(pass_id: int) -> Place:
    """The row of a pass."""
    return Place("passes", (("pass_id", pass_id),))


def membership_place(pass_id: int, tag_id: int) -> Place:
    """The row of one tag on one pass."""
    return Place("memberships", (("pass_id", pass_id), ("tag_id", tag_id)))


def registration_place(device: str, pass_id: int) -> Place:
    """The row of one pass on one device."""
    return Place("registrations", (("device", device), ("pass_id", pass_id)))


def redeem_place(pass_id: int, number: int) -> Place:
    """The row of one redeem."""
    return Place("redeems", (("pass_id", pass_id), ("number", number)))


def tag_place(key: str) -> Place:
    """One of the two rows of a tag."""
    return Place("tags", (("key", key),))


def template_place(project_id: int, template_id: int) -> Place:
    """The row of a template."""
    return Place("templates", (("project_id", project_id), ("template_id", template_id)))


def look_place(project_id: int, number: int) -> Place:
    """The row of a look."""
    return Place("looks", (("project_id", project_id), ("look_number", number)))


def name_place(key: str, parent_id: int) -> Place:
    """The row that makes an external id or a name unique."""
    return Place("external-ids", (("key", key), ("parent_id", parent_id)))


def sweep_place(collection: str) -> Place:
    """The note that a collection is to be swept."""
    return Place("sweeps", (("collection", collection),))


def counter_place(collection: str, slot: int) -> Place:
    """One stripe of one segment's counter."""
    return Place("segments", (("collection", collection), ("slot", slot)))


def sequence_place(name: str) -> Place:
    """The row of a sequence, or of a leased block."""
    return Place("sequences", (("name", name),))


def ticket_place(ticket_id: int) -> Place:
    """The head of a ticket."""
    return Place("tickets", (("ticket_id", ticket_id),))


def outbox_place(key: str) -> Place:
    """A message on its way."""
    return Place("outbox", (("key", key),))


class Action(Enum):
    """What a write does to its row."""

    CHECK = "check"
    PUT = "put"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write, done only if the row still has exactly the `expect`ed values; None stands for an absent attribute."""

    action: Action
    place: Place
    expect: Mapping[str, Value | None]
    sets: Mapping[str, Value | None] = field(default_factory=dict)
    """new values; None removes"""
    adds: Mapping[str, int] = field(default_factory=dict)


def check(place: Place, expect: Mapping[str, Value | None]) -> Write:
    """Writes nothing, but demands something of a row."""
    return Write(action=Action.CHECK, place=place, expect=expect)


def put(place: Place, values: Row, *, over: Mapping[str, Value | None] | None = None) -> Write:
    """A whole row where there is none, or in place of one that has the values `over`."""
    expect = {place.key[0][0]: None} if over is None else over
    return Write(action=Action.PUT, place=place, expect=expect, sets={**dict(place.key), **values})


def update(place: Place, expect: Mapping[str, Value | None], **sets: Value | None) -> Write:
    """New values for attributes of a row that is there."""
    return Write(action=Action.UPDATE, place=place, expect=expect, sets=sets)


def delete(place: Place, expect: Mapping[str, Value | None]) -> Write:
    """Removes a row."""
    return Write(action=Action.DELETE, place=place, expect=expect)


def absent(place: Place) -> Write:
    """Demands that there is no such row."""
    return check(place, {place.key[0][0]: None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What is wrong at one place. Without a `mend` it is left to a person, or to another command."""

    kind: Kind
    place: str
    detail: str
    """what is there and what should be, as a sentence"""
    project_id: int | None
    mend: tuple[Write, ...] = ()
    seen: tuple[object, ...] = ()
    """what tells one look from another beyond the detail"""
    truth: Row = field(default_factory=dict)
    """what should be, for `Known`: damage that stays must not be taken for damage of what depends on it"""
    wakes: tuple[Subject, ...] = ()
    """what was right as long as this was wrong, and has to be looked at once this is mended"""

    @property
    def spot(self) -> tuple[Kind, str]:
        """Kind and place: what is reported once."""
        return self.kind, self.place

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal in two looks if both saw the same."""
        return (self.kind, self.place, *(self.seen or (self.detail,)))


def differing(row: Row, expected: Row) -> dict[str, Value]:
    """What should be there, of the attributes that are not as they should be."""
    return {name: value for name, value in expected.items() if row.get(name) != value}


def describe_keys(row: Row, wrong: Row) -> str:
    """The sentence about wrong keys."""
    return "; ".join(f"{name} is {row.get(name)}, not {value}" for name, value in sorted(wrong.items()))


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that can be looked at by itself, such as `pass 4711`. Kind and key fit into JSON."""

    kind: str
    key: tuple[int | str, ...]

    @classmethod
    def decode(cls, document: Sequence[int | str]) -> Subject:
        """The subject that `encode` wrote."""
        return cls(str(document[0]), tuple(document[1:]))

    def encode(self) -> list[int | str]:
        """A JSON array."""
        return [self.kind, *self.key]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look at a subject came to, read consistently."""

    damages: Sequence[Damage] = ()
    is_settled: bool = True
    """False if somebody wrote while we looked: nothing can be said"""
    memory: Mapping[str, object] = field(default_factory=dict)
    """what a look after the time of patience wants to know of this one"""
    partial: Mapping[str, object] = field(default_factory=dict)
    """what a look at once wants to know, where this one did not settle"""


UNSETTLED = Sighting(is_settled=False)


@dataclass(slots=True)
class Known:
    """Damage that was found and stays as it is, as far as the judgement of other places depends on it.

    So one fault is reported once: a counter that agrees with what a pass should say is not wrong.
    """

    statuses: dict[int, str] = field(default_factory=dict)
    """pass id to the status that it should have"""
    tags: set[tuple[int, int]] = field(default_factory=set)
    """project and id of tags whose two rows do not fit together: nothing is said about their passes"""
    misplaced: dict[str, list[tuple[str | int, int]]] = field(default_factory=dict)
    """segment key to the keys of registrations and redeems that belong there and are listed elsewhere"""
    strays: set[tuple[str, int]] = field(default_factory=set)
    """device and pass id of registrations that should not be there"""
    counters: set[str] = field(default_factory=set)
    """collections with a counter that is wrong"""

    def note(self, kind: Kind, truth: Row) -> None:
        """Keeps what should be."""
        if kind is Kind.STATUS:
            self.statuses[int(truth["pass_id"])] = str(truth["status"])
        elif kind is Kind.TAG_ROWS:
            self.tags.add((int(truth["project_id"]), int(truth["tag_id"])))
        elif kind is Kind.REGISTRATION_STRAY:
            self.strays.add((str(truth["device"]), int(truth["pass_id"])))
        elif kind is Kind.REGISTRATION_KEYS:
            self._note_misplaced(truth, (str(truth["device"]), int(truth["pass_id"])))
        elif kind is Kind.REDEEM_KEYS:
            self._note_misplaced(truth, (int(truth["pass_id"]), int(truth["number"])))
        elif kind in (Kind.COUNTER, Kind.COUNTER_NEGATIVE):
            self.counters.add(str(truth["collection"]))

    def _note_misplaced(self, truth: Row, key: tuple[str | int, int]) -> None:
        for name in ("template_segment", "pass_segment"):
            keys = self.misplaced.setdefault(str(truth[name]), [])
            if key not in keys:
                keys.append(key)
