"""Going through whole tables, page by page: rows that nothing leads to are found in no other way.

A page names suspects only. It is read eventually consistently, at half the price, and so is what it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chalicelib.domain.check_runs import Cursor, Unit
from chalicelib.domain.checking import Place, Row, Subject, name_place
from chalicelib.domain.checking_memberships import membership_key
from chalicelib.domain.checking_numbers import judge_message, judge_redeem
from chalicelib.domain.checking_passes import judge_registration
from chalicelib.domain.counted_index import parse_passes_of_tag, passes_of_tag, segment_of, tags_of_project
from chalicelib.domain.tickets import UNFINISHED
from chalicelib.store.checking_counters import facets_of
from chalicelib.store.checking_looks import look_name_places, template_name_places
from chalicelib.store.checking_passes import NAME_ATTRIBUTES, Surroundings, name_places
from chalicelib.store.checking_reads import Key
from chalicelib.store.checking_redeems import RedeemCounts
from chalicelib.store.checking_sequences import PROJECTS, TICKETS
from chalicelib.store.tags import key_by_id, key_by_name
from chalicelib.store.transactions import SLOTS_PER_SEGMENT

Page = Sequence[Row]

VISITED = 200_000
"""segments of tags that are remembered as looked through; those beyond are only looked through again"""


@dataclass(slots=True)
class Scope:
    """What a check is about, and what it has seen of it so far in this process."""

    project_id: int | None
    """None is all of them"""
    members: set[tuple[int, int, int]] = field(default_factory=set)
    """segment, tag and generation whose list was compared with the passes"""
    counters: set[tuple[str, int]] = field(default_factory=set)
    """collection and segment whose counter was compared with the members, as far as it has no stripes"""
    redeems: RedeemCounts = field(default_factory=RedeemCounts)
    """what each pass has of them, as far as the table was read"""

    def concerns(self, project_id: int | None) -> bool:
        """Whether a project is meant."""
        return self.project_id in (None, project_id)


def note(visited: set[Any], entry: object) -> None:
    """Remembers, within bounds."""
    if len(visited) < VISITED:
        visited.add(entry)


class TableStage:
    """One whole table; `screen` names the suspects of a page."""

    def __init__(
        self, around: Surroundings, name: str, table: str, screen: Callable[[Page], Iterable[Subject]], **arguments: Any
    ) -> None:
        self.name = name
        self._around = around
        self._table = table
        self._screen = screen
        self._arguments = arguments

    def estimate(self) -> int:
        """See `Stage`."""
        return self._around.reader.count_rows(self._table)

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. After the last page nothing comes."""
        if after == [None]:
            return
        start: Any = after[0] if after else None
        while True:
            rows, start = self._around.reader.scan_page(self._table, start, **self._arguments)
            yield Unit(cursor=[start], rows=len(rows), suspects=list(dict.fromkeys(self._screen(rows))))
            if start is None:
                return


class RedeemStage(TableStage):
    """The redeems, of which the counts are kept once all were read in this process."""

    def __init__(
        self, around: Surroundings, scope: Scope, screen: Callable[[Page], Iterable[Subject]], **arguments: Any
    ) -> None:
        super().__init__(around, "redeems", "redeems", screen, **arguments)
        self._counts = scope.redeems

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`."""
        yield from super().units(after)
        self._counts.is_complete = after is None


class Screens:
    """What looks wrong in a page of each table."""

    def __init__(self, around: Surroundings, scope: Scope) -> None:
        self._around = around
        self._reader = around.reader
        self._sequences = around.sequences
        self._scope = scope

    def stages_before_passes(self) -> list[TableStage]:
        """Tables that the judgement of passes leans on."""
        stage = partial(TableStage, self._around)
        bulk = {
            "FilterExpression": "attribute_exists(#open) OR #status IN (:prequed, :queued) OR ticket_id > :last",
            "ExpressionAttributeNames": {"#open": "open", "#status": "status"},
            "ExpressionAttributeValues": {
                ":prequed": {"S": UNFINISHED[0]},
                ":queued": {"S": UNFINISHED[1]},
                ":last": {"N": str(self._sequences.value(TICKETS))},
            },
        }
        return [
            stage("tags", "tags", self._screen_tags),
            stage("registrations", "registrations", self._screen_registrations),
            RedeemStage(self._around, self._scope, self._screen_redeems),
            stage("tickets", "tickets", self.screen_tickets, **bulk),
        ]

    def stages_after_passes(self) -> list[TableStage]:
        """Tables in which leftovers lie, of passes that were led back to what is theirs by then."""
        stage = partial(TableStage, self._around)
        return [
            stage("external ids", "external-ids", self._screen_names),
            stage("memberships", "memberships", self._screen_memberships),
            stage("leftover counters", "segments", self._screen_counters),
        ]

    def stages_of_projects(self) -> list[TableStage]:
        """Projects, and keys of such as there are not: two short tables."""
        stage = partial(TableStage, self._around)
        return [
            stage("projects", "projects", self._screen_projects),
            stage("keys", "credentials", self._screen_keys),
        ]

    def _screen_projects(self, page: Page) -> Iterator[Subject]:
        blocks = self._around.blocks.projects
        projects = {*(row["project_id"] for row in page), *blocks}
        yield from self._sequences.find_behind((PROJECTS, project_id, 0) for project_id in projects)
        yield from self._find_missing(blocks)

    def _screen_keys(self, page: Page) -> Iterator[Subject]:
        projects = sorted({row["project_id"] for row in page})
        yield from self._sequences.find_behind((PROJECTS, project_id, 0) for project_id in projects)
        yield from self._find_missing(projects)

    def _find_missing(self, project_ids: Iterable[int]) -> Iterator[Subject]:
        wanted = [project_id for project_id in project_ids if self._scope.concerns(project_id)]
        keys = [{"project_id": project_id} for project_id in wanted]
        found = {row["project_id"] for row in self._get("projects", keys, attributes=("project_id",))}
        yield from (Subject("project", (project_id,)) for project_id in wanted if project_id not in found)

    def stage_of_messages(self) -> TableStage:
        """The outbox, which is short."""
        return TableStage(self._around, "outbox", "outbox", self._screen_messages)

    def _get(self, table: str, keys: Iterable[Key], *, attributes: Sequence[str] = ()) -> list[dict[str, Any]]:
        return self._reader.batch_get(table, list(keys), attributes=attributes)

    def _screen_tags(self, page: Page) -> Iterator[Subject]:
        rows = [row for row in page if self._scope.concerns(row["project_id"])]
        yield from self.compare_tags(rows)
        yield from self._sequences.find_behind(
            (f"tags:{row['project_id']}", row["tag_id"], row["project_id"]) for row in rows
        )

    def compare_tags(self, rows: Page) -> Iterator[Subject]:
        """Tags whose row by the other key is missing or says something else."""
        others = {_other_key(row) for row in rows}
        found = {row["key"]: row for row in self._get("tags", [{"key": key} for key in others])}
        for row in rows:
            other = found.get(_other_key(row))
            by_id = row["key"] == key_by_id(row["project_id"], row["tag_id"])
            name = row["name"] if by_id else row["key"].split("#", 2)[2]
            is_odd = not by_id and row["key"] != key_by_name(row["project_id"], row["name"])
            if by_id and row.get("project_segment") != _project_segment(row):
                is_odd = True
            values = ("tag_id", "name", "generation", "created_at")
            if is_odd or other is None or any(row[each] != other.get(each) for each in values):
                yield Subject("tag", (row["project_id"], row["tag_id"], name))

    def _screen_names(self, page: Page) -> Iterator[Subject]:
        sorted_rows: dict[str, list[tuple[Place, int, int]]] = {}
        for row in page:
            project_id, sort, _ = row["key"].split("#", 2)
            if self._scope.concerns(int(project_id)):
                place = name_place(row["key"], row["parent_id"])
                sorted_rows.setdefault(sort, []).append((place, int(project_id), row["target_id"]))
        passes = [*sorted_rows.get("pass", []), *sorted_rows.get("code", [])]
        templates = [*sorted_rows.get("template", []), *sorted_rows.get("campaign", [])]
        looks = sorted_rows.get("look", [])
        yield from self._find_unborne(
            passes, "passes", lambda _, target: {"pass_id": target}, name_places, NAME_ATTRIBUTES
        )
        yield from self._find_unborne(
            templates,
            "templates",
            lambda project_id, target: {"project_id": project_id, "template_id": target},
            template_name_places,
            ("project_id", "template_id", "name", "external_id", "campaign", "deleted"),
        )
        yield from self._find_unborne(
            looks,
            "looks",
            lambda project_id, target: {"project_id": project_id, "look_number": target},
            look_name_places,
            ("project_id", "look_number", "name"),
        )

    def _find_unborne(
        self,
        names: Sequence[tuple[Place, int, int]],
        table: str,
        make_key: Callable[[int, int], Key],
        names_of: Callable[[Row], list[Place]],
        attributes: Sequence[str],
    ) -> Iterator[Subject]:
        """Names of what does not bear them."""
        keys = [make_key(project_id, target) for _, project_id, target in names]
        rows = self._get(table, keys, attributes=attributes)
        borne = {(place, tuple(row[part] for part in keys[0])) for row in rows for place in names_of(row)}
        for (place, _, _), key in zip(names, keys, strict=True):
            if (place, tuple(key.values())) not in borne:
                yield Subject("name", tuple(value for _, value in place.key))

    def _screen_registrations(self, page: Page) -> Iterator[Subject]:
        rows = [row for row in page if self._scope.concerns(row["project_id"])]
        for row in rows:
            if any(judge_registration(row)):
                yield Subject("registration", (row["device"], row["pass_id"]))
            if self._around.blocks.owner(row["pass_id"]) is None:
                yield Subject("pass", (row["pass_id"],))
        yield from self._sequences.find_behind(
            (f"registrations:{row['template_id']}", row["number"], row["project_id"]) for row in rows
        )

    def _screen_redeems(self, page: Page) -> Iterator[Subject]:
        self._scope.redeems.add(row["pass_id"] for row in page)
        rows = [(row, self._around.blocks.owner(row["pass_id"])) for row in page]
        rows = [(row, owner) for row, owner in rows if self._scope.concerns(owner)]
        for row, owner in rows:
            if judge_redeem(row, project_id=owner):
                yield Subject("redeem", (row["pass_id"], row["number"]))
        yield from self._sequences.find_behind(
            (f"redeems:{row['template_id']}", row["number"], owner or 0) for row, owner in rows
        )

    def _screen_memberships(self, page: Page) -> Iterator[Subject]:
        """Rows of dead tags, under wrong keys, and of passes that do not have the tag."""
        owned = [(row, self._around.blocks.owner(row["pass_id"])) for row in page]
        rows = [(row, owner) for row, owner in owned if owner is not None and self._scope.concerns(owner)]
        keys = [{"key": key_by_id(owner, row["tag_id"])} for row, owner in rows]
        generations = {tag["key"]: tag["generation"] for tag in self._get("tags", keys)}
        unknown: list[Row] = []
        dead: list[tuple[Row, str]] = []
        for row, owner in rows:
            if row.get("tag_segment") != membership_key(row, owner):
                yield Subject("pass", (row["pass_id"],))
            elif generations.get(key_by_id(owner, row["tag_id"])) != row["generation"]:
                dead.append((row, _collection_of(row, owner)))
            elif (segment_of(row["pass_id"]), row["tag_id"], row["generation"]) not in self._scope.members:
                unknown.append(row)
        notes = self._get("sweeps", [{"collection": collection} for _, collection in dead])
        noted = {note_row["collection"] for note_row in notes}
        yield from (Subject("pass", (row["pass_id"],)) for row, collection in dead if collection not in noted)
        yield from self._find_forgotten(unknown)

    def _find_forgotten(self, rows: Page) -> Iterator[Subject]:
        """Passes that do not remember the tag whose list they are in."""
        keys = [{"pass_id": row["pass_id"]} for row in rows]
        passes = {row["pass_id"]: row for row in self._get("passes", keys, attributes=("pass_id", "tags"))}
        for row in rows:
            owner = passes.get(row["pass_id"])
            if owner is None or f"{row['tag_id']}.{row['generation']}" not in owner.get("tags", ()):
                yield Subject("pass", (row["pass_id"],))

    def _screen_counters(self, page: Page) -> Iterator[Subject]:
        """Counters of dead tags and of single passes; all others have a stage of their own."""
        yield from self._find_dead_counters(page)
        totals: dict[tuple[str, int], dict[int, int]] = {}
        for row in page:
            kind, _, rest = row["collection"].partition(":")
            if kind in ("pass-registrations", "pass-redeems"):
                segments = totals.setdefault((kind, int(rest)), {})
                segment = row["slot"] // SLOTS_PER_SEGMENT
                segments[segment] = segments.get(segment, 0) + sum(facets_of(row).values())
        passes = {row["pass_id"]: row for row in self._get_totals({pass_id for _, pass_id in totals})}
        names = {"pass-registrations": "registrations", "pass-redeems": "redeemed_count"}
        for (kind, pass_id), segments in totals.items():
            owner = passes.get(pass_id)
            if owner is None or owner.get(names[kind], 0) == sum(segments.values()):
                continue
            for segment in segments:
                yield Subject("counter", (f"{kind}:{pass_id}", segment, owner["project_id"]))
            yield Subject("pass", (pass_id,))

    def _get_totals(self, pass_ids: Iterable[int]) -> list[dict[str, Any]]:
        keys = [
            {"pass_id": pass_id} for pass_id in pass_ids if self._scope.concerns(self._around.blocks.owner(pass_id))
        ]
        return self._get("passes", keys, attributes=("pass_id", "project_id", "registrations", "redeemed_count"))

    def _find_dead_counters(self, page: Page) -> Iterator[Subject]:
        collections = {row["collection"]: parse_passes_of_tag(row["collection"]) for row in page}
        tags = {key: parsed for key, parsed in collections.items() if parsed and self._scope.concerns(parsed[0])}
        keys = [{"key": key_by_id(project_id, tag_id)} for project_id, tag_id, _ in tags.values()]
        generations = {row["key"]: row["generation"] for row in self._get("tags", keys)}
        dead = [
            key
            for key, (project_id, tag_id, generation) in tags.items()
            if generations.get(key_by_id(project_id, tag_id)) != generation
        ]
        noted = {row["collection"] for row in self._get("sweeps", [{"collection": key} for key in dead])}
        yield from (Subject("dead", (key,)) for key in dead if key not in noted)

    def screen_tickets(self, page: Page) -> Iterator[Subject]:
        """Bulk updates that are open or should be; each is looked at, since they are few."""
        yield from self._sequences.find_behind((TICKETS, row["ticket_id"], 0) for row in page)
        for row in page:
            is_bulk = "tag_id" in row or "template_id" in row
            is_open = "open" in row or row["status"] in UNFINISHED
            if is_bulk and is_open and self._scope.concerns(row["project_id"]):
                yield Subject("ticket", (row["ticket_id"],))

    def _screen_messages(self, page: Page) -> Iterator[Subject]:
        for row in page:
            if judge_message(row, project_id=None, now=self._around.now()):
                yield Subject("outbox", (row["key"],))


def _other_key(row: Row) -> str:
    """Of a tag's row by id the key by name, and the other way round."""
    by_id = key_by_id(row["project_id"], row["tag_id"])
    return key_by_name(row["project_id"], row["name"]) if row["key"] == by_id else by_id


def _project_segment(row: Row) -> str:
    return tags_of_project(row["project_id"]).segment_key(segment_of(row["tag_id"]))


def _collection_of(row: Row, project_id: int) -> str:
    return passes_of_tag(project_id=project_id, tag_id=row["tag_id"], generation=row["generation"]).key
