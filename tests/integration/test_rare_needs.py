"""What functions need on AWS when something is out of the ordinary: here each of these things happens once.

So the policies are seen to allow it: every call in these tests is held against them (`tests/support/calls.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from chalicelib.domain import bulk_updates, callbacks, campaign_editing, delivering, issuing, sweeping, updating
from chalicelib.domain.callback_events import CallbackEvent
from chalicelib.domain.callbacks import CallbackRequest, CallbackTask
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import passes_of_template
from chalicelib.domain.deliveries import Delivery, as_document
from chalicelib.domain.errors import Busy
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.ports import Platform, QueueSender
from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.domain.receivers import AirshipReceiver, Dialect, PassworksReceiver, Receiver
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.templates import TemplateReference
from chalicelib.domain.tickets import TicketStatus
from chalicelib.store.connection import StripeChoice
from chalicelib.wiring import get_platform
from chalicelib.workers.handlers import HANDLERS
from tests.contract.campaigns import create_campaign, path_of, stored_template
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, make_spread_passes, read_ticket, skip_pass_ids, write_field
from tests.support.faults import Refusal, inject
from tests.support.queues import purge
from tests.support.stack import Stack, Tenant

TAG = "flag"
STRIPE = 3
LONG_AGO = timedelta(days=30)


@pytest.fixture
def striped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every counter is written beside its first row, as after a conflict, and noted to be folded."""
    monkeypatch.setattr(StripeChoice, "choose", lambda _: STRIPE)


class LostQueue:
    """Takes every message and loses it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def losing_messages() -> Platform:
    """The platform of a process that dies before its messages leave."""
    return replace(get_platform(), queues=cast(QueueSender, LostQueue()))


@pytest.mark.usefixtures("striped")
def test_a_bulk_update_meets_other_writers(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    make_spread_passes(tenant.project_id, segments=2, per_segment=2, tags=[TAG])
    ticket = bulk_updates.start_bulk_update(
        get_platform(), project_id=tenant.project_id, segment=TAG, update=write_field("Points", "9")
    )
    stack.drain()
    assert read_ticket(ticket.ticket_id).status is TicketStatus.COMPLETED
    consistent(tenant.project_id)


@pytest.mark.usefixtures("striped")
def test_a_sweep_meets_names_codes_and_crowds(
    stack: Stack, tenant: Tenant, consistent: Consistent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request that deletes the campaign gets no further; more devices than one transaction takes are few here."""
    monkeypatch.setattr(issuing, "REGISTRATIONS_AT_ONCE", 1)
    monkeypatch.setattr(campaign_editing, "sweep_collection", _refuse)
    campaign = create_campaign(tenant)
    template_id = stored_template(tenant, campaign).template_id
    own_code = ContentUpdate(headers={"barcode_value": {"value": "OWN-CODE"}})
    pass_ = issuing.create_pass(
        get_platform(),
        project_id=tenant.project_id,
        template=TemplateReference(template_id=template_id),
        new=NewPass(update=own_code, external_id="mine", tag_names=(TAG,)),
    )
    for number in range(2):
        devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device=f"device {number}")
    tenant.call("DELETE", path_of(campaign))
    sweeping.resume_unfinished(get_platform(), minimum_age_seconds=0, queues_lost=False)
    stack.drain()
    assert tenant.request("GET", f"/v1/pass/{pass_.pass_id}").status_code == 404
    consistent(tenant.project_id)


def _refuse(*_: object, **__: object) -> int:
    raise Busy("injected")


def test_a_large_collection_is_swept_by_further_messages(
    stack: Stack, tenant: Tenant, consistent: Consistent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the messages of its deletion were lost; a collection of two segments is large here."""
    monkeypatch.setattr(sweeping, "SEGMENTS_AT_ONCE", 1)
    campaign = create_campaign(tenant)
    template_id = stored_template(tenant, campaign).template_id
    make_passes(tenant.project_id, 1, template_id=template_id)
    skip_pass_ids(tenant.project_id)
    make_passes(tenant.project_id, 1, template_id=template_id)
    campaign_editing.delete_campaign(
        losing_messages(), project_id=tenant.project_id, campaign_type="coupons", campaign_id=campaign["id"]
    )
    assert sweeping.sweep_collection(get_platform(), key=passes_of_template(template_id).key) == 0
    stack.drain()
    assert tenant.call("GET", "/v1/pass")["count"] == 0
    consistent(tenant.project_id)


def test_the_schedule_finds_whatever_is_unfinished(stack: Stack, tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, tags=[TAG])
    _set_up_receiver(tenant)
    ticket = bulk_updates.start_bulk_update(
        losing_messages(), project_id=tenant.project_id, segment=TAG, update=write_field("Points", "8")
    )
    devices.install(losing_messages(), project_id=tenant.project_id, pass_id=pass_.pass_id)
    update = write_field("Points", "9")
    reference = PassReference(pass_id=pass_.pass_id)
    updating.update_pass(losing_messages(), project_id=tenant.project_id, reference=reference, update=update)
    before = datetime.now(UTC) + timedelta(seconds=1)
    waiting = {outgoing.queue for outgoing in get_platform().outbox.list_waiting(before=before)}
    assert waiting == {"push", "callback"}

    assert sweeping.resume_unfinished(get_platform(), minimum_age_seconds=-1, queues_lost=False) >= 3
    purge(stack, "callback")
    stack.drain()
    assert read_ticket(ticket.ticket_id).status is TicketStatus.COMPLETED


def _set_up_receiver(tenant: Tenant) -> None:
    get_platform().receivers.put_receiver(
        Receiver(
            project_id=tenant.project_id,
            secret="a secret of the tests",
            airship=AirshipReceiver(base_url="https://team.example", headers={}),
            passworks=PassworksReceiver(url="https://team.example/hook"),
        )
    )


@dataclass
class PlayedChannel:
    """A push service that says what a test wants, by token."""

    outcomes: dict[str, Outcome]

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        for token in batch.tokens:
            yield PushResult(token=token, outcome=self.outcomes[token], reason="as played")


@pytest.fixture(params=list(Wallet))
def wallet(request: pytest.FixtureRequest) -> Wallet:
    found: Wallet = request.param
    return found


@pytest.fixture
def delivery(stack: Stack, tenant: Tenant, wallet: Wallet) -> Iterator[Delivery]:
    """To five devices of one pass that has a tag; the team hears of what becomes of them."""
    (pass_,) = make_passes(tenant.project_id, 1, tags=[TAG])
    _set_up_receiver(tenant)
    tokens = [_install(tenant, pass_, wallet, f"{name} of {tenant.project_id}") for name in "abcde"]
    delivered = Delivery(
        ticket_id=tenant.project_id,
        project_id=tenant.project_id,
        template_id=pass_.template_id,
        wallet=wallet,
        pass_type=devices.PASS_TYPE,
        tokens=tuple(tokens),
        asked_at=datetime.now(UTC),
    )
    yield delivered
    # what waits for long would hold up every later test
    for queue in ("callback", delivered.queue):
        purge(stack, queue)


def _install(tenant: Tenant, pass_: Pass, wallet: Wallet, device: str) -> str:
    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device=device, wallet=wallet)
    return f"token of {device}"


@pytest.mark.usefixtures("striped")
def test_a_delivery_meets_every_answer(
    stack: Stack, tenant: Tenant, delivery: Delivery, consistent: Consistent
) -> None:
    """Some pushes were taken by a worker that is silent since; all devices but one are gone, so are their tags."""
    platform, now = get_platform(), datetime.now(UTC)
    sent, *gone = delivery.tokens
    names = [delivery.name_of(token) for token in delivery.tokens]
    platform.deliveries.claim(names[:2], asked_at=now - LONG_AGO, now=now - LONG_AGO, seconds=1)
    outcomes = dict.fromkeys(gone, Outcome.GONE) | {sent: Outcome.SENT}
    report = delivering.deliver(platform, PlayedChannel(outcomes), delivery)
    assert report.outcomes == {Outcome.GONE: 4, Outcome.SENT: 1}

    last = replace(delivery, ticket_id=delivery.ticket_id + 10, tokens=(sent,))
    delivering.deliver(platform, PlayedChannel({sent: Outcome.GONE}), last)
    assert tenant.call("GET", f"/v1/tag/{TAG}/passes?status=uninstalled")["count"] == 1
    consistent(tenant.project_id)


def test_a_delivery_is_asked_for_again(delivery: Delivery) -> None:
    for number, outcome in enumerate((Outcome.RETRY, Outcome.REFUSED, Outcome.MISCONFIGURED, Outcome.SENT)):
        played = PlayedChannel(dict.fromkeys(delivery.tokens, outcome))
        asked = replace(delivery, ticket_id=delivery.ticket_id + number)
        report = delivering.deliver(get_platform(), played, asked)
        # the service rests once it has refused the project
        assert report.outcomes == ({} if outcome is Outcome.SENT else {outcome: len(delivery.tokens)})


def test_a_callback_is_given_up(stack: Stack, tenant: Tenant) -> None:
    _set_up_receiver(tenant)

    def fail(request: CallbackRequest) -> callbacks.CallbackAnswer:
        return callbacks.CallbackAnswer(status=500, headers={})

    long_ago = datetime.now(UTC) - LONG_AGO
    event = CallbackEvent(
        event_id="event",
        dialect=Dialect.PASSWORKS,
        name="installed",
        template_id=1,
        path="",
        body={},
        happened_at=long_ago,
    )
    task = CallbackTask(project_id=tenant.project_id, events=[event], since=long_ago)
    try:
        assert callbacks.deliver_callback(get_platform(), fail, task) is callbacks.Outcome.ABANDONED
    finally:
        purge(stack, "callback-dead")


@pytest.mark.usefixtures("stack")
def test_a_delivery_that_fails_is_told_without_its_tokens(
    tenant: Tenant, delivery: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    event = {"Records": [_record(json.dumps(as_document(delivery)))]}
    with inject(lambda _: Refusal("ThrottlingException")), pytest.raises(Busy):
        HANDLERS[delivery.queue](event, None)
    assert "failed" in caplog.text
    assert not any(token in caplog.text for token in delivery.tokens)


def _record(body: str) -> dict[str, Any]:
    return {
        "messageId": "1",
        "receiptHandle": "1",
        "body": body,
        "attributes": {},
        "eventSourceARN": "arn:aws:sqs:x:1:q",
    }
