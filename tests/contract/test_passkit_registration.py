"""Devices register and unregister (wallets, sections 2.1, 2.2 and 3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from chalicelib.wiring import get_platform
from tests.contract.cards import Card, issue_card, issue_cards, look
from tests.support.phones import PassFile, PassWalletPhone, Phone, base_of, token_of
from tests.support.stack import Stack, Tenant

SCHEMES = ("ApplePass", "AndroidPass", "WalletPass", "AttidoPass", "applepass", "APPLEPASS")

CONTENT_TYPES = (
    None,
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/vnd.apple.pkpass",
    "nonsense",
)

UNUSABLE_BODIES = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b'"pushToken"',
    b"pushToken=abc",
    b"{}",
    b'{"pushToken": null}',
    b'{"pushToken": 5}',
    b'{"pushToken": ["abc"]}',
    b'{"pushToken": ""}',
    b'{"pushToken": "   "}',
    b'{"pushToken": "a\\u0000b"}',
    b'{"pushToken": "\\ud800"}',
    b'{"pushtoken": "abc"}',
    json.dumps({"pushToken": "x" * 10_240}).encode(),
    b"[" * 100_000,
    b'{"pushToken": "abc", "more": "' + b"x" * 2_000_000 + b'"}',
)


@pytest.fixture
def card(tenant: Tenant) -> Card:
    """A pass that nobody holds."""
    return issue_card(tenant)


def stored_tokens(stack: Stack, tenant: Tenant) -> dict[str, str]:
    """Push token of each stored registration, by its serial number."""
    rows = look(stack, tenant).registrations
    return {row["serial_number"]: row["push_token"] for row in rows}


def test_a_new_registration_is_201_and_a_repeated_one_is_200(card: Card) -> None:
    phone = Phone()
    held = phone.add(card.url)

    first, second, third = (phone.register(held) for _ in range(3))

    assert [answer.status_code for answer in (first, second, third)] == [201, 200, 200]
    assert [len(card.list_registrations()), first.content] == [1, b""]


def test_a_second_device_and_a_second_pass_are_new_registrations(tenant: Tenant) -> None:
    one, two = issue_cards(tenant, 2)
    phone, tablet = Phone(), Phone()

    answers = [device.register(device.add(card.url)) for device in (phone, tablet) for card in (one, two)]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len(one.list_registrations()) == 4
    assert len(one.list_own_registrations()) == len(two.list_own_registrations()) == 2


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_word_is_taken_for_register_fetch_and_unregister(card: Card, scheme: str) -> None:
    phone = Phone()
    held = phone.add(card.url)
    headers = {"Authorization": f"{scheme} {token_of(held)}"}

    assert phone.register(held, headers=headers).status_code == 201
    assert phone.fetch(held, headers=headers).status_code == 200
    assert phone.unregister(held, headers=headers).status_code == 200
    assert card.list_registrations() == []


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_the_body_is_read_whatever_type_it_claims(card: Card, stack: Stack, content_type: str | None) -> None:
    phone = Phone(push_token="the token")
    held = phone.add(card.url)
    headers = {} if content_type is None else {"Content-Type": content_type}

    answer = phone.register(held, content=b'{"pushToken": "the token"}', headers=headers)

    assert answer.status_code == 201
    assert stored_tokens(stack, card.tenant) == {held.serial_number: "the token"}
    assert phone.unregister(held, headers=headers).status_code == 200


def test_members_that_are_not_known_are_ignored(card: Card, stack: Stack) -> None:
    phone = Phone()

    answer = phone.register(phone.add(card.url), json={"pushToken": "a", "voided": True, "x": {"y": [1]}})

    assert answer.status_code == 201
    assert list(stored_tokens(stack, card.tenant).values()) == ["a"]


@pytest.mark.parametrize("body", UNUSABLE_BODIES, ids=lambda body: repr(body[:40]))
def test_a_body_without_a_usable_token_is_400_and_changes_nothing(card: Card, stack: Stack, body: bytes) -> None:
    phone = Phone(push_token="old")
    held = phone.install(card.url)
    before = look(stack, card.tenant)

    for device in (phone, Phone()):
        for headers in ({}, {"Content-Type": "application/json"}):
            assert device.register(held, content=body, headers=headers).status_code == 400
    assert look(stack, card.tenant) == before


@pytest.mark.parametrize("length", [1024, 5000])
def test_a_device_id_that_no_device_has_is_400_and_changes_nothing(card: Card, stack: Stack, length: int) -> None:
    phone = Phone(device_id="d" * length)
    held = phone.add(card.url)
    before = look(stack, card.tenant)

    answers = [phone.register(held), phone.unregister(held), phone.ask(held)]

    assert [answer.status_code for answer in answers] == [400, 200, 204]
    assert look(stack, card.tenant) == before


@pytest.mark.parametrize(
    "url",
    [5, "", "file:///etc/passwd", "https://user:word@push.passwallet.net/", f"https://{'x' * 10_240}.net"],
    ids=lambda url: str(url)[:20],
)
def test_a_push_address_of_no_use_keeps_no_device_out(card: Card, url: object) -> None:
    phone = Phone()
    held = phone.add(card.url)

    answer = phone.register(held, content=json.dumps({"pushToken": "abc", "pushServiceUrl": url}).encode())

    assert answer.status_code == 201
    (registration,) = get_platform().registrations.list_of_pass(pass_id=card.pass_id, limit=2)
    assert registration.push_service_url is None


def test_a_deleted_campaign_takes_no_device_and_gives_no_pass(card: Card, stack: Stack) -> None:
    """Long before a worker has come by its passes."""
    phone, late = Phone(), Phone()
    held = phone.install(card.url)
    platform = get_platform()
    template = platform.templates.get_template(project_id=card.tenant.project_id, template_id=card.template_id)
    assert template is not None
    platform.templates.delete_template(template, with_passes=True)

    answers = [late.register(held), phone.fetch(held), phone.ask(held)]

    assert [answer.status_code for answer in answers] == [401, 401, 204]
    assert phone.unregister(held).status_code == 200


def test_bad_credentials_come_before_a_bad_body(card: Card) -> None:
    phone = Phone()
    held = phone.add(card.url)

    answer = phone.register(held, content=b"{", headers={"Authorization": "ApplePass wrong"})

    assert answer.status_code == 401


def _replaced(held: PassFile, **members: str) -> PassFile:
    return replace(held, document={**held.document, **members})


def strangers(held: PassFile, others: list[PassFile]) -> dict[str, Callable[[Phone, str], httpx.Response]]:
    """Requests that must all fail alike: each takes a phone and what it wants to do, such as `register`."""
    token = token_of(held)

    def ask(named: PassFile, authorization: str | bytes | None) -> Callable[[Phone, str], httpx.Response]:
        def send(phone: Phone, verb: str) -> httpx.Response:
            answer = getattr(phone, verb)(named, headers={"Authorization": authorization})
            assert isinstance(answer, httpx.Response)
            return answer

        return send

    unknown = "8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00"
    return {
        "no header": ask(held, None),
        "wrong token": ask(held, "ApplePass wrong"),
        "token cut short": ask(held, f"ApplePass {token[:-1]}"),
        "token and more": ask(held, f"ApplePass {token}x"),
        "token in capitals": ask(held, f"ApplePass {token.swapcase()}"),
        "no token": ask(held, "ApplePass"),
        "no scheme": ask(held, token),
        "other scheme": ask(held, f"Bearer {token}"),
        "token that is no text": ask(held, b"ApplePass \x80\xff"),
        **{f"token of another pass {number}": ask(held, f"ApplePass {token_of(o)}") for number, o in enumerate(others)},
        **{
            f"serial number {serial_number[:40]!r}": ask(
                _replaced(held, serialNumber=serial_number), f"ApplePass {token}"
            )
            for serial_number in (
                unknown,
                unknown[:-12] + held.serial_number[-12:],
                held.serial_number.upper(),
                held.serial_number + "0",
                "1",
                "\x00",
                "a b/c?d#e%",
                "\N{PILE OF POO}",
                "9" * 2000,
            )
        },
        **{
            f"pass type {pass_type[:40]!r}": ask(_replaced(held, passTypeIdentifier=pass_type), f"ApplePass {token}")
            for pass_type in ("pass.other", held.pass_type.upper(), held.pass_type + ".x", "google", "%", "x" * 2000)
        },
    }


def test_whoever_does_not_hold_the_pass_gets_the_same_401_and_changes_nothing(tenant: Tenant, stack: Stack) -> None:
    card, sibling = issue_cards(tenant, 2)
    foreign = issue_card(stack.tenant())
    phone = Phone(push_token="mine")
    held = phone.install(card.url)
    others = [Phone().install(sibling.url), Phone().install(foreign.url)]
    before, listed = look(stack, tenant), card.list_registrations()

    wrong, seen = [], set()
    for name, send in strangers(held, others).items():
        for verb in ("register", "unregister", "fetch"):
            for device in (phone, Phone(push_token="stranger")):
                answer = send(device, verb)
                seen.add((answer.status_code, answer.content))
                if answer.status_code != 401:
                    wrong.append(f"{verb}, {name}: {answer.status_code}")
    assert wrong == []
    assert len(seen) == 2, f"a missing token may be told, but nothing else: {seen}"
    assert look(stack, tenant) == before
    assert card.list_registrations() == listed


def test_a_pass_type_of_another_certificate_is_unknown(card: Card) -> None:
    """The stand-in for the pass type of Google's passes opens nothing."""
    phone = Phone()
    held = phone.add(card.url)

    assert phone.register(_replaced(held, passTypeIdentifier="google")).status_code == 401


def test_unregistering_is_200_also_the_second_time_and_where_nothing_was(card: Card) -> None:
    phone = Phone()
    held = phone.install(card.url)

    answers = [phone.unregister(held), phone.unregister(held), Phone().unregister(held)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 3
    assert card.list_registrations() == []


def test_unregistering_takes_only_the_named_pass_of_that_device(tenant: Tenant) -> None:
    one, two = issue_cards(tenant, 2)
    phone, tablet = Phone(), Phone()
    held = {device.device_id: [device.install(card.url) for card in (one, two)] for device in (phone, tablet)}

    phone.remove(held[phone.device_id][0])

    assert len(one.list_own_registrations()) == 1
    assert len(two.list_own_registrations()) == 2
    assert phone.ask(held[phone.device_id][1]).json()["serialNumbers"] == [two.serial_number]
    assert set(tablet.ask(held[tablet.device_id][0]).json()["serialNumbers"]) == {one.serial_number, two.serial_number}


@pytest.mark.parametrize("path", ["registrations", "registrations_attido"])
def test_passwallet_is_unregistered_on_either_path(card: Card, path: str) -> None:
    phone = PassWalletPhone()
    held = phone.install(card.url)

    phone.registrations = path
    assert phone.unregister(held).status_code == 200
    assert card.list_registrations() == []


def test_segments_are_percent_decoded_once(card: Card) -> None:
    phone = Phone(device_id="a/b %2F+\N{SNOWMAN}")
    held = phone.install(card.url)
    path = f"{base_of(held)}/v1/devices/%s/registrations"
    everything_encoded = "".join(f"%{byte:02x}" for byte in held.serial_number.encode())
    pass_type = held.pass_type.replace(".", "%2E")

    twice = phone.http.get(f"{path % quote(quote(phone.device_id, safe=''), safe='')}/{held.pass_type}")
    assert twice.status_code == 204, "another device, since it is decoded once"
    once = phone.http.get(f"{path % quote(phone.device_id, safe='')}/{pass_type}")
    assert once.json()["serialNumbers"] == [held.serial_number]
    spelled = f"{base_of(held)}/v1/devices/a%2fb%20%252F+%E2%98%83/registrations/{pass_type}/{everything_encoded}"
    again = phone.send("POST", spelled, token_of(held), json={"pushToken": "t"})
    assert again.status_code == 200
    assert phone.send("GET", f"{base_of(held)}/v1/passes/{pass_type}/{everything_encoded}", token_of(held)).is_success
    assert phone.send("DELETE", spelled, token_of(held)).status_code == 200
    assert card.list_registrations() == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_trailing_slash_is_answered_directly(card: Card, method: str) -> None:
    phone = Phone()
    held = phone.add(card.url)

    answer = phone.send(method, phone.registration_url(held) + "/", token_of(held), json={"pushToken": "t"})

    assert answer.status_code == (201 if method == "POST" else 200)


def test_registering_again_takes_over_the_token_and_keeps_the_registration(card: Card, stack: Stack) -> None:
    phone = Phone(push_token="old")
    held = phone.install(card.url)
    (before,) = card.list_registrations()
    shown = card.shown

    phone.push_token = "new"
    assert phone.register(held).status_code == 200

    assert stored_tokens(stack, card.tenant) == {held.serial_number: "new"}
    assert card.list_registrations() == [before]
    assert card.shown == shown


def test_removed_and_installed_again_is_a_new_registration(card: Card) -> None:
    phone = Phone()
    held = phone.install(card.url)
    (before,) = card.list_registrations()

    phone.remove(held)
    assert card.list_registrations() == []
    assert phone.register(phone.add(card.url)).status_code == 201

    (after,) = card.list_registrations()
    assert after["id"] != before["id"]
    assert after["created_at"] > before["created_at"]


def test_a_pass_that_is_deleted_is_401_and_no_longer_listed(tenant: Tenant) -> None:
    one, two = issue_cards(tenant, 2)
    phone = Phone()
    gone, kept = phone.install(one.url), phone.install(two.url)

    one.delete()

    answers: list[Any] = [phone.register(gone), phone.unregister(gone), phone.fetch(gone)]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert phone.ask(kept).json()["serialNumbers"] == [kept.serial_number]
    two.delete()
    assert phone.ask(kept).status_code == 204
