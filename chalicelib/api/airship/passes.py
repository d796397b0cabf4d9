"""Passes: create, read, list, update, delete (airship-wallet-v1, section 5)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from chalice import Blueprint

from chalicelib.api.airship import answers, queries
from chalicelib.api.airship.entry import AirshipRequest, route
from chalicelib.api.airship.forms import pass_route, template_route
from chalicelib.api.airship.locations import read_location_id, read_locations
from chalicelib.api.airship.whole_passes import expected_pass, show_pass
from chalicelib.domain import finding, issuing, listing, updating
from chalicelib.domain.errors import InvalidRequest, Refused
from chalicelib.domain.passes import NewPass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.errors import airship_answer
from chalicelib.schemas.airship import CreatePassBody
from chalicelib.settings import get_settings

if TYPE_CHECKING:
    from chalicelib.schemas.airship import BulkCreateBody, UpdateBody

passes = Blueprint(__name__)

QUERY = queries.pass_query(orders=("id", "createdAt", "updatedAt", "name"), with_all=True)


@template_route(
    passes,
    methods=["POST"],
    prefix="/v1/pass",
    operation="create_pass_of_template",
    body="airship.CreatePassBody",
    answer="airship_pass_answers.CreatedPass",
    shares=("create",),
    takes_key=True,
)
def create_pass(request: AirshipRequest, template: TemplateReference) -> Any:
    """Create a pass

    The path names its template, which says what the pass shows; the body needs to hold only what differs, and may be
    `{}`, unless it is a campaign with codes `per_pass`, whose passes bring the header `barcode_value`. An external id
    that is in use in the template is 400. `url` is where the pass is downloaded.
    """
    return _create(request, template, external_id=None)


@template_route(
    passes,
    "/id/{pass_external_id}",
    methods=["POST"],
    prefix="/v1/pass",
    operation="create_pass_with_external_id_of_template",
    names={"pass_external_id": "new_external_id"},
    body="airship.CreatePassBody",
    answer="airship_pass_answers.CreatedPass",
    shares=("create",),
    takes_key=True,
)
def create_pass_with_external_id(request: AirshipRequest, template: TemplateReference, pass_external_id: str) -> Any:
    """Create a pass with an external id

    As without one; the external id in the path counts, whatever stands in the body. One that is in use in the template
    is 400, so that the request is safe to repeat.
    """
    return _create(request, template, external_id=queries.new_external_id(pass_external_id))


def _create(request: AirshipRequest, template: TemplateReference, *, external_id: str | None) -> Any:
    new = _as_new_pass(request.read_body(), external_id=external_id)
    show = partial(answers.created_pass, base_url=request.base_url)
    pass_ = issuing.create_pass(request.finishing(show), project_id=request.project_id, template=template, new=new)
    return show(pass_)


def _as_new_pass(body: CreatePassBody, *, external_id: str | None) -> NewPass:
    return NewPass(
        update=body.as_update(),
        external_id=external_id if external_id is not None else body.externalId,
        public_type=body.public_type,
        tag_names=body.tag_names,
    )


@template_route(
    passes,
    "/bulk",
    methods=["POST"],
    prefix="/v1/pass",
    operation="create_many_passes_of_template",
    body="airship.BulkCreateBody",
    answer="airship_pass_answers.CreatedPasses",
    shares=("create",),
    takes_key=True,
)
def create_many_passes(request: AirshipRequest, template: TemplateReference) -> Any:
    """Create many passes

    Each entry is the body of one pass, and is created or refused by itself; the answer has an entry for each, in the
    same order, and is 200 also if some were refused. An addition of Passel's.
    """
    body: BulkCreateBody = request.read_body()
    limit = get_settings().limits.passes_per_request
    if len(body.passes) > limit:
        raise InvalidRequest(f"has {len(body.passes)} entries, the limit is {limit}", field="passes")
    outcomes = _create_many(request, template, [_try_to_read(document) for document in body.passes])
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


def _create_many(
    request: AirshipRequest, template: TemplateReference, new: list[NewPass | Refused]
) -> list[issuing.Outcome]:
    keyed, project_id = request.keyed, request.project_id
    if keyed is None:
        return issuing.create_passes(request.platform, project_id=project_id, template=template, new=new)
    from chalicelib.domain.bulk_issuing import create_passes_once

    outcomes = create_passes_once(
        keyed.in_portions(),
        project_id=project_id,
        template=template,
        new=new,
        claim=keyed.claim,
        write_notes=keyed.note,
    )
    if any(isinstance(outcome, Exception) and not isinstance(outcome, Refused) for outcome in outcomes):
        keyed.leave_open()
    return outcomes


def _try_to_read(document: Any) -> NewPass | Refused:
    from chalicelib.api.models import read_as

    try:
        return _as_new_pass(read_as("airship.CreatePassBody", document), external_id=None)
    except Refused as refusal:
        return refusal


@pass_route(passes, "", methods=["GET"], answer="airship_pass_answers.WholePass")
def get_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """Get a pass

    Everything that it shows, and what became of it. Ids are strings here.
    """
    pass_ = finding.get_pass_or_raise(request.platform, project_id=request.project_id, reference=reference)
    return show_pass(request, pass_)


@pass_route(
    passes,
    "",
    methods=["PUT"],
    body="airship.UpdateBody",
    answer="airship_answers.StartedTicket",
    shares=("pass update",),
    takes_key=True,
)
def update_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """Update a pass

    Only what the body names is changed. The pass is updated when this is answered, and its ticket is finished; devices
    that hold the pass are told at once. `createdAt` does not change.
    """
    body: UpdateBody = request.read_body()
    ticket = updating.update_pass(
        request.finishing(answers.accepted),
        project_id=request.project_id,
        reference=reference,
        update=body.as_update(),
        expect=expected_pass(request),
    )
    return answers.accepted(ticket)


@pass_route(passes, "", methods=["DELETE"], answer="airship_pass_answers.DeletedPass", shares=("pass update",))
def delete_pass(request: AirshipRequest, reference: PassReference) -> Any:
    """Delete a pass

    It is in no list any more, its external id is free again, and devices that hold it are no longer told of anything.
    """
    pass_ = issuing.delete_pass(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        expect=expected_pass(request),
    )
    return {"Status": "Deleted", "PassID": str(pass_.pass_id)}


@route(
    passes,
    "/v1/pass",
    methods=["GET"],
    query=(queries.TEMPLATE_ID, *QUERY),
    answer="airship_pass_answers.PassList",
    refuses=(404,),
)
def list_passes(request: AirshipRequest) -> Any:
    """List passes

    One page of the project's passes, or with `templateId` of those of one template, with their total in `count`. Passes
    have no names, so that `order=name` orders as `id` does.
    """
    text = request.query(queries.TEMPLATE_ID.name)
    return _list(request, queries.template_by_id(text) if text else None)


@template_route(passes, "/passes", methods=["GET"], query=QUERY, answer="airship_pass_answers.PassList")
def list_passes_of_template(request: AirshipRequest, reference: TemplateReference) -> Any:
    """List the passes of a template

    One page, with the total in `count`.
    """
    return _list(request, reference)


def _list(request: AirshipRequest, template: TemplateReference | None) -> Any:
    query = queries.read_pass_query(request)
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


@pass_route(
    passes,
    "/locations",
    methods=["POST"],
    operation="add_locations_of_pass",
    body="airship.LocationsBody",
    answer="airship_pass_answers.LocationOfPass[]",
    shares=("pass update",),
    takes_key=True,
)
def add_locations(request: AirshipRequest, reference: PassReference) -> Any:
    """Add locations to a pass

    Beside those that it has, at most 10 in all. The answer has those that were added, with their ids.
    """
    added = updating.add_locations(
        request.finishing(answers.locations_of_pass),
        project_id=request.project_id,
        reference=reference,
        locations=read_locations(request),
        expect=expected_pass(request),
    )
    return answers.locations_of_pass(added)


@pass_route(
    passes,
    "/location/{location_id}",
    methods=["DELETE"],
    operation="remove_location_of_pass",
    answer="airship_pass_answers.RemovedLocationOfPass",
    shares=("pass update",),
)
def remove_location(request: AirshipRequest, reference: PassReference, location_id: str) -> Any:
    """Remove a location from a pass

    Its id is in the pass's `locations` and in the answer to adding it.
    """
    identifier = read_location_id(location_id)
    updating.remove_location(
        request.platform,
        project_id=request.project_id,
        reference=reference,
        location_id=identifier,
        expect=expected_pass(request),
    )
    return {"status": "success", "passLocationId": identifier}
