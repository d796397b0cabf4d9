"""A project with a little of everything, and the check of it as an operator runs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from chalicelib import operations
from chalicelib.commands.checks import check
from chalicelib.domain import redeeming
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.issuing import create_pass
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.rate_limits import make_rate_limit
from chalicelib.domain.reporting import day_of
from chalicelib.domain.tags import Tag
from chalicelib.domain.templates import Template, TemplateReference
from chalicelib.wiring import get_platform
from tests.contract.campaigns import create_campaign, stored_template
from tests.support import devices
from tests.support.builders import make_passes, make_template
from tests.support.raw_rows import RawRows
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
    operations.limit_project(project_id=project_id, limit=make_rate_limit(per_second=2000.5))
    operations.limit_key(key=tenant.key, limit=make_rate_limit(per_second=1000.5))
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
    body = {"fields": {"back1": {"value": "1"}}}
    tickets = [int(tenant.call("PUT", "/v1/tag/gold/passes", json=body)["ticketId"]) for _ in range(3)]
    stack.drain()
    tags, _ = platform.tags.get_tags(project_id=project_id, names=["gold", "silver", "copper", "iron", "tin"])
    return World(
        stack, tenant, RawRows(stack.dynamodb), campaign, passes, named, lone, dict(tags), tickets, free_number=2
    )


def run_check(world: World, folder: Path, *arguments: object, exit_code: int = 0) -> Result:
    options = ["--project", world.project_id, "--patience", 0, "--rate", 1e9, "--state", folder / "state.json"]
    invoked = [str(each) for each in (*options, *arguments)]
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(check, invoked)
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def find_damage(world: World, folder: Path, *arguments: object, exit_code: int = 0) -> tuple[list[Any], Any]:
    """The findings, as (kind, outcome) in alphabetical order, and the sum."""
    lines = run_check(world, folder, "--json", *arguments, exit_code=exit_code).stdout.splitlines()
    documents = [json.loads(line) for line in lines]
    return sorted((each["kind"], each["outcome"]) for each in documents[:-1]), documents[-1]["summary"]


def clear_sweeps(stack: Stack) -> None:
    """What the schedule does, and the workers after it."""
    operations.resume_unfinished(minimum_age_seconds=0, queues_lost=False)
    stack.drain()
