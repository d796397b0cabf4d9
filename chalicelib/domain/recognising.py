"""Which wallet is asking, and the token it shows (wallets, sections 2.1, 3 and 3.1)."""

from __future__ import annotations

import re

from chalicelib.domain.push_services import names_wallet_passes
from chalicelib.domain.registrations import Wallet

SCHEMES = ("ApplePass", "AndroidPass", "WalletPass", "AttidoPass")
"""wallets, section 3: accepted alike; the token is the same"""

_BY_LOWER_CASE = {scheme.lower(): scheme for scheme in SCHEMES}
_LONGEST_HEADER_CHARACTERS = 1_000
_AUTHORIZATION = re.compile(r"(?P<scheme>[A-Za-z]+) +(?P<token>[!-~]+)")

_WALLET_PASSES_AGENT = "WalletPasses/"
_WALLET_OF_PASS_CLIENT = {"Passes": Wallet.PASS2U, "Passworks": Wallet.PASSWORKS_WALLET}


def recognise_wallet(
    *, attido_path: bool, scheme: str, user_agent: str, pass_client: str | None, push_service_url: str | None
) -> Wallet:
    """The wallet behind a register call (wallets, section 3.1; the first match wins).

    `attido_path` says whether the path is `registrations_attido`, `scheme` is the word of the Authorization header in
    any case, `pass_client` the header `X-Pass-Client`.
    """
    word = scheme.lower()
    is_wallet_passes = _WALLET_PASSES_AGENT in user_agent
    if attido_path or word == "attidopass":
        is_wallet_passes = is_wallet_passes or names_wallet_passes(push_service_url)
        return Wallet.WALLET_PASSES if is_wallet_passes else Wallet.PASSWALLET
    if is_wallet_passes or word in ("androidpass", "walletpass"):
        return Wallet.WALLET_PASSES
    return _WALLET_OF_PASS_CLIENT.get((pass_client or "").strip(), Wallet.PASSBOOK)


def parse_pass_authorization(header: str | None) -> tuple[str, str] | None:
    """The scheme, as `SCHEMES` spells it, and the token of an Authorization header; None if it is of no use.

    The token is visible ASCII, so that it can be compared in constant time.
    """
    if header is None or len(header) > _LONGEST_HEADER_CHARACTERS:
        return None
    match = _AUTHORIZATION.fullmatch(header.strip(" \t"))
    scheme = _BY_LOWER_CASE.get(match["scheme"].lower()) if match else None
    return (scheme, match["token"]) if match and scheme else None
