"""Passes: create, read, list, update, delete (airship-wallet-v1, section 5)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.airship.forms import pass_route, template_route
from chalicelib.api.airship.locations import read_location_id, read_locations
from chalicelib.api.bodies import read_model
from chalicelib.domain import finding, issuing, listing, updating
from chalicelib.domain.errors import InvalidRequest, Refused
from chalicelib.domain.passes import NewPass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.errors import airship_answer
from chalicelib.schemas.airship import BulkCreateBody, CreatePassBody, UpdateBody
from chalicelib.settings import get_settings

passes = Blueprint(__name__)

ORDERS = ("id", "createdAt", "updatedAt", "name")


@template_route(passes, methods=["POST"], prefix="/v1/pass")
def create_pass(request: AirshipRequest, template: TemplateReference) -> Any:
    """Under a template; the external id, if any, is in the body."""
    return _create(request, template, external_id=None)


@template_route(passes, "/id/{pass_external_id}", methods=["POST"], prefix="/v1/pass")
def create_pass_with_external_id(request: AirshipRequest, template: TemplateReference, pass_external_id: str) -> Any:
    """Under a template, with an external id."""
    return _create(request, template, external_id=queries.new_external_id(pass_external_id))


def _create(request: AirshipRequest, template: TemplateReference, *, external_id: str | None) -> Any:
    new = _read_new_pass(request.document, external_id=external_id)
    pass_ = issuing.create_pass(request.platform, project_id=request.project_id, template=template, new=new)
    return answers.created_pass(pass_, request.base_url)


def _read_new_pass(document: Any, *, external_id: str | None) -> NewPass:
    body = read_model(CreatePassBody, document)
    return NewPass(
        update=body.as_update(),
        external_id=external_id if external_id is not None else body.externalId,
        public_type=body.public_type,
        tag_names=body.tag_names,
    )


@template_route(passes, "/bulk", methods=["POST"], prefix="/v1/pass")
def create_many_passes(request: AirshipRequest, template: TemplateReference) -> Any:
    """Our own addition: up to 1,000 passes of one template; each is created or refused by itself."""
    body = read_model(BulkCreateBody, request.document)
    limit = get_settings().limits.passes_per_request
    if len(body.passes) > limit:
        raise InvalidRequest(f"has {len(body.passes)} entries, the limit is {limit}", field="passes")
    outcomes = issuing.create_passes(
        request.platform,
        project_id=request.project_id,
        template=template,
        new=[_try_to_read(document) for document in body.passes],
    )
    failed = sum(isinstance(outcome, Exception) for outcome in outcomes)
    return {
        "created": len(outcomes) - failed,
        "failed": failed,
        "passes": [
            {"error": airship_answer(outcome).body}
            if isinstance(outcome, Exception)
            else {"id": str(outcome.pass_id), "url": answers.pass_url(outcome, request.base_url)}
            for outcome in outcomes
        ],
    }


def _try_to_read(document: Any) -> NewPass | Refused:
    try:
        return _read_new_pass(document, external_id=None)
    except Refused as refusal:
        return refusal


@pass_route(passes, "", methods=["GET"])
def get_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """The whole pass."""
    pass_ = finding.get_pass_or_raise(request.platform, project_id=request.project_id, reference=reference)
    tag_names = [tag.name for tag in finding.get_live_tags(request.platform, pass_)]
    return answers.whole_pass(pass_, tag_names, request.base_url)


@pass_route(passes, "", methods=["PUT"])
def update_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """A partial update; the ticket is finished when it is answered."""
    update = read_model(UpdateBody, request.document).as_update()
    ticket = updating.update_pass(request.platform, project_id=request.project_id, reference=reference, update=update)
    return {"ticketId": ticket.ticket_id}


@pass_route(passes, "", methods=["DELETE"])
def delete_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """Removes the pass from every list."""
    pass_ = issuing.delete_pass(request.platform, project_id=request.project_id, reference=reference)
    return {"Status": "Deleted", "PassID": str(pass_.pass_id)}


@route(passes, "/v1/pass", methods=["GET"])
def list_passes(request: AirshipRequest) -> Any:
    """The project's passes, or with `templateId` those of one template."""
    text = request.query("templateId")
    return _list(request, queries.template_by_id(text) if text else None)


@template_route(passes, "/passes", methods=["GET"])
def list_passes_of_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """The passes of one template."""
    return _list(request, reference)


def _list(request: AirshipRequest, template: TemplateReference | None) -> Any:
    query = queries.read_pass_query(request, orders=ORDERS, with_all=True)
    page = listing.list_passes(
        request.platform,
        project_id=request.project_id,
        template=template,
        facets=query.facets,
        request=query.page,
    )
    names = listing.tag_names_of(request.platform, project_id=request.project_id, passes=page.items)
    return {
        "count": page.total,
        "passes": [answers.pass_in_list(pass_, names[pass_.pass_id], request.base_url) for pass_ in page.items],
        "pagination": answers.pagination(query.page),
    }


@pass_route(passes, "/locations", methods=["POST"])
def add_locations(request: AirshipRequest, reference: PassReference) -> Any:
    """Appends locations."""
    added = updating.add_locations(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        locations=read_locations(request.document),
    )
    return [answers.location_of_pass(location) for location in added]


@pass_route(passes, "/location/{location_id}", methods=["DELETE"])
def remove_location(request: AirshipRequest, reference: PassReference, location_id: str) -> Any:
    """Removes one location."""
    identifier = read_location_id(location_id)
    updating.remove_location(
        request.platform, project_id=request.project_id, reference=reference, location_id=identifier
    )
    return {"status": "success", "passLocationId": identifier}
