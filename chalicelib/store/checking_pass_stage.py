"""Going through the passes, a block of 1,000 ids at a time, with everything that follows from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.domain.check_runs import Cursor, Unit
from chalicelib.domain.checking import Row, Subject, name_place
from chalicelib.domain.checking_facts import NameFact, PassFacts, Standing, references_of
from chalicelib.domain.checking_passes import judge_pass, judge_registration
from chalicelib.domain.counted_index import (
    SEGMENT_SIZE,
    passes_of_project,
    passes_of_tag,
    passes_of_template,
)
from chalicelib.domain.passes import as_milliseconds
from chalicelib.domain.tags import TagReference
from chalicelib.store.checking_blocks import sequence_of_passes
from chalicelib.store.checking_counters import sum_facets
from chalicelib.store.checking_passes import (
    Surroundings,
    doubtful_tags,
    expected_pass_keys,
    name_places,
    standing_of,
)
from chalicelib.store.checking_redeems import find_miscounted
from chalicelib.store.checking_rows import latest_ticket
from chalicelib.store.checking_sequences import Used, numbers_of_pass
from chalicelib.store.checking_stages import Scope, note
from chalicelib.store.tags import key_by_id
from chalicelib.store.transactions import SLOTS_PER_SEGMENT

_HEAVY = ("content", "authentication_token", "download_token", "serial_number")
"""what is read, since it costs nothing more, and looked at, but not kept"""

_WORTH_A_QUERY = 20
"""passes of a block with the same tag, from which on its list is queried rather than their rows got one by one"""


@dataclass(frozen=True, slots=True)
class _Block:
    """A block as it was read in bulk."""

    number: int
    project_id: int
    rows: Mapping[int, Row]
    """by pass id"""
    tags: Mapping[int, Row]
    """by tag id, where they exist"""
    held: Mapping[int, int]
    """number of registrations by pass id"""
    odd: Mapping[int, Sequence[Row]]
    """registrations under wrong keys or of passes that are gone; all of them may be very many"""
    memberships: Mapping[int, Sequence[Row]]
    names: Mapping[int, Sequence[NameFact]]
    standings: Mapping[int, Standing]
    used: Sequence[Used]
    """numbers of sequences that the passes have"""

    def live_references(self, row: Row) -> list[TagReference]:
        """The tags that a pass has."""
        return [
            reference
            for reference in references_of(row)
            if reference.tag_id in self.tags and self.tags[reference.tag_id]["generation"] == reference.generation
        ]


class PassStage:
    """Every pass of the projects in question."""

    name = "passes"

    def __init__(self, around: Surroundings, scope: Scope) -> None:
        self._around = around
        self._reader = around.reader
        self._scope = scope

    def estimate(self) -> int:
        """See `Stage`."""
        return sum(self._around.blocks.issued(project_id) for project_id in self._projects())

    def _projects(self) -> list[int]:
        return [project_id for project_id in self._around.blocks.projects if self._scope.concerns(project_id)]

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. A block of a project is a unit."""
        for project_id in self._projects():
            standings: dict[int, Standing] = {}
            for index, number in self._around.blocks.blocks_of(project_id).items():
                if after is None or [project_id, index] > after:
                    suspects, rows = self._screen(project_id, index, number, standings)
                    yield Unit([project_id, index], rows, list(dict.fromkeys(suspects)))

    def _screen(
        self, project_id: int, index: int, number: int, standings: dict[int, Standing]
    ) -> tuple[list[Subject], int]:
        issued = self._count_issued(project_id, index, number)
        beyond = self._find_beyond(project_id, index, number, issued)
        block = self._read(project_id, number, SEGMENT_SIZE if beyond else issued, standings)
        projects = {row["project_id"] for row in block.rows.values()}
        suspects = [Subject("block", (number,))] if projects - {project_id} else []
        suspects += self._around.sequences.find_behind(block.used)
        suspects += self._find_odd_passes(block)
        suspects += find_miscounted(self._around, self._scope.redeems, block.rows)
        suspects += beyond
        suspects += self._compare_counters(block)
        return suspects, len(block.rows)

    def _count_issued(self, project_id: int, index: int, number: int) -> int:
        """How many of a block's ids were given out; all of them where two projects share it."""
        if len(self._around.blocks.leases[number]) > 1:
            return SEGMENT_SIZE
        if index < max(self._around.blocks.blocks_of(project_id)):
            return SEGMENT_SIZE
        rows = self._reader.batch_get("sequences", [{"name": sequence_of_passes(project_id)}])
        value = rows[0]["value"] if rows else 0
        return max(0, min(SEGMENT_SIZE, value - index * SEGMENT_SIZE))

    def _read(self, project_id: int, number: int, issued: int, standings: dict[int, Standing]) -> _Block:
        ids = range(number * SEGMENT_SIZE, number * SEGMENT_SIZE + issued)
        keys = [{"pass_id": pass_id} for pass_id in ids]
        rows = self._reader.batch_get("passes", keys)
        used = self._collect_numbers(rows)
        by_id = {row["pass_id"]: row for row in rows}
        held, odd = self._read_registrations(number, by_id)
        tags = self._read_tags(rows)
        self._learn_standings(project_id, rows, standings)
        return _Block(
            number=number,
            project_id=project_id,
            rows=by_id,
            tags=tags,
            held=held,
            odd=odd,
            memberships=_group(self._read_memberships(project_id, number, rows, tags)),
            names=self._read_names(rows),
            standings=standings,
            used=used,
        )

    def _collect_numbers(self, rows: Sequence[dict[str, Any]]) -> list[Used]:
        """The numbers that passes have; what is heavy goes with that."""
        used: set[Used] = set()
        for row in rows:
            used.update(numbers_of_pass(row, latest_ticket=latest_ticket(row["content"])))
            used.update((f"tags:{row['project_id']}", each.tag_id, row["project_id"]) for each in references_of(row))
            for name in _HEAVY:
                del row[name]
        return list(used)

    def _read_registrations(self, number: int, rows: Mapping[int, Row]) -> tuple[Counter[int], dict[int, list[Row]]]:
        held: Counter[int] = Counter()
        odd: dict[int, list[Row]] = defaultdict(list)
        for row in self._reader.query("registrations", {"segment": number}, IndexName="by_segment"):
            held[row["pass_id"]] += 1
            if row["pass_id"] not in rows or any(judge_registration(row)):
                odd[row["pass_id"]].append(row)
        return held, odd

    def _read_tags(self, rows: Sequence[Row]) -> dict[int, Row]:
        keys = {key_by_id(row["project_id"], each.tag_id) for row in rows for each in references_of(row)}
        found = self._reader.batch_get("tags", [{"key": key} for key in sorted(keys)])
        return {tag["tag_id"]: tag for tag in found}

    def _learn_standings(self, project_id: int, rows: Sequence[Row], standings: dict[int, Standing]) -> None:
        unknown = sorted({row["template_id"] for row in rows} - standings.keys())
        keys = [{"project_id": project_id, "template_id": template_id} for template_id in unknown]
        found = self._reader.batch_get("templates", keys, attributes=("template_id", "deleted"))
        templates = {row["template_id"]: row for row in found}
        notes = [{"collection": passes_of_template(row["template_id"]).key} for row in found if row.get("deleted")]
        noted = {row["collection"] for row in self._reader.batch_get("sweeps", notes)}
        for template_id in unknown:
            is_noted = passes_of_template(template_id).key in noted
            standings[template_id] = standing_of(templates.get(template_id), is_noted=is_noted)

    def _read_memberships(
        self, project_id: int, number: int, rows: Sequence[Row], tags: Mapping[int, Row]
    ) -> list[dict[str, Any]]:
        """The rows of the live tags that these passes remember; from a tag's list, where that is long."""
        holders: dict[TagReference, list[int]] = defaultdict(list)
        for row in rows:
            for reference in references_of(row):
                tag = tags.get(reference.tag_id)
                if tag is not None and tag["generation"] == reference.generation:
                    holders[reference].append(row["pass_id"])
        long = [reference for reference, ids in holders.items() if len(ids) >= _WORTH_A_QUERY]
        lists = self._reader.run_parallel(
            [partial(self._list_members, project_id, number, reference) for reference in long]
        )
        for reference in long:
            note(self._scope.members, (number, reference.tag_id, reference.generation))
        single = [
            {"pass_id": pass_id, "tag_id": reference.tag_id}
            for reference, ids in holders.items()
            if len(ids) < _WORTH_A_QUERY
            for pass_id in ids
        ]
        return [*self._reader.batch_get("memberships", single), *(row for members in lists for row in members)]

    def _list_members(self, project_id: int, number: int, reference: TagReference) -> list[dict[str, Any]]:
        key = passes_of_tag(
            project_id=project_id, tag_id=reference.tag_id, generation=reference.generation
        ).segment_key(number)
        listed = self._reader.query("memberships", {"tag_segment": key}, IndexName="by_tag")
        return [{**row, "generation": reference.generation, "tag_segment": key} for row in listed]

    def _read_names(self, rows: Sequence[Row]) -> dict[int, list[NameFact]]:
        places = {row["pass_id"]: name_places(row) for row in rows}
        keys = [dict(place.key) for own in places.values() for place in own]
        found = {name_place(row["key"], row["parent_id"]): row for row in self._reader.batch_get("external-ids", keys)}
        return {
            pass_id: [NameFact(place, pass_id, found.get(place)) for place in own] for pass_id, own in places.items()
        }

    def _find_odd_passes(self, block: _Block) -> Iterator[Subject]:
        """Passes with which something looks wrong, and passes that are gone and have left something."""
        doubtful = doubtful_tags(self._around.known, block.project_id)
        now = as_milliseconds(self._around.now())
        for pass_id in block.rows.keys() | block.odd.keys() | block.memberships.keys():
            row = block.rows.get(pass_id)
            standing = Standing.THERE if row is None else block.standings[row["template_id"]]
            facts = PassFacts(
                pass_id=pass_id,
                row=row,
                owner=block.project_id,
                expected_keys={} if row is None else expected_pass_keys(row),
                standing=standing,
                tags=block.tags,
                noted=frozenset(),
                memberships=block.memberships.get(pass_id, ()),
                held=block.held.get(pass_id, 0),
                registrations=block.odd.get(pass_id, ()),
                names=block.names.get(pass_id, ()),
                redeems=None,
                doubtful=doubtful,
                tags_verified=False,
                now_milliseconds=now,
            )
            if judge_pass(facts):
                yield Subject("pass", (pass_id,))

    def _find_beyond(self, project_id: int, index: int, number: int, issued: int) -> list[Subject]:
        """Passes with ids that were not given out."""
        if issued == SEGMENT_SIZE:
            return []
        first = number * SEGMENT_SIZE + issued
        last = (number + 1) * SEGMENT_SIZE - 1
        beyond = self._reader.query(
            "passes",
            {"segment": number},
            range_key="pass_id",
            between=(first, last),
            IndexName="by_project",
            ScanIndexForward=False,
            Limit=1,
        )
        row = next(beyond, None)
        if row is None:
            return []
        used = index * SEGMENT_SIZE + row["pass_id"] % SEGMENT_SIZE + 1
        return [Subject("sequence", (sequence_of_passes(project_id), used, project_id))]

    def _compare_counters(self, block: _Block) -> list[Subject]:
        """Counters of the block's members that do not say what was read."""
        expected: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        expected[(passes_of_project(block.project_id).key, block.project_id)] = Counter()
        doubtful = doubtful_tags(self._around.known, block.project_id)
        for row in block.rows.values():
            for key in self._collections_of(block, row, doubtful):
                expected[(key, row["project_id"])][row["status"]] += 1
        slot = block.number * SLOTS_PER_SEGMENT
        keys = [{"collection": key, "slot": slot} for key, _ in expected]
        stored = {row["collection"]: row for row in self._reader.batch_get("segments", keys)}
        suspects = []
        for (key, project_id), counts in expected.items():
            first = [stored[key]] if key in stored else []
            if sum_facets(first) != counts and self._sum_stripes(key, block.number) != counts:
                suspects.append(Subject("counter", (key, block.number, project_id)))
            note(self._scope.counters, (key, block.number))
        return suspects

    def _collections_of(self, block: _Block, row: Row, doubtful: Iterable[int]) -> Iterator[str]:
        yield passes_of_project(row["project_id"]).key
        if block.standings[row["template_id"]] is Standing.THERE:
            yield passes_of_template(row["template_id"]).key
        for reference in block.live_references(row):
            if reference.tag_id not in doubtful:
                yield passes_of_tag(
                    project_id=row["project_id"], tag_id=reference.tag_id, generation=reference.generation
                ).key

    def _sum_stripes(self, key: str, number: int) -> Counter[str]:
        first = number * SLOTS_PER_SEGMENT
        stripes = self._reader.query(
            "segments",
            {"collection": key},
            range_key="slot",
            between=(first, first + SLOTS_PER_SEGMENT - 1),
        )
        return sum_facets(stripes)


def _group(rows: Iterable[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["pass_id"]].append(row)
    return grouped
