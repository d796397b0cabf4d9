"""Puts many iPhones into the store, one for each pass: whole transactions, built by the store's own functions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.domain.device_tag import HeldPass, list_changes
from chalicelib.domain.http_dates import format_http_date
from chalicelib.domain.passes import Pass, hold
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Registration, Wallet, device_key
from chalicelib.domain.reporting import install_event
from chalicelib.store import registrations as stored
from chalicelib.store.campaign_models import RegistrationRow
from chalicelib.store.registrations import DynamoRegistrationStore
from chalicelib.store.transactions import Transaction
from chalicelib.wiring import get_database
from local.certificates import PASS_TYPE

PASSES_AT_ONCE = 20
"""a transaction has at most 100 items: a pass, its registration, its tag and its counter, and the counters of all"""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """An iPhone that holds one pass, and what it knows."""

    push_token: str
    device_id: str
    pass_type: str
    serial_number: str
    authentication_token: str
    tag: str
    """of its last list"""
    last_modified: str
    """of its file"""


def load_holders(platform: Platform, pass_ids: Sequence[int], *, advance: Callable[[int], object]) -> list[Holder]:
    """Each pass gets onto a device of its own. The passes are new, of one template, and have one tag.

    Calls `advance` with the number of devices since the last call.
    """
    holders: list[Holder] = []
    for start in range(0, len(pass_ids), PASSES_AT_ONCE):
        passes = platform.passes.get_passes(pass_ids[start : start + PASSES_AT_ONCE], consistent=True)
        holders += _load(platform, list(passes.values()))
        advance(len(passes))
    return holders


def _load(platform: Platform, passes: Sequence[Pass]) -> list[Holder]:
    """One transaction, which is that of `registering.register` for several passes."""
    database = get_database()
    name = f"registrations:{passes[0].template_id}"
    first, now = platform.sequences.next_values(name=name, count=len(passes), now=platform.now())
    transaction = Transaction(database)
    move_pass = partial(DynamoRegistrationStore(database)._move_pass, transaction)
    holders = []
    for number, pass_ in enumerate(passes, start=first):
        device_id = secrets.token_hex(16)
        registration = Registration(
            registration_id=platform.new_uuid(number),
            number=number,
            project_id=pass_.project_id,
            template_id=pass_.template_id,
            pass_id=pass_.pass_id,
            serial_number=pass_.serial_number,
            device=device_key(device_id=device_id, pass_type=PASS_TYPE),
            pass_type=PASS_TYPE,
            wallet=Wallet.PASSBOOK,
            push_token=secrets.token_hex(32),
            created_at=now,
            registered_at=now,
        )
        transaction.put(stored._as_row(registration), RegistrationRow.device.does_not_exist(), label="registration")
        stored._count(transaction, registration, change=1)
        stored._count_event(transaction, registration, install_event(registration.wallet), now)
        move_pass(pass_, hold(pass_, platform=registration.wallet.device_os, now=now), pass_.tags)
        holders.append(_make_holder(pass_, registration, device_id))
    transaction.commit()
    return holders


def _make_holder(pass_: Pass, registration: Registration, device_id: str) -> Holder:
    """The device has asked once, and has got the pass."""
    held = HeldPass(
        registration_id=registration.registration_id, serial_number=pass_.serial_number, version=pass_.version
    )
    told = list_changes([held], None)
    assert told is not None
    return Holder(
        push_token=registration.push_token,
        device_id=device_id,
        pass_type=registration.pass_type,
        serial_number=pass_.serial_number,
        authentication_token=pass_.authentication_token,
        tag=told.tag,
        last_modified=format_http_date(pass_.last_modified),
    )
