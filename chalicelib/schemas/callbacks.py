"""Bodies of what teams set up to be told, and of what a wallet gives to a pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from chalicelib.domain.receiver_editing import (
    LONGEST_HEADER_NAME_CHARACTERS,
    LONGEST_HEADER_VALUE_CHARACTERS,
    LONGEST_URL_CHARACTERS,
    MOST_HEADERS,
)
from chalicelib.schemas.bounds import END, Shown

BASE_URL: Final[Mapping[str, Any]] = {
    "minLength": 1,
    "maxLength": LONGEST_URL_CHARACTERS,
    "pattern": r"^[hH][tT][tT][pP][sS]://[^\s\x00-\x1f\x7f-\xa0\\/@?#]+(/[^\s\x00-\x1f\x7f-\xa0\\?#]*)?" + END,
}
HEADERS: Final[Mapping[str, Any]] = {
    "type": ["object", "null"],
    "maxProperties": MOST_HEADERS,
    "propertyNames": {"maxLength": LONGEST_HEADER_NAME_CHARACTERS, "pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+" + END},
    "additionalProperties": {
        "type": "string",
        "maxLength": LONGEST_HEADER_VALUE_CHARACTERS,
        "pattern": r"^[!-~]([ -~]*[!-~])?" + END,
    },
}
"""what `receiver_editing` reads of both; which hosts are public, and which headers are ours, is said there alone"""


class CallbackBody(BaseModel):
    """Where callbacks go, and what headers they have beside Passel's own."""

    model_config = ConfigDict(
        extra="ignore",
        defer_build=True,
        json_schema_extra={"examples": [{"baseUrl": "https://callbacks.example", "headers": {"X-Team": "wallet"}}]},
    )

    base_url: Annotated[str, Shown(BASE_URL)] = Field(
        validation_alias="baseUrl", description="An https address of a public host; paths are appended to it."
    )
    headers: Annotated[dict[str, str], Shown(HEADERS)] = Field(
        {}, description="At most 20, none of them one that HTTP or Passel sets itself."
    )

    @field_validator("headers", mode="before")
    @classmethod
    def _read_headers(cls, value: object) -> object:
        return {} if value is None else value


LONGEST_TOKEN_CHARACTERS = 4096


def _check_signable(token: str) -> str:
    """We sign whatever stands here with the certificate of passes, and whoever has a pass may ask. The manifest of a
    pass is signed in the same way: no JSON object does without a brace, in whatever encoding."""
    if "{" in token:
        raise ValueError("must not hold a brace")
    return token


PersonalizationToken = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TOKEN_CHARACTERS),
    AfterValidator(_check_signable),
    Shown({"pattern": "^[^{]*$"}),
]
PersonalText = Annotated[str, Field(max_length=255)]


PERSONAL_NAMES = (
    "emailAddress",
    "familyName",
    "fullName",
    "givenName",
    "ISOCountryCode",
    "phoneNumber",
    "postalCode",
)
"""what Wallet may ask a person for (wallets, section 2.6)"""

_PERSONAL_INFO = {
    "type": "object",
    "properties": {name: {"type": ["string", "null"], "maxLength": 255} for name in PERSONAL_NAMES},
    "description": "What the person gave; other members are dropped.",
}


_PERSONALIZATION_EXAMPLE: Final[dict[str, Any]] = {
    "personalizationToken": "0f8e4cbb9f0b6a2e",
    "requiredPersonalizationInfo": {"givenName": "Ann", "emailAddress": "ann@example.com"},
}


class PersonalizationBody(BaseModel):
    """What Wallet sends once a person has agreed; what else it may send is dropped."""

    model_config = ConfigDict(
        extra="ignore", defer_build=True, json_schema_extra={"examples": [_PERSONALIZATION_EXAMPLE]}
    )

    token: PersonalizationToken = Field(
        validation_alias="personalizationToken", description="What is signed as the answer."
    )
    info: Annotated[dict[str, PersonalText], Shown(_PERSONAL_INFO, instead=True)] = Field(
        validation_alias="requiredPersonalizationInfo"
    )

    @field_validator("info", mode="before")
    @classmethod
    def _keep_known(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: value[name] for name in PERSONAL_NAMES if value.get(name) is not None}
