"""What the Airship dialect answers about templates (airship-wallet-v1, section 6)."""

from __future__ import annotations

from typing import Any, Literal

from chalicelib.schemas.airship_answers import (
    FIELDS,
    HEADERS,
    PAGINATION,
    Pagination,
    ShownEntry,
    StoredLocation,
    Success,
    example,
)
from chalicelib.schemas.answers import Answer, Count, Id, IdText, Milliseconds, left_out


class StoredTemplate(Answer):
    """A template was created or replaced."""

    model_config = example({"templateId": 54321})

    templateId: Id


class TemplateHeader(Answer):
    """A template, as lists have it: everything is a string."""

    id: IdText
    projectId: IdText
    name: str
    description: str
    type: str
    projectType: str
    vendor: Literal["Apple", "Google"]
    vendorId: Literal["1", "2"]
    deleted: Literal["False"]
    disabled: Literal["False"]
    createdAt: Milliseconds
    updatedAt: Milliseconds
    externalId: str = left_out()


_TEMPLATE_HEADER = {
    "id": "23593",
    "projectId": "10057",
    "name": "Card",
    "description": "A card",
    "type": "Store Card",
    "projectType": "memberCard",
    "vendor": "Apple",
    "vendorId": "1",
    "deleted": "False",
    "disabled": "False",
    "createdAt": "2013-06-27T20:58:18.000Z",
    "updatedAt": "2013-06-27T20:58:20.000Z",
}


class TemplateList(Answer):
    """A page of templates."""

    model_config = example({"count": 133, "templateHeaders": [_TEMPLATE_HEADER], "pagination": PAGINATION})

    templateHeaders: list[TemplateHeader]
    pagination: Pagination
    count: Count


class LocationOfTemplate(Answer):
    """A location of a template."""

    model_config = example({"value": {"latitude": 37.6, "longitude": -122.3}, "locationId": 231, "fieldId": 231})

    value: StoredLocation
    locationId: Id
    fieldId: Id


class AppleFields(Answer):
    """Fields and headers of a template of Apple's."""

    fields: dict[str, ShownEntry]
    headers: dict[str, ShownEntry]


class _Template(Answer):
    templateHeader: TemplateHeader
    beacons: list[dict[str, Any]]
    userlocations: list[LocationOfTemplate]


class AppleTemplate(_Template):
    """A template of Apple's."""

    model_config = example(
        {
            "templateHeader": _TEMPLATE_HEADER,
            "fieldsModel": {"fields": FIELDS, "headers": HEADERS},
            "beacons": [],
            "userlocations": [],
        }
    )

    fieldsModel: AppleFields


class GoogleTemplate(_Template):
    """A template of Google's."""

    fieldsModel: dict[str, ShownEntry]
    headers: dict[str, ShownEntry]


class DeletedTemplate(Answer):
    """A template was deleted."""

    model_config = example({"Status": "Deleted", "TemplateID": "54321"})

    Status: Literal["Deleted"]
    TemplateID: IdText


class RemovedLocationOfTemplate(Answer):
    """A location was removed."""

    model_config = example({"status": "success", "locationId": 231})

    status: Success
    locationId: Id
