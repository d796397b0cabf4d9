"""Answers to wallets (wallets, section 2.2)."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from chalicelib.schemas.answers import Answer


class ChangedPasses(Answer):
    """The passes of a device that have changed."""

    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        json_schema_extra={
            "examples": [{"serialNumbers": ["4f2c7e51-7a3b-4b0e-9d59-2f6a5b7c1e83"], "lastUpdated": "v1.AAECAwQB"}]
        },
    )

    serialNumbers: list[str] = Field(min_length=1, description="The passes to fetch.")
    lastUpdated: str = Field(min_length=1, description="To be sent back as `passesUpdatedSince`.")


class WalletError(Answer):
    """Why a request is refused. Wallets read only the status."""

    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        json_schema_extra={"examples": [{"message": "the pass or its token is unknown"}]},
    )

    message: str = Field(description="What is wrong.")
