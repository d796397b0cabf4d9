from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.counted_index import (
    SEGMENT_SIZE,
    SegmentCount,
    Slice,
    count_members,
    locate_page,
    parse_passes_of_tag,
    passes_of_project,
    passes_of_tag,
    segment_of,
)

FACETS = ("installed", "uninstalled", "not_been_installed")

_members = st.dictionaries(st.integers(0, 8 * SEGMENT_SIZE - 1), st.sampled_from(FACETS), max_size=60)
"""ordinal to facet"""
_filters = st.none() | st.sets(st.sampled_from(FACETS), min_size=1)


def _count(members: dict[int, str]) -> list[SegmentCount]:
    segments: dict[int, Counter[str]] = {}
    for ordinal, facet in members.items():
        segments.setdefault(segment_of(ordinal), Counter())[facet] += 1
    return [SegmentCount(segment, dict(facets)) for segment, facets in segments.items()]


def _read(members: dict[int, str], slices: list[Slice], facets: set[str] | None, *, descending: bool) -> list[int]:
    """What a store would read: each slice of its own segment, reversed where the page descends."""
    page: list[int] = []
    for part in slices:
        matching = sorted(
            ordinal
            for ordinal, facet in members.items()
            if segment_of(ordinal) == part.segment and (facets is None or facet in facets)
        )
        assert len(matching) == part.members
        taken = matching[part.skip : part.skip + part.take]
        assert len(taken) == part.take > 0
        page += reversed(taken) if descending else taken
    return page


@given(
    members=_members,
    facets=_filters,
    offset=st.integers(0, 70),
    size=st.integers(1, 70),
    descending=st.booleans(),
)
def test_a_located_page_is_the_slice_of_the_whole_list(
    members: dict[int, str], facets: set[str] | None, offset: int, size: int, descending: bool
) -> None:
    whole = sorted(
        (ordinal for ordinal, facet in members.items() if facets is None or facet in facets), reverse=descending
    )

    slices = locate_page(_count(members), offset=offset, size=size, descending=descending, facets=facets)

    assert _read(members, slices, facets, descending=descending) == whole[offset : offset + size]


@given(members=_members, facets=_filters)
def test_members_are_counted_by_facet(members: dict[int, str], facets: set[str] | None) -> None:
    expected = sum(facets is None or facet in facets for facet in members.values())

    assert count_members(_count(members), facets) == expected


def test_a_page_touches_no_segment_that_it_does_not_need() -> None:
    counts = [SegmentCount(segment, {"member": 1000}) for segment in range(1000)]

    deep = locate_page(counts, offset=500_995, size=10, descending=False)

    assert [(part.segment, part.skip, part.take) for part in deep] == [(500, 995, 5), (501, 0, 5)]


def test_a_page_past_the_end_is_empty() -> None:
    counts = [SegmentCount(3, {"member": 5})]

    assert locate_page(counts, offset=5, size=10, descending=True) == []
    assert locate_page([], offset=0, size=10, descending=False) == []


def test_segments_that_only_other_facets_fill_are_passed_over() -> None:
    counts = [SegmentCount(1, {"installed": 2}), SegmentCount(2, {"uninstalled": 7}), SegmentCount(3, {"installed": 1})]

    page = locate_page(counts, offset=1, size=2, descending=False, facets={"installed"})

    assert page == [Slice(segment=1, skip=1, take=1, members=2), Slice(segment=3, skip=0, take=1, members=1)]


def test_a_slice_says_how_many_members_of_its_segment_do_not_match() -> None:
    counts = [SegmentCount(1, {"installed": 2, "uninstalled": 5})]

    (part,) = locate_page(counts, offset=0, size=2, descending=False, facets={"installed"})

    assert (part.members, part.others) == (2, 5)


@given(st.integers(1, 2**53 - 1), st.integers(1, 2**53 - 1), st.integers(1, 10**6))
def test_the_key_of_a_tags_passes_says_whose_it_is(project_id: int, tag_id: int, generation: int) -> None:
    collection = passes_of_tag(project_id=project_id, tag_id=tag_id, generation=generation)

    assert parse_passes_of_tag(collection.key) == (project_id, tag_id, generation)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "tag-passes:",
        "tag-passes:1.2",
        "tag-passes:1.2.3.4",
        "tag-passes:1.2.x",
        "tag-passes:1.-2.3",
        "tag-passes:1.2.\u0663",
        "project-tags:1.2.3",
        passes_of_project(1).key,
    ],
)
def test_other_keys_are_not_taken_for_a_tags_passes(key: str) -> None:
    assert parse_passes_of_tag(key) is None


@pytest.mark.parametrize(("ordinal", "segment"), [(0, 0), (999, 0), (1000, 1), (2**53 - 1, 9007199254740)])
def test_ordinals_fall_into_segments_of_a_thousand(ordinal: int, segment: int) -> None:
    assert segment_of(ordinal) == segment
    assert passes_of_project(7).segment_key(segment) == f"project-passes:7.{segment}"
