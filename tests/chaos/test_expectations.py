"""The model that judges a run: what it takes for certain, and what it finds wrong."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.chaos.certainty import Change, Switch
from tests.chaos.contract import Answer, Dialect, find_faults
from tests.chaos.expectations import Expectations
from tests.chaos.journal import FOREVER, Kind, Operation, Outcome, Try
from tests.chaos.verdict import judge_reads

_numbers = itertools.count(1)


def change(sets: bool, started: float, ended: float, *, certain: bool = True) -> Change:
    """A change at some moment of a span."""
    return Change(sets=sets, started=started, ended=ended, is_certain=certain)


def operation(kind: Kind, started: float, ended: float, *, status: int | None = 200, **about: Any) -> Operation:
    """An operation of one try."""
    own = Operation(number=next(_numbers), kind=kind, client=1, **about)
    own.tries = [Try(server=0, started=started, ended=ended, status=status)]
    own.outcome = Outcome.UNKNOWN if status in (None, 503) else Outcome.DONE
    return own


@pytest.mark.parametrize(
    ("changes", "final"),
    [
        ([], False),
        ([change(True, 1, 2)], True),
        ([change(True, 1, 2, certain=False)], None),
        ([change(True, 1, 2), change(False, 3, 4)], False),
        ([change(True, 1, 3), change(False, 2, 4)], None),
        ([change(True, 1, 2), change(False, 3, 4, certain=False)], None),
        ([change(True, 1, 2, certain=False), change(False, 3, 4)], False),
        ([change(True, 1, 2), change(False, 3, 4, certain=False), change(True, 5, 6)], True),
        ([change(True, 1, 2), change(False, 3, FOREVER, certain=False), change(True, 5, 6)], None),
    ],
)
def test_what_a_thing_is_at_the_end(changes: list[Change], final: bool | None) -> None:
    assert Switch(changes).final is final


def test_what_overlaps_a_span_leaves_it_uncertain() -> None:
    switch = Switch([change(True, 1, 2), change(False, 5, 6)])
    assert switch.is_surely(True, since=2, until=4)
    assert not switch.is_surely(True, since=1.5, until=4), "it may not have been set yet"
    assert not switch.is_surely(True, since=2, until=5), "it may be unset by then"
    assert switch.is_possible(True, since=5.5, until=9)
    assert not switch.is_possible(True, since=6.5, until=9)


def made(*, at: float = 0.0, tags: tuple[str, ...] = ("tag",)) -> Operation:
    """A pass, with one tag if not said otherwise."""
    return operation(Kind.CREATE, at, at + 1, card="card", tags=tags, values={"Points": "first"})


def bulk(started: float, ended: float, *, ticket: int, value: str, completed: float = FOREVER) -> Operation:
    """An accepted bulk update."""
    return operation(
        Kind.BULK_UPDATE,
        started,
        ended,
        tags=("tag",),
        ticket=ticket,
        values={"Points": value},
        completed=completed,
    )


def test_a_bulk_update_must_reach_a_pass_that_had_the_tag_all_the_time() -> None:
    expected = Expectations([made(), bulk(2, 3, ticket=5, value="new")])
    assert expected.judge_field("card", "Points", "new", 5) is None
    assert "came later" in str(expected.judge_field("card", "Points", "first", 0))


def test_a_bulk_update_may_or_may_not_reach_a_pass_that_lost_the_tag_meanwhile() -> None:
    untag = operation(Kind.UNTAG, 4, 5, card="card", tags=("tag",))
    expected = Expectations([made(), bulk(2, 3, ticket=5, value="new"), untag])
    assert expected.judge_field("card", "Points", "new", 5) is None
    assert expected.judge_field("card", "Points", "first", 0) is None
    finished_before = Expectations([made(), bulk(2, 3, ticket=5, value="new", completed=3.5), untag])
    assert "came later" in str(finished_before.judge_field("card", "Points", "first", 0))


def test_a_bulk_update_may_not_reach_a_pass_without_the_tag() -> None:
    untag = operation(Kind.UNTAG, 1.5, 1.8, card="card", tags=("tag",))
    expected = Expectations([made(), untag, bulk(2, 3, ticket=5, value="new")])
    assert "not for this pass" in str(expected.judge_field("card", "Points", "new", 5))


def test_a_lost_try_of_a_bulk_update_may_reach_passes_after_the_answered_one_is_completed() -> None:
    late = operation(Kind.TAG, 6, 7, card="card", tags=("tag",))
    update = bulk(2, 3, ticket=5, value="new", completed=3.5)
    update.tries.insert(0, Try(server=0, started=1.5, ended=1.9, status=None))
    expected = Expectations([made(tags=()), update, late])
    assert expected.judge_field("card", "Points", "new", 4) is None, "the lost try's own ticket"
    assert "not for this pass" in str(expected.judge_field("card", "Points", "new", 5))


def test_a_higher_ticket_wins_and_none_is_lower_than_what_was_given_out_before() -> None:
    first = operation(Kind.UPDATE, 2, 3, card="card", ticket=5, values={"Points": "a"})
    second = operation(Kind.UPDATE, 2, 3, card="card", ticket=6, values={"Points": "b"})
    expected = Expectations([made(), first, second])
    assert expected.judge_field("card", "Points", "b", 6) is None
    assert "came later" in str(expected.judge_field("card", "Points", "a", 5))
    unknown = operation(Kind.UPDATE_V2, 4, 5, status=None, card="card", values={"Points": "c"})
    expected = Expectations([made(), first, second, unknown])
    assert expected.judge_field("card", "Points", "c", 9) is None
    assert expected.judge_field("card", "Points", "b", 6) is None, "its outcome is not known"
    later = operation(Kind.UPDATE_V2, 4, 5, card="card", values={"Points": "d"})
    assert "came later" in str(Expectations([made(), second, later]).judge_field("card", "Points", "b", 6))


def test_a_pass_may_begin_with_what_a_merge_spreads_later() -> None:
    campaign: dict[str, Any] = {"template": 1, "values": {"Offer": "new"}}
    change = operation(Kind.CHANGE_CAMPAIGN, 1, 2, **campaign)
    creation = operation(Kind.CREATE, 3, 4, card="card", template=1)
    merge = operation(Kind.MERGE, 7, 8, **campaign)
    read = operation(Kind.READ_PASS, 5, 6, card="card", template=1, seen={"Offer": "new"})
    assert not list(judge_reads(Expectations([change, creation, read, merge])))
    (violation,) = judge_reads(Expectations([creation, read, merge]))
    assert "not written yet" in violation.detail


def test_a_value_that_nobody_wrote_is_found() -> None:
    expected = Expectations([made()])
    assert "nobody" in str(expected.judge_field("card", "Points", "strange", 3))
    assert "no ticket" in str(expected.judge_field("card", "Points", "strange", 0))


@pytest.mark.parametrize(
    ("dialect", "status", "headers", "body", "fault"),
    [
        (Dialect.AIRSHIP, 200, {}, b"{}", None),
        (Dialect.AIRSHIP, 500, {}, b"{}", "status 500"),
        (Dialect.AIRSHIP, 404, {}, b'{"Code": "NotFoundError"}', "not the dialect's"),
        (Dialect.AIRSHIP, 200, {}, b"<html>", "no JSON"),
        (Dialect.PASSWORKS, 409, {}, b"{}", "status 409"),
        (Dialect.PASSWORKS, 404, {}, b'{"errors": []}', "not the dialect's"),
        (Dialect.PASSKIT, 503, {}, b"", "without Retry-After"),
        (Dialect.PASSKIT, 503, {"retry-after": "1"}, b"", None),
        (Dialect.PASSKIT, 502, {}, b"", "status 502"),
    ],
)
def test_an_answer_that_is_not_of_the_contract_is_found(
    dialect: Dialect, status: int, headers: dict[str, str], body: bytes, fault: str | None
) -> None:
    found = list(find_faults(dialect, Answer(status, headers, body)))
    assert found == [] if fault is None else fault in found[0]
