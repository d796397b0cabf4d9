"""What strangers may cost: everything that somebody without an account can make grow has an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.wallet_services import GoogleAccount
from chalicelib.wiring import get_platform, get_wallet_services
from tests.contract.cards import issue_card, look
from tests.contract.test_security_isolation import describe
from tests.support.google_wallet import GoogleWallet, run_google_wallet
from tests.support.phones import Phone, shared_client
from tests.support.stack import Stack, Tenant

MOST_DEVICES = 3


@pytest.fixture
def few_devices(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test can reach."""
    platform = get_platform()
    bounded = replace(platform, bounds=replace(platform.bounds, devices_per_pass=MOST_DEVICES))
    monkeypatch.setattr("chalicelib.api.requests.get_platform", lambda: bounded)


@pytest.mark.usefixtures("few_devices")
def test_a_pass_for_one_person_is_on_so_many_devices(stack: Stack, tenant: Tenant) -> None:
    """Each device is a row and a push at every change, and who holds a pass can name as many as he likes."""
    card = issue_card(tenant)
    phones = [Phone() for _ in range(MOST_DEVICES + 1)]
    held = [phone.add(card.url) for phone in phones]
    *taken, refused = [phone.register(each) for phone, each in zip(phones, held, strict=True)]
    assert [answer.status_code for answer in taken] == [201] * MOST_DEVICES
    before = look(stack, tenant)
    assert refused.status_code == 400
    assert phones[-1].register(held[-1]).status_code == 400
    assert look(stack, tenant) == before
    # who is registered stays so, and makes room when he goes
    assert phones[0].register(held[0], json={"pushToken": "another"}).status_code == 200
    phones[1].remove(held[1])
    assert phones[-1].register(held[-1]).status_code == 201


@pytest.mark.usefixtures("few_devices")
def test_a_pass_for_many_has_no_such_limit(stack: Stack, tenant: Tenant) -> None:
    card = issue_card(tenant, publicURL={"type": "multiple"})
    for phone in (Phone() for _ in range(MOST_DEVICES + 2)):
        assert phone.register(phone.add(card.url)).status_code == 201


@pytest.fixture
def google(stack: Stack) -> Iterator[GoogleWallet]:
    with run_google_wallet(stack.url) as google:
        yield google


class CountedServices:
    """The services of projects, which are kept where few questions a second are answered."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._services = get_wallet_services()

    def get_google(self, project_id: int) -> GoogleAccount | None:
        self.asked.append(project_id)
        return self._services.get_google(project_id)

    def get_shared_issuer(self) -> str | None:
        return self._services.get_shared_issuer()


def test_a_made_up_project_costs_no_look_into_the_secrets(
    tenant: Tenant, google: GoogleWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may post a callback, and SSM answers an account forty times a second, for all that it is asked."""
    counted = CountedServices()
    monkeypatch.setattr("chalicelib.api.google.callbacks.get_wallet_services", lambda: counted)
    card = issue_card(tenant)
    callback = google.sign(card.serial_number)
    for project_id in range(10**9, 10**9 + 20):
        assert google.post(callback, project_id=project_id).status_code == 400
    assert counted.asked == []
    assert google.post(callback, project_id=tenant.project_id).status_code == 200
    assert set(counted.asked) == {tenant.project_id}
    assert [row["wallet"] for row in card.list_own_registrations()] == ["google_wallet"]


def test_which_projects_there_are_is_not_told_to_who_plays_google(
    stack: Stack, tenant: Tenant, google: GoogleWallet
) -> None:
    forged = google.sign(issue_card(tenant).serial_number) | {"signature": ""}
    places = ["", f"/{tenant.project_id}", "/1000000000", "/0", "/-1", "/nothing", "/" + "9" * 30, "/%00"]
    answers = {
        place: describe(shared_client().post(f"{stack.url}/v1/google/callback{place}", json=forged)) for place in places
    }
    assert len(set(answers.values())) == 1, answers
    assert answers[""][0] == 400
