"""Lists: any page, in any order, with an exact total."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain.counted_index import (
    Collection,
    SegmentCount,
    count_members,
    locate_page,
    passes_of_project,
    passes_of_template,
    tags_of_project,
)
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.finding import get_tag_or_raise, get_template_or_raise
from chalicelib.domain.paging import Page, PageRequest
from chalicelib.domain.passes import PassSummary
from chalicelib.domain.ports import Platform, UpdatedQuery
from chalicelib.domain.tags import Tag, TagReference

if TYPE_CHECKING:
    from chalicelib.domain.templates import TemplateHeader, TemplateReference

BY_ID = frozenset({"id", "createdAt", "name"})
"""Orders that equal order by id: ids ascend with creation, and a pass has no name, so that ties are all there is."""

GATHER_LIMIT = 1000
"""Up to so many members a list by `updatedAt` is read whole and sorted; beyond, the index by time is walked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassList:
    """A list of passes: its collection, and how the index by time recognises its members."""

    project_id: int
    collection: Collection
    template_id: int | None = None
    tag: TagReference | None = None


def list_passes_of_tag(
    platform: Platform, *, project_id: int, segment: str, facets: AbstractSet[str] | None, request: PageRequest
) -> Page[PassSummary]:
    """The passes that have a tag (section 4.6). By id or creation: three calls, and one for each segment touched.

    Raises:
        NotFound
    """
    tag = get_tag_or_raise(platform, project_id=project_id, segment=segment)
    passes = PassList(project_id=project_id, collection=tag.collection, tag=TagReference(tag.tag_id, tag.generation))
    return _list_passes(platform, passes, facets=facets, request=request)


def list_passes(
    platform: Platform,
    *,
    project_id: int,
    template: TemplateReference | None,
    facets: AbstractSet[str] | None,
    request: PageRequest,
) -> Page[PassSummary]:
    """The passes of a project, or of one of its templates (section 5).

    Raises:
        NotFound: the template is unknown.
    """
    if template is None:
        passes = PassList(project_id=project_id, collection=passes_of_project(project_id))
    else:
        template_id = get_template_or_raise(platform, project_id=project_id, reference=template).template_id
        passes = PassList(project_id=project_id, collection=passes_of_template(template_id), template_id=template_id)
    return _list_passes(platform, passes, facets=facets, request=request)


def _list_passes(
    platform: Platform, passes: PassList, *, facets: AbstractSet[str] | None, request: PageRequest
) -> Page[PassSummary]:
    counts = platform.counts.read_counts(passes.collection)
    total = count_members(counts, facets)
    if request.offset >= total:
        return Page(items=[], total=total)
    if request.order in BY_ID:
        slices = locate_page(
            counts, offset=request.offset, size=request.size, descending=request.descending, facets=facets
        )
        pass_ids = platform.passes.read_members(passes.collection, slices, facets=facets, descending=request.descending)
        return Page(items=platform.passes.get_summaries(pass_ids), total=total)
    if total <= GATHER_LIMIT:
        return Page(items=_gather_by_update(platform, passes, counts, facets=facets, request=request), total=total)
    query = UpdatedQuery(
        project_id=passes.project_id,
        offset=request.offset,
        size=request.size,
        descending=request.descending,
        total=total,
        template_id=passes.template_id,
        tag=passes.tag,
        facets=facets,
    )
    return Page(items=platform.passes.get_summaries(platform.passes.page_by_update(query)), total=total)


def _gather_by_update(
    platform: Platform,
    passes: PassList,
    counts: Sequence[SegmentCount],
    *,
    facets: AbstractSet[str] | None,
    request: PageRequest,
) -> list[PassSummary]:
    """A small list, read whole and sorted: a rare tag in a large project would be a long walk by time."""
    slices = locate_page(counts, offset=0, size=GATHER_LIMIT, descending=False, facets=facets)
    pass_ids = platform.passes.read_members(passes.collection, slices, facets=facets, descending=False)
    summaries = platform.passes.get_summaries(pass_ids)
    summaries.sort(key=lambda summary: (summary.updated_at, summary.pass_id), reverse=request.descending)
    return summaries[request.offset : request.offset + request.size]


def list_tags(platform: Platform, *, project_id: int, request: PageRequest) -> Page[Tag]:
    """The tags of a project (section 4.5). One call, and one for each segment touched."""
    collection = tags_of_project(project_id)
    counts = platform.counts.read_counts(collection)
    slices = locate_page(counts, offset=request.offset, size=request.size, descending=request.descending)
    tags = platform.tags.list_tags(collection, slices, descending=request.descending)
    return Page(items=tags, total=count_members(counts))


_TEMPLATE_ORDERS = {
    "id": lambda header: (header.template_id,),
    "createdAt": lambda header: (header.template_id,),
    "updatedAt": lambda header: (header.updated_at, header.template_id),
    "name": lambda header: (header.name, header.template_id),
}


def list_templates(platform: Platform, *, project_id: int, request: PageRequest) -> Page[TemplateHeader]:
    """The templates of a project (section 6). A project has few, so their headers are read whole.

    Raises:
        InvalidRequest: there is no such order.
    """
    key = _TEMPLATE_ORDERS.get(request.order)
    if key is None:
        raise InvalidRequest(f"must be one of {', '.join(_TEMPLATE_ORDERS)}", field="order")
    headers = sorted(platform.templates.list_headers(project_id=project_id), key=key, reverse=request.descending)
    return Page(items=headers[request.offset : request.offset + request.size], total=len(headers))


def tag_names_of(platform: Platform, *, project_id: int, passes: Sequence[PassSummary]) -> dict[int, list[str]]:
    """The names of each pass's live tags, ascending by tag id. One call for 100 tags, none if there are no tags."""
    tag_ids = {reference.tag_id for pass_ in passes for reference in pass_.tags}
    by_id = platform.tags.get_tags(project_id=project_id, tag_ids=tag_ids)[1] if tag_ids else {}
    return {
        pass_.pass_id: [
            by_id[reference.tag_id].name
            for reference in sorted(pass_.tags, key=lambda reference: reference.tag_id)
            if reference.is_live(by_id.get(reference.tag_id))
        ]
        for pass_ in passes
    }
