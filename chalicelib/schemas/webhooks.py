"""What Passel posts to systems of teams (airship-wallet-v1, section 8; passworks-v2, section 11).

For the description and for tests; `chalicelib/domain/callback_events.py` makes the documents.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chalicelib.schemas import passworks_examples as examples
from chalicelib.schemas.answers import Answer, Id, IdText, Milliseconds, Seconds, Uuid, left_out


class _AirshipEvent(Answer):
    serialNumber: Uuid = Field(description="What wallets call the pass.")
    createdAt: Milliseconds = Field(description="When the pass was created.")
    updatedAt: Milliseconds = Field(description="When the pass changed last.")
    externalId: str = left_out("The caller's own name of the pass.")
    platform: Literal["ios", "android"] = Field(description="What the device runs.")


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

    passId: Id = Field(description="The pass's id.")
    templateId: Id = Field(description="The id of its template.")


class PersonalizeEvent(_AirshipEvent):
    """A person gave name and address to a pass. Ids are strings here."""

    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        json_schema_extra={
            "examples": [
                {
                    "passId": "149440311",
                    "templateId": "158327",
                    "serialNumber": "aff7ffbf-04d7-4180-9da2-c790e08da012",
                    "createdAt": "2020-09-11T22:47:22.000Z",
                    "updatedAt": "2020-09-11T22:47:22.000Z",
                    "platform": "ios",
                    "requiredPersonalizationInfo": {"givenName": "Ann", "emailAddress": "ann@example.com"},
                }
            ]
        },
    )

    passId: IdText = Field(description="The pass's id.")
    templateId: IdText = Field(description="The id of its template.")
    requiredPersonalizationInfo: dict[str, str] = Field(
        description="What the person gave, of `emailAddress`, `familyName`, `fullName`, `givenName`, `ISOCountryCode`,"
        " `phoneNumber` and `postalCode`."
    )


class InstallationExtra(Answer):
    """What is known of an installation."""

    pass_id: Uuid = Field(description="The pass's id.")
    registration_id: Uuid = Field(description="The registration's id.")
    device_os: Literal["ios", "android"] = Field(description="What the device runs.")
    device_app_vendor: str = Field(description="The registration's `wallet`.")
    wallet_type: str = Field(description="`apple_wallet` for Apple's, else the registration's `wallet`.")
    ip: str | None = Field(description="The address that the device called from, if one did.")


class _PassEvent(Answer):
    context: Literal["pass"] = Field(description="Always `pass`.")
    campaign_id: Uuid | None = Field(description="The campaign's id; null if it is gone.")
    distribution_id: Uuid | None = Field(description="The id of the campaign's distribution; null if it is gone.")
    pass_id: Uuid = Field(description="The pass's id.")
    voided: bool = Field(description="No longer redeemable.")
    serial_number: Uuid = Field(description="Equal to `pass_id`.")
    redeemed_count: Annotated[int, Field(ge=0)] = Field(description="How often the pass was redeemed.")
    redeemed_at: Seconds | None = Field(description="When it was redeemed last.")
    created_at: Seconds = Field(description="When the pass was created.")
    updated_at: Seconds = Field(description="When the pass changed last.")
    last_fetched_at: Seconds | None = Field(description="Of `fetched`: when. Otherwise null.")
    event_at: Seconds = Field(description="When it happened.")
    metadata: dict[str, Any] = Field(description="Always empty.")


class PassEvent(_PassEvent):
    """Something happened to a pass."""

    model_config = ConfigDict(
        extra="forbid", defer_build=True, json_schema_extra={"examples": [examples.CREATED_EVENT]}
    )

    event: Literal["created", "downloaded", "fetched", "redeemed"] = Field(description="What happened.")
    event_extra: Annotated[dict[str, Any], Field(max_length=0)] = Field(description="Always empty.")


class InstallationEvent(_PassEvent):
    """A device took a pass, or gave it up."""

    model_config = ConfigDict(
        extra="forbid", defer_build=True, json_schema_extra={"examples": [examples.INSTALLED_EVENT]}
    )

    event: Literal["installed", "uninstalled"] = Field(description="What happened.")
    event_extra: InstallationExtra
