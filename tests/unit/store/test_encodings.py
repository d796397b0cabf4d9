from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import Content, Entry
from chalicelib.domain.passes import Pass, PassStatus, as_milliseconds
from chalicelib.domain.tags import TagReference
from chalicelib.store.pass_rows import as_pass, as_row, pass_id_of, updated_order
from chalicelib.store.tickets import _decode_segments, _encode_segments, _marker
from tests.support.samples import MOMENT, sample_pass

_ids = st.integers(1, 2**53 - 1)


@given(st.sets(st.integers(0, 10**12)))
def test_a_plan_survives_storage(segments: set[int]) -> None:
    assert _decode_segments(_encode_segments(sorted(segments))) == sorted(segments)


@given(st.integers(0, 10**6), st.integers(1, 10_000))
def test_the_plan_of_a_dense_tag_is_a_few_characters(first: int, count: int) -> None:
    plan = _encode_segments(range(first, first + count))

    assert json.loads(plan) == [[first, count]]


def test_a_plan_without_segments_is_a_plan() -> None:
    assert _decode_segments(_encode_segments([])) == []


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_markers_differ_and_sort_like_their_segments(one: int, other: int) -> None:
    assert (_marker("done:", one) < _marker("done:", other)) == (one < other)


@given(st.tuples(st.integers(0, 10**13), _ids), st.tuples(st.integers(0, 10**13), _ids))
def test_keys_by_update_sort_by_time_and_then_by_id(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (updated_order(*one) < updated_order(*other)) == (one < other)
    assert pass_id_of(updated_order(*one)) == one[1]


_passes = st.builds(
    sample_pass,
    pass_id=_ids,
    external_id=st.none() | st.text(min_size=1),
    status=st.sampled_from(PassStatus),
    installed_at=st.none() | st.just(MOMENT + timedelta(days=1)),
    uninstalled_at=st.none() | st.just(MOMENT + timedelta(days=2)),
    platform=st.sampled_from([None, "ios", "android"]),
    tags=st.frozensets(st.builds(TagReference, _ids, st.integers(1, 99)), max_size=15),
    content=st.just(Content(fields={"Points": Entry({"value": "ü"}, {"value": 7})}, lists={"locations": [{"id": 1}]})),
)


@given(_passes)
def test_a_pass_survives_storage_with_the_keys_of_every_index(pass_: Pass) -> None:
    stored = as_row(pass_).serialize()
    segment = pass_.pass_id // 1000

    assert as_pass(stored) == pass_
    assert stored["segment"] == {"N": str(segment)}
    assert stored["template_segment"] == {"S": f"template-passes:{pass_.template_id}.{segment}"}
    assert stored["updated_shard"] == {"S": f"{pass_.project_id}.{pass_.pass_id % 8}"}
    assert stored["updated_order"] == {"S": updated_order(as_milliseconds(pass_.updated_at), pass_.pass_id)}


@pytest.mark.parametrize(
    "missing", ["external_id", "public_type", "platform", "installed_at", "uninstalled_at", "tags"]
)
def test_what_a_pass_does_not_have_is_not_stored(missing: str) -> None:
    assert missing not in as_row(sample_pass()).serialize()
