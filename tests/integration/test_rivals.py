"""Every write against every rival write that lands between its read and its own writing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates, installing, issuing, tagging, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import NotFound
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import TemplateReference
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import make_passes, write_field
from tests.support.rivals import with_rival
from tests.support.stack import Stack

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
    return installing.record_installation(
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
    "install": (_install, "passes", "change_status"),
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
