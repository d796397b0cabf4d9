"""What passd checks of its server and complains of, a test for each code (wallets, section 2.3).

The phones of these tests check the same and complain in the same words.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.contract.cards import Card, issue_card, issue_cards
from tests.support.phones import PHONES, PassFile, Phone
from tests.support.stack import Tenant

CARDS = 4


@pytest.fixture
def cards(tenant: Tenant) -> list[Card]:
    """Some passes of one template."""
    return issue_cards(tenant, CARDS)


@pytest.fixture
def phone(cards: list[Card]) -> Phone:
    """A phone that holds them all and has been told so."""
    phone = Phone()
    for card in cards:
        phone.install(card.url)
    phone.poll()
    assert len(phone.tags) == 1
    return phone


def held_by(phone: Phone, card: Card) -> PassFile:
    return phone.passes[card.serial_number]


def shift(date: str | None, seconds: int) -> str:
    """A date of HTTP, moved."""
    moment = datetime.strptime(str(date), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    return format_datetime(moment + timedelta(seconds=seconds), usegmt=True)


def test_code_0_what_is_listed_has_changed(phone: Phone, cards: list[Card]) -> None:
    for points, card in enumerate(cards, start=1):
        card.update(points)
        assert phone.poll() == [card.serial_number]
        assert held_by(phone, card).shows("Points") == str(points)
    for card in cards:
        card.update(100)
    assert set(phone.poll()) == {card.serial_number for card in cards}
    assert phone.poll() == []
    assert phone.complaints == []


def test_code_1_every_whole_answer_says_when_the_pass_changed(phone: Phone, cards: list[Card]) -> None:
    held = held_by(phone, cards[0])
    for since in (None, "nonsense", "Thu, 01 Jan 1970 00:00:00 GMT"):
        answer = phone.fetch(held, since=since)
        assert answer.status_code == 200
        assert datetime.strptime(answer.headers["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
    cards[0].update(1)
    assert phone.fetch(held, since=held.last_modified).headers["last-modified"]
    assert phone.poll() == [cards[0].serial_number]
    assert phone.complaints == []


def test_code_2_who_has_this_version_is_told_so_without_a_body(phone: Phone, cards: list[Card]) -> None:
    held = held_by(phone, cards[0])
    for since in (held.last_modified, shift(held.last_modified, 1), shift(held.last_modified, 10_000_000)):
        answer = phone.fetch(held, since=since)
        assert (answer.status_code, answer.content) == (304, b"")
    assert phone.fetch(held, since=shift(held.last_modified, -1)).status_code == 200
    cards[0].update(1)
    assert phone.fetch(held, since=held.last_modified).status_code == 200
    fresh = phone.poll() and held_by(phone, cards[0])
    assert isinstance(fresh, PassFile)
    assert phone.fetch(fresh, since=fresh.last_modified).status_code == 304
    assert phone.complaints == []


def test_code_3_after_every_change_the_next_list_has_something(phone: Phone, cards: list[Card]) -> None:
    """A push may go out as soon as a change is answered: whoever asks from then on is told of it."""
    for points in range(1, 6):
        cards[points % CARDS].update(points)
        assert phone.poll(pushed=True) == [cards[points % CARDS].serial_number]
    assert phone.complaints == []


def test_code_4_only_what_the_phone_holds_is_listed(phone: Phone, cards: list[Card]) -> None:
    neighbour = Phone()
    for card in (*cards[2:], issue_card(cards[0].tenant, cards[0].template_id)):
        neighbour.install(card.url)
    phone.remove(held_by(phone, cards[0]))
    cards[1].delete()
    for card in (cards[0], *cards[2:]):
        card.update(1)

    assert set(phone.poll()) == {card.serial_number for card in cards[2:]}
    everything = phone.ask(held_by(phone, cards[2])).json()["serialNumbers"]
    assert set(everything) == {card.serial_number for card in cards[2:]}
    neighbour.poll()
    assert phone.complaints == neighbour.complaints == []


def test_code_5_every_list_has_a_tag(phone: Phone, cards: list[Card]) -> None:
    cards[0].update(1)
    held, tags = held_by(phone, cards[0]), (None, "", "nonsense", *phone.tags.values())

    for tag in tags:
        document = phone.ask(held, tag).json()
        assert document["serialNumbers"]
        assert isinstance(document["lastUpdated"], str)
        assert document["lastUpdated"]
    phone.poll()
    assert phone.complaints == []


def test_code_6_a_list_always_comes_with_another_tag(phone: Phone, cards: list[Card]) -> None:
    seen = set(phone.tags.values())
    for points in range(1, 6):
        cards[0].update(points)
        phone.poll()
        seen |= set(phone.tags.values())

    assert len(seen) == 6
    assert phone.complaints == []


@pytest.mark.parametrize("name", PHONES)
def test_no_wallet_has_anything_to_complain_of_in_the_life_of_two_passes(tenant: Tenant, name: str) -> None:
    one, two = issue_cards(tenant, 2)
    phone = PHONES[name]()
    phone.install(one.url)
    phone.poll()
    one.update(1)
    assert phone.poll(pushed=True) == [one.serial_number]
    phone.install(two.url)
    phone.poll()
    for card in (two, one):
        card.update(2)
    assert set(phone.poll(pushed=True)) == {one.serial_number, two.serial_number}
    phone.remove(phone.passes[one.serial_number])
    two.update(3)
    assert phone.poll(pushed=True) == [two.serial_number]
    phone.install(one.url)
    phone.poll()
    one.update(4)
    assert phone.poll(pushed=True) == [one.serial_number]
    assert phone.passes[one.serial_number].shows("Points") == "4"
    assert phone.poll() == []
    assert phone.complaints == []
