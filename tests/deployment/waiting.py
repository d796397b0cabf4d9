"""Patience: what a deployed function does is there some time later."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.domain.tickets import UNFINISHED
from tests.support.stack import Tenant

Found = TypeVar("Found")

DEADLINE_SECONDS = 60.0
_PAUSE_SECONDS = 0.25


def await_truth(what: str, find: Callable[[], Found]) -> Found:
    """The first result that counts as true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {DEADLINE_SECONDS:.0f} s in vain: {what}")
        time.sleep(_PAUSE_SECONDS)
    return found


def await_ticket(tenant: Tenant, ticket_id: int) -> Any:
    """The ticket, once it will not change by itself any more."""

    def find_finished() -> Any:
        ticket = tenant.call("GET", f"/v1/ticket/{ticket_id}")
        return None if ticket["Status"] in UNFINISHED else ticket

    return await_truth(f"ticket {ticket_id} to end", find_finished)
