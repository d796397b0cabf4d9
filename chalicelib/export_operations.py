"""Exporting: a project's passes, or the registrations of a template, as records of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import (
    Collection,
    count_members,
    passes_of_project,
    passes_of_template,
    registrations_of_template,
)
from chalicelib.domain.errors import NotFound
from chalicelib.domain.exporting import (
    REGISTRATION_COLUMNS,
    PassTable,
    make_pass_document,
    make_registration_cells,
    make_registration_document,
    walk_passes,
    walk_registrations,
)
from chalicelib.domain.finding import get_tag_or_raise
from chalicelib.domain.issuing import show_template
from chalicelib.domain.tags import normalize_tag_name
from chalicelib.domain.templates import Template
from chalicelib.operations import get_named_template_or_raise, get_project_or_raise
from chalicelib.wiring import get_platform

Cells = list[str]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """What an export is about to give out. It reads as it is consumed, some members at a time."""

    total: int
    """members to go through"""
    columns: Sequence[str]
    parts: Iterator[tuple[int, list[Cells] | list[Document]]]
    """how many members were gone through, and the records of those that belong to the export"""


def export_passes(*, project_id: int, template: str | None, tag: str | None, as_cells: bool) -> Export:
    """The passes of a project, or those of a template, with a tag, or both; as lines of cells or as JSON documents.

    Raises:
        NotFound, InvalidRequest
    """
    platform = get_platform()
    get_project_or_raise(project_id=project_id)
    templates = _find_templates(project_id, template)
    collection = _choose_collection(project_id, templates[0] if template is not None else None, tag)
    table = PassTable(
        {each.template_id: each.content for each in templates},
        given={each.template_id: show_template(each, ContentUpdate()) for each in templates},
    )

    def read() -> Iterator[tuple[int, list[Cells] | list[Document]]]:
        template_ids = {each.template_id for each in templates}
        for scanned, passes in walk_passes(platform, collection, project_id=project_id, template_ids=template_ids):
            if as_cells:
                yield scanned, [table.make_cells(pass_, tags) for pass_, tags in passes]
            else:
                yield scanned, [make_pass_document(pass_, tags) for pass_, tags in passes]

    return Export(count_members(platform.counts.read_counts(collection)), table.columns, read())


def _find_templates(project_id: int, name: str | None) -> list[Template]:
    if name is not None:
        return [get_named_template_or_raise(project_id=project_id, name=name)]
    return get_platform().templates.list_templates(project_id=project_id)


def _choose_collection(project_id: int, template: Template | None, tag: str | None) -> Collection:
    if tag is not None:
        found = get_tag_or_raise(get_platform(), project_id=project_id, segment=quote(tag, safe=""))
        if found.name != normalize_tag_name(tag):
            raise NotFound("tag", tag)
        return found.collection
    return passes_of_project(project_id) if template is None else passes_of_template(template.template_id)


def export_registrations(*, project_id: int, template: str, as_cells: bool) -> Export:
    """The registrations of a template's passes, without what a device proves itself with.

    Raises:
        NotFound, InvalidRequest
    """
    platform = get_platform()
    found = get_named_template_or_raise(project_id=project_id, name=template)
    collection = registrations_of_template(found.template_id)

    def read() -> Iterator[tuple[int, list[Cells] | list[Document]]]:
        for part in walk_registrations(platform, collection):
            if as_cells:
                yield len(part), [make_registration_cells(*each) for each in part]
            else:
                yield len(part), [make_registration_document(*each) for each in part]

    return Export(count_members(platform.counts.read_counts(collection)), REGISTRATION_COLUMNS, read())
