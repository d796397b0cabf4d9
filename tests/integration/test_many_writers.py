"""32 writers at once under DynamoDB's rules of contention: all succeed, all adds up, and it is not much slower.

Time is virtual and every seed fixed, so a figure here is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates
from chalicelib.domain.tickets import TicketStatus
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import make_passes, make_spread_passes, make_template, read_ticket, write_field
from tests.support.contention import Outcome, Scene, Share, open_scene
from tests.support.stack import Stack, Tenant

WRITERS = 32
EACH = 3
SEED = 6


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Iterator[Scene]:
    """Writers behind the proxy."""
    with open_scene() as opened:
        yield opened


def check(outcome: Outcome, *, acts: int) -> None:
    """All were done, well inside the time that a request has, and none for want of contention."""
    assert outcome.failures == {}
    assert len(outcome.seconds) == acts
    assert outcome.counts.conflicts > 0
    assert outcome.quantile_seconds(0.99) < get_settings().request_budget_seconds / 4


def test_tagging_the_passes_of_one_segment(scene: Scene, tenant: Tenant, consistent: Consistent) -> None:
    pass_ids = [pass_.pass_id for pass_ in make_passes(tenant.project_id, WRITERS * EACH)]
    # the tag is made by the first of them
    shares = [
        Share(kind="tag", project_id=tenant.project_id, numbers=pass_ids[writer::WRITERS], tag="one")
        for writer in range(WRITERS)
    ]
    outcome = scene.run(shares, seed=SEED)

    check(outcome, acts=WRITERS * EACH)
    assert tenant.call("GET", "/v1/tag/one/passes")["count"] == WRITERS * EACH
    consistent(tenant.project_id)


def share_of_creates(project_id: int) -> Share:
    template_id = make_template(project_id).template_id
    make_passes(project_id, 1, template_id=template_id, tags=["one"])
    return Share(kind="create", project_id=project_id, template_id=template_id, tag="one", numbers=range(EACH))


def test_creating_tagged_passes_under_one_template_is_at_least_a_third_as_fast_as_apart(
    scene: Scene, tenant: Tenant, consistent: Consistent
) -> None:
    together = scene.run([share_of_creates(tenant.project_id)] * WRITERS, seed=SEED)
    check(together, acts=WRITERS * EACH)
    assert tenant.call("GET", "/v1/tag/one/passes")["count"] == WRITERS * EACH + 1
    consistent(tenant.project_id)

    others = [operations.create_project(name="apart").project_id for _ in range(WRITERS)]
    apart = scene.run([share_of_creates(project_id) for project_id in others], seed=SEED)
    assert apart.failures == {}
    assert together.per_second > apart.per_second / 3


def test_devices_on_the_passes_of_one_template(scene: Scene, tenant: Tenant, consistent: Consistent) -> None:
    passes = make_passes(tenant.project_id, WRITERS, tags=["one"])
    shares = [Share(kind="register", project_id=tenant.project_id, numbers=[pass_.pass_id] * 2) for pass_ in passes]
    check(scene.run(shares, seed=SEED), acts=2 * WRITERS)
    assert tenant.call("GET", "/v1/tag/one/passes?status=installed")["count"] == WRITERS
    consistent(tenant.project_id)


def test_workers_who_complete_segments_of_one_ticket(scene: Scene, tenant: Tenant, consistent: Consistent) -> None:
    passes = make_spread_passes(tenant.project_id, segments=20, tags=["one"])
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment="one", update=write_field("Points", "9")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    segments = [pass_.pass_id // 1000 for pass_ in passes]
    shares = [
        Share(kind="complete", project_id=tenant.project_id, ticket_id=ticket.ticket_id, numbers=segments[worker::10])
        for worker in range(10)
    ]
    check(scene.run(shares, seed=SEED), acts=20)
    ended = read_ticket(ticket.ticket_id)
    assert (ended.status, ended.progress.processed) == (TicketStatus.COMPLETED, 20)
    consistent(tenant.project_id)
