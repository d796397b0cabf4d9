"""Puts a project with many tagged passes into the store, through the code that clients use."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib import operations
from chalicelib.domain import issuing, template_editing
from chalicelib.domain.content import Content, ContentUpdate, Entry
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import Template, TemplateDraft, TemplateReference

FIELDS = 10
BATCH = 1000


def create_passes(
    platform: Platform, *, count: int, tags: int, advance: Callable[[int], object]
) -> tuple[int, list[int]]:
    """A new project with one template of ten fields and `count` passes, each tagged `tag-0`, `tag-1`, ...

    Calls `advance` with the number of passes made since the last call; returns the project id and the pass ids.
    """
    project = operations.create_project(name=f"bench {count} x {tags}")
    template = make_template(platform, project_id=project.project_id)
    names = tuple(f"tag-{number}" for number in range(tags))
    pass_ids: list[int] = []
    while len(pass_ids) < count:
        size = min(BATCH, count - len(pass_ids))
        outcomes = issuing.create_passes(
            platform,
            project_id=project.project_id,
            template=TemplateReference(template_id=template.template_id),
            new=[NewPass(update=ContentUpdate(), tag_names=names)] * size,
        )
        for outcome in outcomes:
            if not isinstance(outcome, Pass):
                raise outcome
            pass_ids.append(outcome.pass_id)
        advance(size)
    return project.project_id, pass_ids


def make_template(platform: Platform, *, project_id: int) -> Template:
    """A template of ten fields."""
    fields = {
        f"field{number}": Entry({"fieldType": "primary", "label": f"Label {number}", "value": f"value {number}"})
        for number in range(FIELDS)
    }
    draft = TemplateDraft(
        name="Bench",
        description="",
        vendor="Apple",
        type="Coupon",
        project_type="coupon",
        content=Content(fields=fields),
    )
    return template_editing.create_template(platform, project_id=project_id, draft=draft, external_id=None)
