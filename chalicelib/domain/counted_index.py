"""The counted index: collections of numbered members that can be counted and paged exactly.

A collection's members carry ascending integer ordinals (pass ids, tag ids). Ordinals are cut into segments of 1,000.
A small counter beside each segment says how many members it has of each facet value, so any page is found by adding
up counters: no page is reached by walking, and every total is exact (DESIGN, section 3).
"""

from __future__ import annotations

from collections.abc import Collection as AbstractCollection
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SEGMENT_SIZE = 1000
"""Ordinals in one segment. It is part of every stored key: never change it on a deployment that has data."""

FOLD = "fold:"
"""Stands before the key of a collection whose stripes are to be folded, among the collections to be swept."""

MEMBER = "member"
"""The one facet of collections whose members do not differ."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A set of members with one counter family. `key` is the stored name; the constructors below define it."""

    key: str

    def segment_key(self, segment: int) -> str:
        """The index key under which a segment's members are found."""
        return f"{self.key}.{segment}"


def passes_of_project(project_id: int) -> Collection:
    """All passes of a project, by pass id."""
    return Collection(f"project-passes:{project_id}")


def passes_of_template(template_id: int) -> Collection:
    """All passes of a template, by pass id."""
    return Collection(f"template-passes:{template_id}")


def parse_passes_of_template(key: str) -> int | None:
    """Template id from the key that `passes_of_template` made; None for any other text."""
    kind, _, rest = key.partition(":")
    return int(rest) if kind == "template-passes" and rest.isascii() and rest.isdigit() else None


def passes_of_tag(*, project_id: int, tag_id: int, generation: int) -> Collection:
    """The passes that have a tag, by pass id. Emptying the tag moves on to the next generation's collection."""
    return Collection(f"tag-passes:{project_id}.{tag_id}.{generation}")


def parse_passes_of_tag(key: str) -> tuple[int, int, int] | None:
    """Project id, tag id and generation from the key that `passes_of_tag` made; None for any other text."""
    kind, _, rest = key.partition(":")
    parts = rest.split(".")
    if kind != "tag-passes" or len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    project_id, tag_id, generation = map(int, parts)
    return project_id, tag_id, generation


def tags_of_project(project_id: int) -> Collection:
    """All tags of a project, by tag id."""
    return Collection(f"project-tags:{project_id}")


def registrations_of_template(template_id: int) -> Collection:
    """All registrations of a template's passes, by registration number; the facets are wallet ids."""
    return Collection(f"template-registrations:{template_id}")


def registrations_of_pass(pass_id: int) -> Collection:
    """The registrations of one pass, by the same numbers."""
    return Collection(f"pass-registrations:{pass_id}")


def redeems_of_template(template_id: int) -> Collection:
    """All redeems of a template's passes, by redeem number."""
    return Collection(f"template-redeems:{template_id}")


def redeems_of_pass(pass_id: int) -> Collection:
    """The redeems of one pass, by the same numbers."""
    return Collection(f"pass-redeems:{pass_id}")


def events_of_template(template_id: int) -> Collection:
    """What happened to a template's passes: a segment is a day since 1970 (UTC), a facet an event, see `reporting`."""
    return Collection(f"template-events:{template_id}")


def segment_of(ordinal: int) -> int:
    """The segment that an ordinal falls into."""
    return ordinal // SEGMENT_SIZE


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """How many members one segment has of each facet value; stripes are already summed."""

    segment: int
    facets: Mapping[str, int]

    def members(self, facets: AbstractCollection[str] | None = None) -> int:
        """Members with one of the facet values, or all of them."""
        if facets is None:
            return sum(self.facets.values())
        return sum(count for facet, count in self.facets.items() if facet in facets)


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a page that lies in one segment.

    Of the segment's matching members in ascending order, `skip` are passed over and `take` belong to the page.
    `members` is how many match in all, so that a reader may start from the nearer end, and `others` how many do not:
    without any, there is nothing to filter.
    """

    segment: int
    skip: int
    take: int
    members: int
    others: int = 0


def count_members(counts: Iterable[SegmentCount], facets: AbstractCollection[str] | None = None) -> int:
    """The exact number of members, of all facet values or of the given ones."""
    return sum(count.members(facets) for count in counts)


def locate_page(
    counts: Iterable[SegmentCount],
    *,
    offset: int,
    size: int,
    descending: bool,
    facets: AbstractCollection[str] | None = None,
) -> list[Slice]:
    """The slices of the page that begins `offset` members after the first one, in page order.

    A reader of a descending page reverses the members of each slice.
    """
    slices: list[Slice] = []
    before = 0
    for count in sorted(counts, key=lambda count: count.segment, reverse=descending):
        members = count.members(facets)
        start, end = max(offset - before, 0), min(offset + size - before, members)
        before += members
        if start >= end:
            continue
        skip = members - end if descending else start
        others = count.members() - members
        slices.append(Slice(segment=count.segment, skip=skip, take=end - start, members=members, others=others))
        if before >= offset + size:
            break
    return slices
