"""Templates (airship-wallet-v1, section 6)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, decode, route
from chalicelib.api.airship.locations import read_locations
from chalicelib.api.airship.template_bodies import read_template
from chalicelib.domain import finding, listing, template_editing
from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import parse_id
from chalicelib.domain.templates import TemplateReference

templates = Blueprint(__name__)

ORDERS = ("id", "createdAt", "updatedAt", "name")


@route(templates, "/v1/template", methods=["POST"])
def create_template(request: AirshipRequest) -> Any:
    """In the project of the credentials."""
    return _create(request, external_id=None)


@route(templates, "/v1/template/{identifier}", methods=["POST"])
def create_template_in_project(request: AirshipRequest, identifier: str) -> Any:
    """In the project that the path names, which must be that of the credentials."""
    _check_project(request, identifier)
    return _create(request, external_id=None)


@route(templates, "/v1/template/{identifier}/id/{external_id}", methods=["POST"])
def create_template_with_external_id(request: AirshipRequest, identifier: str, external_id: str) -> Any:
    """In the project that the path names, with an external id."""
    _check_project(request, identifier)
    return _create(request, external_id=queries.new_external_id(external_id))


def _check_project(request: AirshipRequest, segment: str) -> None:
    if parse_id(decode(segment)) != request.project_id:
        raise NotFound("project", decode(segment)[:255])


def _create(request: AirshipRequest, *, external_id: str | None) -> Any:
    draft, own_external_id = read_template(request.document)
    template = template_editing.create_template(
        request.platform,
        project_id=request.project_id,
        draft=draft,
        external_id=external_id if external_id is not None else own_external_id,
    )
    return {"templateId": template.template_id}


@route(templates, "/v1/template/duplicate/{identifier}", methods=["POST"])
def duplicate_template(request: AirshipRequest, identifier: str) -> Any:
    """A copy without the external id."""
    return _duplicate(request, queries.template_by_id(identifier))


@route(templates, "/v1/template/duplicate/id/{external_id}", methods=["POST"])
def duplicate_named_template(request: AirshipRequest, external_id: str) -> Any:
    """A copy of the template with that external id."""
    return _duplicate(request, queries.template_by_external_id(external_id))


def _duplicate(request: AirshipRequest, reference: TemplateReference) -> Any:
    template = template_editing.duplicate_template(request.platform, project_id=request.project_id, reference=reference)
    return {"templateId": template.template_id}


@route(templates, "/v1/template/headers", methods=["GET"])
def list_templates(request: AirshipRequest) -> Any:
    """Headers of the project's templates."""
    page_request = queries.read_page(request, orders=ORDERS)
    page = listing.list_templates(request.platform, project_id=request.project_id, request=page_request)
    return {
        "count": page.total,
        "templateHeaders": [answers.template_header(header) for header in page.items],
        "pagination": answers.pagination(page_request),
    }


@route(templates, "/v1/template/{identifier}", methods=["GET"])
def get_template(request: AirshipRequest, identifier: str) -> Any:
    """The whole template."""
    return _get(request, queries.template_by_id(identifier))


@route(templates, "/v1/template/id/{external_id}", methods=["GET"])
def get_named_template(request: AirshipRequest, external_id: str) -> Any:
    """The whole template, by its external id."""
    return _get(request, queries.template_by_external_id(external_id))


def _get(request: AirshipRequest, reference: TemplateReference) -> Any:
    return answers.whole_template(
        finding.get_template_or_raise(request.platform, project_id=request.project_id, reference=reference)
    )


@route(templates, "/v1/template/{identifier}", methods=["PUT"])
def update_template(request: AirshipRequest, identifier: str) -> Any:
    """Replaces everything (section 6)."""
    return _update(request, queries.template_by_id(identifier))


@route(templates, "/v1/template/id/{external_id}", methods=["PUT"])
def update_named_template(request: AirshipRequest, external_id: str) -> Any:
    """Replaces everything, by external id."""
    return _update(request, queries.template_by_external_id(external_id))


def _update(request: AirshipRequest, reference: TemplateReference) -> Any:
    current = finding.get_template_or_raise(request.platform, project_id=request.project_id, reference=reference)
    draft, _ = read_template(request.document, current=current)
    template = template_editing.update_template(
        request.platform, project_id=request.project_id, reference=reference, draft=draft
    )
    return {"templateId": template.template_id}


@route(templates, "/v1/template/{identifier}", methods=["DELETE"])
def delete_template(request: AirshipRequest, identifier: str) -> Any:
    """Refused while it has passes."""
    return _delete(request, queries.template_by_id(identifier))


@route(templates, "/v1/template/id/{external_id}", methods=["DELETE"])
def delete_named_template(request: AirshipRequest, external_id: str) -> Any:
    """Refused while it has passes."""
    return _delete(request, queries.template_by_external_id(external_id))


def _delete(request: AirshipRequest, reference: TemplateReference) -> Any:
    template = template_editing.delete_template(request.platform, project_id=request.project_id, reference=reference)
    return {"Status": "Deleted", "TemplateID": str(template.template_id)}


@route(templates, "/v1/template/{identifier}/locations", methods=["POST"])
def add_template_locations(request: AirshipRequest, identifier: str) -> Any:
    """Appends locations, for passes issued from now on."""
    return _add_locations(request, queries.template_by_id(identifier))


@route(templates, "/v1/template/id/{external_id}/locations", methods=["POST"])
def add_named_template_locations(request: AirshipRequest, external_id: str) -> Any:
    """Appends locations, by external id."""
    return _add_locations(request, queries.template_by_external_id(external_id))


def _add_locations(request: AirshipRequest, reference: TemplateReference) -> Any:
    added = template_editing.add_locations(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        locations=read_locations(request.document),
    )
    return [answers.location_of_template(location) for location in added]


@route(templates, "/v1/template/{identifier}/location/{location_id}", methods=["DELETE"])
def remove_template_location(request: AirshipRequest, identifier: str, location_id: str) -> Any:
    """Removes one location."""
    return _remove_location(request, queries.template_by_id(identifier), location_id)


@route(templates, "/v1/template/id/{external_id}/location/{location_id}", methods=["DELETE"])
def remove_named_template_location(request: AirshipRequest, external_id: str, location_id: str) -> Any:
    """Removes one location, by external id."""
    return _remove_location(request, queries.template_by_external_id(external_id), location_id)


def _remove_location(request: AirshipRequest, reference: TemplateReference, segment: str) -> Any:
    identifier = queries.location_id(segment)
    if identifier is None:
        raise NotFound("location", segment)
    template_editing.remove_location(
        request.platform, project_id=request.project_id, reference=reference, location_id=identifier
    )
    return {"status": "success", "locationId": identifier}
