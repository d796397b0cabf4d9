"""Going through what a project has little of: leases of blocks, templates, looks, reports, open updates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from chalicelib.domain.check_runs import Cursor, Unit
from chalicelib.domain.checking import Place, Row, Subject, name_place
from chalicelib.domain.counted_index import (
    SEGMENT_SIZE,
    events_of_template,
    redeems_of_template,
    registrations_of_template,
    segment_of,
)
from chalicelib.domain.passes import from_milliseconds
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.reporting import Event, day_of
from chalicelib.store.checking_blocks import NEWEST_BLOCK, sequence_of_passes
from chalicelib.store.checking_counter_stage import list_templates
from chalicelib.store.checking_counters import facets_of, sum_facets
from chalicelib.store.checking_looks import look_name_places, options_of, template_name_places
from chalicelib.store.checking_passes import Surroundings
from chalicelib.store.checking_sequences import TEMPLATES, Used
from chalicelib.store.checking_stages import Scope, Screens
from chalicelib.store.ticket_rows import OPEN
from chalicelib.store.transactions import SLOTS_PER_SEGMENT

SEGMENTS_AT_ONCE = 20
"""segments of redeems in one unit"""


class BlockStage:
    """Blocks of pass ids: each belongs to one project."""

    name = "blocks"

    def __init__(self, around: Surroundings, scope: Scope) -> None:
        self._around = around
        self._scope = scope

    def estimate(self) -> int:
        """See `Stage`."""
        return len(self._around.blocks.leases)

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. One unit, since the leases are in memory."""
        if after is None:
            yield Unit(["done"], self.estimate(), list(self._screen()))

    def _screen(self) -> Iterator[Subject]:
        blocks = self._around.blocks
        for block, leases in list(blocks.leases.items()):
            if len(leases) > 1 and any(self._scope.concerns(project_id) for project_id, _ in leases):
                yield Subject("block", (block,))
        highest = max(blocks.leases, default=0)
        if highest > blocks.newest:
            yield Subject("sequence", (NEWEST_BLOCK, highest, 0))
        for project_id in blocks.projects:
            used = max(blocks.blocks_of(project_id)) * SEGMENT_SIZE + 1
            if self._scope.concerns(project_id) and blocks.issued(project_id) < used:
                yield Subject("sequence", (sequence_of_passes(project_id), used, project_id))
        yield from self._find_unleased()

    def _find_unleased(self) -> Iterator[Subject]:
        """Blocks that nobody leased, as happens when two processes want one at a time, but that have passes."""
        blocks = self._around.blocks
        for number in range(1, blocks.highest + 1):
            if number not in blocks.leases:
                listed = self._around.reader.query("passes", {"segment": number}, IndexName="by_project", Limit=1)
                if next(listed, None) is not None:
                    yield Subject("block", (number,))


class TemplateStage:
    """Templates and looks, with their names."""

    name = "templates"

    def __init__(self, around: Surroundings, projects: Sequence[int]) -> None:
        self._around = around
        self._reader = around.reader
        self._projects = projects

    def estimate(self) -> int:
        """See `Stage`."""
        return self._reader.count_rows("templates")

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. A project is a unit."""
        for project_id in self._projects:
            if after is None or [project_id] > after:
                templates = list(self._reader.query("templates", {"project_id": project_id}))
                looks = list(self._reader.query("looks", {"project_id": project_id}))
                suspects = self._find_behind(project_id, templates, looks) + self._screen(templates, looks)
                yield Unit([project_id], len(templates) + len(looks), suspects)

    def _find_behind(self, project_id: int, templates: Sequence[Row], looks: Sequence[Row]) -> list[Subject]:
        images = self._reader.query("assets", {"project_id": project_id}, ScanIndexForward=False, Limit=1)
        used: list[Used] = [(TEMPLATES, row["template_id"], 0) for row in templates]
        used += [(f"looks:{project_id}", row["look_number"], project_id) for row in looks]
        # one is enough: they come in the order of their numbers
        used += [(f"assets:{project_id}", row["number"], project_id) for row in islice(images, 1)]
        return self._around.sequences.find_behind(used)

    def _screen(self, templates: Sequence[Row], looks: Sequence[Row]) -> list[Subject]:
        bearers: list[tuple[Subject, list[Place], int]] = [
            (
                Subject("template", (row["project_id"], row["template_id"])),
                template_name_places(row),
                row["template_id"],
            )
            for row in templates
        ]
        bearers += [
            (Subject("look", (row["project_id"], row["look_number"])), look_name_places(row), row["look_number"])
            for row in looks
        ]
        keys = [dict(place.key) for _, places, _ in bearers for place in places]
        found = {
            name_place(row["key"], row["parent_id"]): row["target_id"]
            for row in self._reader.batch_get("external-ids", keys)
        }
        suspects = [
            subject for subject, places, target_id in bearers if any(found.get(place) != target_id for place in places)
        ]
        look_ids = {row["look_id"] for row in looks}
        suspects += [
            Subject("template", (row["project_id"], row["template_id"]))
            for row in templates
            if not row.get("deleted") and options_of(row).look_id not in {None, *look_ids}
        ]
        return list(dict.fromkeys(suspects))


@dataclass(slots=True)
class _Day:
    """The redeems of one day, as far as they were read; a day begins where the day before it ends."""

    number: int
    count: int
    first_segment: int


class ReportStage:
    """Reports of templates: what of them can be counted again."""

    name = "reports"

    def __init__(self, around: Surroundings, projects: Sequence[int]) -> None:
        self._reader = around.reader
        self._projects = projects

    def estimate(self) -> int:
        """See `Stage`."""
        return self._reader.count_rows("redeems")

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. A unit is some segments of a template's redeems; a day that goes on is part of the cursor."""
        for project_id in self._projects:
            if after is not None and project_id < after[0]:
                continue
            for template_id in list_templates(self._reader, project_id):
                if after is None or [project_id, template_id] >= after[:2]:
                    begun = after if after is not None and [project_id, template_id] == after[:2] else None
                    yield from self._template_units(project_id, template_id, begun)

    def _template_units(self, project_id: int, template_id: int, begun: Cursor | None) -> Iterator[Unit]:
        sequences = self._reader.batch_get("sequences", [{"name": f"redeems:{template_id}"}])
        last = segment_of(sequences[0]["value"]) if sequences else 0
        events = self._read_events(template_id)
        first, day = (begun[2], _Day(*begun[3]) if begun[3] else None) if begun else (0, None)
        suspects = [] if begun else self._compare_installs(project_id, template_id, events)
        tally = _Tally(template_id, project_id, {day: each[Event.REDEEMS] for day, each in events.items()}, day)
        for segment in range(first, last + 1):
            key = redeems_of_template(template_id).segment_key(segment)
            rows = list(self._reader.query("redeems", {"template_segment": key}, IndexName="by_template"))
            for row in rows:
                tally.add(day_of(from_milliseconds(row["created_at"])), segment)
            if segment == last:
                tally.close(last)
            going = None if tally.day is None else [tally.day.number, tally.day.count, tally.day.first_segment]
            cursor = [project_id, template_id, segment + 1, going]
            yield Unit(cursor, len(rows), [*suspects, *tally.take()])
            suspects = []

    def _read_events(self, template_id: int) -> dict[int, Counter[str]]:
        """What a report says, by day."""
        days: dict[int, list[Row]] = {}
        for row in self._reader.query("segments", {"collection": events_of_template(template_id).key}):
            days.setdefault(row["slot"] // SLOTS_PER_SEGMENT, []).append(row)
        return {day: sum_facets(stripes) for day, stripes in days.items()}

    def _compare_installs(self, project_id: int, template_id: int, events: dict[int, Counter[str]]) -> list[Subject]:
        total: Counter[str] = Counter()
        for counts in events.values():
            total.update(counts)
        active: Counter[str] = Counter()
        for row in self._reader.query("segments", {"collection": registrations_of_template(template_id).key}):
            for wallet, count in facets_of(row).items():
                active[Wallet(wallet).device_os] += count
        is_odd = any(
            active[system] != total[f"installs_{system}"] - total[f"uninstalls_{system}"]
            for system in ("ios", "android")
        )
        return [Subject("installs-report", (template_id, project_id))] if is_odd else []


class _Tally:
    """Adds up redeems by day, which come in the order of their times, and compares each day that is over."""

    def __init__(self, template_id: int, project_id: int, said: dict[int, int], day: _Day | None) -> None:
        self._template_id = template_id
        self._project_id = project_id
        self._said = {number: count for number, count in said.items() if count}
        self._suspects: list[Subject] = []
        self.day = day

    def add(self, number: int, segment: int) -> None:
        """One redeem."""
        if self.day is None or self.day.number != number:
            self._finish(segment, before=number)
            self.day = _Day(number, 0, segment)
        self.day.count += 1

    def close(self, segment: int) -> None:
        """There are no more."""
        self._finish(segment, before=None)
        self.day = None

    def take(self) -> list[Subject]:
        """The days that look wrong, each once."""
        suspects, self._suspects = self._suspects, []
        return suspects

    def _finish(self, segment: int, *, before: int | None) -> None:
        """Compares the day that is over, and says that days on which nothing happened say so."""
        first = 0
        if self.day is not None:
            first = self.day.first_segment
            if self._said.pop(self.day.number, 0) != self.day.count:
                self._suspect(self.day.number, first, segment)
        since = -1 if self.day is None else self.day.number
        for number in [each for each in self._said if each > since and (before is None or each < before)]:
            del self._said[number]
            self._suspect(number, first, segment)

    def _suspect(self, number: int, first: int, last: int) -> None:
        # a segment more on each side, for whatever lies on the border
        key = (self._template_id, self._project_id, number, max(first - 1, 0), last + 1)
        self._suspects.append(Subject("redeems-report", key))


class OpenTicketStage:
    """Bulk updates that are listed as open."""

    name = "open tickets"

    def __init__(self, around: Surroundings, screens: Screens) -> None:
        self._reader = around.reader
        self._screens = screens

    def estimate(self) -> int:
        """See `Stage`."""
        return 0

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`. One unit: there are few."""
        if after is not None:
            return
        listed = [row["ticket_id"] for row in self._reader.query("tickets", {"open": OPEN}, IndexName="by_open")]
        heads = self._reader.batch_get("tickets", [{"ticket_id": ticket_id} for ticket_id in listed])
        yield Unit(["done"], len(heads), list(self._screens.screen_tickets(heads)))
