"""One pass and everything stored beside it, read so that no write under way is seen half."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.checking import (
    UNSETTLED,
    Known,
    Place,
    Row,
    Sighting,
    Subject,
    membership_place,
    name_place,
    pass_place,
    registration_place,
    sweep_place,
    tag_place,
    template_place,
)
from chalicelib.domain.checking_facts import NameFact, PassFacts, Standing, references_of
from chalicelib.domain.checking_passes import judge_pass, judge_registration
from chalicelib.domain.counted_index import (
    passes_of_tag,
    passes_of_template,
    registrations_of_pass,
    segment_of,
)
from chalicelib.domain.passes import as_milliseconds
from chalicelib.store import external_ids
from chalicelib.store.checking_blocks import Blocks
from chalicelib.store.checking_reads import Reader
from chalicelib.store.checking_sequences import Sequences
from chalicelib.store.pass_rows import UPDATED_SHARDS, code_key, updated_order, updated_shard
from chalicelib.store.tags import key_by_id
from chalicelib.store.transactions import SLOTS_PER_SEGMENT

TAGS_AT_ONCE = 30
"""tags of one pass that a snapshot has room for, with three rows each; what is beyond is seen once these are mended"""

NAME_ATTRIBUTES = ("pass_id", "project_id", "template_id", "external_id", "own_code", "redeem_code")
"""what tells which names a pass bears"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every look wants to know."""

    reader: Reader
    blocks: Blocks
    known: Known
    sequences: Sequences
    tags_verified: Callable[[], bool]
    now: Callable[[], datetime]

    def for_looks(self) -> Surroundings:
        """The same for looks, to which a row that makes no sense is not one that is missing."""
        return replace(self, reader=self.reader.as_strict())

    def project_of(self, row: Row) -> int | None:
        """Whose a row is, as far as a row that makes no sense tells."""
        project_id, pass_id = row.get("project_id"), row.get("pass_id")
        if isinstance(project_id, int):
            return project_id
        return self.blocks.owner(pass_id) if isinstance(pass_id, int) else None


def expected_pass_keys(row: Row) -> dict[str, Any]:
    """The index keys that a pass must have."""
    pass_id, project_id, template_id = int(row["pass_id"]), int(row["project_id"]), int(row["template_id"])
    segment = segment_of(pass_id)
    return {
        "segment": segment,
        "template_segment": passes_of_template(template_id).segment_key(segment),
        "updated_shard": updated_shard(project_id, pass_id % UPDATED_SHARDS),
        "updated_order": updated_order(int(row["updated_at"]), pass_id),
        "code_key": code_key(template_id, str(row["redeem_code"])),
    }


def name_places(row: Row) -> list[Place]:
    """The rows of the names that a pass bears."""
    project_id, template_id = int(row["project_id"]), int(row["template_id"])
    places = []
    if "external_id" in row:
        places.append(name_place(external_ids.pass_key(project_id, str(row["external_id"])), template_id))
    if row.get("own_code"):
        key = external_ids.code_key(project_id, template_id, str(row["redeem_code"]))
        places.append(name_place(key, external_ids.NO_PARENT))
    return places


def standing_of(template: Row | None, *, is_noted: bool) -> Standing:
    """What became of a template."""
    if template is None:
        return Standing.MISSING
    if not template.get("deleted"):
        return Standing.THERE
    return Standing.GOING if is_noted else Standing.DELETED


def doubtful_tags(known: Known, project_id: int | None) -> set[int]:
    """Tags of a project that are damaged themselves."""
    return {tag_id for owner, tag_id in known.tags if owner == project_id}


class PassLooks:
    """Looks at passes and registrations."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._reader = surroundings.reader

    def look_at_pass(self, subject: Subject, _: Mapping[str, object]) -> Sighting:
        """A pass with its rows. Tags and names are read at one moment; registrations while the pass stays as it is."""
        pass_id = int(subject.key[0])
        place = pass_place(pass_id)
        before = self._reader.get(place)
        memberships = list(self._reader.query("memberships", {"pass_id": pass_id}, ConsistentRead=True))
        devices = self._find_devices(pass_id)
        project_id = self._around.blocks.owner(pass_id) if before is None else int(before["project_id"])
        tag_ids = _tags_of(before, memberships)[:TAGS_AT_ONCE]
        shot = self._reader.snapshot(
            [place, *_places_of_tags(project_id, pass_id, tag_ids, memberships), *_places_beside(before)]
        )
        row = shot[place]
        if _outline(row) != _outline(before):
            return UNSETTLED
        registrations = self._read_registrations(pass_id, devices)
        redeems = list(self._reader.query("redeems", {"pass_id": pass_id}, ConsistentRead=True)) if row else []
        if self._find_devices(pass_id) != devices or _versions(self._reader.get(place)) != _versions(before):
            return UNSETTLED
        facts = self._gather(pass_id, row, shot, tag_ids, project_id, registrations, len(redeems))
        return Sighting(judge_pass(facts))

    def _gather(
        self,
        pass_id: int,
        row: Row | None,
        shot: Mapping[Place, dict[str, Any] | None],
        tag_ids: Sequence[int],
        project_id: int | None,
        registrations: Sequence[Row],
        redeems: int,
    ) -> PassFacts:
        memberships = [shot.get(membership_place(pass_id, tag_id)) for tag_id in tag_ids]
        tags = {tag_id: shot.get(_tag_by_id(project_id, tag_id)) for tag_id in tag_ids}
        noted = {str(place.key[0][1]) for place, found in shot.items() if place.table == "sweeps" and found}
        standing = Standing.THERE
        if row is not None:
            template_id = int(row["template_id"])
            template = shot[template_place(int(row["project_id"]), template_id)]
            standing = standing_of(template, is_noted=passes_of_template(template_id).key in noted)
        return PassFacts(
            pass_id=pass_id,
            row=row,
            owner=project_id,
            expected_keys={} if row is None else expected_pass_keys(row),
            standing=standing,
            tags={tag_id: tag for tag_id, tag in tags.items() if tag is not None},
            noted=noted,
            memberships=[each for each in memberships if each is not None],
            held=len(registrations),
            registrations=registrations,
            names=self._judge_rivals(pass_id, row, shot),
            redeems=redeems,
            doubtful=doubtful_tags(self._around.known, project_id),
            tags_verified=self._around.tags_verified(),
            now_milliseconds=as_milliseconds(self._around.now()),
        )

    def _judge_rivals(
        self, pass_id: int, row: Row | None, shot: Mapping[Place, dict[str, Any] | None]
    ) -> list[NameFact]:
        facts = []
        for place in [] if row is None else name_places(row):
            found, rival = shot[place], False
            if found is not None and found["target_id"] != pass_id:
                other = self._reader.get(pass_place(int(found["target_id"])))
                rival = other is not None and place in name_places(other)
            facts.append(NameFact(place, pass_id, found, rival))
        return facts

    def _find_devices(self, pass_id: int) -> AbstractSet[str]:
        """Devices that hold a pass, as far as any index knows."""
        rows = list(
            self._reader.query(
                "registrations", {"segment": segment_of(pass_id), "pass_id": pass_id}, IndexName="by_segment"
            )
        )
        collection = registrations_of_pass(pass_id)
        slots = self._reader.query("segments", {"collection": collection.key}, ConsistentRead=True)
        for segment in sorted({int(slot["slot"]) // SLOTS_PER_SEGMENT for slot in slots}):
            key = collection.segment_key(segment)
            rows += self._reader.query("registrations", {"pass_segment": key}, IndexName="by_pass")
        devices = {str(row["device"]) for row in rows if row["pass_id"] == pass_id}
        misplaced = self._around.known.misplaced
        own = (keys for key, keys in misplaced.items() if key.startswith(f"{collection.key}."))
        return devices | {str(device) for keys in own for device, _ in keys}

    def _read_registrations(self, pass_id: int, devices: Iterable[str]) -> list[dict[str, Any]]:
        keys = [{"device": device, "pass_id": pass_id} for device in sorted(devices)]
        return self._reader.batch_get("registrations", keys, consistent=True) if keys else []

    def look_at_registration(self, subject: Subject, _: Mapping[str, object]) -> Sighting:
        """One registration, found by its own key."""
        device, pass_id = str(subject.key[0]), int(subject.key[1])
        row = self._reader.get(registration_place(device, pass_id))
        return Sighting([] if row is None else list(judge_registration(row)))


def _tags_of(row: Row | None, memberships: Sequence[Row]) -> list[int]:
    remembered = set() if row is None else {reference.tag_id for reference in references_of(row)}
    return sorted(remembered | {int(membership["tag_id"]) for membership in memberships})


def _tag_by_id(project_id: int | None, tag_id: int) -> Place:
    return tag_place(key_by_id(project_id or 0, tag_id))


def _places_of_tags(
    project_id: int | None, pass_id: int, tag_ids: Sequence[int], memberships: Sequence[Row]
) -> list[Place]:
    """For each tag its row, its row on the pass, and the note that the latter's collection is to be swept."""
    notes = [
        passes_of_tag(project_id=project_id or 0, tag_id=int(row["tag_id"]), generation=int(row["generation"])).key
        for row in memberships
        if row["tag_id"] in tag_ids
    ]
    return [
        *[_tag_by_id(project_id, tag_id) for tag_id in tag_ids],
        *[membership_place(pass_id, tag_id) for tag_id in tag_ids],
        *[sweep_place(note) for note in notes],
    ]


def _places_beside(row: Row | None) -> list[Place]:
    if row is None:
        return []
    template_id = int(row["template_id"])
    return [
        template_place(int(row["project_id"]), template_id),
        sweep_place(passes_of_template(template_id).key),
        *name_places(row),
    ]


def _versions(row: Row | None) -> tuple[object, ...]:
    """What tells whether a pass or its number of devices was written."""
    return () if row is None else (row["revision"], row.get("registrations"))


def _outline(row: Row | None) -> tuple[object, ...]:
    """What decides which rows are to be read with a pass."""
    if row is None:
        return ()
    return (*_versions(row), row.get("tags"), row["template_id"], tuple(name_places(row)))
