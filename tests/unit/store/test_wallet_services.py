"""Whose keys go where: a project that names its own address must not be sent the keys of the deployment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.errors import Busy
from chalicelib.domain.wallet_services import GoogleAccount, WalletServices
from chalicelib.settings import Settings
from chalicelib.store.wallet_services import StoredWalletServices

PROJECT = 7
OWN_ADDRESS = "https://push.team.example"
DEPLOYMENT = Settings(
    wallet_passes_api_key="the deployment's",
    pass2u_api_key="the deployment's",
    passworks_wallet_api_key="the deployment's",
)
WALLETS = ("wallet_passes", "pass2u", "passworks_wallet")
ACCOUNT = {"client_email": "a@example.com", "private_key": "a key"}


class Documents:
    """Implements `DocumentSource` on a dictionary; notes what it was asked for."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.asked: list[str] = []
        self._documents = documents

    def read_document(self, scope: str, name: str) -> str | None:
        self.asked.append(f"{scope}/{name}")
        found = self._documents.get(f"{scope}/{name}")
        return found if found is None or isinstance(found, str) else json.dumps(found)


def services_of(documents: dict[str, Any], *, settings: Settings = DEPLOYMENT) -> WalletServices:
    return stored(documents, settings=settings).get_services(PROJECT)


def google_of(documents: dict[str, Any], *, settings: Settings = DEPLOYMENT) -> GoogleAccount | None:
    return stored(documents, settings=settings).get_google(PROJECT)


def stored(documents: dict[str, Any], *, settings: Settings) -> StoredWalletServices:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return StoredWalletServices(settings, Documents(documents), now=lambda: now)


@pytest.mark.parametrize("wallet", WALLETS)
def test_a_key_goes_only_where_it_was_meant_to_go(wallet: str) -> None:
    shared = {"shared/wallets": {wallet: {"api_key": "everybody's"}}}
    own = {f"{PROJECT}/wallets": {wallet: {"base_url": OWN_ADDRESS}}}
    whole = {f"{PROJECT}/wallets": {wallet: {"base_url": OWN_ADDRESS, "api_key": "its own"}}}

    def reached(documents: dict[str, Any]) -> tuple[str, str | None]:
        service = getattr(services_of(documents), wallet)
        return service.base_url, service.api_key

    usual = getattr(DEPLOYMENT, f"{wallet}_base_url")
    assert reached({}) == (usual, "the deployment's")
    assert reached(shared) == (usual, "everybody's")
    assert reached(own) == reached(own | shared) == (OWN_ADDRESS, None)
    assert reached(whole | shared) == (OWN_ADDRESS, "its own")


def test_an_address_that_everybody_shares_gets_no_key_of_the_settings() -> None:
    shared = {"shared/wallets": {wallet: {"base_url": OWN_ADDRESS} for wallet in WALLETS}}
    services = services_of(shared)
    assert [getattr(services, wallet).api_key for wallet in WALLETS] == [None] * 3


def test_everybodys_key_for_apple_signs_nothing_for_an_address_of_ones_own() -> None:
    """What it signs opens Apple's service for most of an hour, for whoever gets it."""
    key = {"key_id": "A", "team_id": "B", "private_key": "a key"}
    shared = {"shared/wallets": {"apple": key}}
    own = {f"{PROJECT}/wallets": {"apple": {"base_url": OWN_ADDRESS}}}

    usual, led_away = services_of(shared), services_of(shared | own)

    assert usual.apple_key is not None
    assert (led_away.apns.base_url, led_away.apple_key) == (OWN_ADDRESS, None)


def test_an_issuer_of_its_own_is_not_served_by_everybodys_account() -> None:
    """Nor the other way round: Google would take what is signed for one issuer's passes."""
    shared = {"shared/wallets": {"google": {"issuer_id": "1"}}, "shared/google": ACCOUNT}
    own = {f"{PROJECT}/wallets": {"google": {"issuer_id": "2"}}}

    everybodys, alone = google_of(shared), google_of(shared | own)

    assert everybodys is not None
    assert everybodys.issuer_id == "1"
    assert everybodys.service_account == ACCOUNT
    assert alone is not None
    assert (alone.issuer_id, alone.service_account) == ("2", None)


def test_an_account_without_an_issuer_of_its_own_is_not_used() -> None:
    found = google_of({f"{PROJECT}/google": ACCOUNT}, settings=Settings(google_issuer_id="1"))
    assert found is not None
    assert found.service_account is None


@pytest.mark.parametrize(
    "documents",
    [
        {f"{PROJECT}/wallets": "{"},
        {f"{PROJECT}/wallets": {"pass2u": {"api_kye": "a"}}},
        {f"{PROJECT}/wallets": {"google": {"issuer_id": "1"}}, f"{PROJECT}/google": "{"},
        {f"{PROJECT}/wallets": {"google": {"issuer_id": "1"}}, f"{PROJECT}/google": {"client_email": "a"}},
    ],
    ids=["no JSON", "a misspelled member", "an account that is no JSON", "half an account"],
)
def test_a_faulty_document_stops_the_project(documents: dict[str, Any]) -> None:
    with pytest.raises(Busy) as stopped:
        google_of(documents)
    assert str(PROJECT) in str(stopped.value)


def test_documents_are_read_once_for_a_while() -> None:
    source = Documents({})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    services = StoredWalletServices(DEPLOYMENT, source, now=lambda: now)
    for _ in range(3):
        services.get_services(PROJECT)
        services.get_google(PROJECT)
    assert source.asked == [f"{PROJECT}/wallets", "shared/wallets"]


def test_the_key_for_google_is_read_for_google_alone() -> None:
    """The policies of other wallets' workers do not let them read it."""
    source = Documents({"shared/wallets": {"google": {"issuer_id": "1"}}, "shared/google": ACCOUNT})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    services = StoredWalletServices(DEPLOYMENT, source, now=lambda: now)
    services.get_services(PROJECT)
    assert source.asked == [f"{PROJECT}/wallets", "shared/wallets"]
    for _ in range(2):
        account = services.get_google(PROJECT)
    assert account is not None
    assert account.service_account == ACCOUNT
    assert source.asked == [f"{PROJECT}/wallets", "shared/wallets", "shared/google"]
