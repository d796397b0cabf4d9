"""The members of counted segments, read consistently and by their own word rather than an index's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.domain.checking import Row, Write, check, pass_place, tag_place, template_place
from chalicelib.domain.checking_counters import Member, Members
from chalicelib.domain.checking_facts import references_of
from chalicelib.domain.counted_index import (
    MEMBER,
    SEGMENT_SIZE,
    parse_passes_of_tag,
    redeems_of_template,
    registrations_of_pass,
    registrations_of_template,
    segment_of,
    tags_of_project,
)
from chalicelib.domain.tags import TagReference
from chalicelib.store.checking_blocks import sequence_of_passes
from chalicelib.store.checking_passes import Surroundings
from chalicelib.store.tags import key_by_id

_PASS_ATTRIBUTES = ("pass_id", "project_id", "template_id", "status", "tags", "revision")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the members of one segment of a collection come from."""

    read: Callable[[int], Members]
    """the members with numbers up to one, and with higher ones that an index lists by now"""
    sequence: str
    """what numbers them"""
    numbers: range | None = None
    """the numbers that they may have; None is any"""
    shift: int = 0
    """an ordinal plus this is its number in the sequence"""
    alive: Sequence[Write] = ()
    """what holds as long as anybody wants to know the count"""


def _ordinals(segment: int) -> range:
    return range(segment * SEGMENT_SIZE, (segment + 1) * SEGMENT_SIZE)


class MemberReader:
    """Reads the members of any collection."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._reader = surroundings.reader

    def find_source(self, key: str, segment: int, project_id: int) -> Source | None:
        """The members of a segment; None if nothing can or need be said about its counter."""
        kind, _, rest = key.partition(":")
        if kind == "project-passes":
            return self._passes_source(segment, project_id, (), lambda row: bool(row["project_id"] == project_id))
        if kind == "tag-passes":
            return self._tag_source(key, segment)
        if kind == "project-tags":
            return Source(partial(self._read_tags, project_id, segment), f"tags:{project_id}", _ordinals(segment))
        if kind.startswith("template-"):
            return self._template_source(kind, int(rest), segment, project_id)
        return self._pass_source(kind, int(rest), segment)

    def _passes_source(
        self, segment: int, project_id: int, alive: Sequence[Write], matches: Callable[[Row], bool]
    ) -> Source:
        index = self._around.blocks.index_of(project_id, segment)
        shift = 0 if index is None else (index - segment) * SEGMENT_SIZE + 1
        read = partial(self._read_passes, segment, shift, matches)
        numbers = range(segment * SEGMENT_SIZE + shift, (segment + 1) * SEGMENT_SIZE + shift)
        return Source(read, sequence_of_passes(project_id), numbers, shift, alive)

    def _tag_source(self, key: str, segment: int) -> Source | None:
        parsed = parse_passes_of_tag(key)
        if parsed is None or parsed[:2] in self._around.known.tags:
            return None
        project_id, tag_id, generation = parsed
        reference = TagReference(tag_id, generation)
        alive = check(tag_place(key_by_id(project_id, tag_id)), {"generation": generation})

        def matches(row: Row) -> bool:
            return row["project_id"] == project_id and reference in references_of(row)

        return self._passes_source(segment, project_id, (alive,), matches)

    def _template_source(self, kind: str, template_id: int, segment: int, project_id: int) -> Source | None:
        alive = (check(template_place(project_id, template_id), {"deleted": False}),)
        if kind == "template-passes":
            return self._passes_source(segment, project_id, alive, lambda row: bool(row["template_id"] == template_id))
        if kind == "template-registrations":
            read = partial(self._read_registrations_of_template, template_id, segment)
            return Source(read, f"registrations:{template_id}", _ordinals(segment), alive=alive)
        if kind == "template-redeems":
            read = partial(self._read_redeems_of_template, template_id, segment)
            return Source(read, f"redeems:{template_id}", _ordinals(segment), alive=alive)
        return None

    def _pass_source(self, kind: str, pass_id: int, segment: int) -> Source | None:
        """Of a pass that is gone nobody asks; its redeems stay, and go with its campaign."""
        row = self._reader.get(pass_place(pass_id))
        readers = {
            "pass-registrations": self._read_registrations_of_pass,
            "pass-redeems": self._read_redeems_of_pass,
        }
        if row is None or kind not in readers:
            return None
        alive = (check(pass_place(pass_id), {"project_id": row["project_id"]}),)
        sequence = f"{kind.removeprefix('pass-')}:{row['template_id']}"
        return Source(partial(readers[kind], pass_id, segment), sequence, _ordinals(segment), alive=alive)

    def _read_passes(self, segment: int, shift: int, matches: Callable[[Row], bool], last: int) -> Members:
        """Every pass of a block; those that do not match count nowhere, but are watched as well."""
        highest = self._find_highest("passes", "by_project", {"segment": segment}, "pass_id")
        ids = [each for each in _ordinals(segment) if each <= max(last - shift, highest)]
        keys = [{"pass_id": pass_id} for pass_id in ids]
        statuses = self._around.known.statuses
        members: dict[tuple[Any, ...], Member] = {}
        for row in self._reader.batch_get("passes", keys, attributes=_PASS_ATTRIBUTES, consistent=True):
            status = statuses.get(row["pass_id"], row["status"])
            members[(row["pass_id"],)] = Member(status if matches(row) else None, row["revision"])
        return members

    def _find_highest(self, table: str, index: str, condition: Row, attribute: str) -> int:
        """The highest ordinal that an index lists in a segment."""
        listed = self._reader.query(table, condition, IndexName=index, ScanIndexForward=False, Limit=1)
        row = next(listed, None)
        return 0 if row is None else int(row[attribute])

    def _read_tags(self, project_id: int, segment: int, last: int) -> Members:
        key = tags_of_project(project_id).segment_key(segment)
        highest = self._find_highest("tags", "by_project", {"project_segment": key}, "tag_id")
        numbers = [each for each in _ordinals(segment) if each <= max(last, highest)]
        keys = [{"key": key_by_id(project_id, number)} for number in numbers]
        rows = self._reader.batch_get("tags", keys, attributes=("tag_id",), consistent=True)
        doubtful = {
            tag_id for owner, tag_id in self._around.known.tags if owner == project_id and segment_of(tag_id) == segment
        }
        return {(number,): Member(MEMBER) for number in {row["tag_id"] for row in rows} | doubtful}

    def _read_registrations_of_template(self, template_id: int, segment: int, _: int) -> Members:
        key = registrations_of_template(template_id).segment_key(segment)
        listed = self._reader.query("registrations", {"template_segment": key}, IndexName="by_template")
        rows = self._read_registrations(listed, key, segment)
        return _count_registrations([row for row in rows if row["template_id"] == template_id])

    def _read_registrations_of_pass(self, pass_id: int, segment: int, _: int) -> Members:
        key = registrations_of_pass(pass_id).segment_key(segment)
        by_pass = self._reader.query("registrations", {"pass_segment": key}, IndexName="by_pass")
        condition = {"segment": segment_of(pass_id), "pass_id": pass_id}
        by_segment = self._reader.query("registrations", condition, IndexName="by_segment")
        rows = self._read_registrations([*by_pass, *by_segment], key, segment)
        return _count_registrations([row for row in rows if row["pass_id"] == pass_id])

    def _read_registrations(self, listed: Iterable[Row], segment_key: str, segment: int) -> list[Row]:
        """The registrations behind what an index lists, and those that it should list; none that should not be."""
        keys = {(row["device"], row["pass_id"]) for row in listed}
        keys |= set(self._around.known.misplaced.get(segment_key, ()))
        wanted = [
            {"device": device, "pass_id": pass_id} for device, pass_id in sorted(keys - self._around.known.strays)
        ]
        rows = self._reader.batch_get("registrations", wanted, consistent=True)
        return [row for row in rows if segment_of(row["number"]) == segment]

    def _read_redeems_of_template(self, template_id: int, segment: int, _: int) -> Members:
        rows = self.find_redeems(template_id, segment)
        return {(row["number"], row["pass_id"]): Member(MEMBER) for row in rows}

    def find_redeems(self, template_id: int, segment: int) -> list[Row]:
        """The redeems of one segment of a template."""
        key = redeems_of_template(template_id).segment_key(segment)
        listed = self._reader.query("redeems", {"template_segment": key}, IndexName="by_template")
        keys = {(row["pass_id"], row["number"]) for row in listed}
        keys |= set(self._around.known.misplaced.get(key, ()))
        wanted = [{"pass_id": pass_id, "number": number} for pass_id, number in sorted(keys)]
        rows = self._reader.batch_get("redeems", wanted, consistent=True)
        return [row for row in rows if row["template_id"] == template_id and segment_of(row["number"]) == segment]

    def _read_redeems_of_pass(self, pass_id: int, segment: int, _: int) -> Members:
        rows = self._reader.query("redeems", {"pass_id": pass_id}, ConsistentRead=True)
        return {(row["number"],): Member(MEMBER) for row in rows if segment_of(row["number"]) == segment}


def _count_registrations(rows: Iterable[Row]) -> Members:
    return {(row["number"], row["device"], row["pass_id"]): Member(row["wallet"], row["registered_at"]) for row in rows}
