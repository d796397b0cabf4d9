"""What devices do to the status of passes, to every list and to every counter, one after another and all at once."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from chalicelib.domain.passes import PassReference
from chalicelib.domain.registering import HeldPass, Registered, register, unregister
from chalicelib.domain.registrations import Installation
from chalicelib.domain.updating import update_pass
from chalicelib.wiring import get_platform
from tests.contract.cards import Card, issue_card, issue_cards
from tests.contract.samples import new_template
from tests.integration.conftest import Consistent
from tests.support.builders import make_passes, write_field
from tests.support.loading import load_registrations
from tests.support.phones import Pass2UPhone, PassFile, Phone, WalletPassesPhone, token_of
from tests.support.recount import read_rows
from tests.support.rivals import run_together, with_rival
from tests.support.stack import Stack, Tenant

DEVICES = 64
PASSES = 10
HUNDREDS = 520
"""more than a vector of versions has room for"""


def count_by_status(tenant: Tenant, tag: str) -> dict[str, int]:
    """Totals of a tag's list under each filter."""
    return {
        status: tenant.call("GET", f"/v1/tag/{tag}/passes?status={status}")["count"]
        for status in ("installed", "uninstalled", "been_installed", "not_been_installed")
    }


def test_the_first_device_installs_a_pass_and_the_last_one_uninstalls_it(
    tenant: Tenant, consistent: Consistent
) -> None:
    card = issue_card(tenant)
    phone, tablet = WalletPassesPhone(), Phone()
    assert (card.shown["status"], "installedAt" in card.shown) == ("not_been_installed", False)

    held = phone.install(card.url)
    installed = card.shown
    assert (installed["status"], installed["platform"]) == ("installed", "android")
    assert "uninstalledAt" not in installed

    tablet.install(card.url)
    phone.register(held)
    phone.remove(held)
    assert card.shown == installed, "as long as one device holds it, nothing moves"

    tablet.remove(held)
    gone = card.shown
    assert (gone["status"], gone["installedAt"]) == ("uninstalled", installed["installedAt"])
    assert gone["uninstalledAt"] >= gone["installedAt"]
    consistent(tenant.project_id)


def test_installed_again_a_pass_keeps_the_moment_of_its_first_installation(
    tenant: Tenant, consistent: Consistent
) -> None:
    card = issue_card(tenant)
    phone = Phone()
    phone.remove(phone.install(card.url))
    first = card.shown["installedAt"]

    Pass2UPhone().install(card.url)

    shown = card.shown
    assert (shown["status"], shown["installedAt"], shown["platform"]) == ("installed", first, "android")
    assert "uninstalledAt" not in shown
    consistent(tenant.project_id)


def test_every_list_and_total_follows(tenant: Tenant, consistent: Consistent) -> None:
    cards = issue_cards(tenant, 4, tag="gold")
    phone, tablet = Phone(), WalletPassesPhone()
    held = [phone.install(card.url) for card in cards[:3]]
    tablet.install(cards[0].url)
    phone.remove(held[0])
    phone.remove(held[1])

    expected = {"installed": 2, "uninstalled": 1, "been_installed": 3, "not_been_installed": 1}
    assert count_by_status(tenant, "gold") == expected
    listed = tenant.call("GET", "/v1/tag/gold/passes?status=uninstalled")["passes"]
    assert [each["id"] for each in listed] == [cards[1].pass_id]
    assert sorted(row["wallet"] for row in cards[0].list_registrations()) == ["passbook", "wallet_passes"]
    assert [len(card.list_own_registrations()) for card in cards] == [1, 0, 1, 0]
    consistent(tenant.project_id)


def test_a_tag_put_on_later_counts_the_pass_as_what_it_is(tenant: Tenant, consistent: Consistent) -> None:
    card = issue_card(tenant)
    phone = Phone()
    held = phone.install(card.url)
    tenant.call("PUT", f"/v1/pass/{card.pass_id}/tags", json={"tags": ["late"]})
    assert count_by_status(tenant, "late")["installed"] == 1

    phone.remove(held)

    assert count_by_status(tenant, "late") == {
        "installed": 0,
        "uninstalled": 1,
        "been_installed": 1,
        "not_been_installed": 0,
    }
    consistent(tenant.project_id)


def test_an_emptied_tag_is_left_alone_by_devices(tenant: Tenant, stack: Stack, consistent: Consistent) -> None:
    card = issue_card(tenant, tag="gold")
    tenant.call("DELETE", "/v1/tag/gold/passes")
    Phone().install(card.url)
    consistent(tenant.project_id, swept=False)

    stack.drain()

    consistent(tenant.project_id)
    assert count_by_status(tenant, "gold")["been_installed"] == 0


@pytest.mark.parametrize("devices", [1, 20, 21, 50])
def test_deleting_a_pass_takes_its_registrations_along(
    tenant: Tenant, stack: Stack, consistent: Consistent, devices: int
) -> None:
    card, kept = issue_cards(tenant, 2, tag="gold")
    phones = [Phone() for _ in range(devices)]
    first, other = phones[0].install(card.url), phones[0].install(kept.url)
    for phone in phones[1:]:
        phone.register(first)
    assert len(card.list_own_registrations()) == min(devices, 25)

    card.delete()

    assert [row["serial_number"] for row in read_rows(stack.dynamodb, tenant.project_id).registrations] == [
        kept.serial_number
    ]
    assert [row["pass_id"] for row in kept.list_registrations()] == [kept.serial_number]
    assert phones[0].ask(other).json()["serialNumbers"] == [kept.serial_number]
    assert [phone.fetch(first).status_code for phone in phones[-2:]] == [401] * min(devices, 2)
    assert all(phone.ask(first).status_code == 204 for phone in phones[1:3])
    assert count_by_status(tenant, "gold")["been_installed"] == 1
    consistent(tenant.project_id)


def test_a_device_that_registers_while_the_pass_is_deleted_leaves_nothing_behind(
    tenant: Tenant, consistent: Consistent
) -> None:
    cards = issue_cards(tenant, 6)
    holder = Phone()
    held = [holder.install(card.url) for card in cards]
    tasks = [partial(Phone().register, file) for file in held for _ in range(4)]
    deletes = [partial(tenant.request, "DELETE", f"/v1/pass/{card.pass_id}") for card in cards]

    answers = run_together([*tasks[:12], *deletes, *tasks[12:]])

    assert {answer.status_code for answer in answers} <= {200, 201, 401}
    assert cards[0].list_registrations() == []
    consistent(tenant.project_id)


@pytest.mark.parametrize("listed_between", [False, True])
def test_whichever_of_two_updates_commits_first_both_are_listed(tenant: Tenant, listed_between: bool) -> None:
    """The one that began first commits last; a device may even ask in between."""
    early, late = issue_cards(tenant, 2)
    phone = Phone()
    for card in (early, late):
        phone.install(card.url)
    phone.poll()
    seen: list[str] = []

    def overtake() -> None:
        late.update(1)
        if listed_between:
            seen.extend(phone.poll(pushed=True))

    platform = with_rival(get_platform(), "passes", "update_pass", overtake)
    update_pass(
        platform,
        project_id=tenant.project_id,
        reference=PassReference(pass_id=early.pass_id),
        update=write_field("Points", "1"),
    )

    seen += phone.poll(pushed=True)
    assert sorted(seen) == sorted([early.serial_number, late.serial_number])
    assert phone.poll() == []
    assert phone.complaints == []


def test_an_update_between_a_devices_list_and_its_fetch_is_listed_again(tenant: Tenant) -> None:
    card = issue_card(tenant)
    phone = Phone()
    phone.install(card.url)
    phone.poll()
    card.update(1)
    held = phone.passes[card.serial_number]
    tag = phone.ask(held, phone.tags[held.pass_type]).json()["lastUpdated"]
    card.update(2)

    assert phone.fetch(held, since=held.last_modified).status_code == 200
    assert phone.ask(held, tag).json()["serialNumbers"] == [card.serial_number]


def named(held: PassFile) -> HeldPass:
    """As the domain names a pass that a phone holds."""
    return HeldPass(pass_type=held.pass_type, serial_number=held.serial_number, token=token_of(held))


def test_of_the_last_two_devices_that_leave_together_one_is_the_last(tenant: Tenant, consistent: Consistent) -> None:
    """Each has read that the other still holds the pass."""
    card = issue_card(tenant)
    phone, tablet = Phone(), WalletPassesPhone()
    held = phone.install(card.url)
    tablet.install(card.url)
    platform = with_rival(get_platform(), "registrations", "unregister", lambda: tablet.unregister(held))

    assert unregister(platform, named(held), device_id=phone.device_id)

    assert card.shown["status"] == "uninstalled"
    assert card.list_registrations() == []
    consistent(tenant.project_id)


def test_a_device_that_comes_while_the_last_one_leaves_installs_the_pass(
    tenant: Tenant, consistent: Consistent
) -> None:
    card = issue_card(tenant)
    phone, tablet = Phone(), WalletPassesPhone()
    held = phone.install(card.url)
    platform = with_rival(get_platform(), "registrations", "register", lambda: phone.unregister(held))
    installation = Installation(wallet=tablet.wallet, push_token=tablet.push_token)

    outcome = register(platform, named(held), device_id=tablet.device_id, read_installation=lambda _: installation)

    assert outcome is Registered.NEW
    assert (card.shown["status"], card.shown["platform"]) == ("installed", "android")
    assert [row["wallet"] for row in card.list_registrations()] == ["wallet_passes"]
    consistent(tenant.project_id)


def test_a_bulk_update_is_listed_whole_and_once(tenant: Tenant, stack: Stack) -> None:
    cards = issue_cards(tenant, PASSES, tag="gold")
    phone = Phone()
    for card in cards:
        phone.install(card.url)
    phone.poll()

    tenant.call("PUT", "/v1/tag/gold/passes", json={"fields": {"Points": {"value": "5"}}})
    assert phone.poll() == [], "accepted, but no worker has come by"
    stack.drain()

    assert set(phone.poll(pushed=True)) == {card.serial_number for card in cards}
    assert {held.shows("Points") for held in phone.passes.values()} == {"5"}
    assert phone.poll() == []
    assert phone.complaints == []


def test_a_device_with_hundreds_of_passes_gets_a_short_tag_that_works(tenant: Tenant) -> None:
    passes = make_passes(tenant.project_id, HUNDREDS, template_id=new_template(tenant))
    phone = Phone()
    card = Card(tenant, passes[0].template_id, passes[0].pass_id)
    held = phone.add(card.url)
    load_registrations(passes, device_ids=[phone.device_id], pass_type=held.pass_type)

    answer = phone.ask(held).json()

    assert sorted(answer["serialNumbers"]) == sorted(pass_.serial_number for pass_ in passes)
    assert answer["lastUpdated"].startswith("h1.")
    assert phone.ask(held, answer["lastUpdated"]).status_code == 204
    card.update(1)
    again = phone.ask(held, answer["lastUpdated"]).json()
    assert len(again["serialNumbers"]) == HUNDREDS
    assert again["lastUpdated"] != answer["lastUpdated"]
    assert phone.ask(held, again["lastUpdated"]).status_code == 204


class Busy:
    """One device that registers and unregisters at random, each request twice at the same time."""

    def __init__(self, seed: int, held: list[PassFile]) -> None:
        self.phone = (Phone, WalletPassesPhone, Pass2UPhone)[seed % 3]()
        self.holds: set[str] = set()
        self.answers: list[httpx.Response] = []
        self.surprises: list[str] = []
        self._random = random.Random(seed)
        self._held = held

    def live(self) -> None:
        """Installs half of the passes, in an order of its own, gives some up and takes some of these again."""
        own = self._random.sample(self._held, len(self._held) // 2)
        for file in own:
            self._twice("register", file)
        for file in self._random.sample(own, self._random.randrange(1, 4)):
            self._twice("unregister", file)
            if self._random.random() < 0.4:
                self._twice("register", file)

    def _twice(self, verb: str, file: PassFile) -> None:
        answers = run_together([partial(getattr(self.phone, verb), file)] * 2)
        self.answers += answers
        statuses = sorted(answer.status_code for answer in answers)
        if statuses != ([200, 201] if verb == "register" else [200, 200]):
            self.surprises.append(f"{verb}: {statuses}")
        self.holds.add(file.serial_number)
        if verb == "unregister":
            self.holds.discard(file.serial_number)


def test_64_devices_and_10_passes_at_once_end_as_each_device_left_them(
    tenant: Tenant, stack: Stack, consistent: Consistent
) -> None:
    if stack.engine_name == "moto":
        pytest.skip("ONE AT A TIME: moto takes no two requests together")
    cards = issue_cards(tenant, PASSES, tag="gold")
    downloader = Phone()
    held = [downloader.add(card.url) for card in cards]
    devices = [Busy(seed, held) for seed in range(DEVICES)]

    with ThreadPoolExecutor(max_workers=DEVICES) as threads:
        list(threads.map(Busy.live, devices))

    answers = [answer for device in devices for answer in device.answers]
    assert Counter(answer.status_code for answer in answers).keys() == {200, 201}
    assert [surprise for device in devices for surprise in device.surprises] == []
    rows = read_rows(stack.dynamodb, tenant.project_id).registrations
    holders = Counter(row["serial_number"] for row in rows)
    assert holders == Counter(serial_number for device in devices for serial_number in device.holds)
    assert Counter(row["wallet"] for row in rows) == sum(
        (Counter({str(device.phone.wallet): len(device.holds)}) for device in devices), Counter()
    )
    installed = sum(1 for card in cards if holders[card.serial_number])
    assert count_by_status(tenant, "gold") == {
        "installed": installed,
        "uninstalled": PASSES - installed,
        "been_installed": PASSES,
        "not_been_installed": 0,
    }
    for device in devices[::9]:
        listed = device.phone.ask(held[0])
        assert (set(listed.json()["serialNumbers"]) if listed.status_code == 200 else set()) == device.holds
    consistent(tenant.project_id)
