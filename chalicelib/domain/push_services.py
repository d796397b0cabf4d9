"""Where a PassWallet push may go. The URL comes from a client, so the operator decides whom we call (wallets, 3.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from chalicelib.domain.registrations import Wallet

WALLET_PASSES_HOST = "walletpasses.appspot.com"
"""what WalletPasses names when it registers the PassWallet way (wallets, section 3.2)"""

_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushService:
    """Who delivers a push. `base_url` has no trailing slash; None where the wallet's own setting says where to call."""

    wallet: Wallet
    base_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """Nobody may be called for a registration: the device just polls."""

    reason: str
    """a few words for logs and metrics"""
    host: str = ""
    """which one was named; empty if the URL has none that can be trusted"""


def resolve_push_service(url: str | None, *, allowed: Mapping[str, str]) -> PushService | Nobody:
    """Who delivers pushes for a registration that named `url`.

    `allowed` maps hosts to the base that is really called. Only the path of the client's URL is used: its port, query
    and fragment are dropped. Another scheme than https, credentials, or a path that a server could read in two ways,
    make it nobody. WalletPasses names itself with http, which does not matter, as its own setting says where it is.
    """
    parts = _split(url) if url is not None and url.isascii() else None
    if parts is None:
        return Nobody(reason="no URL" if url is None else "unusable URL")
    host = _normalise_host(parts.hostname or "")
    if host == WALLET_PASSES_HOST:
        return PushService(wallet=Wallet.WALLET_PASSES, base_url=None)
    if parts.scheme != "https":
        return Nobody(reason="not https", host=host)
    base = {_normalise_host(name): base for name, base in allowed.items()}.get(host)
    if base is None:
        return Nobody(reason="not listed", host=host)
    path = _normalise_path(parts.path)
    if path is None:
        return Nobody(reason="misleading path", host=host)
    return PushService(wallet=Wallet.PASSWALLET, base_url=base.rstrip("/") + path)


def names_wallet_passes(url: str | None) -> bool:
    """Whether the host of a push service URL is the one of WalletPasses."""
    parts = _split(url) if url is not None else None
    return parts is not None and _normalise_host(parts.hostname or "") == WALLET_PASSES_HOST


def is_acceptable_url(url: str, *, maximum_characters: int) -> bool:
    """Whether a client's URL may be stored: http or https, a host, no credentials, nothing invisible.

    It says nothing about whether the URL may be called; for that see `resolve_push_service`.
    """
    return len(url) <= maximum_characters and _split(url) is not None


def _split(url: str) -> SplitResult | None:
    """The parts of an absolute http or https URL without credentials; None for anything else.

    `urlsplit` drops line breaks and leading spaces, which a caller of the same text may not.
    """
    if any(character in " \\" or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
        # reading the port is what checks it
        has_host = bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and has_host and parts.username is None else None


def _normalise_host(host: str) -> str:
    """One spelling for each host; `urlsplit` takes the brackets off an IPv6 literal, which no name equals."""
    return host.lower().removesuffix(".")


def _normalise_path(path: str) -> str | None:
    """The path without empty segments; None if a server could take it for another one."""
    if not _PATH.fullmatch(path):
        return None
    segments = [segment for segment in path.split("/") if segment]
    if any(_is_misleading(unquote(segment)) for segment in segments):
        return None
    return "".join(f"/{segment}" for segment in segments)


def _is_misleading(segment: str) -> bool:
    """Dots alone, also before parameters, or an encoded separator, escape or control character."""
    has_only_dots = not segment.partition(";")[0].strip(".")
    return has_only_dots or any(character in "/\\%" or not character.isprintable() for character in segment)
