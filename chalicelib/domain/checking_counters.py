"""What must hold between the members of a segment and its counter, and why a difference can be trusted.

Whoever adds, removes or moves a member changes the counter in the same transaction and by as much. So *members minus
counter* never moves, however busy a segment is: it is zero, or it is damage, and stays so until somebody mends it. It
only cannot be read in one go, since a segment has more members than one transaction takes. So the members are read,
then the counter, all stripes at one moment, then the members again. A member that nobody wrote in between counted for
just what it is; each of the others may or may not have been counted, which leaves a range. Several looks leave less
and less of it, since the difference is the same in all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.checking import (
    Action,
    Damage,
    Kind,
    Place,
    Value,
    Write,
    check,
    put,
    sequence_place,
    sweep_place,
    update,
)

REPAIRS = "repairs"
"""the sequence that numbers repairs of counters"""

OTHERS = "*"
"""stands for every facet that is not mentioned"""

Range = tuple[int, int]
"""the smallest and the largest that a difference can be"""


@dataclass(frozen=True, slots=True)
class Member:
    """What one ordinal counts as. `version` grows by one with every write of it; without a facet it counts nowhere."""

    facet: str | None
    version: int = 0


Members = Mapping[tuple[Any, ...], Member]
"""by ordinal, and by whatever else tells two of the same ordinal apart"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterFacts:
    """One counter, its members, and what its repair depends on."""

    collection: str
    segment: int
    project_id: int
    first: Members
    second: Members
    """the same, read after the counter"""
    stored: Mapping[str, int]
    """the sum over all stripes"""
    slot: Place
    """the stripe that a repair adds to"""
    slot_row: Mapping[str, int] | None
    unseen: int
    """ordinals given out so lately that a member may have come and gone while we looked"""
    repairs: int | None
    """how many repairs there have been, read before everything else"""
    alive: Sequence[Write] = ()
    """what must hold for the collection to be of any interest"""


def bound_difference(facts: CounterFacts) -> dict[str, Range]:
    """What members minus counter can be, by facet, and for all facets that are not mentioned."""
    sure: Counter[str] = Counter()
    unsure = facts.unseen
    for key in facts.first.keys() | facts.second.keys():
        before, after = facts.first.get(key), facts.second.get(key)
        if before is None or after is None or not _is_steady(before, after):
            unsure += 1
        elif before.facet is not None:
            sure[before.facet] += 1
    ranges = {OTHERS: (0, unsure)}
    for facet in sure.keys() | facts.stored.keys():
        least = sure[facet] - facts.stored.get(facet, 0)
        ranges[facet] = (least, least + unsure)
    return ranges


def _is_steady(before: Member, after: Member) -> bool:
    """Whether a member was the same all the time between two reads: one write that left it the same is no matter."""
    return before.facet == after.facet and 0 <= after.version - before.version <= 1


def narrow(known: Mapping[str, Range] | None, seen: Mapping[str, Range]) -> dict[str, Range]:
    """What two looks at the same difference leave of it; what was seen last if they contradict each other."""
    if not known:
        return dict(seen)
    both = {}
    for facet in known.keys() | seen.keys():
        (low, high), (lower, higher) = known.get(facet, known[OTHERS]), seen.get(facet, seen[OTHERS])
        both[facet] = (max(low, lower), min(high, higher))
    return dict(seen) if any(low > high for low, high in both.values()) else both


def is_exact(ranges: Mapping[str, Range]) -> bool:
    """Whether every difference is known for certain."""
    return all(low == high for low, high in ranges.values())


def judge_counter(
    facts: CounterFacts, ranges: Mapping[str, Range], *, kind: Kind = Kind.COUNTER, unit: str = "segment"
) -> list[Damage]:
    """What is wrong with a counter whose differences are known for certain; `unit` says what its segments are."""
    differences = {facet: low for facet, (low, _) in sorted(ranges.items()) if low}
    if not differences:
        return []
    if kind is Kind.COUNTER and any(facts.stored.get(facet, 0) < 0 for facet in differences):
        kind = Kind.COUNTER_NEGATIVE
    said = {facet: facts.stored.get(facet, 0) for facet in differences}
    return [
        Damage(
            kind=kind,
            place=f"{facts.collection} {unit} {facts.segment}",
            detail="; ".join(
                f"{facet}: there are {said[facet] + difference}, the counter says {said[facet]}"
                for facet, difference in differences.items()
            ),
            project_id=facts.project_id,
            mend=add_difference(facts, differences),
            seen=tuple(differences.items()),
            truth={"collection": facts.collection},
        )
    ]


def add_difference(facts: CounterFacts, differences: Mapping[str, int]) -> tuple[Write, ...]:
    """The writes that make a wrong counter right. They cannot make a right one wrong:

    - The difference was the same when it was measured as it is now, whatever live transactions add meanwhile, and
      additions commute. So it is added, nothing is set, and nothing that they counted is lost.
    - Only repairs change counters alone. They are numbered in the same transaction: if there was another since before
      we measured, ours fails and is measured anew. So none is done twice, by two operators or after a lost answer.
    - Folding stripes keeps their sum. Sweeps remove only counters of what is dead, which `alive` rules out.
    - That nothing at all has moved in the stripe that is added to is demanded besides, so that whatever unknown hand
      writes there wins.
    """
    there = facts.slot_row or {}
    expect: dict[str, Value | None] = {name: there.get(name) for name in there.keys() | differences.keys()}
    return (
        Write(action=Action.UPDATE, place=facts.slot, expect=expect, adds=differences),
        update(sequence_place(REPAIRS), {"value": facts.repairs}, value=(facts.repairs or 0) + 1),
        *facts.alive,
    )


def judge_installs(
    *,
    active: Mapping[str, int],
    events: Mapping[str, int],
    facts: CounterFacts,
) -> list[Damage]:
    """Whether a report's installs and uninstalls add up to what is installed, by operating system.

    `facts` are of the report's counter of today, where a difference would be counted.
    """
    differences: dict[str, int] = {}
    details = []
    for system in ("ios", "android"):
        counted = events.get(f"installs_{system}", 0) - events.get(f"uninstalls_{system}", 0)
        difference = active.get(system, 0) - counted
        if difference:
            differences[f"{'installs' if difference > 0 else 'uninstalls'}_{system}"] = abs(difference)
            details.append(f"{system}: {active.get(system, 0)} are installed, the report says {counted}")
    if not differences:
        return []
    return [
        Damage(
            kind=Kind.REPORT_INSTALLS,
            place=facts.collection,
            detail="; ".join(details),
            project_id=facts.project_id,
            mend=add_difference(facts, differences),
            seen=tuple(differences.items()),
        )
    ]


def judge_dead(collection: str, *, project_id: int, alive: Place, tag: Mapping[str, Value] | None) -> Damage:
    """The counters of a tag's generation that is over; `tag` is the tag's row by id now, at the place `alive`."""
    now = check(alive, {"generation": None if tag is None else tag["generation"]})
    return Damage(
        kind=Kind.COUNTER_DEAD,
        place=collection,
        detail="it is dead, has counters, and is not noted for the sweep",
        project_id=project_id,
        mend=(put(sweep_place(collection), {}), now),
    )
