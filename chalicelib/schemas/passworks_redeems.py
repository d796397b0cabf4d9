"""Bodies of redeems and pushes in the Passworks dialect (passworks-v2, sections 7 and 8)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chalicelib.domain.texts import as_digits
from chalicelib.schemas.bounds import DEFAULTS, Shown
from chalicelib.schemas.passworks import ROOTS
from chalicelib.settings import get_settings


def _check_comment(value: Any) -> Any:
    limit = get_settings().limits.redeem_comment_characters
    if value is not None and (not isinstance(value, str) or len(value) > limit):
        raise ValueError(f"must be a text of at most {limit} characters")
    return value


def _read_code(value: Any) -> Any:
    code = as_digits(value)
    if not isinstance(code, str) or not code:
        raise ValueError("can't be blank")
    return code


def _check_message(value: Any) -> Any:
    if value is not None and not _is_message(value):
        raise ValueError(f"must be a text of at most {get_settings().limits.value_characters} characters")
    return value


def _is_message(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= get_settings().limits.value_characters


Comment = Annotated[
    str | None,
    BeforeValidator(_check_comment),
    Shown({"type": ["string", "null"], "maxLength": DEFAULTS.redeem_comment_characters}, instead=True),
]
Code = Annotated[
    str,
    BeforeValidator(_read_code),
    Shown({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}, instead=True),
]


class RedeemBody(BaseModel):
    """What goes with a redeem: a word about it."""

    model_config = ConfigDict(
        extra="ignore", defer_build=True, json_schema_extra={"examples": [{"comment": "At the till"}]}
    )

    comment: Comment = Field(None, description="A word about the redeem, kept with it.")


class RedeemByCodeBody(BaseModel):
    """The code of the pass that is redeemed. A number counts as its digits, so a code with leading zeros is a text."""

    model_config = ConfigDict(
        extra="ignore",
        defer_build=True,
        json_schema_extra={"examples": [{"redeem_code": "00000001", "comment": "optional"}]},
    )

    redeem_code: Code = Field(description="The pass's `redeem_code`.")
    comment: Comment = Field(None, description="A word about the redeem, kept with it.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, document: dict[str, Any]) -> dict[str, Any]:
        """A code that is missing is refused in the same words as an empty one."""
        return {"redeem_code": None} | document


_PLACES = (*ROOTS.values(), "pass")
_MESSAGE = {"type": ["string", "null"], "maxLength": DEFAULTS.value_characters}
_PLACE = {"if": {"type": "object"}, "then": {"properties": {"push_message": _MESSAGE}}}


def _show_places(schema: dict[str, Any]) -> None:
    schema["properties"] = {"push_message": _MESSAGE | {"description": "What devices show on their lock screen."}} | {
        place: _PLACE | {"description": "May hold the `push_message` in place of the document itself."}
        for place in _PLACES
    }
    schema["examples"] = [{"push_message": "Two coffees for one, today"}]


class PushBody(BaseModel):
    """A message to devices: at the root, or under the root key of a type or of a pass. The first that is found counts.

    Without a message devices are pushed, and show nothing.
    """

    model_config = ConfigDict(
        extra="ignore",
        defer_build=True,
        json_schema_extra=_show_places,
    )

    push_message: Annotated[str | None, BeforeValidator(_check_message)] = None

    @model_validator(mode="before")
    @classmethod
    def _find(cls, document: dict[str, Any]) -> dict[str, Any]:
        places = [document, *(document.get(name) for name in _PLACES)]
        found = [place.get("push_message") for place in places if isinstance(place, dict)]
        said = [each for each in found if each is not None]
        # what is no message is refused wherever it stands, not only where it would count
        return {"push_message": next((each for each in said if not _is_message(each)), said[0] if said else None)}
