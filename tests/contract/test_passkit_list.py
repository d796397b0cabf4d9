"""Devices ask which passes have changed (wallets, sections 2.2 and 2.4)."""

from __future__ import annotations

import base64

import pytest

from tests.contract.cards import Card, issue_card, issue_cards
from tests.support.phones import PassFile, Phone, base_of
from tests.support.stack import Stack, Tenant


def listed(phone: Phone, held: PassFile, tag: str | None = None) -> set[str]:
    """Serial numbers of an answer that must hold some."""
    answer = phone.ask(held, tag)
    assert answer.status_code == 200, (answer.status_code, answer.text)
    document = answer.json()
    assert set(document) == {"serialNumbers", "lastUpdated"}
    assert len(document["serialNumbers"]) == len(set(document["serialNumbers"]))
    return set(document["serialNumbers"])


def take_tag(phone: Phone, held: PassFile, tag: str | None = None) -> str:
    """The tag of an answer that must hold one."""
    answer = phone.ask(held, tag)
    assert answer.status_code == 200, (answer.status_code, answer.text)
    found = answer.json()["lastUpdated"]
    assert isinstance(found, str)
    assert found
    return found


def test_without_a_tag_everything_that_the_device_holds_is_listed(tenant: Tenant, stack: Stack) -> None:
    cards = [*issue_cards(tenant, 3), issue_card(tenant), issue_card(stack.tenant())]
    phone, other = Phone(), Phone()
    held = [phone.install(card.url) for card in cards]
    other.install(issue_card(tenant).url)

    answer = phone.ask(held[0])

    assert answer.headers["content-type"] == "application/json"
    assert listed(phone, held[0]) == {each.serial_number for each in held}


def test_with_the_tag_given_nothing_is_204_without_a_body(tenant: Tenant) -> None:
    phone = Phone()
    held = phone.install(issue_card(tenant).url)

    answer = phone.ask(held, take_tag(phone, held))

    assert (answer.status_code, answer.content) == (204, b"")


def test_an_unknown_device_and_an_unknown_pass_type_are_204(tenant: Tenant) -> None:
    phone = Phone()
    held = phone.install(issue_card(tenant).url)
    base = f"{base_of(held)}/v1/devices"

    unknown = [
        Phone().ask(held),
        Phone().ask(held, take_tag(phone, held)),
        Phone().ask(held, "nonsense"),
        phone.http.get(f"{base}/{phone.device_id}/registrations/pass.other"),
        phone.http.get(f"{base}/{phone.device_id}/registrations/google"),
        phone.http.get(f"{base}/{phone.device_id.upper()}x/registrations/{held.pass_type}"),
    ]
    assert [(answer.status_code, answer.content) for answer in unknown] == [(204, b"")] * len(unknown)


@pytest.mark.parametrize("authorization", ["ApplePass wrong", "Basic nonsense", "", "x" * 5000])
def test_credentials_are_neither_needed_nor_looked_at(tenant: Tenant, authorization: str) -> None:
    phone = Phone()
    held = phone.install(issue_card(tenant).url)
    phone.headers = {**phone.headers, "Authorization": authorization}

    assert listed(phone, held) == {held.serial_number}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


UNUSABLE_TAGS = (
    "",
    " ",
    "null",
    "0",
    "1512345678",
    "2026-01-02T03:04:05Z",
    "v1",
    "v1.",
    "v1.!!!!",
    "v1.A",
    "v1.====",
    "v2.AAAAAAAB",
    "h1.",
    "h1.AAAA",
    "V1.AAAAAAAB",
    "v1." + encode(b"\0" * 5),
    "v1." + encode(b"\0" * 5 + b"\x80"),
    "v1." + encode(b"\2\0\0\0\0\1" + b"\1\0\0\0\0\1"),
    "v1." + encode(b"\1\0\0\0\0\1" * 2),
    "v1." + "A" * 9000,
    "\N{SNOWMAN}",
    "\x00",
    "' OR 1=1 --",
    "%00%ff",
)


@pytest.mark.parametrize("tag", UNUSABLE_TAGS, ids=lambda tag: repr(tag[:24]))
def test_a_tag_that_cannot_be_read_lists_everything(tenant: Tenant, tag: str) -> None:
    cards = issue_cards(tenant, 2)
    phone = Phone()
    held = [phone.install(card.url) for card in cards]
    given = take_tag(phone, held[0])

    assert listed(phone, held[0], tag) == {card.serial_number for card in cards}
    assert take_tag(phone, held[0], tag) == given
    assert phone.ask(held[0], given).status_code == 204


def test_of_several_tags_in_one_request_the_last_counts_and_none_breaks_it(tenant: Tenant) -> None:
    phone = Phone()
    held = phone.install(issue_card(tenant).url)
    given = take_tag(phone, held)
    url = f"{base_of(held)}/v1/devices/{phone.device_id}/registrations/{held.pass_type}"

    assert phone.http.get(f"{url}?passesUpdatedSince=x&passesUpdatedSince={given}").status_code == 204
    assert phone.http.get(f"{url}?passesUpdatedSince={given}&passesUpdatedSince=x").status_code == 200
    assert phone.http.get(f"{url}?passesUpdatedSince={given}&other=%ff").status_code == 204


def test_only_what_has_changed_is_listed_and_then_nothing(tenant: Tenant) -> None:
    cards = issue_cards(tenant, 3)
    phone = Phone()
    held = [phone.install(card.url) for card in cards]
    first = take_tag(phone, held[0])

    cards[1].update(1)

    assert listed(phone, held[0], first) == {cards[1].serial_number}
    second = take_tag(phone, held[0], first)
    assert phone.ask(held[0], second).status_code == 204
    assert listed(phone, held[0], first) == {cards[1].serial_number}, "an old tag says the same again"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_passes_updated_at_different_instants_are_both_listed(tenant: Tenant, order: tuple[int, int]) -> None:
    cards = issue_cards(tenant, 2)
    phone = Phone()
    held = [phone.install(card.url) for card in cards]
    given = take_tag(phone, held[0])

    for number in order:
        cards[number].update(number + 1)

    assert listed(phone, held[0], given) == {card.serial_number for card in cards}
    assert phone.ask(held[0], take_tag(phone, held[0], given)).status_code == 204


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_update_between_two_lists_and_one_after_them_are_each_listed_once(
    tenant: Tenant, order: tuple[int, int]
) -> None:
    cards = issue_cards(tenant, 2)
    phone = Phone()
    held = [phone.install(card.url) for card in cards]
    tag = take_tag(phone, held[0])

    for number in order:
        cards[number].update(7)
        assert listed(phone, held[0], tag) == {cards[number].serial_number}
        tag = take_tag(phone, held[0], tag)
        assert phone.ask(held[0], tag).status_code == 204


def test_several_updates_within_one_second_are_each_heard_of(tenant: Tenant) -> None:
    card = issue_card(tenant)
    phone = Phone()
    held = phone.install(card.url)
    tags = [take_tag(phone, held)]
    for points in range(1, 6):
        card.update(points)
        assert listed(phone, held, tags[-1]) == {card.serial_number}
        tags.append(take_tag(phone, held, tags[-1]))

    assert len(set(tags)) == len(tags)
    assert phone.ask(held, tags[-1]).status_code == 204


def test_an_update_that_changes_nothing_is_not_listed(tenant: Tenant) -> None:
    card = issue_card(tenant)
    phone = Phone()
    held = phone.install(card.url)
    card.update(5)
    given = take_tag(phone, held)

    card.update(5)

    assert phone.ask(held, given).status_code == 204


def test_tags_and_statuses_of_a_pass_do_not_list_it(tenant: Tenant) -> None:
    """What no phone shows is no update."""
    card = issue_card(tenant)
    phone = Phone()
    held = phone.install(card.url)
    given = take_tag(phone, held)

    tenant.call("PUT", f"/v1/pass/{card.pass_id}/tags", json={"tags": ["gold"]})
    Phone().install(card.url)

    assert phone.ask(held, given).status_code == 204


def registered_later(tenant: Tenant) -> tuple[Phone, PassFile, Card, str]:
    """A device with a tag from before it got its second pass."""
    first, second = issue_cards(tenant, 2)
    phone = Phone()
    held = phone.install(first.url)
    tag = take_tag(phone, held)
    return phone, held, second, tag


def test_a_pass_registered_after_the_tag_was_given_is_listed_once_it_changes(tenant: Tenant) -> None:
    phone, held, second, tag = registered_later(tenant)
    phone.install(second.url)

    assert phone.ask(held, tag).status_code == 204, "still its first version, which the device has"
    second.update(1)
    assert listed(phone, held, tag) == {second.serial_number}
    assert phone.ask(held, take_tag(phone, held, tag)).status_code == 204


def test_a_pass_changed_between_download_and_registration_is_listed(tenant: Tenant) -> None:
    phone, held, second, tag = registered_later(tenant)
    downloaded = phone.add(second.url)
    second.update(1)
    phone.register(downloaded)

    assert listed(phone, held, tag) == {second.serial_number}


def test_removed_and_installed_again_is_listed_again(tenant: Tenant) -> None:
    """Its new file may be an old one (wallets, section 2.4)."""
    card = issue_card(tenant)
    phone = Phone()
    held = phone.install(card.url)
    card.update(1)
    tag = take_tag(phone, held)

    phone.remove(held)
    assert phone.ask(held, tag).status_code == 204
    phone.register(held)

    assert listed(phone, held, tag) == {card.serial_number}


def test_what_is_no_longer_registered_is_not_listed_whatever_the_tag_says(tenant: Tenant) -> None:
    cards = issue_cards(tenant, 2)
    phone = Phone()
    held = [phone.install(card.url) for card in cards]
    tag = take_tag(phone, held[0])
    phone.remove(held[1])
    for card in cards:
        card.update(1)

    assert listed(phone, held[0], tag) == {cards[0].serial_number}
    assert listed(phone, held[0], "nonsense") == {cards[0].serial_number}


def test_the_tag_of_one_device_gives_another_nothing_but_its_own(tenant: Tenant) -> None:
    one, two = issue_cards(tenant, 2)
    phone, other = Phone(), Phone()
    held, foreign = phone.install(one.url), other.install(two.url)
    two.update(1)
    tag = take_tag(other, foreign)

    # at its first version, and so with nothing to fetch, whatever the tag is about
    assert phone.ask(held, tag).status_code == 204
    one.update(1)
    assert listed(phone, held, tag) == {one.serial_number}


@pytest.mark.parametrize("suffix", ["", "/"])
def test_the_path_is_answered_with_and_without_a_slash(tenant: Tenant, suffix: str) -> None:
    phone = Phone()
    held = phone.install(issue_card(tenant).url)
    url = f"{base_of(held)}/v1/devices/{phone.device_id}/registrations/{held.pass_type}{suffix}"

    assert phone.http.get(url, follow_redirects=False).status_code == 200
