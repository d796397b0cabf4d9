"""What is damage of a pass, and that every mend depends on what was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.checking import Action, Damage, Kind, Known, Row, name_place
from chalicelib.domain.checking_facts import NameFact, PassFacts, Standing
from chalicelib.domain.checking_memberships import membership_key
from chalicelib.domain.checking_passes import judge_pass, registration_keys

PASS_ID, PROJECT, TEMPLATE = 4711, 3, 9

ROW: Row = {
    "pass_id": PASS_ID,
    "project_id": PROJECT,
    "template_id": TEMPLATE,
    "status": "not_been_installed",
    "tags": frozenset({"1.1", "2.5"}),
    "revision": 6,
    "registrations": 0,
    "redeemed_count": 0,
    "segment": 4,
}
TAGS: dict[int, Row] = {1: {"key": "3#id#1", "generation": 1}, 2: {"key": "3#id#2", "generation": 6}}
"""the pass's reference to tag 2 is dead"""


def membership(tag_id: int = 1, **values: Any) -> Row:
    row = {"pass_id": PASS_ID, "tag_id": tag_id, "generation": 1, "status": "not_been_installed", **values}
    return {"tag_segment": membership_key(row, PROJECT), **row}


def registration(**values: Any) -> Row:
    row = {
        "device": "a hash",
        "pass_id": PASS_ID,
        "registration_id": "an id",
        "number": 1001,
        "project_id": PROJECT,
        "template_id": TEMPLATE,
        "wallet": "passbook",
        "pass_type": "pass.x",
        "push_token": "token",
        "created_at": 5,
        **values,
    }
    return {**registration_keys(row), **row}


HEALTHY = PassFacts(
    pass_id=PASS_ID,
    row=ROW,
    owner=PROJECT,
    expected_keys={"segment": 4},
    standing=Standing.THERE,
    tags=TAGS,
    noted=frozenset(),
    memberships=[membership()],
    held=0,
    registrations=[],
    names=[],
    redeems=0,
    doubtful=frozenset(),
    tags_verified=True,
    now_milliseconds=1000,
)
INSTALLED = replace(
    HEALTHY,
    row={**ROW, "status": "installed", "registrations": 1, "installed_at": 5},
    held=1,
    registrations=[registration()],
    memberships=[membership(status="installed")],
)
GONE = replace(HEALTHY, row=None, memberships=[])


def judge(facts: PassFacts, **changes: Any) -> list[Damage]:
    return judge_pass(replace(facts, **changes))


def kinds(damages: list[Damage]) -> list[Kind]:
    return [damage.kind for damage in damages]


@pytest.mark.parametrize("facts", [HEALTHY, INSTALLED, GONE, replace(HEALTHY, redeems=None)])
def test_a_pass_that_adds_up_is_whole(facts: PassFacts) -> None:
    assert judge_pass(facts) == []


def test_a_reference_to_a_dead_tag_is_no_damage() -> None:
    assert judge(HEALTHY, tags={1: TAGS[1]}) == []


@pytest.mark.parametrize(
    ("facts", "changes", "kind"),
    [
        (HEALTHY, {"expected_keys": {"segment": 5}}, Kind.PASS_KEYS),
        (HEALTHY, {"standing": Standing.MISSING}, Kind.PASS_TEMPLATE),
        (HEALTHY, {"standing": Standing.DELETED}, Kind.PASS_DELETED_TEMPLATE),
        (HEALTHY, {"redeems": 1}, Kind.REDEEM_COUNT),
        (HEALTHY, {"memberships": []}, Kind.MEMBERSHIP_MISSING),
        (HEALTHY, {"memberships": [membership(generation=0)]}, Kind.MEMBERSHIP_MISSING),
        (HEALTHY, {"memberships": [membership(tag_segment="x")]}, Kind.MEMBERSHIP_KEYS),
        (HEALTHY, {"memberships": [membership(status="installed")]}, Kind.MEMBERSHIP_STATUS),
        (HEALTHY, {"memberships": [membership(), membership(2, generation=5)]}, Kind.MEMBERSHIP_DEAD),
        (HEALTHY, {"row": {**ROW, "tags": frozenset()}}, Kind.MEMBERSHIP_STRAY),
        (HEALTHY, {"row": {**ROW, "registrations": 2}}, Kind.REGISTRATION_COUNT),
        (HEALTHY, {"row": {**ROW, "status": "installed"}}, Kind.STATUS),
        (INSTALLED, {"registrations": [registration(segment=9)]}, Kind.REGISTRATION_KEYS),
        (GONE, {"registrations": [registration()]}, Kind.REGISTRATION_STRAY),
        (GONE, {"memberships": [membership()]}, Kind.MEMBERSHIP_STRAY),
        (GONE, {"memberships": [membership(2)]}, Kind.MEMBERSHIP_DEAD),
    ],
)
def test_one_fault_is_one_damage(facts: PassFacts, changes: dict[str, Any], kind: Kind) -> None:
    assert kinds(judge(facts, **changes)) == [kind]


@pytest.mark.parametrize("standing", [Standing.GOING, Standing.THERE])
def test_a_pass_that_is_about_to_be_swept_is_no_damage(standing: Standing) -> None:
    assert judge(HEALTHY, standing=standing) == []


def test_a_dead_row_that_is_noted_for_the_sweep_is_no_damage() -> None:
    noted = frozenset({f"tag-passes:{PROJECT}.2.5"})

    assert judge(HEALTHY, memberships=[membership(), membership(2, generation=5)], noted=noted) == []


def test_nothing_is_said_about_a_tag_that_is_damaged_itself() -> None:
    assert judge(HEALTHY, memberships=[], doubtful={1}) == []
    assert judge(HEALTHY, memberships=[membership(), membership(2, generation=5)], doubtful={2}) == []


def test_a_row_of_a_tag_without_a_row_is_removed_only_once_all_tags_were_checked() -> None:
    rows = [membership(), membership(7)]

    (damage,) = judge(HEALTHY, memberships=rows, tags_verified=False)
    assert (damage.kind, damage.mend) == (Kind.MEMBERSHIP_DEAD, ())
    (damage,) = judge(HEALTHY, memberships=rows)
    assert [write.action for write in damage.mend] == [Action.DELETE]


def test_the_lists_of_tags_follow_the_true_status() -> None:
    """A pass said to be uninstalled, though a device holds it: its lists and counters are right."""
    damages = judge(INSTALLED, row={**INSTALLED.row, "status": "uninstalled"})  # type: ignore[dict-item]

    assert kinds(damages) == [Kind.STATUS]
    (write,) = damages[0].mend
    assert (write.sets["status"], write.sets["installed_at"], write.sets["platform"]) == ("installed", 5, "ios")
    assert write.expect == {"revision": 6, "registrations": 1, "status": "uninstalled"}


@pytest.mark.parametrize(
    ("installed_at", "status", "uninstalled_at"),
    [({"installed_at": 5}, "uninstalled", 1000), ({}, "not_been_installed", None)],
)
def test_without_devices_a_pass_is_what_it_was_before(
    installed_at: Row, status: str, uninstalled_at: int | None
) -> None:
    row = {**ROW, "status": "installed", "tags": frozenset(), **installed_at}

    (damage,) = judge(HEALTHY, row=row, memberships=[])

    assert damage.truth == {"pass_id": PASS_ID, "status": status}
    assert (damage.mend[0].sets["status"], damage.mend[0].sets["uninstalled_at"]) == (status, uninstalled_at)


@pytest.mark.parametrize(
    ("found", "rival", "count", "mends"),
    [
        ({"target_id": PASS_ID}, False, 0, 0),
        (None, False, 1, 2),
        ({"target_id": 5}, False, 1, 2),
        ({"target_id": 5}, True, 1, 0),
    ],
)
def test_a_name_leads_to_who_bears_it(found: Row | None, rival: bool, count: int, mends: int) -> None:
    place = name_place("3#pass#secret name", TEMPLATE)

    damages = judge(HEALTHY, names=[NameFact(place, PASS_ID, found, rival)])

    assert len(damages) == count
    assert sum(len(damage.mend) for damage in damages) == mends
    assert not any("secret name" in damage.place + damage.detail for damage in damages)


def test_every_mend_depends_on_what_was_read() -> None:
    damages = [
        *judge(
            INSTALLED,
            expected_keys={"segment": 5},
            standing=Standing.DELETED,
            redeems=4,
            memberships=[membership(tag_segment="x", status="gone"), membership(2, generation=5)],
            held=2,
            registrations=[registration(segment=9), registration(registration_id="b", device="b")],
            names=[NameFact(name_place("3#pass#n", 9), PASS_ID, None)],
        ),
        *judge(HEALTHY, memberships=[]),
        *judge(HEALTHY, row={**ROW, "tags": frozenset()}),
        *judge(HEALTHY, row={**ROW, "status": "installed"}),
        *judge(GONE, registrations=[registration()], memberships=[membership()]),
    ]

    assert len(set(kinds(damages))) == 13
    assert all(write.expect for damage in damages for write in damage.mend)
    # a row that follows from the pass is written only while the pass stays as it was read
    for damage in damages:
        if damage.kind in (Kind.MEMBERSHIP_MISSING, Kind.MEMBERSHIP_STRAY, Kind.MEMBERSHIP_STATUS, Kind.EXTERNAL_ID):
            assert any(write.action is Action.CHECK and write.place.table == "passes" for write in damage.mend)


def test_two_looks_at_devices_that_come_and_go_do_not_agree() -> None:
    row = {**ROW, "status": "installed", "registrations": 2}
    (first,) = judge(INSTALLED, row=row, memberships=[membership(status="installed")])
    (second,) = judge(INSTALLED, row=row, registrations=[registration(registration_id="another")])

    assert first.spot == second.spot
    assert first.identity != second.identity


def test_what_stays_damaged_is_known() -> None:
    known = Known()
    (damage,) = judge(INSTALLED, registrations=[registration(template_segment="x")])
    known.note(damage.kind, damage.truth)
    known.note(damage.kind, damage.truth)
    (stray,) = judge(GONE, registrations=[registration()])
    known.note(stray.kind, stray.truth)

    assert known.misplaced == {
        f"template-registrations:{TEMPLATE}.1": [("a hash", PASS_ID)],
        f"pass-registrations:{PASS_ID}.1": [("a hash", PASS_ID)],
    }
    assert known.strays == {("a hash", PASS_ID)}
