"""A person gives name and address to a pass in Wallet (wallets, section 2.6; airship-wallet-v1, section 8)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.settings import get_settings
from local.certificates import ROOT_FILE
from tests.contract import samples
from tests.contract.campaigns import create_campaign, create_pass, path_of
from tests.contract.cards import Card, issue_card, look
from tests.support.phones import PassFile, Phone, base_of, shared_client, token_of
from tests.support.receivers import Teams, TeamServer, run_teams
from tests.support.stack import Stack, Tenant

TOKEN = "a token of Wallet's\r\n\N{SNOWMAN}"
INFO = {
    "emailAddress": "ada@example.com",
    "familyName": "Lovelace",
    "fullName": "Ada Lovelace",
    "givenName": "Ada",
    "ISOCountryCode": "GB",
    "phoneNumber": "+44 20 7946 0000",
    "postalCode": "SW1Y",
}
BODY = {"personalizationToken": TOKEN, "requiredPersonalizationInfo": INFO}


@pytest.fixture
def card(stack: Stack, tenant: Tenant) -> Card:
    return issue_card(tenant, externalId="member 1")


@pytest.fixture
def held(card: Card) -> PassFile:
    return Phone().add(card.url)


@pytest.fixture
def team(stack: Stack, tenant: Tenant) -> Iterator[TeamServer]:
    stack.drain()
    with run_teams() as teams:
        yield listen(tenant, teams)


def listen(tenant: Tenant, teams: Teams) -> TeamServer:
    server = teams.start()
    tenant.call("POST", f"/v1/project/{tenant.project_id}/settings/callback", json={"baseUrl": server.url})
    return server


def personalize(held: PassFile, body: Any = BODY, *, authorization: str | None = None, **more: Any) -> httpx.Response:
    path = more.pop("path", held.path)
    headers: Mapping[str, str] = {} if authorization is None else {"Authorization": authorization}
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return shared_client().post(f"{base_of(held)}/v1/passes/{path}/personalize", headers=headers, **content)


def user_info(tenant: Tenant, card: Card) -> Any:
    """What the pass shows to itself."""
    return tenant.call("GET", f"/v1/pass/{card.pass_id}/viewJSONPass").get("userInfo")


def verify(folder: Path, signature: bytes, content: bytes) -> bool:
    """What openssl says of a detached signature, trusting the test root alone."""
    root = Path(str(get_settings().certificates).removeprefix("file:")) / ROOT_FILE
    (folder / "signature").write_bytes(signature)
    (folder / "content").write_bytes(content)
    command = "openssl smime -verify -inform DER -binary -purpose any -in signature -content content -CAfile"
    done = subprocess.run([*command.split(), str(root)], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


def test_the_answer_is_a_signature_over_the_tokens_bytes(tmp_path: Path, card: Card, held: PassFile) -> None:
    answer = personalize(held)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert verify(tmp_path, answer.content, TOKEN.encode())
    assert not verify(tmp_path, answer.content, TOKEN.encode() + b" ")


@pytest.mark.parametrize("scheme", ["ApplePass", "applepass", "AndroidPass"])
def test_the_token_of_the_pass_is_accepted(held: PassFile, scheme: str) -> None:
    assert personalize(held, authorization=f"{scheme} {token_of(held)}").status_code == 200


def test_what_was_given_is_on_the_pass_and_the_wallet_fetches_it(tenant: Tenant, card: Card, held: PassFile) -> None:
    phone = Phone()
    phone.install(card.url)
    phone.poll()
    personalize(held)

    assert phone.poll() == [card.serial_number]
    assert phone.passes[card.serial_number].document["userInfo"] == INFO | {"email": "ada@example.com"}
    assert phone.complaints == []


def test_it_is_a_write_like_any_other_and_keeps_what_is_stored_beside_it(stack: Stack, tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign, user_info={"member": 7, "familyName": "Byron"})
    held = Phone().add(pass_["pkpass_url"])
    assert personalize(held).status_code == 200

    (shown,) = tenant.call("GET", f"{path_of(campaign)}/passes?q[email_eq]=ada@example.com")
    assert shown["user_info"] == {"member": 7, "email": "ada@example.com", **INFO}
    assert tenant.call("GET", f"{path_of(campaign)}/reports/totals")["report"]["updates_count"] == 1


def test_only_what_wallet_may_ask_for_is_kept(tenant: Tenant, card: Card, held: PassFile) -> None:
    info = {"givenName": "Ada", "familyName": None, "shoeSize": 7, "email": "mallory@example.com"}
    answer = personalize(held, {"personalizationToken": "t", "requiredPersonalizationInfo": info, "more": 1})
    assert answer.status_code == 200
    assert user_info(tenant, card) == {"givenName": "Ada"}


def test_receivers_are_told(stack: Stack, card: Card, held: PassFile, team: TeamServer) -> None:
    personalize(held)
    stack.drain()

    (told,) = team.heard
    shown = card.shown
    assert told.path == f"/v1/pass/{card.pass_id}/personalize"
    assert told.document == {
        "passId": str(card.pass_id),
        "templateId": str(card.template_id),
        "serialNumber": card.serial_number,
        "createdAt": shown["createdAt"],
        "updatedAt": shown["updatedAt"],
        "externalId": "member 1",
        "platform": "ios",
        "requiredPersonalizationInfo": INFO,
    }


def test_a_repeat_has_the_same_event_id_and_another_token_has_its_own(
    stack: Stack, held: PassFile, team: TeamServer
) -> None:
    for token in ("first", "first", "second"):
        assert personalize(held, {**BODY, "personalizationToken": token}).status_code == 200
    stack.drain()

    ids = sorted(told.event_id for told in team.heard)
    assert len(ids) == 3
    assert len(set(ids)) == 2


@pytest.mark.parametrize("authorization", ["ApplePass wrong", "Basic YTpi", "ApplePass", "", "Bearer {token}"])
def test_a_token_that_is_shown_must_be_right(stack: Stack, tenant: Tenant, held: PassFile, authorization: str) -> None:
    before = look(stack, tenant)
    answer = personalize(held, authorization=authorization.format(token=token_of(held)))
    assert answer.status_code == 401
    assert look(stack, tenant) == before


def test_another_passs_token_is_401(stack: Stack, tenant: Tenant, held: PassFile) -> None:
    other = Phone().add(issue_card(tenant).url)
    before = look(stack, tenant)
    assert personalize(held, authorization=f"ApplePass {token_of(other)}").status_code == 401
    assert look(stack, tenant) == before


def test_an_unknown_pass_or_type_is_401_whatever_the_body(held: PassFile, card: Card) -> None:
    pass_type, serial_number = held.pass_type, held.serial_number
    unknown = serial_number.replace(serial_number[:8], "00000000")
    for path in (f"{pass_type}/{unknown}", f"{pass_type}/nothing", f"pass.other/{serial_number}", f"{pass_type}/%00"):
        for body in (BODY, b"{"):
            assert personalize(held, body, path=path).status_code == 401, path
    card.delete()
    assert personalize(held).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"personalizationToken": "\\ud800", "requiredPersonalizationInfo": {}}',
        [],
        {},
        {"personalizationToken": "t"},
        {"requiredPersonalizationInfo": INFO},
        BODY | {"personalizationToken": ""},
        BODY | {"personalizationToken": 7},
        BODY | {"personalizationToken": None},
        BODY | {"personalizationToken": "x" * 4097},
        BODY | {"requiredPersonalizationInfo": None},
        BODY | {"requiredPersonalizationInfo": [INFO]},
        BODY | {"requiredPersonalizationInfo": {"givenName": 7}},
        BODY | {"requiredPersonalizationInfo": {"givenName": {"a": "b"}}},
        BODY | {"requiredPersonalizationInfo": {"givenName": "x" * 256}},
        BODY | {"more": "x" * 16_384},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_body_of_another_shape_is_400_and_changes_nothing(
    stack: Stack, tenant: Tenant, held: PassFile, body: Any
) -> None:
    before = look(stack, tenant)
    assert personalize(held, body).status_code == 400
    assert look(stack, tenant) == before


def test_a_pass_that_would_outgrow_its_limit_is_400(stack: Stack, tenant: Tenant) -> None:
    fields = {f"f{number}": {"value": "x" * 8000} for number in range(8)}
    card = issue_card(tenant, samples.new_template(tenant), fields=fields)
    held = Phone().add(card.url)
    info = dict.fromkeys(INFO, "y" * 255)
    before = look(stack, tenant)
    assert personalize(held, BODY | {"requiredPersonalizationInfo": info}).status_code == 400
    assert look(stack, tenant) == before
