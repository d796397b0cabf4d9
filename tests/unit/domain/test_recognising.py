from __future__ import annotations

import pytest

from chalicelib.domain.recognising import parse_pass_authorization, recognise_wallet
from chalicelib.domain.registrations import Wallet

APPLE_AGENT = "passd/1.0 CFNetwork/1485 Darwin/23.1.0"
WALLET_PASSES_AGENT = "WalletPasses/2.30 (Linux; U; Android 9; Pixel 2)"
FALLBACK_AGENT = "PassWallet/Android WalletPasses/2.30"
WALLET_PASSES_SERVICE = "http://walletpasses.appspot.com/api/attido/"
PASSWALLET_SERVICE = "https://push.passwallet.net/v1"


def _recognise(
    scheme: str = "ApplePass",
    *,
    attido_path: bool = False,
    user_agent: str = "",
    pass_client: str | None = None,
    push_service_url: str | None = None,
) -> Wallet:
    return recognise_wallet(
        attido_path=attido_path,
        scheme=scheme,
        user_agent=user_agent,
        pass_client=pass_client,
        push_service_url=push_service_url,
    )


@pytest.mark.parametrize(("scheme", "attido_path"), [("AttidoPass", False), ("ApplePass", True), ("AttidoPass", True)])
@pytest.mark.parametrize(
    ("user_agent", "push_service_url", "wallet"),
    [
        (WALLET_PASSES_AGENT, PASSWALLET_SERVICE, Wallet.WALLET_PASSES),
        (FALLBACK_AGENT, WALLET_PASSES_SERVICE, Wallet.WALLET_PASSES),
        ("okhttp", WALLET_PASSES_SERVICE, Wallet.WALLET_PASSES),
        ("okhttp", "https://WalletPasses.AppSpot.com.:443/", Wallet.WALLET_PASSES),
        ("okhttp", PASSWALLET_SERVICE, Wallet.PASSWALLET),
        ("okhttp", "https://walletpasses.appspot.com.evil.example/", Wallet.PASSWALLET),
        ("okhttp", "https://evil.example/walletpasses.appspot.com", Wallet.PASSWALLET),
        ("PassWallet/Android", None, Wallet.PASSWALLET),
        ("okhttp", "http://[", Wallet.PASSWALLET),
    ],
)
def test_the_passwallet_way_is_passwallets_unless_walletpasses_shows_itself(
    scheme: str, attido_path: bool, user_agent: str, push_service_url: str | None, wallet: Wallet
) -> None:
    found = _recognise(scheme, attido_path=attido_path, user_agent=user_agent, push_service_url=push_service_url)

    assert found is wallet


@pytest.mark.parametrize(
    ("scheme", "user_agent"),
    [
        ("AndroidPass", ""),
        ("WalletPass", ""),
        ("AndroidPass", APPLE_AGENT),
        ("ApplePass", WALLET_PASSES_AGENT),
        ("ApplePass", f"Mozilla/5.0 {WALLET_PASSES_AGENT}"),
    ],
)
def test_walletpasses_is_known_by_its_scheme_or_its_agent(scheme: str, user_agent: str) -> None:
    assert _recognise(scheme, user_agent=user_agent) is Wallet.WALLET_PASSES


def test_pass2u_is_known_by_its_header() -> None:
    assert _recognise(pass_client="Passes", user_agent="okhttp") is Wallet.PASS2U


def test_passworks_wallet_is_known_by_its_header() -> None:
    assert _recognise(pass_client="Passworks", user_agent="okhttp") is Wallet.PASSWORKS_WALLET


@pytest.mark.parametrize("pass_client", [None, "", "Other"])
@pytest.mark.parametrize("user_agent", [APPLE_AGENT, "", "WalletPasses"])
def test_applepass_with_nothing_else_is_apple(pass_client: str | None, user_agent: str) -> None:
    assert _recognise(pass_client=pass_client, user_agent=user_agent) is Wallet.PASSBOOK


@pytest.mark.parametrize("pass_client", ["Passes", "Passworks"])
def test_earlier_rows_win_over_the_header_of_pass_clients(pass_client: str) -> None:
    assert _recognise("AndroidPass", pass_client=pass_client) is Wallet.WALLET_PASSES
    assert _recognise(user_agent=WALLET_PASSES_AGENT, pass_client=pass_client) is Wallet.WALLET_PASSES
    assert _recognise(attido_path=True, pass_client=pass_client) is Wallet.PASSWALLET


def test_a_push_service_means_nothing_outside_the_passwallet_way() -> None:
    assert _recognise(push_service_url=WALLET_PASSES_SERVICE) is Wallet.PASSBOOK


@pytest.mark.parametrize(
    ("scheme", "wallet"),
    [
        ("attidopass", Wallet.PASSWALLET),
        ("ANDROIDPASS", Wallet.WALLET_PASSES),
        ("walletpass", Wallet.WALLET_PASSES),
        ("APPLEPASS", Wallet.PASSBOOK),
    ],
)
def test_the_scheme_is_compared_without_case(scheme: str, wallet: Wallet) -> None:
    assert _recognise(scheme) is wallet


@pytest.mark.parametrize("scheme", ["ApplePass", "AndroidPass", "WalletPass", "AttidoPass"])
def test_the_four_schemes_give_their_word_and_the_token(scheme: str) -> None:
    assert parse_pass_authorization(f"{scheme} 0a+/=_-.~!z") == (scheme, "0a+/=_-.~!z")


@pytest.mark.parametrize("header", ["applepass secret", "APPLEPASS   secret", "  ApplePass secret "])
def test_neither_case_nor_spaces_matter_and_the_word_comes_in_its_usual_spelling(header: str) -> None:
    assert parse_pass_authorization(header) == ("ApplePass", "secret")


def test_a_header_of_1000_characters_is_read() -> None:
    token = "x" * 990

    assert parse_pass_authorization(f"ApplePass {token}") == ("ApplePass", token)
    assert parse_pass_authorization(f"ApplePass {token}x") is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "ApplePass",
        "ApplePass ",
        "ApplePasssecret",
        "secret",
        "Basic secret",
        "Bearer secret",
        "ApplePass two words",
        "ApplePass s\u00e9cret",
        "ApplePass secret\n",
        "ApplePass secret\nX: y",
        "ApplePass\u00a0secret",
        "\u0410pplePass secret",
        "ApplePass, secret",
    ],
)
def test_any_other_header_is_of_no_use(header: str | None) -> None:
    assert parse_pass_authorization(header) is None
