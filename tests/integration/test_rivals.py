"""Every write against every rival write that lands between its read and its own writing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates, issuing, sweeping, tagging, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import NotFound
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import TemplateReference
from chalicelib.wiring import get_database, get_platform
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, write_field
from tests.support.rivals import with_rival
from tests.support.stack import Stack, Tenant

TAG = "flag"


@dataclass(frozen=True)
class Scene:
    """Three passes with a tag; operation and rival meet on the first."""

    project_id: int
    passes: list[Pass]

    @property
    def reference(self) -> PassReference:
        """The pass that both write."""
        return PassReference(pass_id=self.passes[0].pass_id)


Act = Callable[[Platform, Scene], object]


def _add(name: str) -> Act:
    return lambda platform, scene: tagging.add_tags(
        platform, project_id=scene.project_id, reference=scene.reference, names=[name]
    )


def _remove_tag(platform: Platform, scene: Scene) -> object:
    return tagging.remove_tag(platform, project_id=scene.project_id, segment=TAG, reference=scene.reference)


def _empty(platform: Platform, scene: Scene) -> object:
    return tagging.empty_tag(platform, project_id=scene.project_id, segment=TAG)


def _delete_tag(platform: Platform, scene: Scene) -> object:
    return tagging.delete_tag(platform, project_id=scene.project_id, segment=TAG)


def _replace_tag(platform: Platform, scene: Scene) -> object:
    _delete_tag(platform, scene)
    return _add(TAG)(platform, scene)


def _empty_and_add(platform: Platform, scene: Scene) -> object:
    _empty(platform, scene)
    return _add(TAG)(platform, scene)


def _delete_pass(platform: Platform, scene: Scene) -> object:
    return issuing.delete_pass(platform, project_id=scene.project_id, reference=scene.reference)


def _install(platform: Platform, scene: Scene) -> object:
    return devices.install(
        platform, project_id=scene.project_id, pass_id=scene.passes[0].pass_id, device_platform="ios"
    )


def _update(platform: Platform, scene: Scene) -> object:
    return updating.update_pass(
        platform, project_id=scene.project_id, reference=scene.reference, update=write_field("Points", "1")
    )


def _create(name: str) -> Act:
    def create(platform: Platform, scene: Scene) -> object:
        template = TemplateReference(template_id=scene.passes[0].template_id)
        new = NewPass(update=ContentUpdate(), external_id="mine", tag_names=(name, TAG))
        return issuing.create_passes(platform, project_id=scene.project_id, template=template, new=[new])

    return create


def _update_all(platform: Platform, scene: Scene) -> object:
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=scene.project_id, segment=TAG, update=write_field("Points", "2")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    segment = scene.passes[0].pass_id // 1000
    return bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=segment)


OPERATIONS: dict[str, tuple[Act, str, str]] = {
    "add an existing tag": (_add("known"), "passes", "add_tags"),
    "add a new tag": (_add("new"), "passes", "add_tags"),
    "remove the tag": (_remove_tag, "passes", "remove_tag"),
    "empty the tag": (_empty, "tags", "empty_tag"),
    "delete the tag": (_delete_tag, "tags", "delete_tag"),
    "delete the pass": (_delete_pass, "passes", "delete_pass"),
    "install": (_install, "registrations", "register"),
    "update the pass": (_update, "passes", "update_pass"),
    "create a pass": (_create("new"), "passes", "create_passes"),
    "update all": (_update_all, "passes", "update_passes"),
    "count the update": (_update_all, "tickets", "complete_segment"),
}
"""how, and before which call of which store the rival acts"""

RIVALS: dict[str, Act] = {
    "adds the same tag": _add("new"),
    "removes the tag": _remove_tag,
    "empties the tag": _empty,
    "empties the tag and adds it": _empty_and_add,
    "deletes the tag": _delete_tag,
    "deletes the tag and adds it": _replace_tag,
    "deletes the pass": _delete_pass,
    "installs": _install,
    "updates the pass": _update,
    "updates all": _update_all,
    "creates the same pass": _create("new"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_rival_write_between_read_and_write_leaves_everything_adding_up(
    stack: Stack, consistent: Consistent, name: str
) -> None:
    operate, store, method = OPERATIONS[name]
    project_ids = []
    for rival in RIVALS.values():
        project_id = operations.create_project(name="rivals").project_id
        project_ids.append(project_id)
        passes = make_passes(project_id, 3, tags=[TAG])
        scene = Scene(project_id, passes)
        _add("known")(get_platform(), Scene(project_id, passes[1:]))
        struck: list[bool] = []

        def strike(rival: Act = rival, scene: Scene = scene, struck: list[bool] = struck) -> None:
            struck.append(True)
            rival(get_platform(), scene)

        with suppress(NotFound):
            operate(with_rival(get_platform(), store, method, strike), scene)

        assert struck == [True]
    stack.drain()
    for project_id in project_ids:
        consistent(project_id)


@pytest.fixture(params=[True, False], ids=["in batches", "one by one"])
def in_batches(request: pytest.FixtureRequest, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether workers write 25 rows a call, or, as on an engine without PartiQL, row by row."""
    database, in_batches = get_database(), bool(request.param)
    monkeypatch.setattr(database, "settings", replace(database.settings, batch_statements=in_batches))
    return in_batches


@pytest.mark.usefixtures("in_batches")
def test_a_pass_that_gets_the_tag_anew_under_the_sweep_keeps_it(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    scene = Scene(tenant.project_id, make_passes(tenant.project_id, 3, tags=[TAG]))
    platform = get_platform()
    tag = platform.tags.find_tag(project_id=tenant.project_id, names=[TAG], tag_id=None)
    assert tag is not None
    _empty(platform, scene)
    rival = partial(_add(TAG), platform, scene)

    sweeping.sweep_collection(with_rival(platform, "passes", "remove_memberships", rival), key=tag.collection.key)

    assert tenant.call("GET", f"/v1/tag/{TAG}/passes")["count"] == 1
    assert [each["id"] for each in tenant.call("GET", f"/v1/tag/{TAG}/passes")["passes"]] == [scene.passes[0].pass_id]
    stack.drain()
    consistent(tenant.project_id)


@pytest.mark.parametrize("rival", ["updates the pass", "removes the tag", "installs", "deletes the pass"])
def test_a_worker_that_writes_one_by_one_loses_no_rival_write(
    stack: Stack, tenant: Tenant, consistent: Consistent, in_batches: bool, rival: str
) -> None:
    scene = Scene(tenant.project_id, make_passes(tenant.project_id, 3, tags=[TAG]))
    method = "update_passes" if in_batches else "update_pass"
    strike = partial(RIVALS[rival], get_platform(), scene)

    _update_all(with_rival(get_platform(), "passes", method, strike), scene)

    shown = get_platform().passes.get_pass(project_id=tenant.project_id, pass_id=scene.passes[0].pass_id)
    points = shown and shown.content.fields["Points"].attributes["value"]
    assert points == {"updates the pass": "1", "removes the tag": "0", "installs": "2", "deletes the pass": None}[rival]
    stack.drain()
    consistent(tenant.project_id)
