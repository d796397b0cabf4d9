"""What must hold between a pass and its rows in the lists of tags."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.checking import (
    Damage,
    Kind,
    Row,
    Value,
    Write,
    check,
    delete,
    membership_place,
    pass_place,
    put,
    tag_place,
    update,
)
from chalicelib.domain.checking_facts import PassFacts, true_status, unchanged
from chalicelib.domain.counted_index import passes_of_tag, segment_of
from chalicelib.domain.tags import TagReference


def membership_key(row: Row, project_id: int) -> str:
    """The index key that a membership must have."""
    collection = passes_of_tag(project_id=project_id, tag_id=int(row["tag_id"]), generation=int(row["generation"]))
    return collection.segment_key(segment_of(int(row["pass_id"])))


def judge_memberships(facts: PassFacts) -> Iterator[Damage]:
    for row in facts.memberships:
        reference = TagReference(int(row["tag_id"]), int(row["generation"]))
        if reference.tag_id in facts.doubtful or facts.project_id is None:
            continue
        if not facts.is_live(reference):
            yield from _judge_dead_membership(facts, row, reference)
        elif reference not in facts.references:
            place = membership_place(facts.pass_id, reference.tag_id)
            yield Damage(
                kind=Kind.MEMBERSHIP_STRAY,
                place=str(place),
                detail=f"tag {reference.tag_id} lists pass {facts.pass_id}, which does not have it",
                project_id=facts.project_id,
                mend=(delete(place, {"generation": reference.generation}), unchanged(facts)),
            )
        else:
            yield from _judge_living_membership(facts, row)


def _judge_dead_membership(facts: PassFacts, row: Row, reference: TagReference) -> Iterator[Damage]:
    tag, project_id = facts.tags.get(reference.tag_id), facts.project_id
    assert project_id is not None
    collection = passes_of_tag(project_id=project_id, tag_id=reference.tag_id, generation=reference.generation).key
    is_overdue = any(each.tag_id == reference.tag_id and facts.is_live(each) for each in facts.references)
    if collection in facts.noted or is_overdue:
        return
    place = membership_place(facts.pass_id, reference.tag_id)
    mend: tuple[Write, ...] = (delete(place, {"generation": reference.generation}),)
    if tag is not None:
        mend += (check(tag_place(str(tag["key"])), {"generation": tag["generation"]}),)
    elif not facts.tags_verified:
        mend = ()
    yield Damage(
        kind=Kind.MEMBERSHIP_DEAD,
        place=str(place),
        detail=f"{collection} is dead and not noted for the sweep",
        project_id=project_id,
        mend=mend,
    )


def _judge_living_membership(facts: PassFacts, row: Row) -> Iterator[Damage]:
    assert facts.row is not None
    assert facts.project_id is not None
    place, generation = membership_place(facts.pass_id, int(row["tag_id"])), row["generation"]
    key = membership_key(row, facts.project_id)
    if row.get("tag_segment") != key:
        yield Damage(
            kind=Kind.MEMBERSHIP_KEYS,
            place=str(place),
            detail=f"tag_segment is {row.get('tag_segment')}, not {key}",
            project_id=facts.project_id,
            mend=(update(place, {"generation": generation, "tag_segment": row.get("tag_segment")}, tag_segment=key),),
        )
    status = true_status(facts.row, held=facts.held)
    if row.get("status") != status:
        expect = {"generation": generation, "status": row.get("status")}
        yield Damage(
            kind=Kind.MEMBERSHIP_STATUS,
            place=str(place),
            detail=f"it says {row.get('status')}, the pass is {status}",
            project_id=facts.project_id,
            mend=(update(place, expect, status=status), *_status_unmoved(facts, facts.row)),
        )


def _status_unmoved(facts: PassFacts, row: Row) -> tuple[Write, ...]:
    """Demands that the pass still has the status, and as many devices, as was read."""
    expect = {"revision": row["revision"], "registrations": row.get("registrations")}
    return (check(pass_place(facts.pass_id), expect),)


def find_missing_memberships(facts: PassFacts, row: Row) -> Iterator[Damage]:
    found = {int(each["tag_id"]): int(each["generation"]) for each in facts.memberships}
    for reference in sorted(facts.references, key=lambda each: each.tag_id):
        there = found.get(reference.tag_id)
        if reference.tag_id in facts.doubtful or not facts.is_live(reference) or there == reference.generation:
            continue
        tag = facts.tags[reference.tag_id]
        place = membership_place(facts.pass_id, reference.tag_id)
        values: dict[str, Value] = {
            "pass_id": facts.pass_id,
            "tag_id": reference.tag_id,
            "generation": reference.generation,
            "status": true_status(row, held=facts.held),
        }
        values["tag_segment"] = membership_key(values, int(row["project_id"]))
        yield Damage(
            kind=Kind.MEMBERSHIP_MISSING,
            place=str(place),
            detail=f"pass {facts.pass_id} has tag {reference.tag_id}, whose list lacks it",
            project_id=facts.project_id,
            mend=(
                put(place, values, over=None if there is None else {"generation": there}),
                *_status_unmoved(facts, row),
                check(tag_place(str(tag["key"])), {"generation": reference.generation}),
            ),
        )
