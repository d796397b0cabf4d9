"""The ten tag operations (airship-wallet-v1, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.airship.forms import pass_route
from chalicelib.api.airship.whole_passes import expected_pass
from chalicelib.domain import tagging
from chalicelib.domain.passes import PassReference

if TYPE_CHECKING:
    from chalicelib.schemas.airship import AddTagsBody, UpdateBody

tags = Blueprint(__name__)


@pass_route(
    tags,
    "/tags",
    methods=["PUT"],
    body="airship.AddTagsBody",
    answer="airship_answers.AddedTags",
    shares=("pass update",),
)
def add_tags(request: AirshipRequest, reference: PassReference) -> Any:
    """Add tags to a pass

    Tags that do not exist are created. Tags that the pass has already stay, and are not in `newTags`; a name that
    stands twice counts once. If more than 15 tags would be left on the pass, or a name is unusable, the request is
    refused whole and changes nothing. Safe to repeat.
    """
    body: AddTagsBody = request.read_body()
    names = tagging.add_tags(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        names=body.tags,
        expect=expected_pass(request),
    )
    return {"newTags": names, "mappings": len(names)}


@pass_route(tags, "/tags", methods=["GET"], answer="airship_answers.TagsOfPass")
def list_tags_of_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """List the tags of a pass

    All of them, ascending by id. The text of a tag is `name` here, and `tag` in the list of all tags.
    """
    found = tagging.list_tags_of_pass(request.platform, project_id=request.project_id, reference=reference)
    return {"tags": [answers.tag_of_pass(tag) for tag in found]}


@route(
    tags,
    "/v1/tag",
    methods=["GET"],
    query=queries.page_query(orders=("id", "createdAt")),
    answer="airship_answers.TagList",
)
def list_tags(request: AirshipRequest) -> Any:
    """List all tags

    One page of the project's tags, with their total in `count`. `Pagination` has a capital P in this list alone.
    """
    from chalicelib.domain import listing

    page_request = queries.read_page(request)
    page = listing.list_tags(request.platform, project_id=request.project_id, request=page_request)
    return {
        "tags": [answers.tag_in_list(tag) for tag in page.items],
        "Pagination": answers.tags_pagination(page_request),
        "count": page.total,
    }


@route(
    tags,
    "/v1/tag/{tag}/passes",
    methods=["GET"],
    content_type="application/json; charset=utf-8",
    query=queries.pass_query(orders=("id", "createdAt", "updatedAt")),
    answer="airship_answers.PassesOfTag",
)
def list_passes_of_tag(request: AirshipRequest, tag: str) -> Any:
    """List the passes of a tag

    One page, with the total in `count`. Ids are numbers here. What does not apply to a pass is left out.
    """
    from chalicelib.domain import listing

    query = queries.read_pass_query(request)
    page = listing.list_passes_of_tag(
        request.platform,
        project_id=request.project_id,
        segment=tag,
        facets=query.facets,
        request=query.page,
    )
    return {
        "passes": [answers.pass_of_tag(pass_, request.base_url) for pass_ in page.items],
        "pagination": answers.pagination(query.page, lower_direction=True),
        "count": page.total,
    }


@route(
    tags,
    "/v1/tag/{tag}/passes",
    methods=["PUT"],
    body="airship.UpdateBody",
    answer="airship_answers.StartedTicket",
    shares=("bulk",),
    takes_key=True,
)
def update_passes_of_tag(request: AirshipRequest, tag: str) -> Any:
    """Update all passes of a tag

    Answered at once with a ticket; workers then update every pass that has the tag when its turn comes, so one that is
    untagged or deleted before that is left out, and one that is tagged meanwhile may be updated too. Follow the ticket
    until its `Status` is `COMPLETED`. Devices are told when all passes are updated. Of two updates of the same value,
    the one with the higher ticket wins on every pass, in whatever order the work is done.
    """
    from chalicelib.domain import bulk_updates

    body: UpdateBody = request.read_body()
    ticket = bulk_updates.start_bulk_update(
        request.finishing(answers.accepted), project_id=request.project_id, segment=tag, update=body.as_update()
    )
    return answers.accepted(ticket)


@route(
    tags,
    "/v1/tag/{tag}/pass/{identifier}",
    methods=["DELETE"],
    names={"identifier": "pass_id"},
    answer="airship_answers.RemovedTag",
    shares=("pass update",),
)
def remove_tag(request: AirshipRequest, tag: str, identifier: str) -> Any:
    """Remove a tag from one pass

    404 if the pass does not have the tag. The tag itself stays.
    """
    return _remove_tag(request, tag, queries.pass_by_id(identifier))


@route(
    tags,
    "/v1/tag/{tag}/pass/id/{external_id}",
    methods=["DELETE"],
    names={"external_id": "pass_external_id"},
    answer="airship_answers.RemovedTag",
    shares=("pass update",),
)
def remove_tag_by_external_id(request: AirshipRequest, tag: str, external_id: str) -> Any:
    """Remove a tag from one pass

    `passId` in the answer is the pass's own id. The tag itself stays.
    """
    return _remove_tag(request, tag, queries.pass_by_external_id(external_id))


def _remove_tag(request: AirshipRequest, tag: str, reference: PassReference) -> Any:
    tag_id, pass_id = tagging.remove_tag(
        request.platform,
        project_id=request.project_id,
        segment=tag,
        reference=reference,
        expect=expected_pass(request),
    )
    return {"passId": pass_id, "status": "success", "tagId": tag_id}


@route(tags, "/v1/tag/{tag}/passes", methods=["DELETE"], answer="airship_answers.ClearedTag")
def empty_tag(request: AirshipRequest, tag: str) -> Any:
    """Remove a tag from all passes

    At once, for any number of passes; `count` says how many had it. The tag itself stays, with no passes.
    """
    cleared = tagging.empty_tag(request.platform, project_id=request.project_id, segment=tag)
    return {"count": cleared.count, "status": "success", "tagId": cleared.tag_id}


@route(tags, "/v1/tag/{tag}", methods=["DELETE"], answer="airship_answers.ClearedTag")
def delete_tag(request: AirshipRequest, tag: str) -> Any:
    """Delete a tag

    It is taken off all passes, of which `count` says how many had it, and no longer exists.
    """
    cleared = tagging.delete_tag(request.platform, project_id=request.project_id, segment=tag)
    return {"status": "success", "tagId": cleared.tag_id, "count": cleared.count}
