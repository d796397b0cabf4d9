"""Templates: looks that campaigns are made from (passworks-v2, section 9). Airship's templates are campaigns here."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.bodies import read_model
from chalicelib.api.passworks import looks
from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.paging import paging_headers, read_paging
from chalicelib.domain import look_editing
from chalicelib.domain.content import Content, Entry
from chalicelib.domain.errors import DeleteRefused, NotFound
from chalicelib.domain.looks import LOOK_IMAGES, Look
from chalicelib.schemas.passworks_templates import DeleteTemplateBody, NewTemplateBody

passworks_templates = Blueprint(__name__)


@route(passworks_templates, "/v2/templates", methods=["GET"])
def list_looks(request: PassworksRequest) -> Any:
    """One page of the account's templates, the oldest first."""
    paging = read_paging(request)
    found = request.platform.looks.list_looks(project_id=request.project_id)
    shown = found[paging.offset : paging.offset + paging.size]
    return Reply(document=[show_look(look) for look in shown], headers=paging_headers(paging, len(found)))


@route(passworks_templates, "/v2/templates", methods=["POST"], status=201)
def create_look(request: PassworksRequest) -> Any:
    """A template that campaigns can be made from."""
    body = read_model(NewTemplateBody, request.root("template"))
    return show_look(
        look_editing.create_look(
            request.platform,
            project_id=request.project_id,
            name=body.name,
            description=body.description,
            content=_read_content(body),
        )
    )


@route(passworks_templates, "/v2/templates/{template_id}", methods=["GET"])
def get_look(request: PassworksRequest, template_id: str) -> Any:
    """One template of the account."""
    return show_look(
        look_editing.get_look_or_raise(request.platform, project_id=request.project_id, look_id=decode(template_id))
    )


@route(passworks_templates, "/v2/templates/{template_id}", methods=["DELETE"])
def delete_look(request: PassworksRequest, template_id: str) -> Any:
    """Removes a template that no campaign uses, and its images if the body asks for that."""
    options = request.root("template") if "template" in request.document else {}
    look_id = decode(template_id)
    try:
        look_editing.delete_look(
            request.platform,
            project_id=request.project_id,
            look_id=look_id,
            with_assets=read_model(DeleteTemplateBody, options).delete_assets,
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
