"""Answers of the Airship dialect (airship-wallet-v1, sections 3 to 8)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.schemas.answers import Answer, Count, Id, Milliseconds, Seconds, Url, Uuid, left_out

Success = Literal["success"]
Status = Literal["installed", "uninstalled", "not_been_installed"]
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
    description: str
    details: str = Field(description="What is wrong; it begins with the member or parameter that is.")
    error: str
    error_code: int


class AddedTags(Answer):
    """What an add put on the pass."""

    model_config = example({"newTags": ["tag-name"], "mappings": 1})

    newTags: list[str] = Field(description="The tags that the pass did not have before.")
    mappings: Count = Field(description="How many these are.")


class TagOfPass(Answer):
    """A tag, as the list of a pass's tags has it."""

    model_config = example({"id": 72, "createdAt": "2013-07-10T11:38:06Z", "name": "tag-2971-4280-479"})

    id: Id
    createdAt: Seconds
    name: str


class TagsOfPass(Answer):
    """All tags of a pass."""

    model_config = example({"tags": [{"id": 72, "createdAt": "2013-07-10T11:38:06Z", "name": "tag-2971-4280-479"}]})

    tags: list[TagOfPass]


class TagInList(Answer):
    """A tag, as the list of all tags has it."""

    id: Id
    tag: str
    createdAt: Seconds


class _Pagination(Answer):
    """The page that was answered; it may be sent back as the query with `page` raised by one."""

    page: Annotated[int, Field(ge=1)]
    start: Annotated[int, Field(ge=0, description="How many entries stand before the page.")]
    pageSize: Annotated[int, Field(ge=1, le=1000)]


class TagsPagination(_Pagination):
    """The page that was answered, in the spelling of the list of tags."""

    order: Literal["ID", "createdAt"]
    direction: Literal["ASC", "DESC"]


class Pagination(_Pagination):
    """The page that was answered; it may be sent back as the query with `page` raised by one."""

    order: Literal["id", "createdAt", "updatedAt", "name"]
    direction: Literal["ASC", "DESC"]


class TagPassesPagination(_Pagination):
    """The page that was answered, in the spelling of the list of a tag's passes."""

    order: Literal["id", "createdAt", "updatedAt"]
    direction: Literal["asc", "desc"]


class TagList(Answer):
    """A page of tags."""

    model_config = example(
        {
            "tags": [{"id": 2, "tag": "Gold", "createdAt": "2018-03-02T23:49:53Z"}],
            "Pagination": {"order": "ID", "page": 1, "start": 0, "direction": "DESC", "pageSize": 10},
            "count": 1,
        }
    )

    tags: list[TagInList]
    Pagination: TagsPagination
    count: Count = Field(description="How many tags there are.")


class PassOfTag(Answer):
    """A pass, as the list of a tag's passes has it: ids are numbers, and what does not apply is left out."""

    id: Id
    templateId: Id
    url: Url
    serialNumber: Uuid
    createdAt: Milliseconds
    updatedAt: Milliseconds
    status: Status
    installedAt: Milliseconds = left_out("When it was first installed.")
    uninstalledAt: Milliseconds = left_out()
    platform: Platform = left_out()


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

    passes: list[PassOfTag]
    pagination: TagPassesPagination
    count: Count = Field(description="How many passes there are, with that status.")


class StartedTicket(Answer):
    """The ticket of an update."""

    model_config = example({"ticketId": 123})

    ticketId: Id


class RemovedTag(Answer):
    """A tag was taken off a pass."""

    model_config = example({"passId": 123, "status": "success", "tagId": 70})

    passId: Id
    status: Success
    tagId: Id


class ClearedTag(Answer):
    """A tag was taken off all passes."""

    model_config = example({"count": 38, "status": "success", "tagId": 2})

    count: Count = Field(description="How many passes had it.")
    status: Success
    tagId: Id


PAGINATION = {"order": "id", "page": 1, "start": 0, "direction": "DESC", "pageSize": 2}
HEADERS = {"barcode_type": {"fieldType": "barcode", "formatType": 1, "value": "PKBarcodeFormatPDF417"}}
FIELDS = {"Points": {"fieldType": "primary", "label": "Points", "value": "33.0", "formatType": "Number", "order": 1}}


class StoredLocation(Answer):
    """A place near which a wallet shows the pass."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    latitude: float
    longitude: float


class ShownEntry(Answer):
    """A field or header. Which members it has depends on vendor and kind."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    fieldType: str = left_out(
        "Apple's `primary`, `secondary`, `auxiliary`, `back`, `header`; Google's modules; `notAssigned`."
    )
    value: Any = None
    label: Any = None


class CallbackSettings(Answer):
    """Where callbacks go."""

    model_config = example({"baseUrl": "https://callbacks.example", "headers": {"X-Team": "wallet"}})

    baseUrl: str
    headers: dict[str, str]


class RemovedCallback(Answer):
    """Callbacks were stopped."""

    model_config = example({"status": "success"})

    status: Success


class Progress(Answer):
    """How far an update is, in passes."""

    total: Count
    processed: Count
    changed: Count = Field(description="On how many a wallet shows something else than before.")
    failed: Count


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
    createdAt: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]$")]
    ID: Id
    children: dict[str, Any]
    progress: Progress


class SystemStatus(Answer):
    """The service answers."""

    model_config = example({"Hello": "World"})

    Hello: Literal["World"]
