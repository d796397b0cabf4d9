"""What the Airship dialect answers about passes (airship-wallet-v1, section 5)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.schemas.airship_answers import (
    FIELDS,
    HEADERS,
    PAGINATION,
    AirshipError,
    Pagination,
    Platform,
    ShownEntry,
    Status,
    StoredLocation,
    Success,
    example,
)
from chalicelib.schemas.answers import Answer, Count, Id, IdText, Milliseconds, Seconds, Url, Uuid, left_out


class PublicPage(Answer):
    """Where people open the pass."""

    path: Url = Field(description="The address of the page.")
    type: Literal["Single", "Multiple"] = Field(description="Whether one person may take the pass, or any number.")


class PublicPageWithImage(PublicPage):
    """Where people open the pass, and a picture of it."""

    image: Url = Field(description="The address of the picture.")


class CreatedPass(Answer):
    """A new pass."""

    model_config = example(
        {
            "id": "5",
            "url": "https://passel.example/v1/pass/5/download?token=aBcD",
            "createdAt": "2016-06-09T18:07:42Z",
            "publicUrl": {"path": "https://passel.example/p/x/5", "type": "Single"},
            "status": "not_been_installed",
        }
    )

    id: IdText = Field(description="The pass's id.")
    url: Url = Field(description="Where the pass is downloaded, without credentials.")
    createdAt: Seconds = Field(description="When the pass was created.")
    publicUrl: PublicPage
    status: Status
    externalId: str = left_out("The caller's own name of the pass.")


class PassInBulk(Answer):
    """A pass of many that was created."""

    id: IdText = Field(description="The pass's id.")
    url: Url = Field(description="Where the pass is downloaded, without credentials.")


class RefusalInBulk(Answer):
    """A pass of many that was refused."""

    error: AirshipError


class CreatedPasses(Answer):
    """What became of each of many new passes, in the order of the request."""

    model_config = example(
        {
            "created": 1,
            "failed": 0,
            "passes": [{"id": "5", "url": "https://passel.example/v1/pass/5/download?token=aBcD"}],
        }
    )

    created: Count = Field(description="How many were created.")
    failed: Count = Field(description="How many were refused.")
    passes: list[PassInBulk | RefusalInBulk] = Field(description="Each pass, or why it was refused.")


class ListedPass(Answer):
    """A pass, as lists have it. Ids are strings."""

    id: IdText = Field(description="The pass's id.")
    templateId: IdText = Field(description="The id of its template.")
    externalId: str = left_out("The caller's own name of the pass.")
    uaEntityId: Uuid = Field(description="A second id that stays the same.")
    serialNumber: Uuid = Field(description="What wallets call the pass.")
    url: Url = Field(description="Where the pass is downloaded, without credentials.")
    status: Status
    tags: list[str] = Field(description="Names.")
    createdAt: Milliseconds = Field(description="When the pass was created.")
    updatedAt: Milliseconds = Field(description="When the pass changed last.")


_LISTED_PASS = {
    "id": "12345",
    "templateId": "51234",
    "externalId": "id123",
    "uaEntityId": "6f1c2a52-7f3d-5b0e-9d59-2f6a5b7c1e83",
    "serialNumber": "aff7ffbf-04d7-4180-9da2-000000003039",
    "url": "https://passel.example/v1/pass/12345/download?token=aBcD",
    "status": "not_been_installed",
    "tags": ["Gold"],
    "createdAt": "2013-06-27T20:58:18.000Z",
    "updatedAt": "2013-06-27T20:58:20.000Z",
}


class PassList(Answer):
    """A page of passes."""

    model_config = example({"count": 133, "passes": [_LISTED_PASS], "pagination": PAGINATION})

    passes: list[ListedPass] = Field(description="The passes of this page.")
    pagination: Pagination
    count: Count = Field(description="How many passes there are, with that status.")


class LocationWithId(StoredLocation):
    """A location of a pass."""

    id: Id = Field(description="What the location is removed by.")


class WholePass(ListedPass):
    """Everything that a pass shows, and what became of it. What does not apply is left out."""

    model_config = example(
        {
            **_LISTED_PASS,
            "publicUrl": {
                "path": "https://passel.example/p/x/12345",
                "image": "https://passel.example/p/x/12345.png",
                "type": "Single",
            },
            "locations": [{"id": 1, "latitude": 37.6, "longitude": -122.3, "relevantText": "Nearby"}],
            "fields": FIELDS,
            "headers": HEADERS,
        }
    )

    installedAt: Milliseconds = left_out("When it was first installed.")
    uninstalledAt: Milliseconds = left_out("When the last device gave it up; only while it is on none.")
    platform: Platform = left_out("What the device runs that made the pass installed.")
    publicUrl: PublicPageWithImage
    locations: list[LocationWithId] = Field(description="Places near which a wallet shows the pass.")
    fields: dict[str, ShownEntry] = Field(description="What the pass shows, by name.")
    headers: dict[str, ShownEntry] = Field(
        description="What the pass is beyond its fields, by name: colours, barcode and the like."
    )
    beacons: list[dict[str, Any]] = left_out(
        "Bluetooth beacons near which a wallet shows the pass, in the form in which they were written."
    )
    semantics: dict[str, Any] = left_out("Apple's semantic tags.")
    universalLinks: Any = Field(None, description="As it was written.")


class DeletedPass(Answer):
    """A pass was deleted."""

    model_config = example({"Status": "Deleted", "PassID": "12345"})

    Status: Literal["Deleted"] = Field(description="Always `Deleted`.")
    PassID: IdText = Field(description="The id that the pass had.")


class LocationOfPass(Answer):
    """A location that was added to a pass."""

    model_config = example({"passLocationId": 65, "value": {"latitude": 37.6, "longitude": -122.3}})

    passLocationId: Id = Field(description="What the location is removed by.")
    value: StoredLocation


class RemovedLocationOfPass(Answer):
    """A location was removed."""

    model_config = example({"status": "success", "passLocationId": 65})

    status: Success = Field(description="Always `success`.")
    passLocationId: Id = Field(description="The id that the location had.")


class PassJson(Answer):
    """Apple's `pass.json`: what else it has follows from the pass."""

    model_config = ConfigDict(
        extra="allow",
        defer_build=True,
        json_schema_extra={
            "examples": [
                {
                    "formatVersion": 1,
                    "passTypeIdentifier": "pass.com.example.loyalty",
                    "serialNumber": "aff7ffbf-04d7-4180-9da2-000000003039",
                    "teamIdentifier": "A1B2C3D4E5",
                    "organizationName": "Example",
                    "description": "A card",
                    "storeCard": {"primaryFields": [{"key": "Points", "label": "Points", "value": 33}]},
                }
            ]
        },
    )

    formatVersion: Literal[1] = Field(description="Of Apple's format: always 1.")
    passTypeIdentifier: str = Field(
        description="Apple's identifier of the pass type, of the certificate that signs the pass."
    )
    serialNumber: str = Field(description="What wallets call the pass.")
    teamIdentifier: str = Field(description="Apple's identifier of the team.")
    organizationName: str = Field(description="Who issues the pass.")
    description: str = Field(description="What the pass is, for those who cannot see it.")
