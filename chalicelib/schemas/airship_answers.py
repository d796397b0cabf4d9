"""Answers of the Airship dialect (airship-wallet-v1, sections 3 to 8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.schemas.answers import Answer, Count, Id, Milliseconds, Seconds, Url, Uuid, left_out

Success = Literal["success"]
Status = Annotated[
    Literal["installed", "uninstalled", "not_been_installed"],
    Field(description="Whether the pass is on a device now (`installed`), was on one, or never was."),
]
Platform = Literal["ios", "android"]


def example(*examples: Any) -> ConfigDict:
    """What an answer looks like."""
    return ConfigDict(extra="forbid", defer_build=True, json_schema_extra={"examples": list(examples)})


class AirshipError(Answer):
    """Why a request is refused. `description` and `error` say the same to different clients, and so do both codes."""

    model_config = example(
        {
            "code": 404,
            "description": "The resource is no longer at that location.",
            "details": "pass 12345 was not found",
            "error": "The resource is no longer at that location.",
            "error_code": 404,
        }
    )

    code: int = Field(description="The HTTP status.")
    description: str = Field(description="What the status means.")
    details: str = Field(description="What is wrong; it begins with the member or parameter that is.")
    error: str = Field(description="Equal to `description`.")
    error_code: int = Field(description="Equal to `code`.")


class AddedTags(Answer):
    """What an add put on the pass."""

    model_config = example({"newTags": ["tag-name"], "mappings": 1})

    newTags: list[str] = Field(description="The tags that the pass did not have before.")
    mappings: Count = Field(description="How many these are.")


class TagOfPass(Answer):
    """A tag, as the list of a pass's tags has it."""

    model_config = example({"id": 72, "createdAt": "2013-07-10T11:38:06Z", "name": "tag-2971-4280-479"})

    id: Id = Field(description="The tag's id.")
    createdAt: Seconds = Field(description="When the tag was created.")
    name: str = Field(description="The tag.")


class TagsOfPass(Answer):
    """All tags of a pass."""

    model_config = example({"tags": [{"id": 72, "createdAt": "2013-07-10T11:38:06Z", "name": "tag-2971-4280-479"}]})

    tags: list[TagOfPass] = Field(description="All of them.")


class TagInList(Answer):
    """A tag, as the list of all tags has it."""

    id: Id = Field(description="The tag's id.")
    tag: str = Field(description="The tag.")
    createdAt: Seconds = Field(description="When the tag was created.")


class _Pagination(Answer):
    """The page that was answered; it may be sent back as the query with `page` raised by one."""

    page: Annotated[int, Field(ge=1, description="The page that was asked for.")]
    start: Annotated[int, Field(ge=0, description="How many entries stand before the page.")]
    pageSize: Annotated[int, Field(ge=1, le=1000, description="The entries of a full page.")]


class TagsPagination(_Pagination):
    """The page that was answered, in the spelling of the list of tags."""

    order: Literal["ID", "createdAt"] = Field(description="What the list is ordered by.")
    direction: Literal["ASC", "DESC"] = Field(description="Ascending or descending.")


class Pagination(_Pagination):
    """The page that was answered; it may be sent back as the query with `page` raised by one."""

    order: Literal["id", "createdAt", "updatedAt", "name"] = Field(description="What the list is ordered by.")
    direction: Literal["ASC", "DESC"] = Field(description="Ascending or descending.")


class TagPassesPagination(_Pagination):
    """The page that was answered, in the spelling of the list of a tag's passes."""

    order: Literal["id", "createdAt", "updatedAt"] = Field(description="What the list is ordered by.")
    direction: Literal["asc", "desc"] = Field(description="Ascending or descending.")


class TagList(Answer):
    """A page of tags."""

    model_config = example(
        {
            "tags": [{"id": 2, "tag": "Gold", "createdAt": "2018-03-02T23:49:53Z"}],
            "Pagination": {"order": "ID", "page": 1, "start": 0, "direction": "DESC", "pageSize": 10},
            "count": 1,
        }
    )

    tags: list[TagInList] = Field(description="The tags of this page.")
    Pagination: TagsPagination
    count: Count = Field(description="How many tags there are.")


class PassOfTag(Answer):
    """A pass, as the list of a tag's passes has it: ids are numbers, and what does not apply is left out."""

    id: Id = Field(description="The pass's id.")
    templateId: Id = Field(description="The id of its template.")
    url: Url = Field(description="Where the pass is downloaded, without credentials.")
    serialNumber: Uuid = Field(description="What wallets call the pass.")
    createdAt: Milliseconds = Field(description="When the pass was created.")
    updatedAt: Milliseconds = Field(description="When the pass changed last.")
    status: Status
    installedAt: Milliseconds = left_out("When it was first installed.")
    uninstalledAt: Milliseconds = left_out("When the last device gave it up; only while it is on none.")
    platform: Platform = left_out("What the device runs that made the pass installed.")


class PassesOfTag(Answer):
    """A page of a tag's passes."""

    model_config = example(
        {
            "passes": [
                {
                    "id": 61,
                    "templateId": 1000057,
                    "url": "https://passel.example/v1/pass/61/download?token=aBcD",
                    "serialNumber": "aff7ffbf-04d7-4180-9da2-c790e08da012",
                    "createdAt": "2023-04-19T06:15:01.000Z",
                    "updatedAt": "2023-04-19T06:15:01.000Z",
                    "status": "installed",
                    "installedAt": "2023-04-19T06:17:02.000Z",
                    "platform": "android",
                }
            ],
            "pagination": {"order": "id", "direction": "desc", "page": 1, "start": 0, "pageSize": 2},
            "count": 1,
        }
    )

    passes: list[PassOfTag] = Field(description="The passes of this page.")
    pagination: TagPassesPagination
    count: Count = Field(description="How many passes there are, with that status.")


class StartedTicket(Answer):
    """The ticket of an update."""

    model_config = example({"ticketId": 123})

    ticketId: Id = Field(description="To be asked about with `GET /v1/ticket/{ticket_id}`.")


class RemovedTag(Answer):
    """A tag was taken off a pass."""

    model_config = example({"passId": 123, "status": "success", "tagId": 70})

    passId: Id = Field(description="The pass's id.")
    status: Success = Field(description="Always `success`.")
    tagId: Id = Field(description="The tag's id.")


class ClearedTag(Answer):
    """A tag was taken off all passes."""

    model_config = example({"count": 38, "status": "success", "tagId": 2})

    count: Count = Field(description="How many passes had it.")
    status: Success = Field(description="Always `success`.")
    tagId: Id = Field(description="The tag's id.")


PAGINATION = {"order": "id", "page": 1, "start": 0, "direction": "DESC", "pageSize": 2}
HEADERS = {"barcode_type": {"fieldType": "barcode", "formatType": 1, "value": "PKBarcodeFormatPDF417"}}
FIELDS = {"Points": {"fieldType": "primary", "label": "Points", "value": "33.0", "formatType": "Number", "order": 1}}


class StoredLocation(Answer):
    """A place near which a wallet shows the pass."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    latitude: float = Field(description="Degrees, north of the equator.")
    longitude: float = Field(description="Degrees, east of Greenwich.")


class ShownEntry(Answer):
    """A field or header. Which members it has depends on vendor and kind."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    fieldType: str = left_out(
        "Apple's `primary`, `secondary`, `auxiliary`, `back`, `header`; Google's modules; `notAssigned`."
    )
    value: Any = Field(None, description="What the pass shows.")
    label: Any = Field(None, description="What stands beside the value.")


class CallbackSettings(Answer):
    """Where callbacks go."""

    model_config = example({"baseUrl": "https://callbacks.example", "headers": {"X-Team": "wallet"}})

    baseUrl: str = Field(description="The address that paths are appended to.")
    headers: dict[str, str] = Field(description="What callbacks have beside Passel's own headers.")


class RemovedCallback(Answer):
    """Callbacks were stopped."""

    model_config = example({"status": "success"})

    status: Success = Field(description="Always `success`.")


class Progress(Answer):
    """How far an update is, in passes."""

    total: Count = Field(description="The passes that it was for when it was asked for.")
    processed: Count = Field(
        description="How many are done; in the end fewer than `total` if passes lost the tag or were deleted meanwhile."
    )
    changed: Count = Field(description="On how many a wallet shows something else than before.")
    failed: Count = Field(description="On how many it could not be carried out.")


class WholeTicket(Answer):
    """How far an update is."""

    model_config = example(
        {
            "Status": "COMPLETED",
            "createdAt": "2013-03-28 18:18:36.0",
            "ID": 123,
            "children": {},
            "progress": {"total": 38, "processed": 38, "changed": 38, "failed": 0},
        }
    )

    Status: Literal["PREQUED", "QUEUED", "COMPLETED", "ABORTED", "FAILED", "ABANDONED"] = Field(
        description="`PREQUED` and `QUEUED` go on; the last three of the others are failures."
    )
    createdAt: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]$")] = Field(
        description="When the update was asked for, in UTC."
    )
    ID: Id = Field(description="The ticket's id.")
    children: dict[str, Any] = Field(description="Always empty.")
    progress: Progress


class SystemStatus(Answer):
    """The service answers."""

    model_config = example({"Hello": "World"})

    Hello: Literal["World"] = Field(description="Always `World`.")
