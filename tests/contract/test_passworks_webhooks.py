"""Passworks webhooks as a team's own system gets them (passworks-v2, section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib import callback_operations
from chalicelib.domain.passes import parse_moment
from tests.contract import samples
from tests.contract.campaigns import create_campaign, create_pass, pass_path, path_of
from tests.support.google_wallet import run_google_wallet
from tests.support.phones import PHONES, Phone, read_pass_file, shared_client
from tests.support.receivers import Teams, TeamServer, Told, run_teams
from tests.support.stack import Stack, Tenant

KEY = "an API key"
MEMBERS = [
    "event",
    "context",
    "campaign_id",
    "distribution_id",
    "pass_id",
    "voided",
    "serial_number",
    "redeemed_count",
    "redeemed_at",
    "created_at",
    "updated_at",
    "last_fetched_at",
    "event_at",
    "metadata",
    "event_extra",
]
"""in the order of the contract's example"""


@pytest.fixture
def teams(stack: Stack) -> Iterator[Teams]:
    stack.drain()
    with run_teams() as running:
        yield running


@pytest.fixture
def team(teams: Teams, tenant: Tenant) -> TeamServer:
    server = teams.start()
    listen(tenant, server)
    return server


def listen(tenant: Tenant, server: TeamServer, **more: Any) -> str:
    """Sets the tenant's webhooks up; the signing secret."""
    settings = {"url": f"{server.url}/hooks?account=7", "authorization": KEY, **more}
    receiver, _ = callback_operations.set_passworks_receiver(project_id=tenant.project_id, **settings)
    return receiver.secret


def events_of(team: TeamServer, name: str) -> list[Told]:
    return [told for told in team.heard if told.document["event"] == name]


def check_document(
    told: Told, campaign: dict[str, Any], pass_: dict[str, Any], name: str, **changes: Any
) -> dict[str, Any]:
    """Asserts the contract's document, of this pass; `event_extra` is the caller's to look at."""
    document: dict[str, Any] = told.document
    assert list(document) == MEMBERS
    moment = parse_moment(document["event_at"])
    assert moment is not None
    assert len(document["event_at"]) == len("2016-08-10T11:30:06Z")
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    expected = {
        "event": name,
        "context": "pass",
        "campaign_id": campaign["id"],
        "distribution_id": campaign["distributions"][0]["id"],
        "pass_id": pass_["id"],
        "voided": False,
        "serial_number": pass_["id"],
        "redeemed_count": 0,
        "redeemed_at": None,
        "created_at": pass_["created_at"],
        "updated_at": pass_["updated_at"],
        "last_fetched_at": None,
        "event_at": document["event_at"],
        "metadata": {},
        "event_extra": document["event_extra"],
        **changes,
    }
    assert document == expected
    return dict(document["event_extra"])


def test_a_created_pass_is_told(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    stack.drain()

    (told,) = team.heard
    assert check_document(told, campaign, pass_, "created", event_at=pass_["created_at"]) == {}
    assert told.path == "/hooks?account=7"


def test_headers_are_those_of_the_contract_and_ours(stack: Stack, tenant: Tenant, teams: Teams) -> None:
    server = teams.start()
    secret = listen(tenant, server)
    create_pass(tenant, create_campaign(tenant))
    stack.drain()

    (told,) = server.heard
    assert told.headers["content-type"] == "application/json; charset=utf-8"
    assert told.headers["authorization"] == KEY
    assert told.is_signed_with(secret)
    assert not told.is_signed_with(secret, content=told.content.replace(b"created", b"deleted"))


def test_without_a_key_there_is_no_authorization(stack: Stack, tenant: Tenant, teams: Teams) -> None:
    server = teams.start()
    listen(tenant, server, authorization=None)
    create_pass(tenant, create_campaign(tenant))
    stack.drain()
    assert "authorization" not in server.heard[0].headers


def test_many_passes_created_at_once_are_told_one_by_one(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    pass_ids = samples.new_passes(tenant, 120)
    stack.drain()

    serials = {samples.read_pass(tenant, pass_id)["serialNumber"] for pass_id in pass_ids}
    assert {told.document["pass_id"] for told in team.heard} == serials
    assert len(team.heard) == len({told.event_id for told in team.heard}) == 120


def test_of_passes_that_were_refused_nobody_hears(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    template_id = samples.new_template(tenant)
    samples.new_pass(tenant, template_id, externalId="taken")
    stack.drain()
    team.heard.clear()

    body = {"passes": [{"externalId": "taken"}, {"externalId": "free"}]}
    answer = tenant.call("POST", f"/v1/pass/{template_id}/bulk", json=body)
    stack.drain()

    assert answer["failed"] == 1
    assert len(team.heard) == 1


@pytest.mark.parametrize("name", PHONES)
def test_an_installation_and_its_end_are_told(stack: Stack, tenant: Tenant, team: TeamServer, name: str) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    phone = PHONES[name]()
    held = phone.install(pass_["pkpass_url"])
    (row,) = tenant.call("GET", f"{path_of(campaign)}/registrations")
    phone.remove(held)
    stack.drain()

    extra = {
        "pass_id": pass_["id"],
        "registration_id": row["id"],
        "device_os": row["device_os"],
        "device_app_vendor": row["wallet"],
        "wallet_type": "apple_wallet" if name == "Apple Wallet" else row["wallet"],
        "ip": "127.0.0.1",
    }
    for event in ("installed", "uninstalled"):
        (told,) = events_of(team, event)
        assert check_document(told, campaign, pass_, event) == extra


def test_googles_saves_and_deletes_are_told_too(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    with run_google_wallet(stack.url) as google:
        google.save(pass_["id"])
        google.save(pass_["id"])
        google.delete(pass_["id"])
    stack.drain()

    for event in ("installed", "uninstalled"):
        (told,) = events_of(team, event)
        extra = check_document(told, campaign, pass_, event)
        assert (extra["device_app_vendor"], extra["wallet_type"]) == ("google_wallet", "google_wallet")


def test_a_download_is_told(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    read_pass_file(shared_client().get(pass_["pkpass_url"]))
    stack.drain()

    (told,) = events_of(team, "downloaded")
    assert check_document(told, campaign, pass_, "downloaded") == {}


def test_a_download_by_the_other_dialects_link_is_told(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    url = samples.read_pass(tenant, samples.new_pass(tenant))["url"]
    for _ in range(2):
        read_pass_file(shared_client().get(url))
    stack.drain()
    assert len({told.event_id for told in events_of(team, "downloaded")}) == 2


def test_a_fetch_by_a_device_is_told_and_a_304_is_not(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    phone = Phone()
    held = phone.install(pass_["pkpass_url"])
    assert phone.fetch(held).status_code == 200
    assert phone.fetch(held, since=held.last_modified).status_code == 304
    stack.drain()

    (told,) = events_of(team, "fetched")
    check_document(told, campaign, pass_, "fetched", last_fetched_at=told.document["event_at"])


def test_a_redeem_is_told_as_the_pass_is_after_it(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    redeemed = tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")
    tenant.request("POST", f"{pass_path(campaign, pass_)}/redeem")
    stack.drain()

    (told,) = events_of(team, "redeemed")
    after = {name: redeemed[name] for name in ("voided", "redeemed_count", "redeemed_at", "updated_at")}
    assert after["voided"] is True
    assert check_document(told, campaign, pass_, "redeemed", event_at=redeemed["redeemed_at"], **after) == {}


def test_the_same_events_fire_for_passes_of_the_other_dialect(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    pass_id = samples.new_pass(tenant)
    samples.install(tenant, pass_id)
    samples.uninstall(tenant, pass_id)
    stack.drain()
    assert sorted(told.document["event"] for told in team.heard) == ["created", "installed", "uninstalled"]


def test_told_webhooks_are_counted_in_the_report(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")
    stack.drain()

    assert tenant.call("GET", f"{path_of(campaign)}/reports/totals")["report"]["webhooks_count"] == 2
    days = tenant.call("GET", f"{path_of(campaign)}/reports")["report"]
    assert sum(day["webhooks_count"] for day in days.values()) == 2
    assert date.fromisoformat(max(days))


def test_an_airship_receiver_and_this_one_each_hear_their_own_words(
    stack: Stack, tenant: Tenant, team: TeamServer, teams: Teams
) -> None:
    airship = teams.start()
    path = f"/v1/project/{tenant.project_id}/settings/callback"
    tenant.call("POST", path, json={"baseUrl": airship.url})
    pass_id = samples.new_pass(tenant)
    samples.install(tenant, pass_id)
    stack.drain()

    assert [told.path for told in airship.heard] == ["/v1/pass/install"]
    assert sorted(told.document["event"] for told in team.heard) == ["created", "installed"]
    assert len({told.event_id for told in (*airship.heard, *team.heard)}) == 3

    tenant.call("DELETE", path)
    samples.uninstall(tenant, pass_id)
    stack.drain()
    assert len(airship.heard) == 1
    assert len(events_of(team, "uninstalled")) == 1
