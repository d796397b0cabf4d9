"""The consistency check finds each kind of damage, only that, and mends it for good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from chalicelib import operations
from chalicelib.commands.checks import check
from chalicelib.domain import redeeming
from chalicelib.domain.checking import Kind
from chalicelib.domain.checking_kinds import KINDS
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import NumberTaken
from chalicelib.domain.issuing import create_pass
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.reporting import day_of
from chalicelib.domain.tags import Tag
from chalicelib.domain.templates import Template, TemplateReference
from chalicelib.store.checking_pass_stage import PassStage
from chalicelib.wiring import get_platform
from tests.contract.campaigns import create_campaign, stored_template
from tests.support import devices
from tests.support.builders import make_passes, make_template
from tests.support.raw_rows import RawRows
from tests.support.recount import read_rows, recount
from tests.support.stack import Stack, Tenant


@dataclass
class World:
    """A project with a little of everything; each test damages it and leaves it whole."""

    stack: Stack
    tenant: Tenant
    raw: RawRows
    campaign: Template
    passes: list[Pass]
    """with two tags; the first is on a device and was redeemed"""
    named: list[Pass]
    """without tags, with external ids"""
    lone: Pass
    """the only one of its template, with three tags"""
    tags: dict[str, Tag]
    tickets: list[int]
    """three bulk updates that are finished"""
    free_number: int
    """a registration number whose registration is gone"""

    @property
    def project_id(self) -> int:
        """The project."""
        return self.tenant.project_id

    @property
    def segment(self) -> int:
        """The segment of all its passes."""
        return self.passes[0].pass_id // 1000

    @property
    def gone(self) -> int:
        """A pass id that was never given out."""
        return self.segment * 1000 + 900

    def damage_pass(self, pass_: Pass, **values: Any) -> None:
        """Other values in the row of a pass."""
        self.raw.change("passes", {"pass_id": pass_.pass_id}, **values)

    def membership(self, pass_: Pass, tag: str) -> dict[str, int]:
        """The key of a tag on a pass."""
        return {"pass_id": pass_.pass_id, "tag_id": self.tags[tag].tag_id}

    def put_membership(self, pass_: Pass, tag: str, **values: Any) -> None:
        """A row in a tag's list."""
        generation = values.get("generation", self.tags[tag].generation)
        key = f"tag-passes:{self.project_id}.{self.tags[tag].tag_id}.{generation}.{self.segment}"
        row: dict[str, Any] = dict(self.membership(pass_, tag))
        row |= {"generation": generation, "tag_segment": key, "status": "not_been_installed", **values}
        self.raw.put("memberships", row, key=("pass_id", "tag_id"))

    def registration(self) -> dict[str, Any]:
        """The key of the one registration."""
        (row,) = get_platform().registrations.list_of_pass(pass_id=self.passes[0].pass_id, limit=5)
        return {"device": row.device, "pass_id": row.pass_id}

    def name(self, position: int) -> dict[str, Any]:
        """The key of the row of an external id."""
        key = f"{self.project_id}#pass#name#{position}"
        return {"key": key, "parent_id": self.campaign.template_id}

    def tag_row(self, tag: str, *, by: str) -> dict[str, Any]:
        """The key of a tag's row by name or by id."""
        return {"key": f"{self.project_id}#{by}#{tag if by == 'name' else self.tags[tag].tag_id}"}

    def count(self, collection: str, *, segment: int | None = None, stripe: int = 0, **changes: int) -> None:
        """Adds to a counter."""
        if segment is None:
            segment = self.segment if "-passes:" in collection else 0
        self.raw.add("segments", {"collection": collection, "slot": segment * 16 + stripe}, **changes)

    def report(self, **changes: int) -> None:
        """Adds to the report of today."""
        self.count(f"template-events:{self.campaign.template_id}", segment=day_of(get_platform().now()), **changes)


def make_world(stack: Stack) -> World:
    tenant = stack.tenant()
    platform, project_id = get_platform(), tenant.project_id
    campaign = stored_template(tenant, create_campaign(tenant, allow_multiple_redeems=True))
    passes = make_passes(project_id, 3, template_id=campaign.template_id, tags=["gold", "silver"])
    reference = TemplateReference(template_id=campaign.template_id)
    news = [NewPass(update=ContentUpdate(), external_id=f"name#{position}") for position in range(3)]
    named = [create_pass(platform, project_id=project_id, template=reference, new=new) for new in news]
    card = make_template(project_id, external_id="a card").template_id
    lone = make_passes(project_id, 1, template_id=card, tags=["copper", "iron", "tin"])[0]
    first = passes[0]
    devices.install(platform, project_id=project_id, pass_id=first.pass_id)
    devices.install(platform, project_id=project_id, pass_id=first.pass_id, device="another")
    devices.remove(platform, project_id=project_id, pass_id=first.pass_id, device="another")
    redeeming.redeem_pass(platform, campaign, serial_number=first.serial_number, comment=None)
    body = {"fields": {"Points": {"value": "1"}}}
    tickets = [int(tenant.call("PUT", "/v1/tag/gold/passes", json=body)["ticketId"]) for _ in range(3)]
    stack.drain()
    tags, _ = platform.tags.get_tags(project_id=project_id, names=["gold", "silver", "copper", "iron", "tin"])
    return World(
        stack, tenant, RawRows(stack.dynamodb), campaign, passes, named, lone, dict(tags), tickets, free_number=2
    )


@pytest.fixture(scope="module")
def shared_world(stack: Stack) -> World:
    return make_world(stack)


@pytest.fixture
def own_world(stack: Stack) -> World:
    """One that a test may leave damaged, or mended."""
    return make_world(stack)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The world as it should be, and again after the test."""
    assert recount(shared_world.stack.dynamodb, shared_world.project_id) == []
    yield shared_world
    shared_world.raw.put_back()  # what a test has not mended


def run(world: World, folder: Path, *arguments: object, exit_code: int = 0) -> Result:
    options = ["--project", world.project_id, "--patience", 0, "--rate", 1e9, "--state", folder / "state.json"]
    invoked = [str(each) for each in (*options, *arguments)]
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(check, invoked)
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def run_json(world: World, folder: Path, *arguments: object, exit_code: int = 0) -> tuple[list[Any], Any]:
    """The findings, as (kind, outcome) in alphabetical order, and the sum."""
    lines = run(world, folder, "--json", *arguments, exit_code=exit_code).stdout.splitlines()
    documents = [json.loads(line) for line in lines]
    return sorted((each["kind"], each["outcome"]) for each in documents[:-1]), documents[-1]["summary"]


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


def _name_a_gone_pass(world: World) -> None:
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
        (Kind.EXTERNAL_ID, _name_a_gone_pass),
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


def test_a_check_of_everything_finds_damage_of_any_project(world: World, tmp_path: Path) -> None:
    """The first of this file, while there are few projects to read."""
    world.count(f"project-passes:{world.project_id}", installed=1)
    options = ["--patience", "0", "--rate", "1e9", "--state", str(tmp_path / "state.json"), "--json"]

    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(check, options)

    findings = [json.loads(line) for line in result.stdout.splitlines()[:-1]]
    own = [each["kind"] for each in findings if each["project_id"] == world.project_id]
    assert (own, result.exit_code) == (["counter"], 1)


def test_sequences_of_all_projects_that_went_back_are_moved_on(world: World, tmp_path: Path) -> None:
    """As a restore of the one table leaves them; whoever took the next number would write over somebody's row."""
    names = ("projects", "templates", "tickets", "pass-blocks")
    before = {name: world.raw.get("sequences", name=name) for name in names}
    for name in names:
        world.raw.change("sequences", {"name": name}, value=0)
    options = ["--patience", "0", "--rate", "1e9", "--state", str(tmp_path / "state.json"), "--json", "--repair"]

    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(check, options)

    findings = [json.loads(line) for line in result.stdout.splitlines()[:-1]]
    mended = {each["place"] for each in findings if (each["kind"], each["outcome"]) == (Kind.SEQUENCE_BEHIND, "mended")}
    assert mended == {f"sequences {name}" for name in names}
    for name, row in before.items():
        after = world.raw.get("sequences", name=name)
        assert after
        assert row
        assert after["value"] == row["value"], name
    world.raw.forget()


def test_tickets_are_behind_what_passes_remember_of_them(world: World, tmp_path: Path) -> None:
    """Their rows went back with the sequence, but what the passes show was written by higher ones."""
    pass_ = world.passes[1]
    content = json.loads(world.raw.get("passes", pass_id=pass_.pass_id)["content"])  # type: ignore[index]
    content["list_tickets"] = {"locations": 900_000}
    world.damage_pass(pass_, content=json.dumps(content))
    world.damage_pass(world.passes[2], changed_ticket=800_000)

    result = run(world, tmp_path, "--quick", exit_code=1)

    assert "sequences tickets: it stands at " in result.stdout
    assert "and 900000 is in use" in result.stdout


@pytest.mark.parametrize("case", MENDABLE)
def test_damage_is_found_alone_and_mended_for_good(world: World, tmp_path: Path, case: str) -> None:
    kinds = sorted(kind for kind, _ in MENDABLE[case])
    for _, plant in MENDABLE[case]:
        plant(world)

    assert run_json(world, tmp_path, exit_code=1)[0] == [(kind, "found") for kind in kinds]
    mended, summary = run_json(world, tmp_path, "--repair")
    assert mended == [(kind, "mended") for kind in kinds]
    assert (summary["found"], summary["mended"], summary["left"]) == (0, len(kinds), 0)
    assert run_json(world, tmp_path)[0] == []
    assert recount(world.stack.dynamodb, world.project_id, swept=False) == []
    _clear_sweeps(world.stack)
    _finish_tickets(world)
    assert recount(world.stack.dynamodb, world.project_id) == []
    world.raw.forget()


def _clear_sweeps(stack: Stack) -> None:
    operations.resume_unfinished(minimum_age_seconds=0, queues_lost=False)
    stack.drain()


def _finish_tickets(world: World) -> None:
    for ticket_id in world.tickets:
        get_platform().tickets.finish_ticket(ticket_id=ticket_id)


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


def test_what_only_a_person_can_mend_is_left_and_said(world: World, tmp_path: Path) -> None:
    kinds = sorted(kind for kind, _ in LEFT)
    for _, plant in LEFT:
        plant(world)

    assert run_json(world, tmp_path, exit_code=1)[0] == [(kind, "found") for kind in kinds]
    result = run(world, tmp_path, "--repair", exit_code=1)

    assert all(f"left: {kind}: " in result.stdout for kind in kinds)
    assert "    ticket-stuck: `resume` sends lost plans again" in result.stdout
    world.raw.put_back()
    assert recount(world.stack.dynamodb, world.project_id) == []


def test_a_mended_status_makes_its_counters_suspects_again(own_world: World, tmp_path: Path) -> None:
    """They agree with the wrong status, so nobody would look at them a second time."""
    own_world.raw.delete("registrations", **own_world.registration())

    run(own_world, tmp_path, "--repair")

    assert run_json(own_world, tmp_path)[0] == []
    assert recount(own_world.stack.dynamodb, own_world.project_id) == []


@pytest.mark.parametrize("arguments", [[], ["--quick"]], ids=["all", "quick"])
def test_a_pass_that_lost_its_only_redeem_is_found(own_world: World, tmp_path: Path, arguments: list[str]) -> None:
    own_world.raw.delete("redeems", pass_id=own_world.passes[0].pass_id, number=1)

    found, _ = run_json(own_world, tmp_path, *arguments, exit_code=1)
    run(own_world, tmp_path, "--repair", *arguments)

    assert (Kind.REDEEM_COUNT, "found") in found
    assert run_json(own_world, tmp_path)[0] == []
    row = own_world.raw.get("passes", pass_id=own_world.passes[0].pass_id)
    assert row
    assert row["redeemed_count"] == 0


_ROWS: dict[str, Callable[[World], dict[str, Any]]] = {
    "passes": lambda world: {"pass_id": world.passes[0].pass_id},
    "registrations": lambda world: world.registration(),
    "redeems": lambda world: {"pass_id": world.passes[0].pass_id, "number": 1},
    "memberships": lambda world: world.membership(world.passes[1], "gold"),
    "templates": lambda world: {"project_id": world.project_id, "template_id": _campaign(world)},
    "tags": lambda world: world.tag_row("tin", by="id"),
    "external-ids": lambda world: world.name(1),
    "segments": lambda world: {"collection": f"project-passes:{world.project_id}", "slot": world.segment * 16},
    "sequences": lambda world: {"name": f"tags:{world.project_id}"},
    "tickets": lambda world: {"ticket_id": world.tickets[0]},
    "looks": lambda world: {"project_id": world.project_id, "look_number": 1},
}
"""table to the key of one of its rows"""


def _copy_key(key: dict[str, Any], position: int) -> dict[str, Any]:
    """A key that nothing has, in the same project."""
    first, *rest = key.items()
    name, value = rest[0] if rest and isinstance(rest[0][1], int) else first
    return {**key, name: value + 800 + position if isinstance(value, int) else f"{value}0{position}"}


def _plant_nonsense(world: World, *, other_type: bool) -> set[str]:
    """Copies of a row of each table, each of which lacks one attribute or has it in another type; the tables."""
    for table, make in _ROWS.items():
        key = make(world)
        row = world.raw.get(table, **key)
        assert row, table
        for position, name in enumerate(sorted(row.keys() - key.keys())):
            values: Any = {**row, **_copy_key(key, position), name: None}
            other = {**values, name: 5 if isinstance(row[name], str) else "nonsense"}
            try:
                world.raw.put(table, other if other_type else values, key=tuple(key))
            except ClientError:  # a key of an index has one type
                world.raw.put(table, values, key=tuple(key))
    return {*_ROWS} - {"segments"}


@pytest.mark.parametrize("arguments", [[], ["--quick"]], ids=["all", "quick"])
@pytest.mark.parametrize("other_type", [False, True], ids=["missing", "other type"])
def test_a_row_that_makes_no_sense_ends_nothing(
    world: World, tmp_path: Path, arguments: list[str], other_type: bool
) -> None:
    tables = _plant_nonsense(world, other_type=other_type)

    lines = run(world, tmp_path, "--json", "--fresh", *arguments, exit_code=1).stdout.splitlines()
    findings = [json.loads(line) for line in lines[:-1]]

    found = {each["place"].split(" ")[0] for each in findings if each["kind"] == Kind.UNREADABLE}
    assert found >= (tables if not arguments else {"passes", "templates", "looks", "sequences"})


def test_a_status_that_nobody_knows_is_not_spread(world: World, tmp_path: Path) -> None:
    """Nor does a pass that cannot be read count as one that is gone, whose rows are strays."""
    world.damage_pass(world.passes[0], status="banana")
    world.damage_pass(world.named[1], template_id=None)
    world.raw.put("outbox", {"key": "odd", "queue": "push", "created_at": 0}, key=("key",))

    left, _ = run_json(world, tmp_path, "--repair", exit_code=1)

    assert left == [(Kind.UNREADABLE, "left")] * 3
    row = world.raw.get("memberships", **world.membership(world.passes[0], "gold"))
    assert row
    assert row["status"] == "installed"
    world.raw.put_back()
    assert recount(world.stack.dynamodb, world.project_id) == []


def test_a_bulk_update_counts_a_pass_that_cannot_be_read_and_goes_on(own_world: World) -> None:
    own_world.damage_pass(own_world.passes[0], content="{no json")

    body = {"fields": {"Points": {"value": "2"}}}
    ticket_id = int(own_world.tenant.call("PUT", "/v1/tag/gold/passes", json=body)["ticketId"])
    own_world.stack.drain()

    ticket = get_platform().tickets.get_ticket(ticket_id=ticket_id)
    assert ticket
    assert (ticket.status, ticket.progress.processed, ticket.progress.failed) == ("COMPLETED", 3, 1)
    assert ticket.progress.changed == 2


def test_a_key_of_a_project_that_does_not_exist_is_found(world: World, tmp_path: Path) -> None:
    row: dict[str, Any] = {"key": "ghost", "secret_hash": "0", "project_id": world.project_id + 5_000, "created_at": 0}
    world.raw.put("credentials", row, key=("key",))
    options = ["--patience", "0", "--rate", "1e9", "--quick", "--state", str(tmp_path / "state.json")]

    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(check, options)

    place = f"project {row['project_id']}, projects {row['project_id']}"
    assert f"found: project-missing: {place}: it does not exist, and 1 keys and 0 blocks" in result.stdout
    assert f"sequences projects: it stands at {get_platform().projects.list_projects()[-1].project_id}" in result.stdout


def test_a_number_that_is_in_use_writes_over_nothing(own_world: World) -> None:
    """However far back a sequence went, and before anybody checks."""
    own_world.raw.change("sequences", {"name": "projects"}, value=own_world.project_id - 1)
    with pytest.raises(NumberTaken, match=f"project {own_world.project_id} exists already"):
        operations.create_project(name="another")
    own_world.raw.change("sequences", {"name": "tickets"}, value=own_world.tickets[0] - 1)
    body = {"fields": {"Points": {"value": "3"}}}
    answers = [own_world.tenant.request("PUT", f"/v1/pass/{own_world.passes[0].pass_id}", json=body)]
    own_world.raw.change("sequences", {"name": "tickets"}, value=own_world.tickets[0] - 1)
    answers.append(own_world.tenant.request("PUT", "/v1/tag/gold/passes", json=body))

    assert [answer.status_code for answer in answers] == [503, 503]
    ticket = get_platform().tickets.get_ticket(ticket_id=own_world.tickets[0])
    assert ticket
    assert (ticket.status, ticket.progress.total) == ("COMPLETED", 3)
    own_world.raw.put_back()


def test_passes_of_a_deleted_template_are_noted_and_swept(stack: Stack, tmp_path: Path, shared_world: World) -> None:
    world = replace(shared_world, tenant=stack.tenant())
    passes = make_passes(world.project_id, 2, tags=["gold"])
    key = {"project_id": world.project_id, "template_id": passes[0].template_id}
    RawRows(stack.dynamodb).change("templates", key, deleted=True)

    found, _ = run_json(world, tmp_path, "--repair")

    assert set(found) == {(Kind.PASS_DELETED_TEMPLATE, "mended")}
    assert run_json(world, tmp_path)[0] == []
    _clear_sweeps(stack)
    assert read_rows(stack.dynamodb, world.project_id).passes == {}
    assert run_json(world, tmp_path)[0] == []


def test_every_kind_is_planted_and_explained() -> None:
    planted = {kind for cases in MENDABLE.values() for kind, _ in cases} | {kind for kind, _ in LEFT}

    assert planted | {Kind.PASS_DELETED_TEMPLATE} == set(Kind) == set(KINDS)


def test_a_quick_check_finds_what_passes_tags_and_templates_lead_to(world: World, tmp_path: Path) -> None:
    world.count(f"project-passes:{world.project_id}", installed=1)
    world.raw.delete("external-ids", **world.name(1))
    _name_a_gone_pass(world)  # only reading every name finds this

    found, _ = run_json(world, tmp_path, "--quick", exit_code=1)

    assert found == [(Kind.COUNTER, "found"), (Kind.EXTERNAL_ID, "found")]


def test_passes_whose_block_nobody_leased_are_found(stack: Stack, tmp_path: Path, shared_world: World) -> None:
    world = replace(shared_world, tenant=stack.tenant(), raw=RawRows(stack.dynamodb))
    make_passes(world.project_id, 1)
    world.raw.delete("sequences", name=f"block:{world.project_id}:0")

    assert run_json(world, tmp_path, exit_code=1)[0] == [(Kind.BLOCK, "found")]
    world.raw.put_back()
    assert run_json(world, tmp_path)[0] == []


def test_another_project_is_none_of_our_business(world: World, tmp_path: Path) -> None:
    other = replace(world, tenant=world.stack.tenant())
    world.count(f"project-passes:{world.project_id}", installed=1)
    world.raw.delete("tags", **world.tag_row("gold", by="name"))
    _name_a_gone_pass(world)

    assert run_json(other, tmp_path)[0] == []


# What the operator reads


def test_text_names_place_and_outcome_and_says_what_to_do(world: World, tmp_path: Path) -> None:
    world.count(f"project-passes:{world.project_id}", installed=2)

    text = run(world, tmp_path, exit_code=1).stdout

    place = f"project {world.project_id}, project-passes:{world.project_id} segment {world.segment}"
    assert f"found: counter: {place}: installed: there are 1, the counter says 3\n" in text
    assert "Found: 1 counter.\n" in text
    assert "--repair mends" in text
    assert "Mended: 1 counter.\n" in run(world, tmp_path, "--repair").stdout
    assert "Nothing is damaged.\n" in run(world, tmp_path).stdout
    world.raw.forget()


def test_names_and_devices_are_not_shown(world: World, tmp_path: Path) -> None:
    device = str(world.registration()["device"])
    world.raw.delete("external-ids", **world.name(1))
    world.raw.change("registrations", world.registration(), template_segment="elsewhere")

    text = run(world, tmp_path, exit_code=1).output

    assert "name#1" not in text
    assert device not in text
    assert str(world.named[1].pass_id) in text


def test_kinds_are_explained_without_a_deployment() -> None:
    text = CliRunner().invoke(check, ["--kinds"]).stdout

    assert all(f"{kind}\n    {KINDS[kind].means}\n    mend: {KINDS[kind].mend}\n" in text for kind in Kind)


def test_a_check_that_is_stopped_says_how_it_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PassStage, "_screen", stop)
        result = run(world, tmp_path, exit_code=130)
    assert f"Stopped. The same command goes on from {tmp_path / 'state.json'}.\n" in result.stderr

    other = run(world, tmp_path, "--repair", exit_code=2)
    assert "give the same options, another --state, or --fresh" in " ".join(other.stderr.split())
    again = run(world, tmp_path)
    assert "Going on with the check of 2" in again.stderr
    assert "Nothing is damaged." in again.stdout
    assert "Going on" not in run(world, tmp_path, "--repair").stderr


def test_what_was_found_before_a_stop_counts_at_the_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.raw.delete("tags", **world.tag_row("gold", by="name"))

    def stop(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(PassStage, "_screen", stop)
        result = run(world, tmp_path, exit_code=1)
    assert isinstance(result.exception, RuntimeError)
    world.raw.put_back()

    again = run(world, tmp_path, exit_code=1)

    assert "Found: 1 tag-rows." in again.stdout
    assert "What was written since" in again.stderr


def _change_state(state_file: Path, **values: Any) -> None:
    state_file.write_text(json.dumps({**json.loads(state_file.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"saved_at": "2020-01-01T00:00:00+00:00"}, "was stopped at 2020-01-01 00:00 UTC"),
        ({"table": "another"}, "is of a check with table another"),
        ({"progress": {}}, "is not the state of a check"),
        ({"format": 1}, "is not the state of a check of this version"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], said: str
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PassStage, "_screen", stop)
        run(world, tmp_path, exit_code=130)
    _change_state(tmp_path / "state.json", **values)

    refused = run(world, tmp_path, exit_code=2)

    assert said in " ".join(refused.stderr.split())
    assert "--fresh" in refused.stderr
    run(world, tmp_path, "--fresh")


def test_a_state_that_cannot_be_written_is_refused_before_anything_is_read(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        result = run(world, tmp_path, "--state", folder / "state.json", exit_code=2)
        assert "cannot be" in result.stderr
        assert result.stdout == ""


def test_a_state_that_cannot_be_written_any_more_is_told_in_a_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fill)

    result = run(world, tmp_path, exit_code=1)

    assert f"Error: {tmp_path / 'state.json'} cannot be written: No space left on device\n" in result.stderr


def test_an_unknown_project_is_refused(world: World, tmp_path: Path) -> None:
    result = run(world, tmp_path, "--project", 987654321, exit_code=1)

    assert "project 987654321 was not found" in result.stderr
