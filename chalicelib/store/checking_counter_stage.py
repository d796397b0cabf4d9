"""Going through the counters: of each project, of its templates and of its tags.

What the passes' own stage compared already is skipped. The rest is counted in the indexes, which are cheap to read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.check_runs import Cursor, Unit
from chalicelib.domain.checking import Row, Subject
from chalicelib.domain.counted_index import (
    MEMBER,
    SEGMENT_SIZE,
    Collection,
    passes_of_project,
    passes_of_tag,
    passes_of_template,
    redeems_of_pass,
    redeems_of_template,
    registrations_of_pass,
    registrations_of_template,
    segment_of,
    tags_of_project,
)
from chalicelib.store.checking_counters import facets_of, sum_facets
from chalicelib.store.checking_passes import Surroundings
from chalicelib.store.checking_reads import Reader
from chalicelib.store.checking_stages import Scope, Screens
from chalicelib.store.tags import key_by_id
from chalicelib.store.transactions import SLOTS_PER_SEGMENT

SEGMENTS_AT_ONCE = 20
"""segments of registrations or redeems in one unit"""

_PROJECT, _TEMPLATE, _TAGS = 0, 1, 2
"""parts of a project, in the order of cursors"""

_INDEXES = {
    "project-passes": ("passes", "by_project", "segment"),
    "template-passes": ("passes", "by_template", "template_segment"),
    "tag-passes": ("memberships", "by_tag", "tag_segment"),
}
"""kind of a collection of passes to the table, index and key that list its members"""


@dataclass(frozen=True, slots=True)
class _Numbered:
    """What a template numbers: its registrations or its redeems."""

    table: str
    sequence: str
    of_template: Collection
    of_pass: Callable[[int], Collection]
    facet: Callable[[Row], str]


def _registrations(template_id: int) -> _Numbered:
    return _Numbered(
        table="registrations",
        sequence=f"registrations:{template_id}",
        of_template=registrations_of_template(template_id),
        of_pass=registrations_of_pass,
        facet=lambda row: str(row["wallet"]),
    )


def _redeems(template_id: int) -> _Numbered:
    return _Numbered(
        table="redeems",
        sequence=f"redeems:{template_id}",
        of_template=redeems_of_template(template_id),
        of_pass=redeems_of_pass,
        facet=lambda _: MEMBER,
    )


def list_templates(reader: Reader, project_id: int) -> list[int]:
    """A project's templates that are there."""
    headers = reader.query("templates", {"project_id": project_id}, IndexName="by_project")
    return [header["template_id"] for header in headers if not header.get("deleted")]


class CounterStage:
    """Every counter that somebody may read."""

    name = "counters"

    def __init__(self, around: Surroundings, scope: Scope, screens: Screens, projects: Sequence[int]) -> None:
        self._around = around
        self._reader = around.reader
        self._scope = scope
        self._screens = screens
        self._projects = projects

    def estimate(self) -> int:
        """See `Stage`."""
        return self._reader.count_rows("segments")

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. A unit is a project, some segments of a template, or the tags of a segment."""
        for project_id in self._projects:
            if after is not None and project_id < after[0]:
                continue
            for part, name, chunk in self._parts(project_id):
                cursor = [project_id, part, name, chunk]
                if after is None or cursor > after:
                    suspects, rows = self._screen(project_id, part, name, chunk)
                    yield Unit(cursor, rows, list(dict.fromkeys(suspects)))

    def _parts(self, project_id: int) -> Iterator[tuple[int, int, int]]:
        yield _PROJECT, 0, 0
        for template_id in list_templates(self._reader, project_id):
            sequences = [numbered.sequence for numbered in (_registrations(template_id), _redeems(template_id))]
            last = max(map(self._read_value, sequences))
            for chunk in range(segment_of(last) // SEGMENTS_AT_ONCE + 1):
                yield _TEMPLATE, template_id, chunk
        for segment in range(segment_of(self._read_value(f"tags:{project_id}")) + 1):
            yield _TAGS, segment, 0

    def _read_value(self, name: str) -> int:
        rows = self._reader.batch_get("sequences", [{"name": name}])
        return int(rows[0]["value"]) if rows else 0

    def _screen(self, project_id: int, part: int, name: int, chunk: int) -> tuple[list[Subject], int]:
        if part == _PROJECT:
            return self._compare_lists(passes_of_project(project_id), project_id)
        if part == _TAGS:
            return self._screen_tags(project_id, name)
        suspects, rows = ([], 0) if chunk else self._compare_lists(passes_of_template(name), project_id)
        segments = range(chunk * SEGMENTS_AT_ONCE, (chunk + 1) * SEGMENTS_AT_ONCE)
        for numbered in (_registrations(name), _redeems(name)):
            more, read = self._compare_numbered(project_id, numbered, segments)
            suspects, rows = suspects + more, rows + read
        return suspects, rows

    def _read_stripes(self, collection: Collection, segments: range | None = None) -> dict[int, list[Row]]:
        """Stripes by segment."""
        between: dict[str, Any] = {}
        if segments is not None:
            limits = (segments.start * SLOTS_PER_SEGMENT, segments.stop * SLOTS_PER_SEGMENT - 1)
            between = {"range_key": "slot", "between": limits}
        stripes: dict[int, list[Row]] = defaultdict(list)
        for row in self._reader.query("segments", {"collection": collection.key}, **between):
            stripes[row["slot"] // SLOTS_PER_SEGMENT].append(row)
        return stripes

    def _compare_lists(self, collection: Collection, project_id: int) -> tuple[list[Subject], int]:
        """Counters of passes that differ from what the index lists."""
        suspects, rows = [], 0
        for segment, stripes in self._read_stripes(collection).items():
            rows += len(stripes)
            striped = [row for row in stripes if row["slot"] % SLOTS_PER_SEGMENT and any(facets_of(row).values())]
            if (collection.key, segment) in self._scope.counters and not striped:
                continue
            counted = sum_facets(stripes)
            members = self._count_listed(collection, segment) if counted or striped else Counter()
            rows += members.total()
            if counted != members:
                suspects.append(Subject("counter", (collection.key, segment, project_id)))
        return suspects, rows

    def _count_listed(self, collection: Collection, segment: int) -> Counter[str]:
        table, index, attribute = _INDEXES[collection.key.partition(":")[0]]
        key: int | str = segment if index == "by_project" else collection.segment_key(segment)
        return Counter(str(row.get("status")) for row in self._reader.query(table, {attribute: key}, IndexName=index))

    def _compare_numbered(self, project_id: int, numbered: _Numbered, segments: range) -> tuple[list[Subject], int]:
        """Counters of registrations or redeems: a template's, and those of the passes whose members lie there."""
        stored = self._read_stripes(numbered.of_template, segments)
        last = segment_of(self._read_value(numbered.sequence))
        suspects, read = [], 0
        for segment in [each for each in segments if each <= last or each in stored]:
            key = numbered.of_template.segment_key(segment)
            rows = list(self._reader.query(numbered.table, {"template_segment": key}, IndexName="by_template"))
            read += len(rows)
            suspects += self._around.sequences.find_behind(
                (numbered.sequence, row["number"], project_id) for row in rows[-1:]
            )
            if Counter(map(numbered.facet, rows)) != sum_facets(stored.get(segment, ())):
                suspects.append(Subject("counter", (numbered.of_template.key, segment, project_id)))
            suspects += self._compare_passes(project_id, numbered, segment, rows)
        return suspects, read

    def _compare_passes(
        self, project_id: int, numbered: _Numbered, segment: int, rows: Sequence[Row]
    ) -> Iterator[Subject]:
        expected: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            expected[numbered.of_pass(row["pass_id"]).key][numbered.facet(row)] += 1
        slot = segment * SLOTS_PER_SEGMENT
        keys = [{"collection": key, "slot": slot} for key in expected]
        first = {row["collection"]: row for row in self._reader.batch_get("segments", keys)}
        for key, counts in expected.items():
            if sum_facets([first[key]] if key in first else []) == counts:
                continue
            stripes = self._read_stripes(Collection(key), range(segment, segment + 1))
            if sum_facets(stripes.get(segment, ())) != counts:
                yield Subject("counter", (key, segment, project_id))

    def _screen_tags(self, project_id: int, segment: int) -> tuple[list[Subject], int]:
        """The tags of a segment, the counter of the project's tags, and the counters of each tag's passes."""
        last = self._read_value(f"tags:{project_id}")
        numbers = range(segment * SEGMENT_SIZE, min((segment + 1) * SEGMENT_SIZE, last + 1))
        tags = self._reader.batch_get("tags", [{"key": key_by_id(project_id, number)} for number in numbers])
        suspects = list(self._screens.compare_tags(tags))
        stripes = self._read_stripes(tags_of_project(project_id), range(segment, segment + 1))
        if sum_facets(stripes.get(segment, ())) != Counter({MEMBER: len(tags)} if tags else {}):
            suspects.append(Subject("counter", (tags_of_project(project_id).key, segment, project_id)))
        rows = len(tags)
        for tag in tags:
            collection = passes_of_tag(project_id=project_id, tag_id=tag["tag_id"], generation=tag["generation"])
            more, read = self._compare_lists(collection, project_id)
            suspects, rows = suspects + more, rows + read
        return suspects, rows
