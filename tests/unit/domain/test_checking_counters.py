"""A difference between members and counter is damage only if no writer can explain it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from chalicelib.domain.checking import Action, Kind, check, counter_place, template_place
from chalicelib.domain.checking_counters import (
    OTHERS,
    REPAIRS,
    CounterFacts,
    Member,
    Members,
    bound_difference,
    is_exact,
    judge_counter,
    judge_installs,
    narrow,
)

KEY = "template-passes:9"
ALIVE = check(template_place(3, 9), {"deleted": False})


def members(*facets: str | None, version: int = 1) -> Members:
    return {(ordinal,): Member(facet, version) for ordinal, facet in enumerate(facets)}


def facts(first: Members, stored: dict[str, int], second: Members | None = None, unseen: int = 0) -> CounterFacts:
    return CounterFacts(
        collection=KEY,
        segment=4,
        project_id=3,
        first=first,
        second=first if second is None else second,
        stored=stored,
        slot=counter_place(KEY, 64),
        slot_row={"a": 1},
        unseen=unseen,
        repairs=None,
        alive=(ALIVE,),
    )


def test_a_counter_that_is_right_is_certain() -> None:
    ranges = bound_difference(facts(members("a", "a", "b", None), {"a": 2, "b": 1}))

    assert ranges == {"a": (0, 0), "b": (0, 0), OTHERS: (0, 0)}
    assert is_exact(ranges)
    assert judge_counter(facts({}, {}), ranges) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (members("a"), members("b")),
        (members("a"), members("a", "a")),
        (members("a", "a"), members("a")),
        (members("a"), members("a", version=3)),
    ],
    ids=["moved", "came", "went", "written twice"],
)
def test_a_member_that_was_written_may_count_as_anything(first: Members, second: Members) -> None:
    ranges = bound_difference(facts(first, {"a": 1}, second))

    assert not is_exact(ranges)
    assert all(low <= 0 <= high for facet, (low, high) in ranges.items() if facet != "a")
    assert ranges["a"][0] <= 0 <= ranges["a"][1] or ranges["a"] == (0, 1)


def test_one_write_that_left_a_member_the_same_is_no_matter() -> None:
    """As in a bulk update, which writes every pass of a segment once."""
    ranges = bound_difference(facts(members("a", None), {"a": 1}, members("a", None, version=2)))

    assert is_exact(ranges)


def test_what_may_have_come_and_gone_unseen_leaves_doubt() -> None:
    ranges = bound_difference(facts(members("a"), {"a": 2}, unseen=1))

    assert ranges["a"] == (-1, 0)
    assert not is_exact(ranges)


def test_several_looks_leave_less_doubt() -> None:
    first = {"a": (-2, 1), "b": (0, 3), OTHERS: (0, 3)}
    second = {"a": (-1, 4), OTHERS: (0, 0)}

    assert narrow(None, first) == first
    assert narrow(first, second) == {"a": (-1, 1), "b": (0, 0), OTHERS: (0, 0)}


def test_looks_that_contradict_each_other_begin_anew() -> None:
    """Somebody has mended the counter in between."""
    assert narrow({"a": (2, 2), OTHERS: (0, 0)}, {"a": (0, 0), OTHERS: (0, 0)}) == {"a": (0, 0), OTHERS: (0, 0)}


@pytest.mark.parametrize("damage", [0, 2, -1])
def test_random_traffic_never_hides_or_makes_a_difference(damage: int) -> None:
    """Transactions change members and counter together, at any time between our reads: the true difference is always
    within the bounds, and looks narrow it down to itself."""
    chance = random.Random(damage)
    state: dict[int, Member] = {}
    counter: Counter[str] = Counter({"a": -damage})

    def write() -> None:
        ordinal = chance.randrange(12)
        before = state.get(ordinal)
        if before is None:
            state[ordinal] = Member(chance.choice("ab"), 1)
            counter[str(state[ordinal].facet)] += 1
        else:
            facet = chance.choice(["a", "b", None])
            state[ordinal] = Member(facet, before.version + 1)
            counter[before.facet or "nobody"] -= 1
            counter[facet or "nobody"] += 1

    def read() -> Members:
        """Member by member, with writes in between."""
        seen = {}
        for ordinal in range(12):
            if chance.random() < 0.03:
                write()
            if ordinal in state:
                seen[(ordinal,)] = state[ordinal]
        return seen

    known = None
    for _ in range(400):
        write()
        first = read()
        stored = {facet: count for facet, count in counter.items() if facet != "nobody"}
        second = read()
        seen = bound_difference(facts(first, stored, second))
        low, high = seen.get("a", seen[OTHERS])
        assert low <= damage <= high
        known = narrow(known, seen)
    assert known is not None
    assert known.get("a", known[OTHERS]) == (damage, damage)


def test_a_mend_adds_the_difference_once_and_only_while_nothing_moved() -> None:
    known = facts(members("a", "a", "b"), {"a": 1, "c": 4})

    (damage,) = judge_counter(known, bound_difference(known))

    assert damage.kind is Kind.COUNTER
    assert damage.seen == (("a", 1), ("b", 1), ("c", -4))
    add, number, alive = damage.mend
    assert (add.action, add.adds, add.sets) == (Action.UPDATE, {"a": 1, "b": 1, "c": -4}, {})
    assert add.expect == {"a": 1, "b": None, "c": None}
    assert (number.place.key, number.expect, number.sets) == ((("name", REPAIRS),), {"value": None}, {"value": 1})
    assert alive == ALIVE
    later = judge_counter(replace(known, repairs=7), bound_difference(known))[0].mend[1]
    assert (later.expect, later.sets) == ({"value": 7}, {"value": 8})


def test_less_than_nothing_is_a_kind_of_its_own() -> None:
    known = facts({}, {"a": -1})

    assert judge_counter(known, bound_difference(known))[0].kind is Kind.COUNTER_NEGATIVE


@pytest.mark.parametrize(
    ("events", "adds"),
    [
        ({"installs_ios": 3, "uninstalls_ios": 1, "installs_android": 1}, None),
        ({"installs_ios": 1, "installs_android": 1}, {"installs_ios": 1}),
        ({"installs_ios": 4, "installs_android": 1}, {"uninstalls_ios": 2}),
        ({}, {"installs_ios": 2, "installs_android": 1}),
    ],
)
def test_installs_are_made_up_for_in_the_report(events: dict[str, int], adds: dict[str, int] | None) -> None:
    damages = judge_installs(active={"ios": 2, "android": 1}, events=events, facts=facts({}, events))

    assert [damage.mend[0].adds for damage in damages] == ([] if adds is None else [adds])
