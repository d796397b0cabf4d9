"""The consistency check finds each kind of damage, only that, and mends it for good."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from chalicelib.commands.checks import check
from chalicelib.domain.checking import Kind
from chalicelib.domain.checking_kinds import KINDS
from chalicelib.wiring import get_platform
from tests.support.builders import make_passes
from tests.support.checking_damage import LEFT, MENDABLE, name_a_gone_pass
from tests.support.checking_world import World, clear_sweeps, find_damage, run_check
from tests.support.raw_rows import RawRows
from tests.support.recount import read_rows, recount
from tests.support.stack import Stack


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

    result = run_check(world, tmp_path, "--quick", exit_code=1)

    assert "sequences tickets: it stands at " in result.stdout
    assert "and 900000 is in use" in result.stdout


@pytest.mark.parametrize("case", MENDABLE)
def test_damage_is_found_alone_and_mended_for_good(world: World, tmp_path: Path, case: str) -> None:
    kinds = sorted(kind for kind, _ in MENDABLE[case])
    for _, plant in MENDABLE[case]:
        plant(world)

    assert find_damage(world, tmp_path, exit_code=1)[0] == [(kind, "found") for kind in kinds]
    mended, summary = find_damage(world, tmp_path, "--repair")
    assert mended == [(kind, "mended") for kind in kinds]
    assert (summary["found"], summary["mended"], summary["left"]) == (0, len(kinds), 0)
    assert find_damage(world, tmp_path)[0] == []
    assert recount(world.stack.dynamodb, world.project_id, swept=False) == []
    clear_sweeps(world.stack)
    _finish_tickets(world)
    assert recount(world.stack.dynamodb, world.project_id) == []
    world.raw.forget()


def _finish_tickets(world: World) -> None:
    for ticket_id in world.tickets:
        get_platform().tickets.finish_ticket(ticket_id=ticket_id)


def test_what_only_a_person_can_mend_is_left_and_said(world: World, tmp_path: Path) -> None:
    kinds = sorted(kind for kind, _ in LEFT)
    for _, plant in LEFT:
        plant(world)

    assert find_damage(world, tmp_path, exit_code=1)[0] == [(kind, "found") for kind in kinds]
    result = run_check(world, tmp_path, "--repair", exit_code=1)

    assert all(f"left: {kind}: " in result.stdout for kind in kinds)
    assert "    ticket-stuck: `resume` sends lost plans again" in result.stdout
    world.raw.put_back()
    assert recount(world.stack.dynamodb, world.project_id) == []


def test_a_mended_status_makes_its_counters_suspects_again(own_world: World, tmp_path: Path) -> None:
    """They agree with the wrong status, so nobody would look at them a second time."""
    own_world.raw.delete("registrations", **own_world.registration())

    run_check(own_world, tmp_path, "--repair")

    assert find_damage(own_world, tmp_path)[0] == []
    assert recount(own_world.stack.dynamodb, own_world.project_id) == []


@pytest.mark.parametrize("arguments", [[], ["--quick"]], ids=["all", "quick"])
def test_a_pass_that_lost_its_only_redeem_is_found(own_world: World, tmp_path: Path, arguments: list[str]) -> None:
    own_world.raw.delete("redeems", pass_id=own_world.passes[0].pass_id, number=1)

    found, _ = find_damage(own_world, tmp_path, *arguments, exit_code=1)
    run_check(own_world, tmp_path, "--repair", *arguments)

    assert (Kind.REDEEM_COUNT, "found") in found
    assert find_damage(own_world, tmp_path)[0] == []
    row = own_world.raw.get("passes", pass_id=own_world.passes[0].pass_id)
    assert row
    assert row["redeemed_count"] == 0


def test_passes_of_a_deleted_template_are_noted_and_swept(stack: Stack, tmp_path: Path, shared_world: World) -> None:
    world = replace(shared_world, tenant=stack.tenant())
    passes = make_passes(world.project_id, 2, tags=["gold"])
    key = {"project_id": world.project_id, "template_id": passes[0].template_id}
    RawRows(stack.dynamodb).change("templates", key, deleted=True)

    found, _ = find_damage(world, tmp_path, "--repair")

    assert set(found) == {(Kind.PASS_DELETED_TEMPLATE, "mended")}
    assert find_damage(world, tmp_path)[0] == []
    clear_sweeps(stack)
    assert read_rows(stack.dynamodb, world.project_id).passes == {}
    assert find_damage(world, tmp_path)[0] == []


def test_every_kind_is_planted_and_explained() -> None:
    planted = {kind for cases in MENDABLE.values() for kind, _ in cases} | {kind for kind, _ in LEFT}

    assert planted | {Kind.PASS_DELETED_TEMPLATE} == set(Kind) == set(KINDS)


def test_a_quick_check_finds_what_passes_tags_and_templates_lead_to(world: World, tmp_path: Path) -> None:
    world.count(f"project-passes:{world.project_id}", installed=1)
    world.raw.delete("external-ids", **world.name(1))
    name_a_gone_pass(world)  # only reading every name finds this

    found, _ = find_damage(world, tmp_path, "--quick", exit_code=1)

    assert found == [(Kind.COUNTER, "found"), (Kind.EXTERNAL_ID, "found")]


def test_passes_whose_block_nobody_leased_are_found(stack: Stack, tmp_path: Path, shared_world: World) -> None:
    world = replace(shared_world, tenant=stack.tenant(), raw=RawRows(stack.dynamodb))
    make_passes(world.project_id, 1)
    world.raw.delete("sequences", name=f"block:{world.project_id}:0")

    assert find_damage(world, tmp_path, exit_code=1)[0] == [(Kind.BLOCK, "found")]
    world.raw.put_back()
    assert find_damage(world, tmp_path)[0] == []


def test_another_project_is_none_of_our_business(world: World, tmp_path: Path) -> None:
    other = replace(world, tenant=world.stack.tenant())
    world.count(f"project-passes:{world.project_id}", installed=1)
    world.raw.delete("tags", **world.tag_row("gold", by="name"))
    name_a_gone_pass(world)

    assert find_damage(other, tmp_path)[0] == []
