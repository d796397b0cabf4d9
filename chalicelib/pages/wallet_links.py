"""Links that open a .pkpass with the wallets of Android phones."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

PKPASS_TYPE = "application/vnd.apple.pkpass"

_STORE = "https://play.google.com/store/apps/details?id="


@dataclass(frozen=True, slots=True)
class AndroidWallet:
    """A wallet app for .pkpass files."""

    name: str
    package: str


ANDROID_WALLETS = (
    AndroidWallet("WalletPasses", "io.walletpasses.android"),
    AndroidWallet("Pass2U", "com.passesalliance.wallet"),
    AndroidWallet("PassWallet", "com.attidomobile.passwallet"),
)


@dataclass(frozen=True, slots=True)
class WalletLink:
    """A wallet's name and the link that opens a pass with it."""

    name: str
    url: str


def wallet_links(pkpass_file_url: str) -> tuple[WalletLink, ...]:
    """One link for each known wallet; where the app is missing, the browser shows its page in the store instead."""
    return tuple(WalletLink(wallet.name, _intent(pkpass_file_url, wallet.package)) for wallet in ANDROID_WALLETS)


def _intent(url: str, package: str) -> str:
    """An Android intent that views the file (Chrome, Android Intents): the address without scheme, then the extras.

    Semicolons and number signs end parts of an intent, so none may come from the address.
    """
    parts = urlsplit(url)
    address = quote(parts.netloc + parts.path, safe="/:@%[]~") + (
        "?" + quote(parts.query, safe="=&%") if parts.query else ""
    )
    extras = (
        f"scheme={parts.scheme}",
        f"type={PKPASS_TYPE}",
        f"package={package}",
        f"S.browser_fallback_url={quote(_STORE + package, safe='')}",
        "end",
    )
    return f"intent://{address}#Intent;{';'.join(extras)}"
