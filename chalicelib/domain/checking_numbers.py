"""What must hold for redeems, blocks, sequences, tickets and messages under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.checking import (
    Damage,
    Kind,
    Place,
    Row,
    Value,
    describe_keys,
    differing,
    outbox_place,
    project_place,
    put,
    redeem_place,
    sequence_place,
    ticket_place,
    update,
)
from chalicelib.domain.counted_index import redeems_of_pass, redeems_of_template, segment_of
from chalicelib.domain.passes import as_milliseconds
from chalicelib.domain.tickets import UNFINISHED

STUCK = timedelta(hours=1)
"""four turns of the schedule that sends lost messages again"""


def redeem_keys(row: Row) -> dict[str, Value]:
    """The index keys that a redeem must have."""
    segment = segment_of(int(row["number"]))
    return {
        "template_segment": redeems_of_template(int(row["template_id"])).segment_key(segment),
        "pass_segment": redeems_of_pass(int(row["pass_id"])).segment_key(segment),
    }


def judge_redeem(row: Row, *, project_id: int | None) -> list[Damage]:
    """Whether a redeem can be found where it belongs."""
    wrong = differing(row, redeem_keys(row))
    if not wrong:
        return []
    place = redeem_place(int(row["pass_id"]), int(row["number"]))
    expect = {"redeem_id": row["redeem_id"], **{name: row.get(name) for name in wrong}}
    return [
        Damage(
            kind=Kind.REDEEM_KEYS,
            place=str(place),
            detail=describe_keys(row, wrong),
            project_id=project_id,
            mend=(update(place, expect, **wrong),),
            truth={"pass_id": row["pass_id"], "number": row["number"], **redeem_keys(row)},
        )
    ]


def judge_block(block: int, *, leases: Sequence[tuple[int, int]], projects: Sequence[int]) -> list[Damage]:
    """Whether a block belongs to one project: by its leases, each of a project and its number there, and its passes."""
    owners = sorted({project_id for project_id, _ in leases})
    passes = f"passes of projects {_list(projects)}" if projects else "no passes"
    if len(leases) == 1 and set(projects) <= set(owners):
        return []
    if not leases and not projects:
        return []
    leased = f"leased by projects {_list(owners)}" if owners else "leased by nobody"
    if len(leases) > len(owners):
        leased += " more than once"
    involved = {*owners, *projects}
    return [
        Damage(
            kind=Kind.BLOCK,
            place=f"block {block}",
            detail=f"it is {leased} and has {passes}",
            project_id=next(iter(involved)) if len(involved) == 1 else None,
        )
    ]


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


SEQUENCES: Mapping[str, str] = {
    "projects": "projects, and projects of keys and blocks",
    "templates": "templates, and templates of passes",
    "tickets": "tickets, and tickets in passes",
    "pass-blocks": "leases of blocks",
    "passes": "passes, by their place in their blocks",
    "codes": "redeem codes of passes that did not bring one",
    "tags": "tags",
    "looks": "looks",
    "assets": "images",
    "registrations": "registrations",
    "redeems": "redeems",
}
"""every sequence that rows have numbers of, by the part of its name before a colon, and what has them"""


def judge_sequence(name: str, *, row: Row | None, used: int, project_id: int | None) -> list[Damage]:
    """Whether a sequence has got as far as its numbers are in use."""
    value = None if row is None else int(row["value"])
    if value is not None and value >= used:
        return []
    place = sequence_place(name)
    mend = put(place, {"value": used}) if value is None else update(place, {"value": value}, value=used)
    return [
        Damage(
            kind=Kind.SEQUENCE_BEHIND,
            place=str(place),
            detail=f"it stands at {value or 0}, and {used} is in use",
            project_id=project_id,
            mend=(mend,),
            # behind it stays however many take a number meanwhile
            seen=("behind",),
        )
    ]


@dataclass(frozen=True, slots=True)
class Marks:
    """What the marks of a ticket's segments add up to."""

    passes: int
    done: int
    failed: int


def judge_ticket(row: Row, marks: Marks | None, *, open_value: str, now: datetime) -> list[Damage]:
    """Whether a bulk update is listed as open if it is, counts what its segments did, and moves."""
    is_bulk = "tag_id" in row or "template_id" in row
    is_open = is_bulk and row["status"] in UNFINISHED
    place, project_id = ticket_place(int(row["ticket_id"])), int(row["project_id"])
    damages = []
    if ("open" in row) != is_open:
        should = open_value if is_open else None
        expect = {"status": row["status"], "open": row.get("open")}
        damages.append(
            Damage(
                kind=Kind.TICKET_OPEN,
                place=str(place),
                detail=f"it is {row['status']} and {'not ' if is_open else ''}listed among the open ones",
                project_id=project_id,
                mend=(update(place, expect, open=should),),
            )
        )
    if marks is not None:
        damages += _judge_progress(row, marks, place)
    if is_open and as_milliseconds(now - STUCK) > int(row["created_at"]):
        hours = (as_milliseconds(now) - int(row["created_at"])) // 3_600_000
        damages.append(
            Damage(
                kind=Kind.TICKET_STUCK,
                place=str(place),
                detail=f"{row['status']} for {hours} h, {row['processed']} of {row['total']} passes are done",
                project_id=project_id,
                seen=(row["status"], row["segments_done"], row["segments_failed"]),
            )
        )
    return damages


def _judge_progress(row: Row, marks: Marks, place: Place) -> list[Damage]:
    expected: Mapping[str, int] = {
        "processed": marks.passes,
        "segments_done": marks.done,
        "segments_failed": marks.failed,
    }
    wrong = differing(row, expected)
    if not wrong:
        return []
    return [
        Damage(
            kind=Kind.TICKET_PROGRESS,
            place=str(place),
            detail=describe_keys(row, wrong),
            project_id=int(row["project_id"]),
            mend=(update(place, {"status": row["status"], **{name: row.get(name) for name in wrong}}, **wrong),),
        )
    ]


def judge_project(project_id: int, *, exists: bool, keys: int, blocks: int) -> list[Damage]:
    """Whether what names a project names one that exists."""
    if exists or not (keys or blocks):
        return []
    return [
        Damage(
            kind=Kind.PROJECT_MISSING,
            place=str(project_place(project_id)),
            detail=f"it does not exist, and {keys} keys and {blocks} blocks of passes are its",
            project_id=project_id,
        )
    ]


def judge_message(row: Row, *, project_id: int | None, now: datetime) -> list[Damage]:
    """Whether a message of the outbox should have been sent long ago."""
    if int(row["created_at"]) >= as_milliseconds(now - STUCK):
        return []
    hours = (as_milliseconds(now) - int(row["created_at"])) // 3_600_000
    return [
        Damage(
            kind=Kind.OUTBOX_STUCK,
            place=str(outbox_place(str(row["key"]))),
            detail=f"it has waited for queue {row['queue']} for {hours} h",
            project_id=project_id,
        )
    ]
