"""One counter or one report and what it counts, read as `domain/checking_counters` wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from chalicelib.domain.checking import (
    Damage,
    Kind,
    Row,
    Sighting,
    Subject,
    check,
    counter_place,
    sequence_place,
    sweep_place,
    tag_place,
    template_place,
)
from chalicelib.domain.checking_counters import (
    OTHERS,
    REPAIRS,
    CounterFacts,
    Member,
    Members,
    Range,
    bound_difference,
    is_exact,
    judge_counter,
    judge_dead,
    judge_installs,
    narrow,
)
from chalicelib.domain.counted_index import (
    events_of_template,
    parse_passes_of_tag,
    registrations_of_template,
)
from chalicelib.domain.passes import from_milliseconds
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.reporting import Event, day_of
from chalicelib.store.checking_members import MemberReader, Source
from chalicelib.store.checking_passes import Surroundings
from chalicelib.store.tags import key_by_id
from chalicelib.store.transactions import SLOTS_PER_SEGMENT

_KEYS = ("collection", "slot")

Memory = Mapping[str, Any]
Judge = Callable[[Mapping[str, Range]], list[Damage]]


def facets_of(row: Row | None) -> dict[str, int]:
    """What one stripe counts."""
    return {} if row is None else {name: value for name, value in row.items() if name not in _KEYS}


def sum_facets(rows: Iterable[Row]) -> Counter[str]:
    """What some stripes count together, without zeros; less than zero stays."""
    total: Counter[str] = Counter()
    for row in rows:
        for facet, count in facets_of(row).items():
            total[facet] += count
    return Counter({facet: count for facet, count in total.items() if count})


class CounterLooks:
    """Looks at counters and reports."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._reader = surroundings.reader
        self._members = MemberReader(surroundings)

    def look_at_counter(self, subject: Subject, before: Memory) -> Sighting:
        """A segment's counter against its members."""
        key, segment, project_id = str(subject.key[0]), int(subject.key[1]), int(subject.key[2])
        source = self._members.find_source(key, segment, project_id)
        if source is None or not self._is_alive(source):
            return Sighting()
        facts, memory = self._read(key, segment, project_id, source, before)
        return self._judge(facts, bound_difference(facts), source, before, memory, partial(judge_counter, facts))

    def look_at_redeems_report(self, subject: Subject, before: Memory) -> Sighting:
        """One day's redeems in a report against the redeems, which lie in the segments that the subject names."""
        template_id, project_id, day, low, high = (int(part) for part in subject.key)

        def read(_: int) -> Members:
            rows = [row for segment in range(low, high + 1) for row in self._members.find_redeems(template_id, segment)]
            return {
                (row["number"], row["pass_id"]): Member(Event.REDEEMS)
                for row in rows
                if day_of(from_milliseconds(row["created_at"])) == day
            }

        alive = (check(template_place(project_id, template_id), {"deleted": False}),)
        source = Source(read, f"redeems:{template_id}", alive=alive)
        if not self._is_alive(source):
            return Sighting()
        facts, memory = self._read(events_of_template(template_id).key, day, project_id, source, before)
        # of what a report counts only the redeems are kept
        ranges = {facet: each for facet, each in bound_difference(facts).items() if facet in (Event.REDEEMS, OTHERS)}
        judge = partial(judge_counter, facts, kind=Kind.REPORT_REDEEMS, unit="day")
        return self._judge(facts, ranges, source, before, memory, judge)

    def _judge(
        self,
        facts: CounterFacts,
        seen: Mapping[str, Range],
        source: Source,
        before: Memory,
        memory: Memory,
        judge: Judge,
    ) -> Sighting:
        ranges = narrow(before.get("ranges"), seen)
        if not is_exact(ranges):
            return Sighting(is_settled=False, memory=memory, partial={"ranges": ranges})
        damages = judge(ranges)
        if damages and not self._is_alive(source):
            return Sighting()
        return Sighting(damages, memory=memory)

    def _read(
        self, key: str, segment: int, project_id: int, source: Source, before: Memory
    ) -> tuple[CounterFacts, Memory]:
        """Members, counter, members; and how far their numbers went before that and after."""
        repairs, begun = self._read_sequence(REPAIRS), self._read_sequence(source.sequence) or 0
        first = source.read(begun)
        stored, slot_row = self._read_counter(key, segment)
        second = source.read(begun)
        last = self._read_sequence(source.sequence) or 0
        # numbers that were given out before the look before this one are settled: no request lives as long
        unseen = _count_unseen(first, second, settled=before.get("last", last), last=last, source=source)
        facts = CounterFacts(
            collection=key,
            segment=segment,
            project_id=project_id,
            first=first,
            second=second,
            stored=stored,
            slot=counter_place(key, segment * SLOTS_PER_SEGMENT),
            slot_row=slot_row,
            unseen=unseen,
            repairs=repairs,
            alive=source.alive,
        )
        return facts, {"last": last}

    def _read_sequence(self, name: str) -> int | None:
        row = self._reader.get(sequence_place(name))
        return None if row is None else int(row["value"])

    def _read_counter(self, key: str, segment: int) -> tuple[Counter[str], dict[str, int] | None]:
        """The sum of all stripes, and the first of them, at one moment."""
        first = segment * SLOTS_PER_SEGMENT
        places = [counter_place(key, first + stripe) for stripe in range(SLOTS_PER_SEGMENT)]
        shot = self._reader.snapshot(places)
        slot_row = shot[places[0]]
        stored = sum_facets(row for row in shot.values() if row is not None)
        return stored, None if slot_row is None else facets_of(slot_row)

    def _is_alive(self, source: Source) -> bool:
        if not source.alive:
            return True
        shot = self._reader.snapshot([write.place for write in source.alive])
        rows = [(write.expect, shot[write.place]) for write in source.alive]
        return all(row and all(row.get(name) == value for name, value in expect.items()) for expect, row in rows)

    def look_at_installs_report(self, subject: Subject, _: Memory) -> Sighting:
        """A report's installs and uninstalls against the counters of registrations.

        Both only grow, so as long as they stay the same nobody comes or goes, and the registrations stand still.
        """
        template_id, project_id = (int(part) for part in subject.key)
        events, registrations = events_of_template(template_id).key, registrations_of_template(template_id).key
        source = Source(lambda _: {}, "", alive=(check(template_place(project_id, template_id), {"deleted": False}),))
        if registrations in self._around.known.counters or not self._is_alive(source):
            return Sighting()
        repairs = self._read_sequence(REPAIRS)
        before = self._sum_counters(events)
        active: Counter[str] = Counter()
        for wallet, count in self._sum_counters(registrations).items():
            active[Wallet(wallet).device_os] += count
        today = day_of(self._around.now())
        _, slot_row = self._read_counter(events, today)
        after = self._sum_counters(events)
        if any(before[name] != after[name] for name in before.keys() | after.keys() if "installs" in name):
            return Sighting(is_settled=False)
        facts = CounterFacts(
            collection=events,
            segment=today,
            project_id=project_id,
            first={},
            second={},
            stored=after,
            slot=counter_place(events, today * SLOTS_PER_SEGMENT),
            slot_row=slot_row,
            unseen=0,
            repairs=repairs,
            alive=source.alive,
        )
        return Sighting(judge_installs(active=active, events=after, facts=facts))

    def _sum_counters(self, key: str) -> Counter[str]:
        return sum_facets(self._reader.query("segments", {"collection": key}, ConsistentRead=True))

    def look_at_dead_counters(self, subject: Subject, _: Memory) -> Sighting:
        """The counters of a tag's generation, which may be over."""
        key = str(subject.key[0])
        parsed = parse_passes_of_tag(key)
        if parsed is None or parsed[:2] in self._around.known.tags:
            return Sighting()
        project_id, tag_id, generation = parsed
        row_by_id, note = tag_place(key_by_id(project_id, tag_id)), sweep_place(key)
        if next(self._reader.query("segments", {"collection": key}, ConsistentRead=True, Limit=1), None) is None:
            return Sighting()
        shot = self._reader.snapshot([row_by_id, note])
        tag = shot[row_by_id]
        is_unsure = tag is None and not self._around.tags_verified()
        if shot[note] is not None or is_unsure or (tag is not None and tag["generation"] == generation):
            return Sighting()
        return Sighting([judge_dead(key, project_id=project_id, alive=row_by_id, tag=tag)])


def _count_unseen(first: Members, second: Members, *, settled: int, last: int, source: Source) -> int:
    """Numbers that were given out lately and of which no member was seen: one may have come and gone meanwhile."""
    low, high = settled + 1, last
    if source.numbers is not None:
        low, high = max(low, source.numbers.start), min(high, source.numbers.stop - 1)
    if low > high:
        return 0
    seen = {key[0] + source.shift for key in first.keys() | second.keys()}
    return sum(number not in seen for number in range(low, high + 1))
