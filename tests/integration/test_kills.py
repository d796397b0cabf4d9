"""A process that dies between any two of its calls: the message comes again, or the caller repeats, and all is well.

Each operation is run again and again in a scene of its own; the n-th time it dies at its n-th call to DynamoDB or SQS,
until it gets through. What it leaves must add up then, and once more after the repetition.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates, issuing, segment_updates, sweeping, tagging, template_editing, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import AlreadyExists, NotFound
from chalicelib.domain.passes import NewPass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import field_value, make_passes, make_spread_passes, make_template, read_ticket, write_field
from tests.support.faults import Killed, inject, kill_at
from tests.support.stack import Stack, Tenant

TAG = "flag"


@dataclass
class Scene:
    """What one operation does, and what must be true once it was repeated and every message handled."""

    operate: Callable[[], object]
    check: Callable[[], None]


BuildScene = Callable[[Tenant], Scene]


def _count(tenant: Tenant, path: str) -> int:
    return int(tenant.call("GET", path)["count"])


def _plan(tenant: Tenant) -> Scene:
    passes = make_spread_passes(tenant.project_id, segments=2, tags=[TAG])
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment=TAG, update=write_field("Points", "9")
    )

    def check() -> None:
        _assert_completed(ticket.ticket_id, 2)
        assert {field_value(pass_, "Points") for pass_ in passes} == {"9"}

    return Scene(lambda: bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id), check)


def _segment(tenant: Tenant) -> Scene:
    passes = make_passes(tenant.project_id, 60, tags=[TAG])
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment=TAG, update=write_field("Points", "9")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)

    def operate() -> object:
        return bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=passes[0].pass_id // 1000)

    return Scene(operate, lambda: _assert_completed(ticket.ticket_id, 60))


def _assert_completed(ticket_id: int, passes: int) -> None:
    ticket = read_ticket(ticket_id)
    progress = ticket.progress
    assert ticket.status is TicketStatus.COMPLETED
    assert (progress.total, progress.processed, progress.changed, progress.failed) == (passes, passes, passes, 0)


def _start(tenant: Tenant) -> Scene:
    """An update that was accepted half reaches its passes or nobody: it has no ticket number to ask for."""
    make_passes(tenant.project_id, 2, tags=[TAG])
    platform = get_platform()

    def operate() -> object:
        return bulk_updates.start_bulk_update(
            platform, project_id=tenant.project_id, segment=TAG, update=write_field("Points", "9")
        )

    def check() -> None:
        passes = tenant.call("GET", f"/v1/tag/{TAG}/passes")["passes"]
        shown = [tenant.call("GET", f"/v1/pass/{each['id']}")["fields"]["Points"]["value"] for each in passes]
        assert shown == ["9", "9"]

    return Scene(operate, check)


def _sweep(tenant: Tenant) -> Scene:
    make_spread_passes(tenant.project_id, segments=2, per_segment=3, tags=[TAG, "kept"])
    platform = get_platform()
    tag = platform.tags.find_tag(project_id=tenant.project_id, names=[TAG], tag_id=None)
    assert tag is not None
    tagging.empty_tag(platform, project_id=tenant.project_id, segment=TAG)

    def check() -> None:
        assert _count(tenant, f"/v1/tag/{TAG}/passes") == 0
        assert _count(tenant, "/v1/tag/kept/passes") == 6

    return Scene(lambda: sweeping.sweep_collection(platform, key=tag.collection.key), check)


def _add_tags(tenant: Tenant) -> Scene:
    (pass_,) = make_passes(tenant.project_id, 1, tags=["old"])
    make_passes(tenant.project_id, 1, tags=["known"])
    reference = PassReference(pass_id=pass_.pass_id)

    def operate() -> object:
        names = ["known", "new", "old"]
        return tagging.add_tags(get_platform(), project_id=tenant.project_id, reference=reference, names=names)

    def check() -> None:
        counts = [_count(tenant, f"/v1/tag/{name}/passes") for name in ("old", "known", "new")]
        assert counts == [1, 2, 1]
        assert _count(tenant, "/v1/tag") == 3

    return Scene(operate, check)


def _remove_tag(tenant: Tenant) -> Scene:
    pass_, _ = make_passes(tenant.project_id, 2, tags=[TAG])
    reference = PassReference(pass_id=pass_.pass_id)

    def operate() -> object:
        return tagging.remove_tag(get_platform(), project_id=tenant.project_id, segment=TAG, reference=reference)

    def check() -> None:
        assert _count(tenant, f"/v1/tag/{TAG}/passes") == 1

    return Scene(operate, check)


def _create_passes(tenant: Tenant) -> Scene:
    template = TemplateReference(template_id=make_template(tenant.project_id).template_id)
    new = [
        NewPass(update=ContentUpdate(), external_id=f"external {number}", tag_names=("made", f"{number % 7}"))
        for number in range(25)
    ]

    def operate() -> object:
        outcomes = issuing.create_passes(get_platform(), project_id=tenant.project_id, template=template, new=new)
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert all(isinstance(refusal, AlreadyExists) for refusal in refusals), refusals
        return outcomes

    def check() -> None:
        assert _count(tenant, "/v1/pass") == _count(tenant, "/v1/tag/made/passes") == len(new)
        assert sum(_count(tenant, f"/v1/tag/{number}/passes") for number in range(7)) == len(new)

    return Scene(operate, check)


def _delete_pass(tenant: Tenant) -> Scene:
    template_id = make_template(tenant.project_id).template_id
    reference = PassReference(external_id="mine")
    new = NewPass(update=ContentUpdate(), external_id="mine", tag_names=(TAG, "other"))
    platform = get_platform()
    issuing.create_pass(
        platform, project_id=tenant.project_id, template=TemplateReference(template_id=template_id), new=new
    )

    def check() -> None:
        assert _count(tenant, "/v1/pass") == _count(tenant, f"/v1/tag/{TAG}/passes") == 0
        assert tenant.request("GET", "/v1/pass/id/mine").status_code == 404

    return Scene(lambda: issuing.delete_pass(platform, project_id=tenant.project_id, reference=reference), check)


def _empty_tag(tenant: Tenant) -> Scene:
    make_spread_passes(tenant.project_id, segments=2, tags=[TAG])

    def check() -> None:
        assert _count(tenant, f"/v1/tag/{TAG}/passes") == 0
        assert _count(tenant, "/v1/tag") == 1

    return Scene(lambda: tagging.empty_tag(get_platform(), project_id=tenant.project_id, segment=TAG), check)


def _delete_tag(tenant: Tenant) -> Scene:
    make_spread_passes(tenant.project_id, segments=2, tags=[TAG])

    def check() -> None:
        assert _count(tenant, "/v1/tag") == 0

    return Scene(lambda: tagging.delete_tag(get_platform(), project_id=tenant.project_id, segment=TAG), check)


def _delete_template(tenant: Tenant) -> Scene:
    make_template(tenant.project_id, external_id="mine")
    reference = TemplateReference(external_id="mine")

    def operate() -> object:
        return template_editing.delete_template(get_platform(), project_id=tenant.project_id, reference=reference)

    def check() -> None:
        assert _count(tenant, "/v1/template/headers") == 0
        make_template(tenant.project_id, external_id="mine")

    return Scene(operate, check)


def _install(tenant: Tenant) -> Scene:
    (pass_,) = make_passes(tenant.project_id, 1, tags=[TAG])

    def operate() -> object:
        return devices.install(
            get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device_platform="ios"
        )

    def check() -> None:
        assert _count(tenant, f"/v1/tag/{TAG}/passes?status=installed") == 1
        assert _count(tenant, f"/v1/tag/{TAG}/passes?status=not_been_installed") == 0

    return Scene(operate, check)


def _update_pass(tenant: Tenant) -> Scene:
    (pass_,) = make_passes(tenant.project_id, 1)
    reference = PassReference(pass_id=pass_.pass_id)

    def operate() -> object:
        update = write_field("Points", "9")
        return updating.update_pass(get_platform(), project_id=tenant.project_id, reference=reference, update=update)

    def check() -> None:
        assert field_value(pass_, "Points") == "9"

    return Scene(operate, check)


def _redrive(tenant: Tenant) -> Scene:
    passes = make_spread_passes(tenant.project_id, segments=2, tags=[TAG])
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment=TAG, update=write_field("Points", "9")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    for pass_ in passes:
        bulk_updates.fail_segment(platform, ticket_id=ticket.ticket_id, segment=pass_.pass_id // 1000)

    return Scene(
        lambda: bulk_updates.redrive(platform, ticket_id=ticket.ticket_id),
        lambda: _assert_completed(ticket.ticket_id, 2),
    )


OPERATIONS: dict[str, BuildScene] = {
    "plan a bulk update": _plan,
    "update a segment": _segment,
    "start a bulk update": _start,
    "sweep": _sweep,
    "add tags": _add_tags,
    "remove a tag": _remove_tag,
    "create passes": _create_passes,
    "delete a pass": _delete_pass,
    "empty a tag": _empty_tag,
    "delete a tag": _delete_tag,
    "delete a template": _delete_template,
    "install": _install,
    "update a pass": _update_pass,
    "redrive": _redrive,
}

REPEATED_IN_VAIN = (NotFound,)
"""what a caller may be told who repeats an operation that had worked"""


def _dies_after(scene: Scene, number: int) -> bool:
    """Whether the operation makes so many calls. It dies after the last: to die before the next leaves the same."""
    with inject(kill_at(number, after=True)):
        try:
            scene.operate()
        except Killed:
            return True
    return False


@pytest.fixture(autouse=True)
def _several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The segment that dies is cut into batches, which are at work side by side."""
    monkeypatch.setattr(segment_updates, "PASSES_PER_READ", 25)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_process_that_dies_at_any_call_loses_nothing_and_counts_once(
    stack: Stack, consistent: Consistent, name: str
) -> None:
    scenes: list[tuple[int, Scene]] = []
    died = True
    while died:
        tenant = stack.tenant()
        scene = OPERATIONS[name](tenant)
        scenes.append((tenant.project_id, scene))
        died = _dies_after(scene, len(scenes))
        consistent(tenant.project_id, swept=False)
        with suppress(*REPEATED_IN_VAIN):
            scene.operate()

    operations.resume_unfinished()
    stack.drain()
    for project_id, scene in scenes:
        scene.check()
        consistent(project_id)
    assert len(scenes) > 2, "the operation makes no calls"
