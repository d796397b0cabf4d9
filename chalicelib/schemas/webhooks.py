"""What Passel posts to systems of teams (airship-wallet-v1, section 8; passworks-v2, section 11).

For the description and for tests; `chalicelib/domain/callback_events.py` makes the documents.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.schemas import passworks_examples as examples
from chalicelib.schemas.answers import Answer, Id, IdText, Milliseconds, Seconds, Uuid, left_out


class _AirshipEvent(Answer):
    serialNumber: Uuid
    createdAt: Milliseconds
    updatedAt: Milliseconds
    externalId: str = left_out()
    platform: Literal["ios", "android"]


class InstallEvent(_AirshipEvent):
    """A device took a pass, or gave it up."""

    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        json_schema_extra={
            "examples": [
                {
                    "passId": 149440311,
                    "templateId": 158327,
                    "serialNumber": "aff7ffbf-04d7-4180-9da2-c790e08da012",
                    "createdAt": "2020-09-11T22:47:22.000Z",
                    "updatedAt": "2020-09-11T22:47:22.000Z",
                    "externalId": "coolexample",
                    "platform": "android",
                }
            ]
        },
    )

    passId: Id
    templateId: Id


class PersonalizeEvent(_AirshipEvent):
    """A person gave name and address to a pass. Ids are strings here."""

    passId: IdText
    templateId: IdText
    requiredPersonalizationInfo: dict[str, str] = Field(
        description="What the person gave, of `emailAddress`, `familyName`, `fullName`, `givenName`, `ISOCountryCode`,"
        " `phoneNumber` and `postalCode`."
    )


class InstallationExtra(Answer):
    """What is known of an installation."""

    pass_id: Uuid
    registration_id: Uuid
    device_os: Literal["ios", "android"]
    device_app_vendor: str = Field(description="The registration's `wallet`.")
    wallet_type: str = Field(description="`apple_wallet` for Apple's, else the registration's `wallet`.")
    ip: str | None


class _PassEvent(Answer):
    context: Literal["pass"]
    campaign_id: Uuid | None
    distribution_id: Uuid | None
    pass_id: Uuid
    voided: bool
    serial_number: Uuid
    redeemed_count: Annotated[int, Field(ge=0)]
    redeemed_at: Seconds | None
    created_at: Seconds
    updated_at: Seconds
    last_fetched_at: Seconds | None
    event_at: Seconds
    metadata: dict[str, Any]


class PassEvent(_PassEvent):
    """Something happened to a pass."""

    model_config = ConfigDict(
        extra="forbid", defer_build=True, json_schema_extra={"examples": [examples.CREATED_EVENT]}
    )

    event: Literal["created", "downloaded", "fetched", "redeemed"]
    event_extra: Annotated[dict[str, Any], Field(max_length=0)]


class InstallationEvent(_PassEvent):
    """A device took a pass, or gave it up."""

    model_config = ConfigDict(
        extra="forbid", defer_build=True, json_schema_extra={"examples": [examples.INSTALLED_EVENT]}
    )

    event: Literal["installed", "uninstalled"]
    event_extra: InstallationExtra
