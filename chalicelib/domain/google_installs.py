"""Google tells that a pass was saved or deleted (wallets, section 4.3). Events repeat, and no order is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.errors import Unauthorized
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.ports import Platform
from chalicelib.domain.registering import add_registration, remove_registration, take_number
from chalicelib.domain.registrations import Installation, Wallet, device_key
from chalicelib.domain.retrying import retry_conflicts

PASS_TYPE = "google"
"""stands for the pass type identifier, which Google's passes do not have"""

MEMORY_SECONDS = 86_400
"""how long after its expiration an event is remembered; replayed later it no longer verifies"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleReport:
    """A verified callback. `object_id` is `<issuer>.<serial number>`."""

    issuer_id: str
    object_id: str
    event_type: str
    nonce: str
    expires_at: datetime


def record_report(platform: Platform, report: GoogleReport, *, issuer_of: Callable[[int], str | None]) -> bool:
    """Makes a saved object a registration, and ends it when the object is deleted; whether anything changed.

    A repeated nonce, an unknown object and an unknown event type change nothing; nor does an issuer that is not the one
    of the pass's project, which `issuer_of` tells: any issuer may name an object after any pass.

    Raises:
        Busy: try again.
    """
    event = (
        f"google#{report.issuer_id}#{report.nonce}",
        int(report.expires_at.timestamp()) + MEMORY_SECONDS,
    )
    device = device_key(device_id=report.object_id, pass_type=PASS_TYPE)
    installation = Installation(wallet=Wallet.GOOGLE_WALLET, push_token=report.object_id)
    numbered: tuple[int, datetime] | None = None

    def attempt() -> bool:
        nonlocal numbered
        if platform.registrations.is_remembered(event[0]):
            return False
        serial_number = report.object_id.removeprefix(f"{report.issuer_id}.")
        pass_id = number_in(serial_number)
        if pass_id is None:
            return False
        pass_, registration = platform.registrations.find(device=device, pass_id=pass_id)
        if pass_ is None or pass_.serial_number != serial_number or issuer_of(pass_.project_id) != report.issuer_id:
            return False
        if report.event_type == "save" and registration is None:
            numbered = numbered or take_number(platform, pass_)
            try:
                add_registration(
                    platform,
                    pass_,
                    device=device,
                    pass_type=PASS_TYPE,
                    installation=installation,
                    numbered=numbered,
                    event=event,
                )
            except Unauthorized:  # deleted with its template: as unknown as any
                return False
            return True
        if report.event_type == "del" and registration is not None:
            remove_registration(platform, pass_, registration, event=event)
            return True
        platform.registrations.remember_event(event)
        return False

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
