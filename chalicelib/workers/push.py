"""Pushes: from changed passes to devices, and to each wallet's service. Every wallet has a queue and a function."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib import logs, metrics
from chalicelib.domain import delivering, spreading
from chalicelib.domain.delivering import DeliveryReport
from chalicelib.domain.registrations import Wallet
from chalicelib.schemas.messages import DeliveryMessage, PushMessage
from chalicelib.settings import get_settings
from chalicelib.wiring import get_platform, get_push_channel
from chalicelib.workers.entry import handle_records

push = Blueprint(__name__)

WORKERS = 10
"""messages of one wallet in work at once"""

GOOGLE_WORKERS = 2
"""the least there can be: Google's rate, which all share, is soon reached"""


@push.on_sqs_message(queue=get_settings().queue_name("push"), name="spread_push", batch_size=1, maximum_concurrency=10)
def spread_push(event: Any) -> None:
    """Finds the devices that hold changed passes."""
    handle_records(event, PushMessage, _spread)


def _spread(message: PushMessage) -> None:
    logs.note(passes=len(message.pass_ids))
    deliveries = spreading.spread_push(
        get_platform(),
        ticket_id=message.ticket_id,
        project_id=message.project_id,
        pass_ids=message.pass_ids,
        after=message.after,
        asked_at=message.asked_at,
        outbox=message.outbox,
    )
    logs.note(deliveries=deliveries)


def _deliver(event: Any) -> None:
    handle_records(event, DeliveryMessage, _deliver_one)


def _deliver_one(message: DeliveryMessage) -> None:
    delivery = message.as_delivery()
    logs.note(devices=len(delivery.tokens))
    report = delivering.deliver(get_platform(), get_push_channel(delivery.wallet), delivery)
    _measure(delivery.wallet, report)


def _measure(wallet: Wallet, report: DeliveryReport) -> None:
    logs.note(pushes=dict(report.outcomes), refusal=report.refusal)
    for outcome, times in report.outcomes.items():
        metrics.count("Pushes", times, Wallet=wallet, Outcome=outcome)
    if report.abandoned:
        metrics.count("PushesAbandoned", report.abandoned, Wallet=wallet)
    if report.refusal is not None:
        metrics.count("PushServiceRefusals", Wallet=wallet)


def _queue(wallet: Wallet) -> str:
    return get_settings().queue_name(f"deliver-{wallet.replace('_', '-')}")


@push.on_sqs_message(queue=_queue(Wallet.PASSBOOK), name="deliver_passbook", batch_size=1, maximum_concurrency=WORKERS)
def deliver_passbook(event: Any) -> None:
    """Apple Wallet."""
    _deliver(event)


@push.on_sqs_message(
    queue=_queue(Wallet.WALLET_PASSES), name="deliver_wallet_passes", batch_size=1, maximum_concurrency=WORKERS
)
def deliver_wallet_passes(event: Any) -> None:
    """WalletPasses."""
    _deliver(event)


@push.on_sqs_message(queue=_queue(Wallet.PASS2U), name="deliver_pass2u", batch_size=1, maximum_concurrency=WORKERS)
def deliver_pass2u(event: Any) -> None:
    """Pass2U Wallet."""
    _deliver(event)


@push.on_sqs_message(
    queue=_queue(Wallet.PASSWALLET), name="deliver_passwallet", batch_size=1, maximum_concurrency=WORKERS
)
def deliver_passwallet(event: Any) -> None:
    """PassWallet."""
    _deliver(event)


@push.on_sqs_message(
    queue=_queue(Wallet.PASSWORKS_WALLET), name="deliver_passworks_wallet", batch_size=1, maximum_concurrency=WORKERS
)
def deliver_passworks_wallet(event: Any) -> None:
    """Passworks Wallet."""
    _deliver(event)


@push.on_sqs_message(
    queue=_queue(Wallet.GOOGLE_WALLET), name="deliver_google_wallet", batch_size=1, maximum_concurrency=GOOGLE_WORKERS
)
def deliver_google_wallet(event: Any) -> None:
    """Google Wallet: the changed object itself is written."""
    _deliver(event)
