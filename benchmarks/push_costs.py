"""What an update and its pushes take of DynamoDB and SQS, counted below botocore, step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from benchmarks.bulk import UPDATE
from chalicelib import operations
from chalicelib.domain import bulk_updates
from chalicelib.domain.ports import Platform
from chalicelib.wiring import get_database
from chalicelib.workers.handlers import HANDLERS
from local.embedded import Embedded
from local.environment import PREFIX
from local.pump import pump_once

STEPS = {
    "bulk update": ("plan", "segment"),
    "finding the devices": ("push",),
    "pushing to them": ("deliver-passbook",),
}
"""queues whose messages make up a step; each sends those of the next"""

_READS = {"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"}
_BILLED_BYTES = 64 * 1024
"""SQS bills each 64 KB of a call as a request"""


@dataclass
class Usage:
    """What was used while a meter ran."""

    calls: int = 0
    """of DynamoDB"""
    read_units: float = 0.0
    write_units: float = 0.0
    messages: dict[str, int] = field(default_factory=dict)
    """sent, by queue"""
    send_requests: int = 0
    """as SQS bills sending; receiving and deleting come to about two more for each message"""


@dataclass(frozen=True)
class PushCost:
    """One step for that many devices, each of which holds one of as many passes."""

    step: str
    devices: int
    dynamodb_calls: int
    read_units: float
    write_units: float
    sqs_messages: int
    """sent by the step"""
    sqs_send_requests: int
    handler_seconds: float
    """in one thread"""


@contextmanager
def count_usage() -> Iterator[Usage]:
    """Counts the calls of this process, whatever thread makes them."""
    database, usage, lock = get_database(), Usage(), Lock()
    tables, queues = database.connection.client.meta.events, database.sqs.meta.events

    def after_call(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units = sum(entry["CapacityUnits"] for entry in (consumed if isinstance(consumed, list) else [consumed]))
        with lock:
            usage.calls += 1
            if model.name in _READS:
                usage.read_units += units
            else:
                usage.write_units += units

    def before_send(params: dict[str, Any], **_: Any) -> None:
        queue = params["QueueUrl"].rpartition(PREFIX)[2]
        size_bytes = sum(len(entry["MessageBody"].encode()) for entry in params["Entries"])
        with lock:
            usage.messages[queue] = usage.messages.get(queue, 0) + len(params["Entries"])
            usage.send_requests += -(-size_bytes // _BILLED_BYTES)

    tables.register("after-call.dynamodb", after_call)
    queues.register("before-parameter-build.sqs.SendMessageBatch", before_send)
    try:
        yield usage
    finally:
        tables.unregister("after-call.dynamodb", after_call)
        queues.unregister("before-parameter-build.sqs.SendMessageBatch", before_send)


def measure_costs(stack: Embedded, platform: Platform, *, project_id: int, devices: int) -> list[PushCost]:
    """Updates every pass that has `tag-0`, and pushes; each of the passes is on one device. Nobody polls the queues.

    Raises:
        RuntimeError: the ticket did not complete with every pass changed.
    """
    costs: list[PushCost] = []
    for step, queues in STEPS.items():
        start = time.perf_counter()
        with count_usage() as usage:
            if not costs:
                ticket = bulk_updates.start_bulk_update(platform, project_id=project_id, segment="tag-0", update=UPDATE)
            for queue in queues:
                pump_once(stack.queues, PREFIX, HANDLERS, queue)
        costs.append(
            PushCost(
                step=step,
                devices=devices,
                dynamodb_calls=usage.calls,
                read_units=usage.read_units,
                write_units=usage.write_units,
                sqs_messages=sum(usage.messages.values()),
                sqs_send_requests=usage.send_requests,
                handler_seconds=round(time.perf_counter() - start, 2),
            )
        )
    finished = operations.get_ticket(ticket_id=ticket.ticket_id)
    if finished.status != "COMPLETED" or finished.progress.changed != devices:
        raise RuntimeError(f"the bulk update went wrong: {finished}")
    return costs
