"""A template's flat body (airship-wallet-v1, section 6) as the domain's draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.api.airship.answers import NEVER_NULL
from chalicelib.domain.content import Attributes, Content, Entry
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.templates import (
    APPLE,
    BARCODES,
    DEFAULT_TYPES,
    NO_BARCODE,
    PROJECT_TYPES,
    VENDOR_IDS,
    Template,
    TemplateDraft,
    campaign_type,
)
from chalicelib.schemas.airship import APPLE_ATTRIBUTES, TemplateBody

_GOOGLE_TYPES = {
    "loyalty": "Loyalty",
    "memberCard": "Loyalty",
    "giftCard": "Gift Card",
    "offer": "Offer",
    "coupon": "Offer",
}


FIELD_FORMATS = ("Number", "String", "URL", "Date", "Currency", "Phone", "Email")


def read_template(body: TemplateBody, *, current: Template | None = None) -> tuple[TemplateDraft, str | None]:
    """The draft that a body describes, and its external id. What an update leaves out of vendor and type stays.

    Raises:
        InvalidRequest: a value is not one of its vendor's (section 6).
    """
    vendor = _read_vendor(body, current)
    project_type = body.projectType
    if project_type is None and current is not None:
        project_type = current.project_type
    if project_type is not None and project_type not in PROJECT_TYPES:
        raise InvalidRequest(f"must be one of {', '.join(PROJECT_TYPES)}", field="projectType")
    type_ = body.type
    if type_ is None:
        type_ = current.type if current else _default_type(vendor, project_type)
    campaign_type(vendor=vendor, type=type_)
    content = Content(
        fields=_read_entries(body.fields, vendor=vendor, place="fields"),
        headers=_read_entries(body.headers, vendor=vendor, place="headers"),
        lists={"beacons": body.beacons} if body.beacons else {},
    )
    _check_barcode(content, vendor)
    draft = TemplateDraft(
        name=body.name,
        description=body.description,
        vendor=vendor,
        type=type_,
        project_type=project_type or _project_type_of(type_),
        content=content,
    )
    return draft, body.externalId


def _read_vendor(body: TemplateBody, current: Template | None) -> str:
    """`vendor` and `vendorId` say the same; either is enough, and without both it is Apple."""
    by_id = {number: name for name, number in VENDOR_IDS.items()}
    if body.vendor is not None and body.vendor not in VENDOR_IDS:
        raise InvalidRequest(f"must be one of {', '.join(VENDOR_IDS)}", field="vendor")
    if body.vendor is not None and body.vendorId is not None and VENDOR_IDS[body.vendor] != body.vendorId:
        raise InvalidRequest(f"{body.vendorId} does not fit vendor {body.vendor}", field="vendorId")
    if body.vendor is not None:
        return body.vendor
    if body.vendorId is not None:
        return by_id[body.vendorId]
    return current.vendor if current else APPLE


def _default_type(vendor: str, project_type: str | None) -> str:
    if vendor == APPLE:
        return DEFAULT_TYPES[project_type or "generic"]
    return _GOOGLE_TYPES.get(project_type or "loyalty", "Loyalty")


def _project_type_of(type_: str) -> str:
    return next(
        (name for name, style in {**DEFAULT_TYPES, **_GOOGLE_TYPES}.items() if style == type_),
        "generic",
    )


def _read_entries(entries: Mapping[str, dict[str, Any]], *, vendor: str, place: str) -> dict[str, Entry]:
    read = {}
    for name, attributes in entries.items():
        kept = {
            key: value
            for key, value in attributes.items()
            if (vendor != APPLE or key in APPLE_ATTRIBUTES) and (value is not None or key not in NEVER_NULL)
        }
        for key, value in kept.items():
            if vendor == APPLE and not isinstance(value, str | int | float | bool | None):
                raise InvalidRequest("must be a string, a number, true, false or null", field=f"{place}.{name}.{key}")
        if place == "fields" and not isinstance(kept.setdefault("fieldType", "notAssigned"), str):
            raise InvalidRequest("must be a string", field=f"{place}.{name}.fieldType")
        if vendor == APPLE:
            _check_format(kept, place=place, name=name)
        read[name] = Entry(kept)
    return read


def _check_format(attributes: Attributes, *, place: str, name: str) -> None:
    """A word in fields, a number in headers: the official client reads nothing else (section 5, strict reading)."""
    value = attributes.get("formatType")
    if value is None or (place == "headers" and isinstance(value, int) and not isinstance(value, bool)):
        return
    if place == "headers":
        raise InvalidRequest("must be a whole number", field=f"headers.{name}.formatType")
    if value not in FIELD_FORMATS:
        raise InvalidRequest(f"must be one of {', '.join(FIELD_FORMATS)}", field=f"fields.{name}.formatType")


def _check_barcode(content: Content, vendor: str) -> None:
    entry = content.headers.get("barcode_type")
    value = entry.attributes.get("value") if entry else None
    known = (*BARCODES[vendor], NO_BARCODE)
    if value is not None and value not in known:
        raise InvalidRequest(f"must be one of {', '.join(known)}", field="headers.barcode_type.value")
