"""Registrations: one pass on one device in one wallet (passworks-v2, section 2; wallets, section 2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Wallet(StrEnum):
    """The wallets, by the ids that clients see (passworks-v2, section 2)."""

    PASSBOOK = "passbook"
    GOOGLE_WALLET = "google_wallet"
    WALLET_PASSES = "wallet_passes"
    PASSWORKS_WALLET = "passworks_wallet"
    PASS2U = "pass2u"
    PASSWALLET = "passwallet"

    @property
    def device_os(self) -> str:
        """`ios` or `android`."""
        return "ios" if self is Wallet.PASSBOOK else "android"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What a register call brings: which wallet asks, and where it wants to be told of changes."""

    wallet: Wallet
    push_token: str
    push_service_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSummary:
    """What lists show of a registration. `number` orders a template's registrations by their creation."""

    registration_id: str
    number: int
    pass_id: int
    serial_number: str
    wallet: Wallet
    """the one that registered last"""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(RegistrationSummary):
    """A whole registration."""

    project_id: int
    template_id: int
    device: str
    """see `device_key`"""
    pass_type: str
    """the pass type identifier, which is also the topic of pushes"""
    push_token: str
    registered_at: datetime
    """when the device last said so; a push service that lost it earlier is wrong by now"""
    push_service_url: str | None = None

    @property
    def installation(self) -> Installation:
        """What the last register call brought."""
        return Installation(wallet=self.wallet, push_token=self.push_token, push_service_url=self.push_service_url)


def token_key(*, pass_type: str, push_token: str) -> str:
    """Names a push token of one pass type, whatever its length."""
    return hashlib.sha256(f"{pass_type}\n{push_token}".encode()).hexdigest()


def device_key(*, device_id: str, pass_type: str) -> str:
    """What is stored in place of a device library identifier, which is all that its list call proves itself with."""
    return hashlib.sha256(f"{pass_type}\n{device_id}".encode()).hexdigest()
