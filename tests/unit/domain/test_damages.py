"""Every damage to the letter: what an operator reads, what a mend demands and what it writes (`damages.txt`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain import checking
from chalicelib.domain.checking import Damage, Place, Row, Write, name_place, pass_place, tag_place
from chalicelib.domain.checking_counters import bound_difference, judge_counter, judge_dead, judge_installs
from chalicelib.domain.checking_facts import NameFact, PassFacts, Standing
from chalicelib.domain.checking_names import judge_name_row, judge_tag, judge_template
from chalicelib.domain.checking_numbers import (
    Marks,
    judge_block,
    judge_message,
    judge_project,
    judge_redeem,
    judge_sequence,
    judge_ticket,
)
from chalicelib.domain.checking_passes import judge_pass
from infra.definition import read_tables
from tests.unit.domain import test_checking_counters as counters
from tests.unit.domain import test_checking_names as names
from tests.unit.domain.test_checking_passes import (
    GONE,
    HEALTHY,
    INSTALLED,
    PASS_ID,
    ROW,
    TEMPLATE,
    membership,
    registration,
)

EXPECTED = Path(__file__).with_name("damages.txt")

NAME = name_place("3#pass#a secret name", TEMPLATE)
REDEEM = {"pass_id": PASS_ID, "number": 1001, "template_id": 9, "redeem_id": "r", "template_segment": "x"}


def _tell(damage: Damage) -> Iterator[str]:
    yield f"{damage.kind} at {damage.place}, project {damage.project_id}: {damage.detail}"
    for write in damage.mend:
        yield f"    {write.action.value} {_tell_place(write.place)}{_tell_write(write)}"
    if damage.seen:
        seen = [sorted(each) if isinstance(each, frozenset) else each for each in damage.seen]
        yield f"    seen {', '.join(map(str, seen))}"
    if damage.truth:
        yield f"    truth {_tell_values(damage.truth)}"
    for subject in damage.wakes:
        yield f"    wakes {subject.encode()}"


def _tell_place(place: Place) -> str:
    return f"{place.table} {_tell_values(dict(place.key))}"


def _tell_write(write: Write) -> str:
    parts = {" if ": write.expect, " set ": write.sets, " add ": write.adds}
    return "".join(f"{word}{_tell_values(values)}" for word, values in parts.items() if values)


def _tell_values(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_plain(values[name])!r}" for name in sorted(values))


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def _without(row: Row, *missing: str) -> Row:
    return {name: value for name, value in row.items() if name not in missing}


def _of_passes() -> Iterator[Damage]:
    uninstalled = {**ROW, "status": "uninstalled", "registrations": 2}
    two = [registration(number=1002, registration_id="later", device="b", created_at=8), registration()]
    scenes: list[tuple[PassFacts, dict[str, Any]]] = [
        (HEALTHY, {"expected_keys": {"segment": 5, "external": "x"}}),
        (HEALTHY, {"standing": Standing.MISSING}),
        (HEALTHY, {"standing": Standing.DELETED}),
        (HEALTHY, {"redeems": 1}),
        (HEALTHY, {"memberships": []}),
        (HEALTHY, {"memberships": [membership(generation=0)]}),
        (HEALTHY, {"memberships": [membership(tag_segment="x", status="gone")]}),
        (HEALTHY, {"memberships": [membership(), membership(2, generation=5)]}),
        (HEALTHY, {"memberships": [membership(), membership(7)]}),
        (HEALTHY, {"row": {**ROW, "tags": frozenset()}}),
        (HEALTHY, {"row": {**ROW, "registrations": 2}}),
        (HEALTHY, {"row": {**ROW, "status": "installed", "installed_at": 5}, "memberships": []}),
        (INSTALLED, {"row": uninstalled, "registrations": two, "held": 2}),
        (INSTALLED, {"registrations": [registration(segment=9, token_key="x")]}),
        (GONE, {"registrations": [registration()], "memberships": [membership(), membership(2)]}),
        (HEALTHY, {"names": [NameFact(NAME, PASS_ID, None), NameFact(NAME, PASS_ID, {"target_id": 5})]}),
        (HEALTHY, {"names": [NameFact(NAME, PASS_ID, {"target_id": 5}, rival=True)]}),
    ]
    for facts, changes in scenes:
        yield from judge_pass(replace(facts, **changes))


def _of_names() -> Iterator[Damage]:
    other, tag = {**names.BY_NAME, "tag_id": 8}, names.TAG
    changes: list[dict[str, Any]] = [
        {"by_id": None},
        {"by_name": None},
        {"by_name": {**names.BY_NAME, "generation": 5, "name": "silver"}},
        {"by_name": other},
        {"by_name": other, "holder": {**names.BY_ID, "tag_id": 8}},
        {"by_id": {**names.BY_ID, "project_segment": "x"}},
        {"claimed": {**names.BY_NAME, "key": "3#name#golden"}},
    ]
    for change in changes:
        yield from judge_tag(replace(tag, **change))
    targets: list[tuple[Place, Row | None]] = [
        (pass_place(5), None),
        (pass_place(5), {"revision": 4}),
        (tag_place("3#id#5"), {"name": "x"}),
    ]
    for target, row in targets:
        yield from judge_name_row({"target_id": 5}, NAME, project_id=3, target=target, target_row=row, bears=False)
    template = {"project_id": 3, "template_id": 9, "revision": 2, "campaign": '{"look_id":"l"}'}
    own = NameFact(name_place("3#template#n", 0), 9, None)
    yield from judge_template(template, [own], look_exists=lambda _: False)


def _of_numbers() -> Iterator[Damage]:
    now, ticket = names.NOW, names.ticket
    yield from judge_redeem({**REDEEM, "pass_segment": "y"}, project_id=3)
    yield from judge_block(5, leases=[(2, 4), (1, 0)], projects=[1, 3])
    yield from judge_block(5, leases=[(1, 0), (1, 3)], projects=[])
    yield from judge_block(5, leases=[], projects=[1])
    yield from judge_sequence("tags:3", row=None, used=5, project_id=3)
    yield from judge_sequence("tags:3", row={"value": 4}, used=5, project_id=3)
    marks = Marks(passes=9, done=2, failed=1)
    yield from judge_ticket(_without(ticket(created_at=0), "open"), marks, open_value="open", now=now)
    yield from judge_ticket(ticket(status="FAILED"), None, open_value="open", now=now)
    yield from judge_project(7, exists=False, keys=1, blocks=2)
    yield from judge_message({"key": "k", "queue": "push", "created_at": 0}, project_id=3, now=now)


def _of_counters() -> Iterator[Damage]:
    for stored in ({"a": 1, "c": 4}, {"c": -1}):
        known = counters.facts(counters.members("a", "a", "b"), stored)
        yield from judge_counter(known, bound_difference(known), unit="day")
    events = {"installs_ios": 4, "uninstalls_android": 1}
    yield from judge_installs(active={"ios": 2, "android": 1}, events=events, facts=counters.facts({}, events))
    for tag in (None, {"generation": 6}):
        yield judge_dead("tag-passes:3.7.5", project_id=3, alive=tag_place("3#id#7"), tag=tag)


PLACES = [
    checking.project_place(1),
    checking.pass_place(1),
    checking.membership_place(1, 2),
    checking.registration_place("d", 1),
    checking.redeem_place(1, 2),
    checking.tag_place("k"),
    checking.template_place(1, 2),
    checking.look_place(1, 2),
    checking.name_place("k", 1),
    checking.sweep_place("c"),
    checking.counter_place("c", 1),
    checking.sequence_place("n"),
    checking.ticket_place(1),
    checking.outbox_place("k"),
]


def test_every_place_is_a_row_of_a_table_by_its_whole_key() -> None:
    tables = {each["TableName"]: {key["AttributeName"] for key in each["KeySchema"]} for each in read_tables("")}

    assert len({place.table for place in PLACES}) == len(PLACES)
    for place in PLACES:
        assert {name for name, _ in place.key} == tables[place.table]


@pytest.mark.parametrize("part", ["passes", "names", "numbers", "counters"])
def test_damages_are_told_and_mended_as_written_down(part: str) -> None:
    found = {"passes": _of_passes, "names": _of_names, "numbers": _of_numbers, "counters": _of_counters}[part]()
    sections = dict(each.split("\n", 1) for each in EXPECTED.read_text("utf-8").split("# ")[1:])

    assert [line for damage in found for line in _tell(damage)] == sections[part].rstrip("\n").split("\n")
