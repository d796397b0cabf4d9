"""Templates (airship-wallet-v1, section 6)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.airship.forms import template_route
from chalicelib.api.airship.locations import read_location_id, read_locations
from chalicelib.api.airship.template_bodies import read_template
from chalicelib.domain import finding, listing, template_editing
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
    queries.check_project(request, identifier)
    return _create(request, external_id=None)


@route(templates, "/v1/template/{identifier}/id/{external_id}", methods=["POST"])
def create_template_with_external_id(request: AirshipRequest, identifier: str, external_id: str) -> Any:
    """In the project that the path names, with an external id."""
    queries.check_project(request, identifier)
    return _create(request, external_id=queries.new_external_id(external_id))


def _create(request: AirshipRequest, *, external_id: str | None) -> Any:
    draft, own_external_id = read_template(request.document)
    template = template_editing.create_template(
        request.platform,
        project_id=request.project_id,
        draft=draft,
        external_id=external_id if external_id is not None else own_external_id,
    )
    return {"templateId": template.template_id}


@template_route(templates, methods=["POST"], prefix="/v1/template/duplicate")
def duplicate_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """A copy without the external id."""
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


@template_route(templates, methods=["GET"])
def get_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """The whole template."""
    return answers.whole_template(
        finding.get_template_or_raise(request.platform, project_id=request.project_id, reference=reference)
    )


@template_route(templates, methods=["PUT"])
def update_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Replaces everything; what the body leaves out of vendor and type stays."""
    current = finding.get_template_or_raise(request.platform, project_id=request.project_id, reference=reference)
    draft, _ = read_template(request.document, current=current)
    template = template_editing.update_template(
        request.platform, project_id=request.project_id, reference=reference, draft=draft
    )
    return {"templateId": template.template_id}


@template_route(templates, methods=["DELETE"])
def delete_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Refused while it has passes."""
    template = template_editing.delete_template(request.platform, project_id=request.project_id, reference=reference)
    return {"Status": "Deleted", "TemplateID": str(template.template_id)}


@template_route(templates, "/locations", methods=["POST"])
def add_locations(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Appends locations, for passes issued from now on."""
    added = template_editing.add_locations(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        locations=read_locations(request.document),
    )
    return [answers.location_of_template(location) for location in added]


@template_route(templates, "/location/{location_id}", methods=["DELETE"])
def remove_location(request: AirshipRequest, reference: TemplateReference, location_id: str) -> Any:
    """Removes one location."""
    identifier = read_location_id(location_id)
    template_editing.remove_location(
        request.platform, project_id=request.project_id, reference=reference, location_id=identifier
    )
    return {"status": "success", "locationId": identifier}
