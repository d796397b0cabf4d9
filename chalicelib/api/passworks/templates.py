"""Templates: looks that campaigns are made from (passworks-v2, section 9). Airship's templates are campaigns here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalice import Blueprint

from chalicelib.api.declared import Body
from chalicelib.api.passworks import looks
from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.paging import PAGING, paging_headers, read_paging
from chalicelib.domain import look_editing
from chalicelib.domain.content import Content, Entry
from chalicelib.domain.errors import DeleteRefused, NotFound
from chalicelib.domain.looks import LOOK_IMAGES, Look

if TYPE_CHECKING:
    from chalicelib.schemas.passworks_templates import DeleteTemplateBody, NewTemplateBody

passworks_templates = Blueprint(__name__)


@route(
    passworks_templates,
    "/v2/templates",
    methods=["GET"],
    query=PAGING,
    answer="passworks_answers.LookObject[]",
    shares=("paging",),
)
def list_looks(request: PassworksRequest) -> Any:
    """List templates

    One page of the account's templates, the oldest first. A template is the look of campaigns; one is made with each
    campaign that names none.
    """
    paging = read_paging(request)
    found = request.platform.looks.list_looks(project_id=request.project_id)
    shown = found[paging.offset : paging.offset + paging.size]
    return Reply(document=[show_look(look) for look in shown], headers=paging_headers(paging, len(found)))


@route(
    passworks_templates,
    "/v2/templates",
    methods=["POST"],
    status=201,
    body=Body(model="passworks_templates.NewTemplateBody", roots=("template",)),
    answer="passworks_answers.LookObject",
    shares=("create",),
    takes_key=True,
)
def create_look(request: PassworksRequest) -> Any:
    """Create a template

    A look that campaigns can be made from. `name` is unique among the account's templates.
    """
    body: NewTemplateBody = request.read_body()
    return show_look(
        look_editing.create_look(
            request.finishing(show_look),
            project_id=request.project_id,
            name=body.name,
            description=body.description,
            content=_read_content(body),
        )
    )


@route(
    passworks_templates,
    "/v2/templates/{template_id}",
    methods=["GET"],
    names={"template_id": "look_id"},
    answer="passworks_answers.LookObject",
)
def get_look(request: PassworksRequest, template_id: str) -> Any:
    """Get a template

    The look that campaigns take from it: colours, images and the form of the barcode.
    """
    return show_look(
        look_editing.get_look_or_raise(request.platform, project_id=request.project_id, look_id=decode(template_id))
    )


@route(
    passworks_templates,
    "/v2/templates/{template_id}",
    methods=["DELETE"],
    names={"template_id": "look_id"},
    body=Body(
        model="passworks_templates.DeleteTemplateBody", roots=("template",), may_be_empty=True, may_lack_root=True
    ),
    answer="passworks_answers.Deleted",
    refuses=(412,),
)
def delete_look(request: PassworksRequest, template_id: str) -> Any:
    """Delete a template

    Refused with 412 while a campaign uses it, and if there is none. With `delete_assets` its images go too, if all of
    them belong to this template alone.
    """
    body: DeleteTemplateBody = request.read_body()
    look_id = decode(template_id)
    try:
        look_editing.delete_look(
            request.platform,
            project_id=request.project_id,
            look_id=look_id,
            with_assets=body.delete_assets,
        )
    except NotFound as error:
        raise DeleteRefused("template", look_id[:40]) from error
    return {"errors": []}


def show_look(look: Look) -> dict[str, Any]:
    """The object that clients see."""
    content = look.content
    return {
        "id": look.look_id,
        "name": look.name,
        "description": look.description,
        "pass_type": look.style,
        "logo_text": looks.show_text(content.header("logo_text")),
        **{key: looks.show_colour(content, header) for key, header in looks.COLOUR_HEADERS.items()},
        "barcode": looks.show_barcode(content),
        "source": look.source,
        **{key: content.lists.get(key) for key in ("icon_id", "logo_id", "strip_id")},
    }


def _read_content(body: NewTemplateBody) -> Content:
    headers = looks.read_barcode(body.barcode)
    if body.logo_text is not None:
        headers["logo_text"] = looks.top_level(looks.read_text(body.logo_text, "logo_text"))
    for key, header in looks.COLOUR_HEADERS.items():
        colour = getattr(body, key)
        if colour is not None:
            headers[header] = looks.top_level(looks.read_colour(colour, key))
    parts = {"style": body.pass_type, "transit_type": body.transit_type}
    parts |= {name: getattr(body, name) for name in LOOK_IMAGES}
    return Content(
        headers={name: Entry(attributes) for name, attributes in headers.items()},
        lists={name: value for name, value in parts.items() if value is not None}
        | looks.read_alt_text_type(body.barcode),
    )
