"""The document in which a project's wallet services are set up; `docs/operations.md` shows one."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Address = Annotated[str, Field(pattern=r"^https?://[^/\s?#@]+(/[^\s?#]*)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ApplePart(_Part):
    """Apple: another address, or a .p8 key in place of the pass certificate."""

    base_url: Address | None = None
    key_id: str | None = None
    team_id: str | None = None
    private_key: str | None = None


class ServicePart(_Part):
    """A push service: another address, or a key."""

    base_url: Address | None = None
    api_key: str | None = None


class PassWalletPart(_Part):
    """PassWallet: hosts that devices may name, and the base that is really called."""

    allow: dict[str, Address] | None = None
    type_key: str | None = None


class GooglePart(_Part):
    """Google: the issuer, and who may show its save links."""

    issuer_id: Annotated[str, Field(pattern=r"^[0-9]{1,40}$")] | None = None
    rest_base_url: Address | None = None
    token_url: Address | None = None
    save_base_url: Address | None = None
    origins: tuple[str, ...] | None = None


class WalletsDocument(_Part):
    """What a project, or the shared scope, sets; the rest is the deployment's."""

    apple: ApplePart = Field(default_factory=ApplePart)
    wallet_passes: ServicePart = Field(default_factory=ServicePart)
    pass2u: ServicePart = Field(default_factory=ServicePart)
    passworks_wallet: ServicePart = Field(default_factory=ServicePart)
    passwallet: PassWalletPart = Field(default_factory=PassWalletPart)
    google: GooglePart = Field(default_factory=GooglePart)
