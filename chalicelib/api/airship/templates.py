"""Templates (airship-wallet-v1, section 6)."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.airship.forms import template_route
from chalicelib.api.airship.locations import read_location_id, read_locations
from chalicelib.api.airship.template_bodies import read_template
from chalicelib.api.declared import Says
from chalicelib.domain import finding, listing, template_editing
from chalicelib.domain.templates import Template, TemplateReference

templates = Blueprint(__name__)

CREATE: Says = {
    "body": "airship.TemplateBody",
    "answer": "airship_template_answers.StoredTemplate",
    "shares": ("create",),
}
CREATE_IN_PROJECT: Says = {**CREATE, "names": {"identifier": "project_id", "external_id": "new_external_id"}}


@route(templates, "/v1/template", methods=["POST"], takes_key=True, **CREATE)
def create_template(request: AirshipRequest) -> Any:
    """Create a template

    In the project of the credentials. What is written differs from what is read: the body is flat.
    """
    return _create(request, external_id=None)


@route(templates, "/v1/template/{identifier}", methods=["POST"], takes_key=True, **CREATE_IN_PROJECT)
def create_template_in_project(request: AirshipRequest, identifier: str) -> Any:
    """Create a template in a project

    The project must be that of the credentials, else 404.
    """
    queries.check_project(request, identifier)
    return _create(request, external_id=None)


@route(templates, "/v1/template/{identifier}/id/{external_id}", methods=["POST"], takes_key=True, **CREATE_IN_PROJECT)
def create_template_with_external_id(request: AirshipRequest, identifier: str, external_id: str) -> Any:
    """Create a template with an external id

    In the project that the path names. An external id that is in use in the project is 400.
    """
    queries.check_project(request, identifier)
    return _create(request, external_id=queries.new_external_id(external_id))


def _create(request: AirshipRequest, *, external_id: str | None) -> Any:
    draft, own_external_id = read_template(request.read_body())
    template = template_editing.create_template(
        request.finishing(_created),
        project_id=request.project_id,
        draft=draft,
        external_id=external_id if external_id is not None else own_external_id,
    )
    return _created(template)


def _created(template: Template) -> Any:
    return {"templateId": template.template_id}


@template_route(
    templates,
    methods=["POST"],
    prefix="/v1/template/duplicate",
    answer="airship_template_answers.StoredTemplate",
    shares=("create",),
    takes_key=True,
)
def duplicate_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Copy a template

    The copy has no external id. No body is needed.
    """
    template = template_editing.duplicate_template(
        request.finishing(_created), project_id=request.project_id, reference=reference
    )
    return _created(template)


@route(
    templates,
    "/v1/template/headers",
    methods=["GET"],
    query=queries.page_query(orders=("id", "createdAt", "updatedAt", "name")),
    answer="airship_template_answers.TemplateList",
)
def list_templates(request: AirshipRequest) -> Any:
    """List templates

    One page of the headers of the project's templates, with their total in `count`. Everything in a header is a string.
    """
    page_request = queries.read_page(request)
    page = listing.list_templates(request.platform, project_id=request.project_id, request=page_request)
    return {
        "count": page.total,
        "templateHeaders": [answers.template_header(header) for header in page.items],
        "pagination": answers.pagination(page_request),
    }


@template_route(
    templates,
    methods=["GET"],
    answers={200: ("airship_template_answers.AppleTemplate", "airship_template_answers.GoogleTemplate")},
)
def get_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Get a template

    A template of Apple's has its fields and headers under `fieldsModel`; one of Google's has its fields as
    `fieldsModel` and its `headers` beside it.
    """
    return answers.whole_template(
        finding.get_template_or_raise(request.platform, project_id=request.project_id, reference=reference)
    )


@template_route(
    templates, methods=["PUT"], body="airship.TemplateBody", answer="airship_template_answers.StoredTemplate"
)
def update_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Replace a template

    Everything is replaced, but what the body leaves out of vendor and types stays, and so do locations and external id.
    Passes that were created before keep what they show.
    """
    current = finding.get_template_or_raise(request.platform, project_id=request.project_id, reference=reference)
    draft, _ = read_template(request.read_body(), current=current)
    template = template_editing.update_template(
        request.platform, project_id=request.project_id, reference=reference, draft=draft
    )
    return {"templateId": template.template_id}


@template_route(templates, methods=["DELETE"], answer="airship_template_answers.DeletedTemplate")
def delete_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Delete a template

    Refused with 400 while it has passes.
    """
    template = template_editing.delete_template(request.platform, project_id=request.project_id, reference=reference)
    return {"Status": "Deleted", "TemplateID": str(template.template_id)}


@template_route(
    templates,
    "/locations",
    methods=["POST"],
    operation="add_locations_of_template",
    body="airship.LocationsBody",
    answer="airship_template_answers.LocationOfTemplate[]",
    takes_key=True,
)
def add_locations(request: AirshipRequest, reference: TemplateReference) -> Any:
    """Add locations to a template

    Beside those that it has, at most 10 in all, for passes that are created from now on.
    """
    added = template_editing.add_locations(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        locations=read_locations(request),
    )
    return [answers.location_of_template(location) for location in added]


@template_route(
    templates,
    "/location/{location_id}",
    methods=["DELETE"],
    operation="remove_location_of_template",
    answer="airship_template_answers.RemovedLocationOfTemplate",
)
def remove_location(request: AirshipRequest, reference: TemplateReference, location_id: str) -> Any:
    """Remove a location from a template

    Its id is in the template's `userlocations` and in the answer to adding it.
    """
    identifier = read_location_id(location_id)
    template_editing.remove_location(
        request.platform, project_id=request.project_id, reference=reference, location_id=identifier
    )
    return {"status": "success", "locationId": identifier}
