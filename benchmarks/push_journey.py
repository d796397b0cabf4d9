"""From the request that updates a tag until every iPhone shows it, with workers and web service as `make run` has them.

Both share this process, as there; the push service and the phones have another, the storage a third.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import httpx

from benchmarks.apns_process import ApnsProcess
from benchmarks.holders import Holder
from benchmarks.push_costs import count_usage
from chalicelib import operations
from chalicelib.workers.handlers import HANDLERS
from local.embedded import Embedded
from local.environment import PREFIX
from local.pump import Pump

VALUES = {"field1": "on its way", "field2": "to all phones"}

_LONGEST_SECONDS = 600.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Journey:
    """One update of two fields, in seconds from the request."""

    devices: int
    """each holds one of as many passes"""
    ticket_completed_seconds: float
    last_device_pushed_seconds: float
    last_device_fetched_seconds: float
    """it has listed its pass, fetched it, and found the new values in it"""
    pushes: int
    push_messages: int
    """sent to find devices: one a segment, and one more each time that it waits for the end of the update"""
    deliver_messages: int
    cpu_milliseconds_per_device: float
    """of this process, for its pass, its push and its two requests"""


def measure_journey(
    stack: Embedded,
    apns: ApnsProcess,
    *,
    project_id: int,
    holders: Sequence[Holder],
    advance: Callable[[int], object],
) -> Journey:
    """Updates every pass that has `tag-0`. Calls `advance` with the number of phones done since the last call.

    Raises:
        RuntimeError: a phone was not pushed exactly once, or does not show the new values.
    """
    apns.write(
        {
            "holders": [asdict(holder) for holder in holders],
            "url": stack.url,
            "values": VALUES,
            "seconds": _LONGEST_SECONDS,
        }
    )
    apns.read()  # the phones are ready
    pump = Pump(stack.queues, PREFIX, HANDLERS)
    pump.start()
    try:
        with count_usage() as usage:
            begin, cpu = time.time(), time.process_time()
            completed_at = _await_completed(_request_update(stack, project_id))
            news, done = apns.read(), 0
            while "last_fetch_at" not in news:
                advance(news["fetched"] - done)
                news, done = apns.read(), news["fetched"]
            advance(news["fetched"] - done)
            cpu_seconds = time.process_time() - cpu
    finally:
        pump.stop()
    if not news["pushes"] == news["pushed"] == news["fetched"] == len(holders):
        raise RuntimeError(f"not every phone shows the update: {news}")
    return Journey(
        devices=len(holders),
        ticket_completed_seconds=round(completed_at - begin, 1),
        last_device_pushed_seconds=round(news["last_push_at"] - begin, 1),
        last_device_fetched_seconds=round(news["last_fetch_at"] - begin, 1),
        pushes=news["pushes"],
        push_messages=usage.messages["push"],
        deliver_messages=usage.messages["deliver-passbook"],
        cpu_milliseconds_per_device=round(cpu_seconds * 1000 / len(holders), 2),
    )


def _request_update(stack: Embedded, project_id: int) -> int:
    issued = operations.issue_key(project_id=project_id)
    body = {"fields": {name: {"value": value} for name, value in VALUES.items()}}
    answer = httpx.put(
        f"{stack.url}/v1/tag/tag-0/passes",
        json=body,
        auth=(issued.key, issued.secret),
        timeout=60,
        trust_env=False,
        verify=False,
    )
    return int(answer.raise_for_status().json()["ticketId"])


def _await_completed(ticket_id: int) -> float:
    """When the ticket was, in seconds since 1970."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while operations.get_ticket(ticket_id=ticket_id).status != "COMPLETED":
        if time.monotonic() > deadline:
            raise RuntimeError(f"ticket {ticket_id} was not completed in time")
        time.sleep(_POLL_SECONDS)
    return time.time()
