"""Where a project's wallet vendors are reached, and with which keys (wallets, section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PushService:
    """A vendor's push service. `base_url` has no slash at its end."""

    base_url: str
    api_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppleKey:
    """A .p8 key for pushes by token; without one the pass certificate is shown instead (wallets, section 2.5)."""

    key_id: str
    team_id: str
    private_key: str
    """PEM, PKCS#8, P-256"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleAccount:
    """A project's issuer at Google. Without a service account callbacks are taken, but nothing is written."""

    issuer_id: str
    service_account: Mapping[str, Any] | None = None
    """the JSON key file: client_email, private_key, private_key_id, token_uri"""
    rest_base_url: str = "https://walletobjects.googleapis.com/walletobjects/v1"
    token_url: str = "https://oauth2.googleapis.com/token"
    save_base_url: str = "https://pay.google.com/gp/v/save/"
    origins: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """The service account's; empty without one."""
        return str((self.service_account or {}).get("client_email", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletServices:
    """Everything of one project but Google, whose key only those may read who speak with Google."""

    apns: PushService
    apple_key: AppleKey | None
    wallet_passes: PushService
    pass2u: PushService
    passworks_wallet: PushService
    passwallet_allow: Mapping[str, str]
    """hosts that a device may name for its pushes, and the base that is really called"""
    passwallet_type_key: str
    """`passTypeID`; the vendor's early sample server had `passTypeId` (wallets, section 3.4)"""


class WalletServiceSource(Protocol):
    """The settings of every project's wallets. What a project does not set is the deployment's."""

    def get_shared_issuer(self) -> str | None:
        """The issuer id at Google of all projects without one of their own.

        Raises:
            Busy: it cannot be read.
        """

    def get_services(self, project_id: int) -> WalletServices:
        """A project's services, remembered for some minutes.

        Raises:
            Busy: they cannot be read.
        """

    def get_google(self, project_id: int) -> GoogleAccount | None:
        """A project's account at Google, remembered as long; None if it has no issuer.

        Raises:
            Busy: it cannot be read.
        """
