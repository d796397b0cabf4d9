"""What must hold between a pass and the rows that follow from it: tags, registrations, names, index keys.

The registrations decide whether a pass is installed; the pass decides everything else. The same rules judge what was
read in bulk, where a difference is only a suspicion, and one pass that was read consistently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.domain.checking import (
    Damage,
    Kind,
    Row,
    Subject,
    Value,
    Write,
    check,
    delete,
    describe_keys,
    differing,
    pass_place,
    put,
    registration_place,
    sweep_place,
    template_place,
    update,
)
from chalicelib.domain.checking_facts import PassFacts, Standing, true_status, unchanged
from chalicelib.domain.checking_memberships import find_missing_memberships, judge_memberships
from chalicelib.domain.checking_names import judge_names
from chalicelib.domain.counted_index import (
    passes_of_project,
    passes_of_tag,
    passes_of_template,
    registrations_of_pass,
    registrations_of_template,
    segment_of,
)
from chalicelib.domain.passes import PassStatus
from chalicelib.domain.registrations import Wallet, token_key


def judge_pass(facts: PassFacts) -> list[Damage]:
    """Everything that is wrong with one pass."""
    if facts.row is None:
        return [*judge_memberships(facts), *_find_strays(facts)]
    return [
        *_judge_keys(facts, facts.row),
        *_judge_template(facts, facts.row),
        *_judge_registrations(facts, facts.row),
        *judge_memberships(facts),
        *find_missing_memberships(facts, facts.row),
        *judge_names(facts.names, project_id=facts.project_id, bearer=unchanged(facts)),
        *_judge_redeems(facts, facts.row),
    ]


def _judge_keys(facts: PassFacts, row: Row) -> Iterator[Damage]:
    wrong = differing(row, facts.expected_keys)
    if wrong:
        place = pass_place(facts.pass_id)
        expect = {"revision": row["revision"], **{name: row.get(name) for name in wrong}}
        yield Damage(
            kind=Kind.PASS_KEYS,
            place=str(place),
            detail=describe_keys(row, wrong),
            project_id=facts.project_id,
            mend=(update(place, expect, **wrong),),
        )


def _judge_template(facts: PassFacts, row: Row) -> Iterator[Damage]:
    template_id, project_id = int(row["template_id"]), int(row["project_id"])
    if facts.standing is Standing.MISSING:
        yield Damage(
            kind=Kind.PASS_TEMPLATE,
            place=str(pass_place(facts.pass_id)),
            detail=f"it is of template {template_id}, which does not exist",
            project_id=project_id,
        )
    elif facts.standing is Standing.DELETED:
        note = sweep_place(passes_of_template(template_id).key)
        yield Damage(
            kind=Kind.PASS_DELETED_TEMPLATE,
            place=str(pass_place(facts.pass_id)),
            detail=f"it is of template {template_id}, which was deleted",
            project_id=project_id,
            mend=(check(template_place(project_id, template_id), {"deleted": True}), put(note, {})),
        )


def _judge_registrations(facts: PassFacts, row: Row) -> Iterator[Damage]:
    held, said = facts.held, row.get("registrations")
    seen = (said, row["status"], frozenset(registration["registration_id"] for registration in facts.registrations))
    place = pass_place(facts.pass_id)
    unmoved = {"revision": row["revision"], "registrations": said}
    if said != held:
        yield Damage(
            kind=Kind.REGISTRATION_COUNT,
            place=str(place),
            detail=f"it says that {said} devices hold it, there are {held}",
            project_id=facts.project_id,
            mend=(update(place, unmoved, registrations=held),),
            seen=seen,
        )
    status = true_status(row, held=held)
    if status != row["status"]:
        yield Damage(
            kind=Kind.STATUS,
            place=str(place),
            detail=f"it is {row['status']}, and {held} devices hold it",
            project_id=facts.project_id,
            mend=(_set_status(facts, row, status, unmoved),),
            seen=seen,
            truth={"pass_id": facts.pass_id, "status": status},
            wakes=_counters_of(facts, row),
        )
    for registration in facts.registrations:
        yield from judge_registration(registration)


def _counters_of(facts: PassFacts, row: Row) -> tuple[Subject, ...]:
    """The counters in which a pass counts under its status: one that agreed with a wrong status is wrong after it."""
    project_id, segment = int(row["project_id"]), segment_of(facts.pass_id)
    collections = [passes_of_project(project_id), passes_of_template(int(row["template_id"]))]
    collections += [
        passes_of_tag(project_id=project_id, tag_id=reference.tag_id, generation=reference.generation)
        for reference in sorted(facts.references, key=lambda each: each.tag_id)
        if facts.is_live(reference)
    ]
    return tuple(Subject("counter", (collection.key, segment, project_id)) for collection in collections)


def _set_status(facts: PassFacts, row: Row, status: str, unmoved: Mapping[str, Value | None]) -> Write:
    """Only the pass itself: what is counted and listed under another status is mended where it is, if it is wrong."""
    sets: dict[str, Value | None] = {"status": status, "revision": int(row["revision"]) + 1, "uninstalled_at": None}
    if status == PassStatus.INSTALLED:
        for first in sorted(facts.registrations, key=lambda each: int(each["number"]))[:1]:
            sets["installed_at"] = row.get("installed_at", first["created_at"])
            sets["platform"] = row.get("platform", Wallet(str(first["wallet"])).device_os)
    elif status == PassStatus.UNINSTALLED:
        sets["uninstalled_at"] = facts.now_milliseconds
    return update(pass_place(facts.pass_id), {**unmoved, "status": row["status"]}, **sets)


def registration_keys(row: Row) -> dict[str, Value]:
    """The index keys that a registration must have."""
    segment = segment_of(int(row["number"]))
    return {
        "template_segment": registrations_of_template(int(row["template_id"])).segment_key(segment),
        "pass_segment": registrations_of_pass(int(row["pass_id"])).segment_key(segment),
        "segment": segment_of(int(row["pass_id"])),
        "token_key": token_key(pass_type=str(row["pass_type"]), push_token=str(row["push_token"])),
    }


def judge_registration(row: Row) -> Iterator[Damage]:
    """Whether a registration can be found where it belongs."""
    wrong = differing(row, registration_keys(row))
    if wrong:
        place = registration_place(str(row["device"]), int(row["pass_id"]))
        told = ("registration_id", "push_token", "pass_type", "number", *wrong)
        yield Damage(
            kind=Kind.REGISTRATION_KEYS,
            place=_name_registration(row),
            detail=describe_keys(row, wrong),
            project_id=int(row["project_id"]),
            mend=(update(place, {name: row.get(name) for name in told}, **wrong),),
            truth={"device": row["device"], "pass_id": row["pass_id"], **registration_keys(row)},
        )


def _name_registration(row: Row) -> str:
    """The device is a hash of what opens its passes, so the registration's id stands for it."""
    return f"registrations {row['registration_id']} of pass {row['pass_id']}"


def _find_strays(facts: PassFacts) -> Iterator[Damage]:
    for row in facts.registrations:
        place = registration_place(str(row["device"]), facts.pass_id)
        yield Damage(
            kind=Kind.REGISTRATION_STRAY,
            place=_name_registration(row),
            detail=f"pass {facts.pass_id} does not exist",
            project_id=int(row["project_id"]),
            mend=(delete(place, {"registration_id": row["registration_id"]}), unchanged(facts)),
            truth={"device": row["device"], "pass_id": facts.pass_id},
        )
        yield from judge_registration(row)


def _judge_redeems(facts: PassFacts, row: Row) -> Iterator[Damage]:
    said = row.get("redeemed_count")
    if facts.redeems is not None and said != facts.redeems:
        place = pass_place(facts.pass_id)
        yield Damage(
            kind=Kind.REDEEM_COUNT,
            place=str(place),
            detail=f"it says {said} redeems, there are {facts.redeems}",
            project_id=facts.project_id,
            mend=(
                update(
                    place,
                    {"revision": row["revision"], "redeemed_count": said},
                    redeemed_count=facts.redeems,
                    revision=int(row["revision"]) + 1,
                ),
            ),
        )
