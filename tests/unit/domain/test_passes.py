from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.assets import find_asset
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.passes import (
    Pass,
    PassStatus,
    apply_ticket,
    as_milliseconds,
    from_milliseconds,
    hold,
    release,
)
from tests.support.samples import MOMENT, sample_pass

LIMIT = 2000


def _write(value: object) -> ContentUpdate:
    return ContentUpdate(fields={"Points": {"value": value}})


def _apply(pass_: Pass, value: object, *, ticket_id: int, after: timedelta) -> Pass:
    changed, _ = apply_ticket(pass_, _write(value), ticket_id=ticket_id, now=MOMENT + after, maximum_bytes=LIMIT)
    return changed


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(-3000, 3000)),
        max_size=12,
    )
)
def test_every_visible_change_moves_version_and_last_modified_and_nothing_else_does(
    steps: list[tuple[int, int, int]],
) -> None:
    """Even where clocks run backwards and several changes fall into one second."""
    pass_ = sample_pass()
    for value, ticket_id, milliseconds in steps:
        shown = pass_.content.fields["Points"].attributes["value"]
        after = _apply(pass_, value, ticket_id=ticket_id, after=timedelta(milliseconds=milliseconds))
        if after.content.fields["Points"].attributes["value"] != shown:
            assert after.version == pass_.version + 1
            assert after.last_modified > pass_.last_modified
            assert after.updated_at >= pass_.updated_at
        else:
            assert (after.version, after.last_modified, after.updated_at) == (
                pass_.version,
                pass_.last_modified,
                pass_.updated_at,
            )
        assert after.revision == pass_.revision + (after is not pass_)
        assert after.changed_ticket >= pass_.changed_ticket
        assert after.created_at == pass_.created_at
        pass_ = after


def test_an_update_leaves_the_pass_that_it_was_given_alone() -> None:
    pass_ = sample_pass()
    before = pass_.content.encode()

    after = _apply(pass_, "9", ticket_id=4, after=timedelta(seconds=1))

    assert pass_.content.encode() == before
    assert (after.version, after.changed_ticket) == (2, 4)
    assert after.updated_at == MOMENT + timedelta(seconds=1)


def test_an_image_named_again_shows_once_more_where_the_other_dialect_named_another() -> None:
    """Whichever dialect wrote last counts, so the pass's file changes though no value does."""
    first, second = ("8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a0" + end for end in "12")
    by_id = ContentUpdate(lists={"logo_id": first})
    by_header = ContentUpdate(headers={"logo_image": {"value": second}})
    pass_, versions = sample_pass(), []
    for ticket_id, update in enumerate([by_id, by_header, by_id, by_id, by_header, by_header], start=1):
        pass_, merge = apply_ticket(pass_, update, ticket_id=ticket_id, now=MOMENT, maximum_bytes=LIMIT)
        assert merge.written
        assert merge.changed is merge.shown
        versions.append(pass_.version)
        assert find_asset(pass_.content, "logo") == (first if update is by_id else second)
    assert versions == [2, 3, 4, 4, 5, 5]


def test_a_write_of_an_equal_value_is_stored_but_shows_nothing_new() -> None:
    after = _apply(sample_pass(), "0", ticket_id=4, after=timedelta(hours=1))

    assert (after.revision, after.version, after.updated_at, after.changed_ticket) == (2, 1, MOMENT, 0)


def test_content_that_would_outgrow_its_limit_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="limit is 2000"):
        _apply(sample_pass(), "x" * LIMIT, ticket_id=1, after=timedelta())


def test_an_update_that_has_lost_everywhere_is_no_write_even_on_an_overfull_pass() -> None:
    pass_ = _apply(sample_pass(), "x" * 1500, ticket_id=9, after=timedelta())

    after, merge = apply_ticket(pass_, _write("y" * LIMIT), ticket_id=8, now=MOMENT, maximum_bytes=100)

    assert after is pass_
    assert not merge.written


def test_the_first_installation_is_remembered_through_removal_and_return() -> None:
    installed = hold(sample_pass(), platform="ios", now=MOMENT)
    removed = release(installed, now=MOMENT + timedelta(days=1))
    back = hold(removed, platform="android", now=MOMENT + timedelta(days=2))

    assert (installed.status, installed.installed_at, installed.uninstalled_at) == (PassStatus.INSTALLED, MOMENT, None)
    assert (removed.status, removed.installed_at) == (PassStatus.UNINSTALLED, MOMENT)
    assert removed.uninstalled_at == MOMENT + timedelta(days=1)
    assert (back.status, back.installed_at, back.uninstalled_at, back.platform) == (
        PassStatus.INSTALLED,
        MOMENT,
        None,
        "android",
    )
    assert [each.revision for each in (installed, removed, back)] == [2, 3, 4]


def test_further_devices_change_neither_status_nor_revision_and_only_the_last_removal_counts() -> None:
    one = hold(sample_pass(), platform="ios", now=MOMENT)
    two = hold(one, platform="android", now=MOMENT + timedelta(days=1))
    left = release(two, now=MOMENT + timedelta(days=2))

    assert two == replace(one, registrations=2)
    assert left == one
    assert release(two, devices=2, now=MOMENT).status is PassStatus.UNINSTALLED


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_milliseconds_are_exact_and_round_down(moment: datetime) -> None:
    restored = from_milliseconds(as_milliseconds(moment))

    assert timedelta() <= moment - restored < timedelta(milliseconds=1)
    assert as_milliseconds(restored) == as_milliseconds(moment)
