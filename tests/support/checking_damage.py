"""Damage to plant in a project: each kind that the check knows, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalicelib.domain.checking import Kind
from tests.support.builders import make_passes
from tests.support.checking_world import World

Plant = Callable[[World], None]


def _list_a_gone_pass(world: World) -> None:
    world.put_membership(world.named[0], "silver", pass_id=world.gone)


def _leave_registration(world: World) -> None:
    row = world.raw.get("registrations", **world.registration())
    assert row is not None
    left: dict[str, Any] = {
        "device": "left behind",
        "registration_id": "left behind",
        "pass_id": world.gone,
        "number": world.free_number,
        "pass_segment": f"pass-registrations:{world.gone}.0",
    }
    world.raw.put("registrations", {**row, **left}, key=("device", "pass_id"))


def _hide_registration(world: World) -> None:
    """In no index that leads to its pass."""
    world.raw.change("registrations", world.registration(), segment=1, pass_segment="nowhere", token_key="nobody")


def _name_what_does_not_bear_it(world: World) -> None:
    row: dict[str, Any] = {**world.name(77), "target_id": world.named[0].pass_id}
    world.raw.put("external-ids", row, key=("key", "parent_id"))


def name_a_gone_pass(world: World) -> None:
    """A redeem code that leads to a pass that never was."""
    key = f"{world.project_id}#code#{world.campaign.template_id}#abc"
    world.raw.put("external-ids", {"key": key, "parent_id": 0, "target_id": world.gone}, key=("key", "parent_id"))


def _name_a_tag_twice(world: World) -> None:
    row = world.raw.get("tags", **world.tag_row("tin", by="name"))
    assert row is not None
    world.raw.put("tags", {**row, "key": f"{world.project_id}#name#pewter", "name": "pewter"}, key=("key",))


def _leave_dead_counter(world: World) -> None:
    world.count(f"tag-passes:{world.project_id}.{world.tags['gold'].tag_id}.77", installed=1)


def _lag(prefix: str, owner: Callable[[World], int], value: int = 0) -> Plant:
    return lambda world: world.raw.change("sequences", {"name": f"{prefix}:{owner(world)}"}, value=value)


def _project(world: World) -> int:
    return world.project_id


def _campaign(world: World) -> int:
    return world.campaign.template_id


def _ticket(position: int, **values: Any) -> Plant:
    return lambda world: world.raw.change("tickets", {"ticket_id": world.tickets[position]}, **values)


def _campaign_name(world: World) -> dict[str, Any]:
    return {"key": f"{world.project_id}#campaign#{world.campaign.name}", "parent_id": 0}


MENDABLE: dict[str, list[tuple[Kind, Plant]]] = {
    "index keys of passes": [
        (Kind.PASS_KEYS, lambda world: world.damage_pass(world.passes[1], updated_shard="1.999")),
        (Kind.PASS_KEYS, lambda world: world.damage_pass(world.passes[2], segment=99_999)),
        (Kind.PASS_KEYS, lambda world: world.damage_pass(world.named[0], code_key="1#x", template_segment="nowhere")),
    ],
    "what passes say": [
        (Kind.STATUS, lambda world: world.damage_pass(world.passes[0], status="uninstalled")),
        (Kind.STATUS, lambda world: world.damage_pass(world.passes[1], status="installed")),
        (Kind.REGISTRATION_COUNT, lambda world: world.damage_pass(world.passes[2], registrations=7)),
        (Kind.REDEEM_COUNT, lambda world: world.damage_pass(world.passes[0], redeemed_count=7)),
    ],
    "memberships": [
        (
            Kind.MEMBERSHIP_MISSING,
            lambda world: world.raw.delete("memberships", **world.membership(world.passes[1], "gold")),
        ),
        (Kind.MEMBERSHIP_MISSING, lambda world: world.put_membership(world.passes[2], "gold", generation=77)),
        (Kind.MEMBERSHIP_STRAY, lambda world: world.put_membership(world.named[0], "gold")),
        (Kind.MEMBERSHIP_STRAY, _list_a_gone_pass),
        (Kind.MEMBERSHIP_STATUS, lambda world: world.put_membership(world.passes[0], "gold", status="uninstalled")),
        (Kind.MEMBERSHIP_KEYS, lambda world: world.put_membership(world.passes[1], "silver", tag_segment="nowhere")),
        (Kind.MEMBERSHIP_DEAD, lambda world: world.put_membership(world.named[1], "gold", generation=77)),
    ],
    "registrations and redeems": [
        (Kind.REGISTRATION_STRAY, _leave_registration),
        (
            Kind.REGISTRATION_KEYS,
            lambda world: world.raw.change("registrations", world.registration(), template_segment="elsewhere"),
        ),
        (
            Kind.REDEEM_KEYS,
            lambda world: world.raw.change(
                "redeems", {"pass_id": world.passes[0].pass_id, "number": 1}, template_segment="elsewhere"
            ),
        ),
    ],
    "a registration that nothing leads to": [(Kind.REGISTRATION_KEYS, _hide_registration)],
    "external ids and names": [
        (Kind.EXTERNAL_ID, lambda world: world.raw.delete("external-ids", **world.name(1))),
        (
            Kind.EXTERNAL_ID,
            lambda world: world.raw.change("external-ids", world.name(2), target_id=world.passes[1].pass_id),
        ),
        (Kind.EXTERNAL_ID, _name_what_does_not_bear_it),
        (Kind.EXTERNAL_ID, name_a_gone_pass),
        (Kind.EXTERNAL_ID, lambda world: world.raw.delete("external-ids", **_campaign_name(world))),
    ],
    "tags": [
        (Kind.TAG_ROWS, lambda world: world.raw.delete("tags", **world.tag_row("gold", by="name"))),
        (Kind.TAG_ROWS, lambda world: world.raw.delete("tags", **world.tag_row("silver", by="id"))),
        (Kind.TAG_ROWS, lambda world: world.raw.change("tags", world.tag_row("copper", by="name"), generation=5)),
        (Kind.TAG_ROWS, lambda world: world.raw.change("tags", world.tag_row("iron", by="id"), project_segment=None)),
        (Kind.TAG_ROWS, _name_a_tag_twice),
    ],
    "counters of passes": [
        (Kind.COUNTER, lambda world: world.count(f"project-passes:{world.project_id}", installed=1)),
        (Kind.COUNTER, lambda world: world.count(f"template-passes:{_campaign(world)}", not_been_installed=-1)),
        (Kind.COUNTER, lambda world: world.count(world.tags["gold"].collection.key, stripe=5, uninstalled=3)),
        (Kind.COUNTER, lambda world: world.count(world.tags["gold"].collection.key, segment=7, installed=2)),
        (
            Kind.COUNTER,
            lambda world: world.raw.delete(
                "segments", collection=world.tags["silver"].collection.key, slot=world.segment * 16
            ),
        ),
        (Kind.COUNTER_NEGATIVE, lambda world: world.count(world.tags["iron"].collection.key, uninstalled=-4)),
        (Kind.COUNTER_DEAD, _leave_dead_counter),
    ],
    "other counters": [
        (Kind.COUNTER, lambda world: world.count(f"project-tags:{world.project_id}", member=1)),
        (Kind.COUNTER, lambda world: world.count(f"template-registrations:{_campaign(world)}", pass2u=1)),
        (Kind.COUNTER, lambda world: world.count(f"pass-registrations:{world.passes[0].pass_id}", passbook=1)),
        (Kind.COUNTER, lambda world: world.count(f"pass-registrations:{world.passes[1].pass_id}", passbook=1)),
        (Kind.COUNTER, lambda world: world.count(f"template-redeems:{_campaign(world)}", member=1)),
        (Kind.COUNTER, lambda world: world.count(f"pass-redeems:{world.passes[0].pass_id}", member=5)),
    ],
    "reports": [
        (Kind.REPORT_REDEEMS, lambda world: world.report(redeems=2)),
        (Kind.REPORT_INSTALLS, lambda world: world.report(installs_ios=1, installs_android=-1)),
    ],
    "sequences": [
        (Kind.SEQUENCE_BEHIND, _lag("passes", _project, value=2)),
        (Kind.SEQUENCE_BEHIND, _lag("tags", _project)),
        (Kind.SEQUENCE_BEHIND, _lag("registrations", _campaign)),
        (Kind.SEQUENCE_BEHIND, _lag("redeems", _campaign)),
        (Kind.SEQUENCE_BEHIND, _lag("codes", _campaign, value=1)),
        (Kind.SEQUENCE_BEHIND, _lag("looks", _project)),
        (Kind.SEQUENCE_BEHIND, _lag("assets", _project)),
    ],
    "tickets": [
        (Kind.TICKET_OPEN, _ticket(0, status="QUEUED")),
        (Kind.TICKET_OPEN, _ticket(1, open="open")),
        (Kind.TICKET_PROGRESS, _ticket(2, status="QUEUED", open="open", processed=99, segments_done=0)),
    ],
}
"""each plant is to be found as its kind, and all of them as nothing else"""


# What is left to a person


def _forget_template(world: World) -> None:
    world.raw.delete("templates", project_id=world.project_id, template_id=world.lone.template_id)
    key = f"{world.project_id}#template#a card"
    world.raw.delete("external-ids", key=key, parent_id=0)


def _share_block(world: World) -> None:
    other = world.stack.tenant().project_id
    make_passes(other, 1)
    row = world.raw.get("sequences", name=f"block:{other}:0")
    assert row is not None
    world.raw.put("sequences", {**row, "name": f"block:{world.project_id}:1"}, key=("name",))
    world.raw.change("sequences", {"name": f"passes:{world.project_id}"}, value=1500)


def _claim_name(world: World) -> None:
    """Two passes bear one external id, which leads to the second."""
    world.damage_pass(world.named[2], external_id="name#1")
    world.raw.delete("external-ids", **world.name(2))


def _claim_tag_name(world: World) -> None:
    world.raw.change("tags", world.tag_row("tin", by="id"), name="iron")
    world.raw.delete("tags", **world.tag_row("tin", by="name"))


def _lose_look(world: World) -> None:
    key = {"project_id": world.project_id, "template_id": world.campaign.template_id}
    world.raw.change("templates", key, campaign=json.dumps({"look_id": UNKNOWN_LOOK, "has_unique_name": True}))


def _age_message(world: World) -> None:
    row: dict[str, Any] = {
        "key": "lost",
        "queue": "push",
        "document": json.dumps({"project_id": world.project_id}),
        "created_at": 0,
    }
    world.raw.put("outbox", row, key=("key",))


UNKNOWN_LOOK = "8a2f6a3e-8a5b-4a0e-9d1f-00000000004d"

LEFT: list[tuple[Kind, Plant]] = [
    (Kind.PASS_TEMPLATE, _forget_template),
    (Kind.BLOCK, _share_block),
    (Kind.EXTERNAL_ID, _claim_name),
    (Kind.TAG_ROWS, _claim_tag_name),
    (Kind.TEMPLATE_LOOK, _lose_look),
    (Kind.TICKET_STUCK, _ticket(0, status="QUEUED", open="open", created_at=0)),
    (Kind.OUTBOX_STUCK, _age_message),
    (Kind.UNREADABLE, lambda world: world.damage_pass(world.named[0], content="{no json")),
    (Kind.PROJECT_MISSING, lambda world: world.raw.delete("projects", project_id=world.project_id)),
]
