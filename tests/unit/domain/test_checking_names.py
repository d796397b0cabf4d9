"""What is damage of tags, names, templates, blocks, sequences, tickets and messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.checking import Action, Damage, Kind, Row, name_place, pass_place
from chalicelib.domain.checking_facts import NameFact
from chalicelib.domain.checking_names import TagFacts, judge_name_row, judge_tag, judge_template
from chalicelib.domain.checking_numbers import (
    Marks,
    judge_block,
    judge_message,
    judge_redeem,
    judge_sequence,
    judge_ticket,
    redeem_keys,
)
from chalicelib.domain.passes import as_milliseconds

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VALUES: Row = {"project_id": 3, "tag_id": 7, "name": "gold", "generation": 2, "created_at": 1}
BY_ID: Row = {**VALUES, "key": "3#id#7", "project_segment": "project-tags:3.0"}
BY_NAME: Row = {**VALUES, "key": "3#name#gold"}

TAG = TagFacts(
    project_id=3,
    tag_id=7,
    id_key="3#id#7",
    name_key="3#name#gold",
    by_id=BY_ID,
    by_name=BY_NAME,
    claimed=None,
    holder=None,
    index_key="project-tags:3.0",
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"by_id": None, "by_name": None},
        {"by_id": None, "by_name": {**BY_NAME, "tag_id": 8}},
    ],
    ids=["whole", "gone", "another's"],
)
def test_a_tag_with_two_rows_that_agree_is_whole(changes: dict[str, Any]) -> None:
    assert judge_tag(replace(TAG, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "action", "key", "value"),
    [
        ({"by_id": None}, Action.PUT, "3#id#7", {"project_segment": "project-tags:3.0", "generation": 2}),
        ({"by_name": None}, Action.PUT, "3#name#gold", {"tag_id": 7, "generation": 2}),
        ({"by_name": {**BY_NAME, "generation": 5}}, Action.UPDATE, "3#name#gold", {"generation": 2}),
        ({"by_name": {**BY_NAME, "tag_id": 8}}, Action.UPDATE, "3#name#gold", {"tag_id": 7}),
        (
            {"by_id": {**BY_ID, "project_segment": "x"}},
            Action.UPDATE,
            "3#id#7",
            {"project_segment": "project-tags:3.0"},
        ),
        ({"claimed": {**BY_NAME, "key": "3#name#golden"}}, Action.DELETE, "3#name#golden", {}),
    ],
)
def test_a_tag_is_mended_from_its_row_by_id(
    changes: dict[str, Any], action: Action, key: str, value: dict[str, Any]
) -> None:
    (damage,) = judge_tag(replace(TAG, **changes))

    write = damage.mend[0]
    assert (damage.kind, write.action, write.place.key) == (Kind.TAG_ROWS, action, (("key", key),))
    assert value.items() <= write.sets.items()
    assert all(each.expect for each in damage.mend)
    assert damage.truth == {"project_id": 3, "tag_id": 7}


def test_two_tags_of_one_name_are_left() -> None:
    (damage,) = judge_tag(replace(TAG, by_name={**BY_NAME, "tag_id": 8}, holder={**BY_ID, "tag_id": 8}))

    assert damage.mend == ()


@pytest.mark.parametrize(
    ("target_row", "expect"),
    [(None, {"pass_id": None}), ({"revision": 4}, {"revision": 4}), ({"name": "x"}, {"name": "x"})],
)
def test_a_name_that_nobody_bears_is_removed_while_that_is_so(target_row: Row | None, expect: Row) -> None:
    def judge(*, bears: bool) -> list[Damage]:
        return judge_name_row(
            {"target_id": 5},
            name_place("3#pass#n", 9),
            project_id=3,
            target=pass_place(5),
            target_row=target_row,
            bears=bears,
        )

    (damage,) = judge(bears=False)
    removed, unchanged = damage.mend
    assert (removed.action, removed.expect, unchanged.expect) == (Action.DELETE, {"target_id": 5}, expect)
    assert judge(bears=True) == []


def test_a_template_needs_its_names_and_its_look() -> None:
    row = {"project_id": 3, "template_id": 9, "revision": 2, "campaign": '{"look_id":"l"}'}
    name = NameFact(name_place("3#template#n", 0), 9, None)

    damages = judge_template(row, [name], look_exists=lambda _: False)

    assert [damage.kind for damage in damages] == [Kind.EXTERNAL_ID, Kind.TEMPLATE_LOOK]
    assert judge_template(row, [], look_exists=lambda look_id: look_id == "l") == []


def test_a_redeem_is_listed_under_its_template_and_pass() -> None:
    row = {"pass_id": 4711, "number": 1001, "template_id": 9, "redeem_id": "r"}
    assert redeem_keys(row) == {"template_segment": "template-redeems:9.1", "pass_segment": "pass-redeems:4711.1"}

    assert judge_redeem({**row, **redeem_keys(row)}, project_id=3) == []
    (damage,) = judge_redeem({**row, **redeem_keys(row), "pass_segment": "x"}, project_id=3)
    assert damage.mend[0].sets == {"pass_segment": "pass-redeems:4711.1"}


@pytest.mark.parametrize(
    ("leases", "projects", "project_id"),
    [
        ([(1, 0), (2, 4)], [1], None),
        ([(1, 0)], [1, 2], None),
        ([], [1], 1),
        ([(1, 0), (1, 3)], [1], 1),
        ([(1, 0)], [2], None),
    ],
)
def test_a_block_of_two_projects_or_of_none_is_damage(
    leases: list[tuple[int, int]], projects: list[int], project_id: int | None
) -> None:
    (damage,) = judge_block(5, leases=leases, projects=projects)

    assert (damage.kind, damage.mend, damage.project_id) == (Kind.BLOCK, (), project_id)


@pytest.mark.parametrize(("leases", "projects"), [([], []), ([(1, 0)], []), ([(1, 0)], [1])])
def test_a_block_of_one_project_is_whole(leases: list[tuple[int, int]], projects: list[int]) -> None:
    assert judge_block(5, leases=leases, projects=projects) == []


@pytest.mark.parametrize(
    ("row", "action"), [({"value": 6}, None), ({"value": 5}, None), ({"value": 4}, Action.UPDATE), (None, Action.PUT)]
)
def test_a_sequence_is_moved_on_but_never_back(row: Row | None, action: Action | None) -> None:
    damages = judge_sequence("tags:3", row=row, used=5, project_id=3)

    assert [damage.mend[0].action for damage in damages] == ([] if action is None else [action])
    assert all(damage.mend[0].sets["value"] == 5 for damage in damages)


def ticket(**values: Any) -> Row:
    return {
        "ticket_id": 6,
        "project_id": 3,
        "tag_id": 7,
        "status": "QUEUED",
        "open": "open",
        "created_at": as_milliseconds(NOW - timedelta(minutes=59)),
        "processed": 10,
        "total": 20,
        "segments_done": 1,
        "segments_failed": 0,
        **values,
    }


MARKS = Marks(passes=10, done=1, failed=0)


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        (ticket(), []),
        ({name: value for name, value in ticket(status="COMPLETED").items() if name != "open"}, []),
        ({name: value for name, value in ticket().items() if name != "open"}, [Kind.TICKET_OPEN]),
        (ticket(status="FAILED"), [Kind.TICKET_OPEN]),
        (ticket(processed=9), [Kind.TICKET_PROGRESS]),
        (ticket(segments_failed=1), [Kind.TICKET_PROGRESS]),
        (ticket(created_at=0), [Kind.TICKET_STUCK]),
        ({name: value for name, value in ticket(created_at=0).items() if name not in ("tag_id", "open")}, []),
    ],
)
def test_a_bulk_update_is_listed_counted_and_moves(row: Row, kinds: list[Kind]) -> None:
    damages = judge_ticket(row, MARKS, open_value="open", now=NOW)

    assert [damage.kind for damage in damages] == kinds
    assert all(write.expect["status"] == row["status"] for damage in damages for write in damage.mend)


def test_a_bulk_update_that_moves_is_not_stuck() -> None:
    """Two looks at it do not agree."""
    (first,) = judge_ticket(ticket(created_at=0), None, open_value="open", now=NOW)
    (second,) = judge_ticket(ticket(created_at=0, segments_done=2), None, open_value="open", now=NOW)

    assert first.identity != second.identity


@pytest.mark.parametrize(("minutes", "count"), [(59, 0), (60, 0), (61, 1)])
def test_a_message_waits_an_hour_before_it_is_stuck(minutes: int, count: int) -> None:
    created_at = as_milliseconds(NOW - timedelta(minutes=minutes))

    damages = judge_message({"key": "k", "queue": "push", "created_at": created_at}, project_id=3, now=NOW)

    assert [damage.kind for damage in damages] == [Kind.OUTBOX_STUCK] * count
