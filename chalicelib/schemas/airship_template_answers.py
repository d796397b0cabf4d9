"""What the Airship dialect answers about templates (airship-wallet-v1, section 6)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

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

    templateId: Id = Field(description="The template's id.")


class TemplateHeader(Answer):
    """A template, as lists have it: everything is a string."""

    id: IdText = Field(description="The template's id.")
    projectId: IdText = Field(description="The id of its project.")
    name: str = Field(description="The template's name.")
    description: str = Field(description="What the template says of itself.")
    type: str = Field(description="The style of its passes.")
    projectType: str = Field(description="What the template is for.")
    vendor: Literal["Apple", "Google"] = Field(description="Whose passes are made from it.")
    vendorId: Literal["1", "2"] = Field(description="1 is Apple, 2 is Google.")
    deleted: Literal["False"] = Field(description="Always `False`: a deleted template is not listed.")
    disabled: Literal["False"] = Field(description="Always `False`.")
    createdAt: Milliseconds = Field(description="When the template was created.")
    updatedAt: Milliseconds = Field(description="When the template changed last.")
    externalId: str = left_out("The caller's own name of the template.")


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

    templateHeaders: list[TemplateHeader] = Field(description="The templates of this page.")
    pagination: Pagination
    count: Count = Field(description="How many templates there are.")


class LocationOfTemplate(Answer):
    """A location of a template."""

    model_config = example({"value": {"latitude": 37.6, "longitude": -122.3}, "locationId": 231, "fieldId": 231})

    value: StoredLocation
    locationId: Id = Field(description="What the location is removed by.")
    fieldId: Id = Field(description="Equal to `locationId`.")


class AppleFields(Answer):
    """Fields and headers of a template of Apple's."""

    fields: dict[str, ShownEntry] = Field(description="What passes show, by name.")
    headers: dict[str, ShownEntry] = Field(
        description="What passes are beyond their fields, by name: colours, barcode and the like."
    )


class _Template(Answer):
    templateHeader: TemplateHeader
    beacons: list[dict[str, Any]] = Field(
        description="Bluetooth beacons near which a wallet shows passes, in the form in which they were written."
    )
    userlocations: list[LocationOfTemplate] = Field(description="Places near which a wallet shows passes.")


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

    fieldsModel: dict[str, ShownEntry] = Field(description="What passes show, by name.")
    headers: dict[str, ShownEntry] = Field(description="What passes are beyond their fields, by name.")


class DeletedTemplate(Answer):
    """A template was deleted."""

    model_config = example({"Status": "Deleted", "TemplateID": "54321"})

    Status: Literal["Deleted"] = Field(description="Always `Deleted`.")
    TemplateID: IdText = Field(description="The id that the template had.")


class RemovedLocationOfTemplate(Answer):
    """A location was removed."""

    model_config = example({"status": "success", "locationId": 231})

    status: Success = Field(description="Always `success`.")
    locationId: Id = Field(description="The id that the location had.")
