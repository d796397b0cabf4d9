"""The ten tag operations (airship-wallet-v1, section 4)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.airship.forms import pass_route
from chalicelib.api.bodies import read_model
from chalicelib.domain import tagging
from chalicelib.domain.passes import PassReference

tags = Blueprint(__name__)

PASS_ORDERS = ("id", "createdAt", "updatedAt")


@pass_route(tags, "/tags", methods=["PUT"])
def add_tags(request: AirshipRequest, reference: PassReference) -> Any:
    """4.1 and 4.2"""
    from chalicelib.schemas.airship import AddTagsBody

    body = read_model(AddTagsBody, request.document)
    names = tagging.add_tags(request.platform, project_id=request.project_id, reference=reference, names=body.tags)
    return {"newTags": names, "mappings": len(names)}


@pass_route(tags, "/tags", methods=["GET"])
def list_tags_of_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """4.3 and 4.4"""
    found = tagging.list_tags_of_pass(request.platform, project_id=request.project_id, reference=reference)
    return {"tags": [answers.tag_of_pass(tag) for tag in found]}


@route(tags, "/v1/tag", methods=["GET"])
def list_tags(request: AirshipRequest) -> Any:
    """4.5"""
    from chalicelib.domain import listing

    page_request = queries.read_page(request, orders=("id", "createdAt"))
    page = listing.list_tags(request.platform, project_id=request.project_id, request=page_request)
    return {
        "tags": [answers.tag_in_list(tag) for tag in page.items],
        "Pagination": answers.tags_pagination(page_request),
        "count": page.total,
    }


@route(tags, "/v1/tag/{tag}/passes", methods=["GET"], content_type="application/json; charset=utf-8")
def list_passes_of_tag(request: AirshipRequest, tag: str) -> Any:
    """4.6"""
    from chalicelib.domain import listing

    query = queries.read_pass_query(request, orders=PASS_ORDERS)
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


@route(tags, "/v1/tag/{tag}/passes", methods=["PUT"])
def update_passes_of_tag(request: AirshipRequest, tag: str) -> Any:
    """4.7"""
    from chalicelib.domain import bulk_updates
    from chalicelib.schemas.airship import UpdateBody

    update = read_model(UpdateBody, request.document).as_update()
    ticket = bulk_updates.start_bulk_update(request.platform, project_id=request.project_id, segment=tag, update=update)
    return {"ticketId": ticket.ticket_id}


@route(tags, "/v1/tag/{tag}/pass/{identifier}", methods=["DELETE"])
def remove_tag(request: AirshipRequest, tag: str, identifier: str) -> Any:
    """4.8 by pass id"""
    return _remove_tag(request, tag, queries.pass_by_id(identifier))


@route(tags, "/v1/tag/{tag}/pass/id/{external_id}", methods=["DELETE"])
def remove_tag_by_external_id(request: AirshipRequest, tag: str, external_id: str) -> Any:
    """4.8 by external id"""
    return _remove_tag(request, tag, queries.pass_by_external_id(external_id))


def _remove_tag(request: AirshipRequest, tag: str, reference: PassReference) -> Any:
    tag_id, pass_id = tagging.remove_tag(
        request.platform, project_id=request.project_id, segment=tag, reference=reference
    )
    return {"passId": pass_id, "status": "success", "tagId": tag_id}


@route(tags, "/v1/tag/{tag}/passes", methods=["DELETE"])
def empty_tag(request: AirshipRequest, tag: str) -> Any:
    """4.9"""
    cleared = tagging.empty_tag(request.platform, project_id=request.project_id, segment=tag)
    return {"count": cleared.count, "status": "success", "tagId": cleared.tag_id}


@route(tags, "/v1/tag/{tag}", methods=["DELETE"])
def delete_tag(request: AirshipRequest, tag: str) -> Any:
    """4.10"""
    cleared = tagging.delete_tag(request.platform, project_id=request.project_id, segment=tag)
    return {"status": "success", "tagId": cleared.tag_id, "count": cleared.count}
