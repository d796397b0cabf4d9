"""Each wallet is known by its own requests and shown under its id (wallets, section 3; passworks-v2, section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.cards import Card, campaign_path, issue_card, issue_cards
from tests.support.google_wallet import run_google_wallet
from tests.support.phones import (
    PHONES,
    WALLET_PASSES_URL,
    FallenBackWalletPassesPhone,
    Pass2UPhone,
    PassWalletPhone,
    Phone,
    WalletPassesPhone,
    token_of,
)
from tests.support.recount import read_rows, recount
from tests.support.stack import Stack, Tenant


def shown(card: Card) -> list[tuple[str, str]]:
    """Wallet and operating system of each registration."""
    return [(row["wallet"], row["device_os"]) for row in card.list_registrations()]


@pytest.mark.parametrize("name", PHONES)
def test_a_wallet_is_listed_under_its_id(tenant: Tenant, name: str) -> None:
    card, phone = issue_card(tenant), PHONES[name]()

    phone.install(card.url)

    system = "ios" if phone.wallet == "passbook" else "android"
    assert shown(card) == [(str(phone.wallet), system)]
    assert (card.shown["status"], card.shown["platform"]) == ("installed", system)


def test_all_six_wallets_stand_side_by_side_in_one_list(tenant: Tenant, stack: Stack) -> None:
    card = issue_card(tenant)
    for name in PHONES:
        if name != "WalletPasses, fallen back":
            PHONES[name]().install(card.url)
    with run_google_wallet(stack.url) as google:
        assert google.save(card.serial_number).status_code == 200

    assert sorted(shown(card)) == [
        ("google_wallet", "android"),
        ("pass2u", "android"),
        ("passbook", "ios"),
        ("passwallet", "android"),
        ("passworks_wallet", "android"),
        ("wallet_passes", "android"),
    ]
    rows = card.list_registrations()
    assert len({row["id"] for row in rows}) == 6
    assert {row["pass_id"] for row in rows} == {card.serial_number}
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)
    for wallet, system in shown(card):
        assert [row["wallet"] for row in card.list_registrations(f"?q[wallet_eq]={wallet}")] == [wallet]
        assert wallet in [row["wallet"] for row in card.list_registrations(f"?q[device_os_eq]={system}")]


@pytest.mark.parametrize(
    ("request_", "wallet"),
    [
        ({}, "passbook"),
        ({"scheme": "WalletPass"}, "wallet_passes"),
        ({"scheme": "AndroidPass"}, "wallet_passes"),
        ({"agent": "WalletPasses/1.0 (Linux; U; Android 8.0)"}, "wallet_passes"),
        ({"agent": "WalletPasses/1.0", "client": "Passes"}, "wallet_passes"),
        ({"scheme": "AttidoPass"}, "passwallet"),
        ({"path": "registrations_attido"}, "passwallet"),
        ({"path": "registrations_attido", "client": "Passes"}, "passwallet"),
        ({"path": "registrations_attido", "agent": "WalletPasses/1.0"}, "wallet_passes"),
        ({"scheme": "AttidoPass", "url": WALLET_PASSES_URL}, "wallet_passes"),
        ({"url": WALLET_PASSES_URL}, "passbook"),
        ({"client": "Passes"}, "pass2u"),
        ({"client": "Passworks"}, "passworks_wallet"),
        ({"client": "passes"}, "passbook"),
        ({"client": "Other"}, "passbook"),
    ],
    ids=str,
)
def test_each_row_of_the_recognition_table(tenant: Tenant, request_: dict[str, str], wallet: str) -> None:
    card, phone = issue_card(tenant), Phone()
    held = phone.add(card.url)
    phone.scheme = request_.get("scheme", "ApplePass")
    phone.registrations = request_.get("path", "registrations")
    headers: dict[str, Any] = {"User-Agent": request_.get("agent", "passd/1.0")}
    headers |= {"X-Pass-Client": request_["client"]} if "client" in request_ else {}
    body = phone.installation() | ({"pushServiceUrl": request_["url"]} if "url" in request_ else {})

    assert phone.register(held, json=body, headers=headers).status_code == 201

    assert [each for each, _ in shown(card)] == [wallet]


def test_the_push_service_of_passwallet_is_stored_and_goes_with_the_wallet(tenant: Tenant, stack: Stack) -> None:
    card, phone = issue_card(tenant), PassWalletPhone()
    held = phone.install(card.url)
    (row,) = read_rows(stack.dynamodb, tenant.project_id).registrations
    assert row["push_service_url"] == "https://push.passwallet.net"

    apple = Phone(device_id=phone.device_id)
    assert apple.register(held).status_code == 200

    (row,) = read_rows(stack.dynamodb, tenant.project_id).registrations
    assert "push_service_url" not in row
    assert shown(card) == [("passbook", "ios")]


def test_another_wallet_on_the_same_device_moves_the_counters(tenant: Tenant, stack: Stack) -> None:
    card, other = issue_cards(tenant, 2)
    Phone().install(other.url)
    phone = Phone()
    held = phone.install(card.url)
    before, path = card.list_own_registrations(), campaign_path(tenant, card.template_id)
    for make in (WalletPassesPhone, Pass2UPhone, FallenBackWalletPassesPhone, Phone, PassWalletPhone):
        successor = make(device_id=phone.device_id, push_token=f"token of {make.__name__}")

        assert successor.register(held).status_code == 200

        (row,) = card.list_own_registrations()
        assert (row["wallet"], row["device_os"]) == (successor.wallet, successor.wallet.device_os)
        assert (row["id"], row["created_at"]) == (before[0]["id"], before[0]["created_at"])
        wallets = sorted(["passbook", str(successor.wallet)])
        assert sorted(each for each, _ in shown(card)) == wallets
        assert recount(stack.dynamodb, tenant.project_id) == []
        for wallet in set(wallets):
            answer = tenant.request("GET", f"{path}/registrations?q[wallet_eq]={wallet}")
            assert answer.headers["x-total"] == str(wallets.count(wallet))


def test_passes_of_all_wallets_are_fetched_with_either_scheme(tenant: Tenant) -> None:
    """WalletPasses fetches with `ApplePass` once it has fallen back."""
    card, phone = issue_card(tenant), FallenBackWalletPassesPhone()
    held = phone.install(card.url)

    answer = phone.fetch(held)

    assert answer.status_code == 200
    assert answer.request.headers["authorization"] == f"ApplePass {token_of(held)}"
    assert phone.unregister(held).request.headers["authorization"].startswith("ApplePass ")
    assert shown(card) == []
