"""Campaigns at full size and in the worst order: merges that die and deletions of many passes (passworks-v2, 6, 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain import bulk_updates, campaign_editing, redeeming, sweeping
from chalicelib.domain.campaign_lists import get_pass_of_campaign_or_raise
from chalicelib.domain.counted_index import passes_of_template
from chalicelib.domain.errors import Busy, NotFound
from chalicelib.domain.passes import Pass
from chalicelib.domain.templates import Template
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_platform
from tests.contract.campaigns import (
    create_campaign,
    create_pass,
    pass_path,
    patch_campaign,
    path_of,
    stored_template,
)
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import field_value, make_passes, read_ticket, skip_pass_ids
from tests.support.faults import Killed, inject, kill_at
from tests.support.recount import read_rows
from tests.support.rivals import run_together, with_rival
from tests.support.stack import Stack, Tenant

MANY = 1200
OFFER = {"key": "offer", "value": "old", "label": "Offer"}


def scene(tenant: Tenant, count: int) -> tuple[dict[str, Any], Template, list[Pass]]:
    campaign = create_campaign(tenant, primary_fields=[OFFER], allow_multiple_redeems=True)
    template = stored_template(tenant, campaign)
    return campaign, template, make_passes(tenant.project_id, count, template_id=template.template_id, tags=["gold"])


def start_merge(tenant: Tenant, campaign: dict[str, Any], value: str) -> int:
    patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "value": value}])
    before = set(get_platform().tickets.list_open())
    tenant.call("POST", f"{path_of(campaign)}/merge", json={"push_message": value})
    (ticket_id,) = set(get_platform().tickets.list_open()) - before
    return ticket_id


def use(tenant: Tenant, template: Template, passes: list[Pass]) -> None:
    """Every third pass is on two devices and was redeemed."""
    for number, pass_ in enumerate(passes):
        if number % 3 == 0:
            for platform_name in ("ios", "android"):
                devices.install(
                    get_platform(),
                    project_id=tenant.project_id,
                    pass_id=pass_.pass_id,
                    device_platform=platform_name,
                    device=f"{platform_name} {number}",
                )
            redeeming.redeem_pass(get_platform(), template, serial_number=pass_.serial_number, comment="used")


def check_nothing_left(stack: Stack, tenant: Tenant, template: Template, passes: list[Pass]) -> None:
    rows = read_rows(stack.dynamodb, tenant.project_id)
    assert not {pass_.pass_id for pass_ in passes} & rows.passes.keys()
    assert rows.registrations == []
    assert rows.redeems == []
    assert rows.sweeps == set()
    own = f":{template.template_id}"
    counted = [row["collection"] for row in rows.counters]
    assert [key for key in counted if key.startswith("template-") and key.partition(".")[0].endswith(own)] == []


def test_a_merge_of_many_passes_whose_worker_dies_midway_completes(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    campaign, _, passes = scene(tenant, MANY)
    ticket_id = start_merge(tenant, campaign, "new")
    bulk_updates.plan_bulk_update(get_platform(), ticket_id=ticket_id)
    segment = passes[0].pass_id // 1000

    for number, after in ((8, False), (20, True), (35, False)):
        with inject(kill_at(number, after=after)), pytest.raises(Killed):
            bulk_updates.update_segment(get_platform(), ticket_id=ticket_id, segment=segment)
    assert read_ticket(ticket_id).status is not TicketStatus.COMPLETED
    assert {field_value(pass_, "offer") for pass_ in passes[::100]} == {"old", "new"}
    stack.drain()

    ticket = read_ticket(ticket_id)
    progress = ticket.progress
    assert ticket.status is TicketStatus.COMPLETED
    assert (progress.total, progress.processed, progress.changed, progress.failed) == (MANY, MANY, MANY, 0)
    found = get_platform().passes.get_passes([pass_.pass_id for pass_ in passes])
    assert {pass_.content.fields["offer"].attributes["value"] for pass_ in found.values()} == {"new"}
    assert {pass_.content.fields["push_message"].attributes["value"] for pass_ in found.values()} == {"new"}
    assert {pass_.version for pass_ in found.values()} == {2}
    consistent(tenant.project_id)


def test_merges_beside_single_updates_end_in_the_order_of_their_tickets(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    campaign, template, _ = scene(tenant, 0)
    passes = [create_pass(tenant, campaign) for _ in range(6)]
    patch_campaign(tenant, campaign, primary_fields=[{"key": "offer", "value": "merged"}])

    def update(pass_: dict[str, Any], number: int) -> Callable[[], object]:
        body = {"pass": {"primary_fields": [{"key": "offer", "value": f"{number}"}]}}
        return lambda: tenant.call("PATCH", pass_path(campaign, pass_), json=body)

    tasks: list[Callable[[], object]] = [update(pass_, number) for number, pass_ in enumerate(passes)]
    tasks.insert(3, lambda: tenant.call("POST", f"{path_of(campaign)}/merge"))
    run_together([*tasks, stack.drain])
    stack.drain()

    (merge_ticket,) = [
        ticket["ticket_id"]
        for ticket in read_rows(stack.dynamodb, tenant.project_id).tickets
        if ticket.get("total", 0) == len(passes)
    ]
    for number, pass_ in enumerate(passes):
        stored = get_pass_of_campaign_or_raise(get_platform(), template, pass_["id"])
        entry = stored.content.fields["offer"]
        by_merge = entry.attributes["value"] == "merged"
        assert (entry.tickets["value"] == merge_ticket) is by_merge
        assert by_merge or (entry.attributes["value"] == f"{number}" and entry.tickets["value"] > merge_ticket)
    consistent(tenant.project_id)


def test_a_merge_of_a_campaign_that_is_deleted_meanwhile_ends(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    campaign, template, passes = scene(tenant, 5)
    ticket_id = start_merge(tenant, campaign, "new")

    tenant.call("DELETE", path_of(campaign))
    stack.drain()

    assert read_ticket(ticket_id).status is TicketStatus.COMPLETED
    check_nothing_left(stack, tenant, template, passes)
    consistent(tenant.project_id)


@pytest.mark.parametrize("count", [0, 9, 150])
def test_a_deleted_campaign_leaves_nothing_behind(
    stack: Stack, tenant: Tenant, consistent: Consistent, count: int
) -> None:
    campaign, template, passes = scene(tenant, count)
    other, other_template, kept = create_campaign(tenant, name="Other"), None, None
    other_template = stored_template(tenant, other)
    (kept,) = make_passes(tenant.project_id, 1, template_id=other_template.template_id, tags=["gold"])
    use(tenant, template, passes)
    use(tenant, other_template, [kept])
    consistent(tenant.project_id)

    assert tenant.call("DELETE", path_of(campaign)) == {"errors": []}
    assert tenant.request("GET", path_of(campaign)).status_code == 404
    create_campaign(tenant)
    stack.drain()

    assert tenant.call("GET", "/v1/tag/gold/passes")["count"] == 1
    assert len(tenant.call("GET", f"{path_of(other)}/registrations")) == 2
    assert len(tenant.call("GET", f"{path_of(other)}/redeems")) == 1
    consistent(tenant.project_id)
    tenant.call("DELETE", path_of(other))
    stack.drain()
    check_nothing_left(stack, tenant, template, [*passes, kept])
    consistent(tenant.project_id)


def test_a_campaign_in_many_segments_is_swept_by_many_messages(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    campaign = create_campaign(tenant)
    template = stored_template(tenant, campaign)
    passes = []
    for _ in range(sweeping.SEGMENTS_AT_ONCE + 3):
        passes += make_passes(tenant.project_id, 1, template_id=template.template_id)
        skip_pass_ids(tenant.project_id, 999)

    tenant.call("DELETE", path_of(campaign))
    stack.drain()

    check_nothing_left(stack, tenant, template, passes)
    consistent(tenant.project_id)


def test_a_pass_issued_while_its_campaign_is_deleted_is_not_left_behind(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    campaign, template, passes = scene(tenant, 3)
    late: list[Pass] = []
    platform = with_rival(
        get_platform(),
        "templates",
        "delete_template",
        lambda: late.extend(make_passes(tenant.project_id, 2, template_id=template.template_id)),
    )

    campaign_editing.delete_campaign(
        platform, project_id=tenant.project_id, campaign_type="coupons", campaign_id=campaign["id"]
    )
    stack.drain()

    assert len(late) == 2
    check_nothing_left(stack, tenant, template, [*passes, *late])
    consistent(tenant.project_id)


def test_a_deletion_that_dies_anywhere_is_finished_by_the_sweep(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    number, died = 0, True
    while died:
        number += 1
        campaign, template, passes = scene(tenant, 2)
        use(tenant, template, passes)
        died = False
        with inject(kill_at(number, after=number % 2 == 0)):
            try:
                campaign_editing.delete_campaign(
                    get_platform(), project_id=tenant.project_id, campaign_type="coupons", campaign_id=campaign["id"]
                )
            except Killed:
                died = True
        tenant.request("DELETE", path_of(campaign))
        sweeping.resume_unfinished(get_platform(), minimum_age_seconds=0, queues_lost=False)
        stack.drain()
        check_nothing_left(stack, tenant, template, passes)
        consistent(tenant.project_id)
    assert number > 10


def test_passes_that_could_not_be_removed_at_once_are_removed_later(
    stack: Stack, tenant: Tenant, consistent: Consistent, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, template, passes = scene(tenant, 4)

    def fail(*_: object, **__: object) -> int:
        raise Busy("injected")

    with monkeypatch.context() as patch:
        patch.setattr(campaign_editing, "sweep_collection", fail)
        assert tenant.call("DELETE", path_of(campaign)) == {"errors": []}
    assert passes_of_template(template.template_id).key in get_platform().sweeps.list_sweeps()
    sweeping.resume_unfinished(get_platform(), minimum_age_seconds=0, queues_lost=False)
    stack.drain()

    check_nothing_left(stack, tenant, template, passes)
    consistent(tenant.project_id)


def test_a_living_campaign_is_never_swept(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    campaign, template, passes = scene(tenant, 3)

    assert sweeping.sweep_collection(get_platform(), key=passes_of_template(template.template_id).key) == 0

    assert len(tenant.call("GET", f"{path_of(campaign)}/passes")) == len(passes)
    consistent(tenant.project_id)


def test_a_campaign_is_deleted_once(tenant: Tenant) -> None:
    campaign, _, _ = scene(tenant, 1)

    def delete() -> object:
        try:
            campaign_editing.delete_campaign(
                get_platform(), project_id=tenant.project_id, campaign_type="coupons", campaign_id=campaign["id"]
            )
        except NotFound:
            return "not found"
        return "deleted"

    assert sorted(run_together([delete] * 4), key=str) == ["deleted", "not found", "not found", "not found"]
