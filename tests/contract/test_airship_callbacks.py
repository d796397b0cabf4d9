"""Airship's callbacks as a team's own system gets them (airship-wallet-v1, section 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.contract.cards import Card, issue_card
from tests.support import google_wallet
from tests.support.phones import PHONES, Phone, WalletPassesPhone
from tests.support.receivers import Reply, Teams, TeamServer, Told, run_teams
from tests.support.stack import Stack, Tenant

HEADERS = {"X-Team": "blue", "Authorization": "Bearer own", "content-type": "application/json; charset=utf-8"}


@pytest.fixture
def teams(stack: Stack) -> Iterator[Teams]:
    """Receivers that may be called."""
    stack.drain()
    with run_teams() as running:
        yield running


@pytest.fixture
def team(teams: Teams, tenant: Tenant) -> TeamServer:
    """The tenant's own receiver."""
    server = teams.start()
    set_up(tenant, baseUrl=server.url, headers=HEADERS)
    return server


@pytest.fixture
def card(tenant: Tenant) -> Card:
    return issue_card(tenant, externalId="member 1")


def set_up(tenant: Tenant, **document: Any) -> None:
    tenant.call("POST", f"/v1/project/{tenant.project_id}/settings/callback", json=document)


def secret_of(tenant: Tenant) -> str:
    receiver = get_platform().receivers.get_receiver(tenant.project_id)
    assert receiver is not None
    return receiver.secret


def document_of(card: Card, platform: str) -> dict[str, Any]:
    """What the contract shows, of this pass."""
    shown = card.shown
    return {
        "passId": card.pass_id,
        "templateId": card.template_id,
        "serialNumber": shown["serialNumber"],
        "createdAt": shown["createdAt"],
        "updatedAt": shown["updatedAt"],
        "externalId": "member 1",
        "platform": platform,
    }


def test_an_install_is_told_as_the_contract_shows(stack: Stack, card: Card, team: TeamServer) -> None:
    Phone().install(card.url)
    stack.drain()

    (told,) = team.heard
    assert told.path == "/v1/pass/install"
    assert told.document == document_of(card, "ios")
    assert told.document["createdAt"].endswith("Z")
    assert len(told.document["createdAt"]) == len("2020-09-11T22:47:22.000Z")


def test_an_uninstall_is_told_likewise(stack: Stack, card: Card, team: TeamServer) -> None:
    phone = WalletPassesPhone()
    held = phone.install(card.url)
    phone.remove(held)
    stack.drain()

    told = {each.path: each.document for each in team.heard}
    assert told == {
        "/v1/pass/install": document_of(card, "android"),
        "/v1/pass/uninstall": document_of(card, "android"),
    }


def test_a_pass_without_external_id_has_none_here(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    Phone().install(issue_card(tenant).url)
    stack.drain()
    assert "externalId" not in team.heard[0].document


def test_headers_are_the_teams_and_ours(stack: Stack, tenant: Tenant, card: Card, team: TeamServer) -> None:
    Phone().install(card.url)
    stack.drain()

    (told,) = team.heard
    assert told.headers["x-team"] == "blue"
    assert told.headers["authorization"] == "Bearer own"
    assert told.headers["content-type"] == "application/json"
    assert told.headers["host"] == f"127.0.0.1:{team.port}"
    assert told.is_signed_with(secret_of(tenant))
    assert not told.is_signed_with("another secret")
    assert not told.is_signed_with(secret_of(tenant), content=told.content + b" ")


@pytest.mark.parametrize("suffix", ["/", "/hooks", "/hooks/"])
def test_the_address_may_have_a_path_and_a_slash(stack: Stack, tenant: Tenant, teams: Teams, suffix: str) -> None:
    server = teams.start()
    set_up(tenant, baseUrl=server.url + suffix)
    Phone().install(issue_card(tenant).url)
    stack.drain()
    assert [told.path for told in server.heard] == [f"{suffix.rstrip('/')}/v1/pass/install"]


@pytest.mark.parametrize("name", PHONES)
def test_every_wallet_is_told_with_its_system(stack: Stack, card: Card, team: TeamServer, name: str) -> None:
    PHONES[name]().install(card.url)
    stack.drain()
    assert [told.document["platform"] for told in team.heard] == ["ios" if name == "Apple Wallet" else "android"]


def test_googles_saves_and_deletes_are_told_too(stack: Stack, card: Card, team: TeamServer) -> None:
    with google_wallet.run_google_wallet(stack.url) as google:
        google.save(card.serial_number)
        google.delete(card.serial_number)
    stack.drain()

    assert sorted(told.path for told in team.heard) == ["/v1/pass/install", "/v1/pass/uninstall"]
    assert {told.document["platform"] for told in team.heard} == {"android"}


def test_each_device_is_told_and_a_repeat_is_not(stack: Stack, card: Card, team: TeamServer) -> None:
    first, second = Phone(), WalletPassesPhone()
    held = first.install(card.url)
    first.register(held)
    first.push_token = "rotated"
    first.register(held)
    second.install(card.url)
    stack.drain()

    assert [told.path for told in team.heard] == ["/v1/pass/install"] * 2
    assert sorted(told.document["platform"] for told in team.heard) == ["android", "ios"]
    assert len({told.event_id for told in team.heard}) == 2


def test_a_device_that_changes_its_wallet_is_told_as_an_install(stack: Stack, card: Card, team: TeamServer) -> None:
    android = WalletPassesPhone()
    held = android.install(card.url)
    Phone(device_id=android.device_id).register(held)
    stack.drain()

    assert [told.path for told in team.heard] == ["/v1/pass/install"] * 2
    assert sorted(told.document["platform"] for told in team.heard) == ["android", "ios"]
    assert len({told.event_id for told in team.heard}) == 2


def test_an_update_a_download_and_a_delete_by_the_team_are_not_told(stack: Stack, card: Card, team: TeamServer) -> None:
    phone = Phone()
    phone.install(card.url)
    stack.drain()
    team.heard.clear()

    card.update(5)
    phone.poll()
    card.delete()
    stack.drain()

    assert team.heard == []


def test_nobody_hears_of_another_project(stack: Stack, tenant: Tenant, card: Card, teams: Teams) -> None:
    own, strangers = teams.start(), teams.start()
    set_up(tenant, baseUrl=own.url)
    set_up(stack.tenant(), baseUrl=strangers.url)

    Phone().install(card.url)
    stack.drain()

    assert len(own.heard) == 1
    assert strangers.heard == []


def test_without_a_receiver_nothing_is_sent(stack: Stack, card: Card) -> None:
    Phone().install(card.url)
    assert stack.queues.get_queue_attributes(
        QueueUrl=stack.queues.get_queue_url(QueueName=f"{PREFIX}callback")["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )["Attributes"] == {"ApproximateNumberOfMessages": "0"}


def test_a_removed_receiver_hears_no_more_of_what_waits(
    stack: Stack, tenant: Tenant, card: Card, team: TeamServer
) -> None:
    Phone().install(card.url)
    tenant.call("DELETE", f"/v1/project/{tenant.project_id}/settings/callback")
    stack.drain()
    assert team.heard == []


def test_what_waits_goes_to_the_address_of_now(
    stack: Stack, tenant: Tenant, card: Card, team: TeamServer, teams: Teams
) -> None:
    Phone().install(card.url)
    corrected = teams.start()
    set_up(tenant, baseUrl=corrected.url)
    stack.drain()
    assert (len(team.heard), len(corrected.heard)) == (0, 1)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_an_end(stack: Stack, card: Card, team: TeamServer, status: int) -> None:
    def answer(_: Told) -> Reply:
        return Reply(status)

    team.answer = answer
    Phone().install(card.url)
    stack.drain()
    assert len(team.heard) == 1
