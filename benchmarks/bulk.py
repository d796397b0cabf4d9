"""The pace of a bulk update: from the first message to COMPLETED, in one process, against bare single writes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from chalicelib import operations
from chalicelib.domain import bulk_updates
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.ports import Platform
from chalicelib.wiring import get_database
from local.embedded import Embedded

UPDATE = ContentUpdate(fields={"field1": {"value": "new value"}, "field2": {"value": "another"}})


@dataclass(frozen=True)
class BulkMeasurement:
    """One bulk update of two fields."""

    passes: int
    tags: int
    passes_per_second: float
    bare_writes_per_second: float
    """one plain conditional UpdateItem after another with the same bytes, on the same engine in the same run"""
    calls_per_pass: float
    units_per_pass: float
    cpu_milliseconds_per_pass: float


def measure_bulk_update(stack: Embedded, platform: Platform, *, project_id: int, tags: int) -> BulkMeasurement:
    """Updates every pass that has `tag-0`.

    Raises:
        RuntimeError: the ticket did not complete with every pass changed.
    """
    ticket = bulk_updates.start_bulk_update(platform, project_id=project_id, segment="tag-0", update=UPDATE)
    start, cpu = time.perf_counter(), time.process_time()
    with stack.count_calls() as calls:
        stack.pump.drain(3600)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    finished = operations.get_ticket(ticket_id=ticket.ticket_id)
    passes = finished.progress.changed
    if finished.status != "COMPLETED" or passes != ticket.progress.total:
        raise RuntimeError(f"the bulk update went wrong: {finished}")
    return BulkMeasurement(
        passes=passes,
        tags=tags,
        passes_per_second=round(passes / seconds),
        bare_writes_per_second=round(_measure_bare_writes(platform, project_id=project_id)),
        calls_per_pass=round(calls.total / passes, 3),
        units_per_pass=round(calls.units / passes, 2),
        cpu_milliseconds_per_pass=round(cpu_seconds * 1000 / passes, 2),
    )


def _measure_bare_writes(platform: Platform, *, project_id: int, count: int = 500) -> float:
    database = get_database()
    pass_ids, _ = platform.sequences.allocate_pass_ids(project_id=project_id, count=1, now=platform.now())
    first = pass_ids[0] - count
    passes = platform.passes.get_passes(range(first, first + count))
    start = time.perf_counter()
    for pass_ in passes.values():
        database.call(
            "UpdateItem",
            TableName=database.settings.table_name("passes"),
            Key={"pass_id": {"N": str(pass_.pass_id)}},
            UpdateExpression="SET content = :content, revision = :after",
            ConditionExpression="revision = :before",
            ExpressionAttributeValues={
                ":content": {"S": pass_.content.encode()},
                ":before": {"N": str(pass_.revision)},
                ":after": {"N": str(pass_.revision + 1)},
            },
        )
    return len(passes) / (time.perf_counter() - start)
