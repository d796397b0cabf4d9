"""Many registrations in a short time: whole transactions of them, built by the store's own functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from chalicelib.domain.finding import get_live_references
from chalicelib.domain.passes import Pass, hold
from chalicelib.domain.registrations import Registration, Wallet, device_key
from chalicelib.domain.reporting import install_event
from chalicelib.store import registrations as stored
from chalicelib.store.campaign_models import RegistrationRow
from chalicelib.store.registrations import DynamoRegistrationStore
from chalicelib.store.transactions import Transaction
from chalicelib.wiring import get_database, get_platform
from tests.support.builders import read_pass
from tests.support.rivals import run_together

DEVICES_AT_ONCE = 80
"""a transaction has at most 100 items: registrations, the pass, and the counters of both and of the pass's tags"""

WALLETS = tuple(Wallet)


def load_registrations(passes: Sequence[Pass], *, device_ids: Sequence[str], pass_type: str, threads: int = 2) -> None:
    """Every pass gets on every device, the wallets in turn. The passes are of one template and on no device yet."""
    keys = [device_key(device_id=device_id, pass_type=pass_type) for device_id in device_ids]
    assert len(keys) <= DEVICES_AT_ONCE

    def load(share: Sequence[Pass]) -> None:
        for pass_ in share:
            _load(pass_, keys, pass_type)

    run_together([partial(load, passes[start::threads]) for start in range(threads)])


def _load(pass_: Pass, devices: Sequence[str], pass_type: str) -> None:
    """One transaction, which is that of `register` with as many rows as there are devices."""
    platform, database = get_platform(), get_database()
    before = read_pass(pass_)
    # not apart in time: more than one in a millisecond would leave the next real registration's clock behind
    first, created_at = platform.sequences.next_values(
        name=f"registrations:{pass_.template_id}", count=len(devices), now=platform.now()
    )
    after, transaction = before, Transaction(database)
    for number, device in enumerate(devices, start=first):
        wallet = WALLETS[number % len(WALLETS)]
        registration = Registration(
            registration_id=platform.new_uuid(number),
            number=number,
            project_id=pass_.project_id,
            template_id=pass_.template_id,
            pass_id=pass_.pass_id,
            serial_number=pass_.serial_number,
            device=device,
            pass_type=pass_type,
            wallet=wallet,
            push_token=f"token {number}",
            created_at=created_at,
            registered_at=created_at,
        )
        after = hold(after, platform=wallet.device_os, now=created_at)
        transaction.put(stored._as_row(registration), RegistrationRow.device.does_not_exist(), label="registration")
        stored._count(transaction, registration, change=1)
        stored._count_event(transaction, registration, install_event(wallet), created_at)
    live = get_live_references(platform, before)
    DynamoRegistrationStore(database)._move_pass(transaction, before, after, live)
    transaction.commit()
