"""Answers of the Airship dialect: domain objects to JSON, in the contract's exact shapes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.passes import Pass, PassStatus, PassSummary

if TYPE_CHECKING:
    from chalicelib.domain.content import Content, Entry
    from chalicelib.domain.paging import PageRequest
    from chalicelib.domain.tags import Tag
    from chalicelib.domain.templates import Template, TemplateHeader
    from chalicelib.domain.tickets import Ticket

Document = dict[str, Any]

NEVER_NULL = ("numberStyle", "formatType", "textAlignment")
"""of an entry: left out rather than null (section 5)"""


def seconds(moment: datetime) -> str:
    """`2018-03-02T23:49:53Z`: tags, and the answer to creating a pass (section 1, dates)."""
    return moment.isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def milliseconds(moment: datetime) -> str:
    """`2013-06-27T20:58:20.000Z`: passes and templates."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def ticket_time(moment: datetime) -> str:
    """`2013-03-28 18:18:36.0`: tickets."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + str(moment.microsecond // 100_000)


def tag_of_pass(tag: Tag) -> Document:
    """4.3: the text is under `name`."""
    return {"id": tag.tag_id, "createdAt": seconds(tag.created_at), "name": tag.name}


def tag_in_list(tag: Tag) -> Document:
    """4.5: the text is under `tag`."""
    return {"id": tag.tag_id, "tag": tag.name, "createdAt": seconds(tag.created_at)}


def pagination(request: PageRequest, *, lower_direction: bool = False) -> Document:
    """The pagination object of every list but 4.5; 4.6 alone has its direction in lower case."""
    direction = "DESC" if request.descending else "ASC"
    return {
        "order": request.order,
        "direction": direction.lower() if lower_direction else direction,
        "page": request.page,
        "start": request.offset,
        "pageSize": request.size,
    }


def tags_pagination(request: PageRequest) -> Document:
    """4.5: order `ID` in capitals, `createdAt` as it is."""
    order = "ID" if request.order == "id" else request.order
    return pagination(request) | {"order": order}


def pass_url(pass_: PassSummary, base_url: str) -> str:
    """Where a pass is downloaded; the token keeps it from being guessed (DESIGN, section 7)."""
    return f"{base_url}/v1/pass/{pass_.pass_id}/download?token={pass_.download_token}"


def pass_of_tag(pass_: PassSummary, base_url: str) -> Document:
    """4.6: ids are numbers, and what does not apply is left out."""
    document: Document = {
        "id": pass_.pass_id,
        "templateId": pass_.template_id,
        "url": pass_url(pass_, base_url),
        "serialNumber": pass_.serial_number,
        "createdAt": milliseconds(pass_.created_at),
        "updatedAt": milliseconds(pass_.updated_at),
        "status": str(pass_.status),
    }
    return document | _installation(pass_)


def _installation(pass_: PassSummary) -> Document:
    """When and where a pass was installed; what does not apply is left out (section 4.6)."""
    document: Document = {}
    if pass_.installed_at is not None:
        document["installedAt"] = milliseconds(pass_.installed_at)
    if pass_.status is PassStatus.UNINSTALLED and pass_.uninstalled_at is not None:
        document["uninstalledAt"] = milliseconds(pass_.uninstalled_at)
    if pass_.platform is not None:
        document["platform"] = pass_.platform
    return document


def pass_in_list(pass_: PassSummary, tag_names: list[str], base_url: str) -> Document:
    """Section 5, list: ids are strings."""
    document: Document = {
        "id": str(pass_.pass_id),
        "templateId": str(pass_.template_id),
        "uaEntityId": entity_id(pass_),
        "serialNumber": pass_.serial_number,
        "url": pass_url(pass_, base_url),
        "status": str(pass_.status),
        "tags": tag_names,
        "createdAt": milliseconds(pass_.created_at),
        "updatedAt": milliseconds(pass_.updated_at),
    }
    if pass_.external_id is not None:
        document["externalId"] = pass_.external_id
    return document


def entity_id(pass_: PassSummary) -> str:
    """A second stable id that clients store; made from the serial number."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, pass_.serial_number))


def created_pass(pass_: Pass, base_url: str) -> Document:
    """Section 5, create."""
    document: Document = {
        "id": str(pass_.pass_id),
        "url": pass_url(pass_, base_url),
        "createdAt": seconds(pass_.created_at),
        "publicUrl": _public_url(pass_, base_url, names=("path", "type")),
        "status": str(pass_.status),
    }
    if pass_.external_id is not None:
        document["externalId"] = pass_.external_id
    return document


def whole_pass(pass_: Pass, tag_names: list[str], base_url: str) -> Document:
    """Section 5, read."""
    document = pass_in_list(pass_, tag_names, base_url) | _installation(pass_)
    document["publicUrl"] = _public_url(pass_, base_url, names=("path", "image", "type"))
    document["locations"] = list(pass_.content.lists.get("locations", []))
    document["fields"] = entries(pass_.content.fields)
    document["headers"] = entries(pass_.content.headers)
    for name in ("beacons", "semantics", "universalLinks"):
        if name in pass_.content.lists:
            document[name] = pass_.content.lists[name]
    return document


def _public_url(pass_: Pass, base_url: str, *, names: Sequence[str]) -> Document:
    """The page of a pass and a picture of it (passworks-v2, section 13: `publicUrl.path` is the page)."""
    from chalicelib.domain import page_addresses

    urls = page_addresses.pass_urls(
        base_url,
        distribution=page_addresses.ANY_DISTRIBUTION,
        code=page_addresses.pass_code(pass_.pass_id, pass_.download_token),
        updated_at=pass_.updated_at,
    )
    document = {
        "path": urls.page_url,
        "image": urls.preview_url,
        "type": (pass_.public_type or "single").capitalize(),
    }
    return {name: document[name] for name in names}


def _without(document: Mapping[str, Any], name: str) -> Document:
    return {key: value for key, value in document.items() if key != name}


def entries(stored: Mapping[str, Entry]) -> dict[str, Document]:
    """Fields or headers, without the nulls and the keys of another dialect that the official client refuses."""
    return {
        name: {
            key: value
            for key, value in entry.attributes.items()
            if (value is not None or key not in NEVER_NULL) and key != "behaviour"
        }
        for name, entry in stored.items()
    }


def template_header(header: TemplateHeader) -> Document:
    """Section 6, list: everything is a string."""
    from chalicelib.domain.templates import VENDOR_IDS

    document: Document = {
        "id": str(header.template_id),
        "projectId": str(header.project_id),
        "name": header.name,
        "description": header.description,
        "type": header.type,
        "projectType": header.project_type,
        "vendor": header.vendor,
        "vendorId": str(VENDOR_IDS[header.vendor]),
        "deleted": "False",
        "disabled": "False",
        "createdAt": milliseconds(header.created_at),
        "updatedAt": milliseconds(header.updated_at),
    }
    if header.external_id is not None:
        document["externalId"] = header.external_id
    return document


def whole_template(template: Template) -> Document:
    """Section 6, read: not what is written. A Google template has its headers at the top."""
    document: Document = {
        "templateHeader": template_header(template),
        "beacons": template.content.lists.get("beacons", []),
        "userlocations": [location_of_template(each) for each in template.content.lists.get("locations", [])],
    }
    return document | _models(template.vendor, template.content)


def _models(vendor: str, content: Content) -> Document:
    from chalicelib.domain.templates import GOOGLE

    fields, headers = entries(content.fields), entries(content.headers)
    if vendor == GOOGLE:
        return {"fieldsModel": fields, "headers": headers}
    return {"fieldsModel": {"fields": fields, "headers": headers}}


def location_of_template(location: Mapping[str, Any]) -> Document:
    """Section 6, locations."""
    value = _without(location, "id")
    return {"value": value, "locationId": location["id"], "fieldId": location["id"]}


def location_of_pass(location: Mapping[str, Any]) -> Document:
    """Section 5, locations."""
    return {"passLocationId": location["id"], "value": _without(location, "id")}


def locations_of_pass(locations: Sequence[Mapping[str, Any]]) -> list[Document]:
    """The reply to new locations of a pass."""
    return [location_of_pass(location) for location in locations]


def accepted(ticket: Ticket) -> Document:
    """The reply to an update, of one pass or of a tag's."""
    return {"ticketId": ticket.ticket_id}


def whole_ticket(ticket: Ticket) -> Document:
    """Section 7, and beside it `progress`, counted in passes."""
    progress = ticket.progress
    return {
        "Status": str(ticket.status),
        "createdAt": ticket_time(ticket.created_at),
        "ID": ticket.ticket_id,
        "children": {},
        "progress": {
            "total": progress.total,
            "processed": progress.processed,
            "changed": progress.changed,
            "failed": progress.failed,
        },
    }
