"""What the models of answers share. They describe answers, for clients and for tests; none is made through them.

The functions that make answers stand beside the routes (`chalicelib/api/*/answers.py`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An object with exactly the members that its model names."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


def left_out(description: str | None = None) -> Any:
    """A member that is not there where it does not apply; it is never null."""
    return Field(default=None, description=description)


Seconds = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", examples=["2018-03-02T23:49:53Z"]),
]
Milliseconds = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        examples=["2013-06-27T20:58:20.000Z"],
    ),
]
Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Count = Annotated[int, Field(ge=0)]
Id = Annotated[int, Field(ge=1, le=2**53 - 1)]
IdText = Annotated[str, Field(pattern="^[0-9]{1,16}$", examples=["12345"])]
