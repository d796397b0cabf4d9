"""From an update to the wallets' push services, over real sockets: who is pushed, how often, and at which service."""

from __future__ import annotations

from collections import Counter

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates
from chalicelib.domain.passes import Pass
from chalicelib.domain.registrations import Wallet
from chalicelib.wiring import get_platform
from chalicelib.workers.handlers import HANDLERS
from local.apns import ReceivedPush
from local.environment import PREFIX
from local.pump import pump_once
from local.wallet_servers import ReceivedRequest
from tests.support import devices
from tests.support.builders import make_passes, make_spread_passes, make_template, write_field
from tests.support.queues import purge
from tests.support.stack import Stack, Tenant

TAG = "sale"
POINTS = {"fields": {"Points": {"value": "7"}}}
ANDROID = (Wallet.WALLET_PASSES, Wallet.PASS2U, Wallet.PASSWORKS_WALLET)


class Heard:
    """What the services heard since the test began."""

    def __init__(self, stack: Stack) -> None:
        self._vendors = stack.vendors
        self._apple = len(self._vendors.apns.received)
        self._others = len(self._vendors.services.requests)

    @property
    def apple(self) -> list[ReceivedPush]:
        return self._vendors.apns.received[self._apple :]

    @property
    def others(self) -> list[ReceivedRequest]:
        return self._vendors.services.requests[self._others :]

    def count(self) -> Counter[tuple[Wallet, str]]:
        """Pushes by wallet and token."""
        pushes = Counter((Wallet.PASSBOOK, push.token) for push in self.apple)
        pushes.update((request.wallet, token) for request in self.others for token in request.tokens)
        return pushes


@pytest.fixture
def heard(stack: Stack) -> Heard:
    operations.resume_unfinished()
    stack.drain()  # what earlier tests left to do is not to be heard here
    return Heard(stack)


def _install(tenant: Tenant, pass_: Pass, device: str, wallet: Wallet = Wallet.PASSBOOK) -> tuple[Wallet, str]:
    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device=device, wallet=wallet)
    return wallet, f"token of {device}"


def _update(tenant: Tenant, stack: Stack, path: str = f"/v1/tag/{TAG}/passes") -> int:
    answer = tenant.call("PUT", path, json=POINTS)
    stack.drain()
    return int(answer["ticketId"])


def test_of_2500_updated_passes_every_device_is_pushed_once(stack: Stack, tenant: Tenant, heard: Heard) -> None:
    template_id = make_template(tenant.project_id).template_id
    passes = make_passes(tenant.project_id, 2500, tags=[TAG], template_id=template_id)
    others = make_passes(tenant.project_id, 20, template_id=template_id)
    assert len({pass_.pass_id // 1000 for pass_ in passes}) >= 3
    right = {_install(tenant, pass_, "three passes") for pass_ in (passes[0], passes[1200], passes[-1])}
    assert len(right) == 1
    for number, pass_ in enumerate(passes[5:2500:25]):
        right.add(_install(tenant, pass_, f"{pass_.pass_id}", (Wallet.PASSBOOK, *ANDROID)[number % 4]))
    for pass_ in others:
        _install(tenant, pass_, "three passes")
        _install(tenant, pass_, f"nobody {pass_.pass_id}")
    ticket_id = _update(tenant, stack)

    assert tenant.call("GET", f"/v1/ticket/{ticket_id}")["progress"]["changed"] == 2500
    assert heard.count() == dict.fromkeys(right, 1)


def test_an_update_that_changes_nothing_pushes_nobody(stack: Stack, tenant: Tenant, heard: Heard) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, tags=[TAG])
    _install(tenant, pass_, "phone")
    _update(tenant, stack)
    assert sum(heard.count().values()) == 1
    _update(tenant, stack)
    assert sum(heard.count().values()) == 1


def test_an_update_of_one_pass_pushes_all_its_devices_and_no_other(stack: Stack, tenant: Tenant, heard: Heard) -> None:
    one, other = make_passes(tenant.project_id, 2)
    right = {_install(tenant, one, f"device {number}", wallet) for number, wallet in enumerate([Wallet.PASSBOOK] * 3)}
    right.add(_install(tenant, one, "android", Wallet.WALLET_PASSES))
    _install(tenant, other, "elsewhere")
    _update(tenant, stack, f"/v1/pass/{one.pass_id}")

    assert heard.count() == dict.fromkeys(right, 1)


def test_a_push_is_the_request_that_apple_wants(stack: Stack, tenant: Tenant, heard: Heard) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    _install(tenant, pass_, "phone")
    _update(tenant, stack, f"/v1/pass/{pass_.pass_id}")

    (push,) = heard.apple
    assert push.token == "token of phone"
    assert push.headers["apns-topic"] == devices.PASS_TYPE
    assert push.body == b"{}"


def test_a_location_added_to_a_pass_is_pushed(stack: Stack, tenant: Tenant, heard: Heard) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    _install(tenant, pass_, "phone")
    body = {"locations": [{"latitude": 1.0, "longitude": 2.0}]}
    response = tenant.request("POST", f"/v1/pass/{pass_.pass_id}/locations", json=body)
    assert response.status_code == 200, response.text
    stack.drain()

    assert heard.count() == {(Wallet.PASSBOOK, "token of phone"): 1}


def test_a_pass_that_nobody_holds_sends_no_message(stack: Stack, tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1)
    tenant.call("GET", f"/v1/pass/{pass_.pass_id}")  # credentials are cached from here on
    with stack.count_calls() as calls:
        tenant.call("PUT", f"/v1/pass/{pass_.pass_id}", json=POINTS)

    assert calls.total == 3
    assert "outbox" not in calls.tables


def test_a_pass_on_very_many_devices_is_told_in_portions(
    stack: Stack, tenant: Tenant, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.domain.spreading.REGISTRATIONS_PER_MESSAGE", 7)
    passes = make_passes(tenant.project_id, 15, tags=[TAG])
    right = {_install(tenant, passes[3], f"device {number}") for number in range(20)}
    right |= {_install(tenant, pass_, f"owner of {pass_.pass_id}") for pass_ in passes}
    _update(tenant, stack)

    assert heard.count() == dict.fromkeys(right, 1)


def test_a_device_with_passes_in_several_segments_is_told_when_all_of_them_have_changed(
    stack: Stack, tenant: Tenant, heard: Heard
) -> None:
    """Told after the first segment it would look at once, and never hear of the second."""
    passes = make_spread_passes(tenant.project_id, segments=2, tags=[TAG])
    for pass_ in passes:
        _install(tenant, pass_, "phone")
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment=TAG, update=write_field("Points", "7")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=passes[0].pass_id // 1000)
    for queue in ("push", "deliver-passbook"):
        pump_once(stack.queues, PREFIX, HANDLERS, queue)
    assert heard.count() == {}

    stack.drain()
    assert heard.count() == {(Wallet.PASSBOOK, "token of phone"): 1}


def test_a_device_that_was_told_before_a_redrive_is_told_of_what_that_changed(
    stack: Stack, tenant: Tenant, heard: Heard
) -> None:
    first, second = make_spread_passes(tenant.project_id, segments=2, tags=[TAG])
    for pass_ in (first, second):
        _install(tenant, pass_, "phone")
    _install(tenant, first, "of the first alone")
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment=TAG, update=write_field("Points", "7")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    bulk_updates.fail_segment(platform, ticket_id=ticket.ticket_id, segment=second.pass_id // 1000)
    purge(stack, "segment")
    bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=first.pass_id // 1000)
    stack.drain()
    phone, other = (Wallet.PASSBOOK, "token of phone"), (Wallet.PASSBOOK, "token of of the first alone")
    assert heard.count() == {phone: 1, other: 1}

    bulk_updates.redrive(platform, ticket_id=ticket.ticket_id)
    stack.drain()
    assert heard.count() == {phone: 2, other: 1}


def test_pushes_of_a_bulk_update_whose_queue_is_lost_are_asked_for_again(
    stack: Stack, tenant: Tenant, heard: Heard
) -> None:
    passes = make_spread_passes(tenant.project_id, segments=2, tags=[TAG])
    right = {_install(tenant, pass_, f"{pass_.pass_id}") for pass_ in passes}
    ticket_id = int(tenant.call("PUT", f"/v1/tag/{TAG}/passes", json=POINTS)["ticketId"])
    for queue in ("plan", "segment"):
        pump_once(stack.queues, PREFIX, HANDLERS, queue)
    purge(stack, "push")
    assert tenant.call("GET", f"/v1/ticket/{ticket_id}")["Status"] == "COMPLETED"

    assert operations.resume_unfinished() == 2
    stack.drain()
    assert heard.count() == dict.fromkeys(right, 1)
    assert operations.resume_unfinished() == 0
