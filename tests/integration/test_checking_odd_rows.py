"""Rows that make no sense, or that should not be there: the check says so and goes on, and nobody writes over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from chalicelib import operations
from chalicelib.commands.checks import check
from chalicelib.domain.checking import Kind
from chalicelib.domain.errors import NumberTaken
from chalicelib.wiring import get_platform
from tests.support.checking_world import World, run_check
from tests.support.recount import recount

_ROWS: dict[str, Callable[[World], dict[str, Any]]] = {
    "passes": lambda world: {"pass_id": world.passes[0].pass_id},
    "registrations": lambda world: world.registration(),
    "redeems": lambda world: {"pass_id": world.passes[0].pass_id, "number": 1},
    "memberships": lambda world: world.membership(world.passes[1], "gold"),
    "templates": lambda world: {"project_id": world.project_id, "template_id": world.campaign.template_id},
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

    lines = run_check(world, tmp_path, "--json", "--fresh", *arguments, exit_code=1).stdout.splitlines()
    findings = [json.loads(line) for line in lines[:-1]]

    found = {each["place"].split(" ")[0] for each in findings if each["kind"] == Kind.UNREADABLE}
    assert found >= (tables if not arguments else {"passes", "templates", "looks", "sequences"})


def test_a_status_that_nobody_knows_is_not_spread(world: World, tmp_path: Path) -> None:
    """Nor does a pass that cannot be read count as one that is gone, whose rows are strays."""
    world.damage_pass(world.passes[0], status="banana")
    world.damage_pass(world.named[1], template_id=None)
    world.raw.put("outbox", {"key": "odd", "queue": "push", "created_at": 0}, key=("key",))

    lines = run_check(world, tmp_path, "--json", "--repair", exit_code=1).stdout.splitlines()

    left = {(each["place"], each["kind"], each["outcome"]) for each in map(json.loads, lines[:-1])}
    odd = [f"passes {world.passes[0].pass_id}", f"passes {world.named[1].pass_id}", "outbox odd"]
    assert left == {(place, Kind.UNREADABLE, "left") for place in odd}, lines
    row = world.raw.get("memberships", **world.membership(world.passes[0], "gold"))
    assert row
    assert row["status"] == "installed"
    world.raw.put_back()
    assert recount(world.stack.dynamodb, world.project_id) == []


def test_a_bulk_update_counts_a_pass_that_cannot_be_read_and_goes_on(own_world: World) -> None:
    own_world.damage_pass(own_world.passes[0], content="{no json")

    body = {"fields": {"back1": {"value": "3"}}}
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

    # a process that begins anew leases the block again, whose ids are given out
    own_world.raw.delete("sequences", name=f"passes:{own_world.project_id}")
    get_platform.cache_clear()
    number = own_world.named[0].template_id
    answers.append(own_world.tenant.request("POST", f"/v1/pass/{number}", json={"tags": ["fresh"]}))

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    ticket = get_platform().tickets.get_ticket(ticket_id=own_world.tickets[0])
    assert ticket
    assert (ticket.status, ticket.progress.total) == ("COMPLETED", 3)
    own_world.raw.put_back()
