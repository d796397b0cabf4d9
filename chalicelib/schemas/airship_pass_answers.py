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

    path: Url
    type: Literal["Single", "Multiple"]


class PublicPageWithImage(PublicPage):
    """Where people open the pass, and a picture of it."""

    image: Url


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

    id: IdText
    url: Url = Field(description="Where the pass is downloaded, without credentials.")
    createdAt: Seconds
    publicUrl: PublicPage
    status: Status
    externalId: str = left_out()


class PassInBulk(Answer):
    """A pass of many that was created."""

    id: IdText
    url: Url


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

    created: Count
    failed: Count
    passes: list[PassInBulk | RefusalInBulk]


class ListedPass(Answer):
    """A pass, as lists have it. Ids are strings."""

    id: IdText
    templateId: IdText
    externalId: str = left_out()
    uaEntityId: Uuid = Field(description="A second id that stays the same.")
    serialNumber: Uuid
    url: Url
    status: Status
    tags: list[str] = Field(description="Names.")
    createdAt: Milliseconds
    updatedAt: Milliseconds


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

    passes: list[ListedPass]
    pagination: Pagination
    count: Count = Field(description="How many passes there are, with that status.")


class LocationWithId(StoredLocation):
    """A location of a pass."""

    id: Id


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
    uninstalledAt: Milliseconds = left_out()
    platform: Platform = left_out()
    publicUrl: PublicPageWithImage
    locations: list[LocationWithId]
    fields: dict[str, ShownEntry]
    headers: dict[str, ShownEntry]
    beacons: list[dict[str, Any]] = left_out()
    semantics: dict[str, Any] = left_out()
    universalLinks: Any = None


class DeletedPass(Answer):
    """A pass was deleted."""

    model_config = example({"Status": "Deleted", "PassID": "12345"})

    Status: Literal["Deleted"]
    PassID: IdText


class LocationOfPass(Answer):
    """A location that was added to a pass."""

    model_config = example({"passLocationId": 65, "value": {"latitude": 37.6, "longitude": -122.3}})

    passLocationId: Id
    value: StoredLocation


class RemovedLocationOfPass(Answer):
    """A location was removed."""

    model_config = example({"status": "success", "passLocationId": 65})

    status: Success
    passLocationId: Id


class PassJson(Answer):
    """Apple's `pass.json`: what else it has follows from the pass."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    formatVersion: Literal[1]
    passTypeIdentifier: str
    serialNumber: str
    teamIdentifier: str
    organizationName: str
    description: str
