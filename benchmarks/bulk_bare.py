"""The bare loop: the writes of a bulk update and nothing else, with botocore alone and requests made beforehand.

`python -m benchmarks.bulk_bare` takes jobs. For each it reads the passes and makes the requests, says that it is ready,
waits for a word, and sends them. The writes are those of a bulk update, byte for byte, each conditional on the
revision.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.bulk_processes import answer, requests
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.passes import ContentChange, change_content
from chalicelib.domain.updating import take_ticket
from chalicelib.store.connection import STATEMENTS
from chalicelib.store.models import PassRow, RawItem
from chalicelib.store.pass_rows import as_row
from chalicelib.store.statements import update_content
from chalicelib.wiring import get_database, get_platform

PASSES_PER_READ = 100

Send = Callable[[], object]


@dataclass(frozen=True)
class Way:
    """A way of writing."""

    name: str
    threads: int
    """that send requests side by side"""
    reads: bool = False
    """each hundred passes are read before they are written, as a bulk update must"""
    is_safe: bool = True
    """whether it writes under the condition; a way that does not is no rival"""

    def __str__(self) -> str:
        side_by_side = f", {self.threads} threads" if self.threads > 1 else ""
        return f"{self.name}{side_by_side}{', reading first' if self.reads else ''}"


SINGLE, STATEMENT, PUT = "UpdateItem", "BatchExecuteStatement", "BatchWriteItem"
WAYS = [
    *(Way(SINGLE, threads) for threads in (1, 2, 4, 8)),
    *(Way(STATEMENT, threads) for threads in (1, 2, 3, 4, 8)),
    *(Way(PUT, threads, is_safe=False) for threads in (1, 2)),
]


def _read_changes(pass_ids: Sequence[int]) -> list[ContentChange]:
    """What a new ticket of two fields would write to these passes."""
    platform = get_platform()
    ticket_id, now = take_ticket(platform)
    update = ContentUpdate(fields={name: {"value": f"bare {ticket_id}"} for name in ("field1", "field2")})
    passes = platform.passes.get_passes(pass_ids, consistent=True)
    return [
        change_content(pass_, update, ticket_id=ticket_id, now=now, maximum_bytes=platform.bounds.content_bytes)
        for pass_ in passes.values()
    ]


def _as_single(change: ContentChange) -> dict[str, Any]:
    """The statement of a bulk update as the arguments of UpdateItem."""
    statement = update_content(change)
    names = [part.split('"')[1] for part in statement["Statement"].partition(" SET ")[2].split(" WHERE ")[0].split(",")]
    *values, key, revision = statement["Parameters"]
    return {
        "TableName": PassRow.Meta.table_name,
        "Key": {"pass_id": key},
        "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in names),
        "ConditionExpression": "revision = :before",
        "ExpressionAttributeValues": {
            **{f":{name}": value for name, value in zip(names, values, strict=True)},
            ":before": revision,
        },
    }


def _send_statements(client: Any, statements: Sequence[RawItem]) -> None:
    refused = [each for each in client.batch_execute_statement(Statements=statements)["Responses"] if "Error" in each]
    if refused:
        raise RuntimeError(f"the bare loop met another writer: {refused[0]}")


def _send_puts(client: Any, puts: Sequence[RawItem]) -> None:
    if client.batch_write_item(RequestItems={PassRow.Meta.table_name: puts}).get("UnprocessedItems"):
        raise RuntimeError("the engine did not take every row")


def _prepare(way: str, changes: Sequence[ContentChange]) -> list[Send]:
    """The calls that write these passes."""
    client: Any = get_database().connection.client
    if way == SINGLE:
        return [partial(client.update_item, **_as_single(change)) for change in changes]
    send = _send_statements if way == STATEMENT else _send_puts
    made = [
        update_content(change) if way == STATEMENT else {"PutRequest": {"Item": as_row(change.after).serialize()}}
        for change in changes
    ]
    return [partial(send, client, made[start : start + STATEMENTS]) for start in range(0, len(made), STATEMENTS)]


def _prepare_read(pass_ids: Sequence[int]) -> Send:
    request = {PassRow.Meta.table_name: {"Keys": [{"pass_id": {"N": str(pass_id)}} for pass_id in pass_ids]}}
    client: Any = get_database().connection.client
    return partial(client.batch_get_item, RequestItems=request)


def _send_all(sends: Sequence[Send]) -> None:
    for send in sends:
        send()


def _make_tasks(job: dict[str, Any]) -> list[Send]:
    """What the threads take in turn: single calls, or a hundred passes with their read."""
    pass_ids: list[int] = job["pass_ids"]
    tasks: list[Send] = []
    for start in range(0, len(pass_ids), PASSES_PER_READ):
        some = pass_ids[start : start + PASSES_PER_READ]
        sends = _prepare(job["way"], _read_changes(some))
        tasks += [partial(_send_all, [_prepare_read(some), *sends])] if job["reads"] else sends
    return tasks


def _run(tasks: Sequence[Send], threads: int) -> None:
    if threads == 1:
        _send_all(tasks)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda task: task(), tasks):
            pass


def main() -> None:
    """Take jobs until the input ends."""
    answer("ready")
    jobs = requests()
    for job in jobs:
        tasks = _make_tasks(job)
        gc.freeze()  # a hundred thousand requests are no concern of the loop's
        answer("ready")
        next(jobs)
        begun = time.process_time()
        _run(tasks, job["threads"])
        answer({"cpu_seconds": time.process_time() - begun})
        gc.unfreeze()


if __name__ == "__main__":
    main()
