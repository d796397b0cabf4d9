"""Google tells that a pass was saved or deleted (wallets, section 4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract.cards import Card, issue_card, issue_cards, look
from tests.support.google_wallet import ISSUER, GoogleWallet, changed_settings, run_google_wallet
from tests.support.phones import Phone, shared_client
from tests.support.recount import recount
from tests.support.stack import Stack, Tenant
from tests.unit.wallets.google.signing import new_key

UNKNOWN = "8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00"


@pytest.fixture
def google(stack: Stack) -> Iterator[GoogleWallet]:
    """Google, with keys of its own."""
    with run_google_wallet(stack.url) as google:
        yield google


@pytest.fixture
def card(tenant: Tenant) -> Card:
    """A pass that nobody holds."""
    return issue_card(tenant)


def check_done(*answers: httpx.Response) -> None:
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * len(answers)


def wallets_of(card: Card) -> list[str]:
    return [row["wallet"] for row in card.list_own_registrations()]


def test_a_save_is_a_registration_and_installs_the_pass(card: Card, google: GoogleWallet, stack: Stack) -> None:
    check_done(google.save(card.serial_number))

    (row,) = card.list_registrations()
    assert (row["wallet"], row["device_os"], row["pass_id"]) == ("google_wallet", "android", card.serial_number)
    assert (card.shown["status"], card.shown["platform"]) == ("installed", "android")
    assert card.shown["installedAt"]
    assert recount(stack.dynamodb, card.tenant.project_id) == []


def test_a_delete_ends_the_registration_and_uninstalls_the_pass(card: Card, google: GoogleWallet, stack: Stack) -> None:
    google.save(card.serial_number)

    check_done(google.delete(card.serial_number))

    assert card.list_registrations() == []
    assert card.shown["status"] == "uninstalled"
    assert card.shown["uninstalledAt"]
    assert recount(stack.dynamodb, card.tenant.project_id) == []


def test_a_pass_on_an_iphone_stays_installed_when_google_deletes_it(card: Card, google: GoogleWallet) -> None:
    Phone().install(card.url)
    google.save(card.serial_number)
    assert sorted(wallets_of(card)) == ["google_wallet", "passbook"]

    check_done(google.delete(card.serial_number))

    assert wallets_of(card) == ["passbook"]
    assert card.shown["status"] == "installed"


def test_saved_again_is_a_new_registration(card: Card, google: GoogleWallet) -> None:
    ids = []
    for _ in range(2):
        check_done(google.save(card.serial_number))
        ids += [row["id"] for row in card.list_registrations()]
        check_done(google.delete(card.serial_number))

    assert len(set(ids)) == 2


def test_a_repeated_callback_changes_nothing(card: Card, google: GoogleWallet, stack: Stack) -> None:
    callback = google.sign(card.serial_number)
    check_done(google.post(callback))
    before = look(stack, card.tenant)

    check_done(google.post(callback), google.save(card.serial_number), google.save(card.serial_number))

    assert look(stack, card.tenant) == before


def test_a_save_that_is_replayed_after_the_delete_changes_nothing(
    card: Card, google: GoogleWallet, stack: Stack
) -> None:
    save, delete = google.sign(card.serial_number), google.sign(card.serial_number, event="del")
    check_done(google.post(save), google.post(delete))
    before = look(stack, card.tenant)

    check_done(google.post(save), google.post(delete), google.post(save))

    assert look(stack, card.tenant) == before
    assert card.shown["status"] == "uninstalled"


def test_a_delete_that_is_replayed_after_the_next_save_changes_nothing(card: Card, google: GoogleWallet) -> None:
    delete = google.sign(card.serial_number, event="del")
    check_done(google.save(card.serial_number), google.post(delete), google.save(card.serial_number))

    check_done(google.post(delete))

    assert wallets_of(card) == ["google_wallet"]


def test_a_delete_of_what_was_not_saved_is_remembered_too(card: Card, google: GoogleWallet) -> None:
    """Each event counts once: a delete that came first does not end a later save when it is sent again."""
    delete = google.sign(card.serial_number, event="del")
    check_done(google.post(delete), google.save(card.serial_number), google.post(delete))

    assert wallets_of(card) == ["google_wallet"]


def test_one_callback_sent_many_times_at_once_counts_once(card: Card, google: GoogleWallet, stack: Stack) -> None:
    callback = google.sign(card.serial_number)
    with ThreadPoolExecutor(max_workers=12) as threads:
        check_done(*threads.map(lambda _: google.post(callback), range(12)))

    assert wallets_of(card) == ["google_wallet"]
    assert recount(stack.dynamodb, card.tenant.project_id) == []


@pytest.mark.parametrize(
    "message",
    [
        {"eventType": "view"},
        {"eventType": ""},
        {"eventType": "SAVE"},
        {"objectId": f"{ISSUER}.{UNKNOWN}"},
        {"objectId": f"{ISSUER}."},
        {"objectId": f"{ISSUER}.nothing"},
        {"objectId": f"{ISSUER}.\N{SNOWMAN}"},
        {"objectId": f"{ISSUER}.{'x' * 3000}"},
    ],
    ids=str,
)
def test_what_is_signed_but_unknown_is_200_and_changes_nothing(
    card: Card, google: GoogleWallet, stack: Stack, message: dict[str, Any]
) -> None:
    before = look(stack, card.tenant)

    check_done(google.save(card.serial_number, **message))

    assert look(stack, card.tenant) == before


def test_an_object_that_only_ends_like_a_serial_number_is_unknown(
    card: Card, google: GoogleWallet, stack: Stack
) -> None:
    """The end of a serial number says where the pass is stored, the rest of it proves nothing less."""
    before, serial_number = look(stack, card.tenant), card.serial_number

    for wrong in (UNKNOWN[:-12] + serial_number[-12:], serial_number.upper(), f"{serial_number}x", f"x{serial_number}"):
        check_done(google.save(wrong))

    assert look(stack, card.tenant) == before


def test_the_object_of_another_issuer_is_not_ours(card: Card, google: GoogleWallet) -> None:
    other = f"{ISSUER}1.{card.serial_number}"

    assert google.save(card.serial_number, objectId=other).status_code == 400
    assert card.list_registrations() == []


def test_a_class_that_is_unknown_is_no_matter(card: Card, google: GoogleWallet) -> None:
    check_done(google.save(card.serial_number, classId=f"{ISSUER}.no such class"))

    assert wallets_of(card) == ["google_wallet"]


@pytest.mark.parametrize("form", [str, int])
def test_numbers_may_come_as_strings(card: Card, google: GoogleWallet, form: Callable[[int], Any]) -> None:
    check_done(google.save(card.serial_number, expTimeMillis=form(4_102_444_800_000), count=form(7)))

    assert wallets_of(card) == ["google_wallet"]


def test_an_object_is_ours_whatever_its_text_holds(card: Card, google: GoogleWallet) -> None:
    """A message that is not ASCII: lengths are those of the UTF-8 bytes."""
    check_done(google.save(card.serial_number, note="Grüße \N{SNOWMAN} \\u003d"))

    assert wallets_of(card) == ["google_wallet"]


def _changed(callback: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {name: value for name, value in (callback | members).items() if value is not None}


FORGERIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "changed message": lambda c: _changed(c, signedMessage=c["signedMessage"].replace("save", "del")),
    "message with a space": lambda c: _changed(c, signedMessage=c["signedMessage"] + " "),
    "no signature": lambda c: _changed(c, signature=None),
    "empty signature": lambda c: _changed(c, signature=""),
    "signature that is no base64": lambda c: _changed(c, signature="!!"),
    "signature of another": lambda c: _changed(c, signature=c["intermediateSigningKey"]["signatures"][0]),
    "other version": lambda c: _changed(c, protocolVersion="ECv2"),
    "one member more": lambda c: _changed(c, more=1),
    "key of nobody": lambda c: _changed(c, intermediateSigningKey=None),
    "no key signatures": lambda c: _changed(c, intermediateSigningKey=c["intermediateSigningKey"] | {"signatures": []}),
    "array": lambda c: [c],
    "null": lambda c: None,
    "text": lambda c: json.dumps(c),
    "empty object": lambda c: {},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_google_did_not_sign_is_400_and_changes_nothing(
    card: Card, google: GoogleWallet, stack: Stack, name: str
) -> None:
    before = look(stack, card.tenant)

    answer = google.post(FORGERIES[name](google.sign(card.serial_number)))

    assert answer.status_code == 400
    assert look(stack, card.tenant) == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"{" + b" " * 3_000_000 + b"}"], ids=len)
def test_a_body_that_is_no_json_is_400(google: GoogleWallet, stack: Stack, body: bytes) -> None:
    assert shared_client().post(f"{stack.url}/v1/google/callback", content=body).status_code == 400


def test_a_signing_key_that_no_root_vouches_for_is_400_and_fetches_the_keys_once(
    card: Card, google: GoogleWallet
) -> None:
    check_done(google.save(card.serial_number))
    asked, own_root = google.asked, google.root
    google.root = new_key()
    forged = [google.sign(card.serial_number, event="del") for _ in range(6)]
    google.root = own_root

    assert [google.post(callback).status_code for callback in forged] == [400] * 6
    assert google.asked <= asked + 1
    assert wallets_of(card) == ["google_wallet"]


@pytest.mark.parametrize("milliseconds", [0, 1_500_000_000_000])
def test_a_message_that_has_expired_is_400(card: Card, google: GoogleWallet, milliseconds: int) -> None:
    assert google.save(card.serial_number, expTimeMillis=milliseconds).status_code == 400
    assert card.list_registrations() == []


def test_without_keys_the_answer_is_503_and_google_tries_again(card: Card, google: GoogleWallet) -> None:
    google.publishes = False
    callback = google.sign(card.serial_number)

    answer = google.post(callback)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert card.list_registrations() == []


def test_with_the_key_server_gone_the_answer_is_503(card: Card, google: GoogleWallet) -> None:
    with changed_settings({"PASSEL_GOOGLE_CALLBACK_KEYS_URL": "http://127.0.0.1:1/keys"}):
        assert google.save(card.serial_number).status_code == 503


def test_keys_once_fetched_outlast_a_key_server_that_is_down(card: Card, google: GoogleWallet) -> None:
    check_done(google.save(card.serial_number))
    google.publishes = False

    check_done(google.delete(card.serial_number))

    assert card.shown["status"] == "uninstalled"
    assert google.asked == 1


def test_without_an_issuer_nothing_is_accepted(card: Card, google: GoogleWallet) -> None:
    with changed_settings({"PASSEL_GOOGLE_ISSUER_ID": ""}):
        assert google.save(card.serial_number).status_code == 400
    assert card.list_registrations() == []


def test_a_deleted_pass_takes_its_google_registration_along(tenant: Tenant, google: GoogleWallet, stack: Stack) -> None:
    one, two = issue_cards(tenant, 2)
    late = [google.sign(one.serial_number, event=event) for event in ("save", "del")]
    for card in (one, two):
        google.save(card.serial_number)

    one.delete()

    assert [row["pass_id"] for row in two.list_registrations()] == [two.serial_number]
    check_done(*map(google.post, late))
    assert recount(stack.dynamodb, tenant.project_id) == []


def test_an_expiration_as_late_as_can_be_is_taken(card: Card, google: GoogleWallet) -> None:
    """Until then, and a day longer, the event must be remembered."""
    callback = google.sign(card.serial_number, expTimeMillis=10**18)
    check_done(google.post(callback), google.delete(card.serial_number), google.post(callback))

    assert card.list_registrations() == []


@pytest.mark.parametrize("member", ["nonce", "objectId", "classId", "eventType"])
def test_half_a_surrogate_pair_is_never_a_5xx(card: Card, google: GoogleWallet, member: str) -> None:
    """Legal JSON, but no text that could be stored."""
    prefix = f"{ISSUER}." if member.endswith("Id") else ""

    answer = google.post(google.sign(card.serial_number, **{member: f"{prefix}\ud800"}))

    assert answer.status_code < 500
