"""What one operation takes of AWS: counted below botocore, while Lambda's functions are called as Lambda calls them."""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from chalice.app import Chalice
from chalice.local import LambdaContext, LambdaEventConverter, RouteMatcher

from benchmarks.push_costs import count_usage
from chalicelib.logs import is_on_lambda
from chalicelib.wiring import get_database
from chalicelib.workers.handlers import HANDLERS
from local.environment import PREFIX

LOG_EVENT_BYTES = 26
"""that CloudWatch adds to each line"""

_STORE_THREADS = "store"
_FUNCTION_SECONDS = 60
_MEMORY_MB = 1024


@dataclass
class Taken:
    """What was taken while a meter ran."""

    calls: int = 0
    """of DynamoDB"""
    reads: float = 0.0
    """read units"""
    writes: float = 0.0
    """write units, those of indexes included"""
    index_writes: float = 0.0
    """those among them that transactions made in indexes"""
    sends: int = 0
    """requests to send messages, as SQS bills them"""
    messages: dict[str, int] = field(default_factory=dict)
    """sent, by queue"""
    cpu_milliseconds: float = 0.0
    """of this process"""
    answer_bytes: int = 0
    """headers and body of the answer to a request"""
    log_bytes: int = 0


@contextmanager
def meter(*, with_process: bool = False) -> Iterator[Taken]:
    """Counts what this process takes while the block runs, whatever thread takes it.

    Of CPU what this thread and those of the store take, since SQS and the vendors are played by other threads of this
    process; or that of the whole process.
    """
    taken, read_clock = Taken(), time.process_time if with_process else read_own_clocks
    events = get_database().connection.client.meta.events

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def note(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name == "TransactWriteItems":
            taken.index_writes += sum(map(_index_units, parsed.get("ConsumedCapacity") or ()))

    events.register("provide-client-params.dynamodb", ask)
    events.register("after-call.dynamodb", note)
    try:
        with count_usage() as usage, _count_log(taken):
            begin = read_clock()
            yield taken
            taken.cpu_milliseconds += (read_clock() - begin) * 1000
    finally:
        events.unregister("provide-client-params.dynamodb", ask)
        events.unregister("after-call.dynamodb", note)
    taken.calls, taken.reads, taken.writes = usage.calls, usage.read_units, usage.write_units
    taken.sends, taken.messages = usage.send_requests, usage.messages


def read_own_clocks() -> float:
    """Seconds of CPU that this thread and those of the store have taken."""
    pool = [each.ident for each in threading.enumerate() if each.name.startswith(_STORE_THREADS)]
    clocks = [time.pthread_getcpuclockid(ident) for ident in pool if ident is not None]
    seconds: float = sum((time.clock_gettime(clock) for clock in clocks), start=time.thread_time())
    return seconds


def _index_units(consumed: dict[str, Any]) -> float:
    return sum(float(each["CapacityUnits"]) for each in consumed.get("GlobalSecondaryIndexes", {}).values())


@contextmanager
def _count_log(taken: Taken) -> Iterator[None]:
    """Counts what is printed and logged, which on Lambda goes to CloudWatch. Elsewhere the log has another form."""
    if not is_on_lambda():
        yield
        return
    with tempfile.TemporaryFile() as file:
        with divert_output(file):
            yield
        file.seek(0)
        lines = [line for line in file.read().splitlines() if line.strip()]
        taken.log_bytes += sum(len(line) + LOG_EVENT_BYTES for line in lines)


@contextmanager
def divert_output(file: IO[bytes]) -> Iterator[None]:
    """Sends what this process prints to a file, whoever prints it."""
    kept = [(stream, os.dup(stream.fileno())) for stream in (sys.__stdout__, sys.__stderr__) if stream is not None]
    for stream, _ in kept:
        stream.flush()
        os.dup2(file.fileno(), stream.fileno())
    try:
        yield
    finally:
        for stream, own in kept:
            stream.flush()
            os.dup2(own, stream.fileno())
            os.close(own)


class Gateway:
    """Calls the app with the events that API Gateway makes of requests."""

    def __init__(self, app: Chalice) -> None:
        self._app = app
        self._converter = LambdaEventConverter(RouteMatcher(list(app.routes)), app.api.binary_types)

    def send(
        self, method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None, status: int = 200
    ) -> dict[str, Any]:
        """The answer of the function.

        Raises:
            RuntimeError: it has another status.
        """
        own = {"content-type": "application/json", "accept": "*/*", "host": "bench.example.com", **(headers or {})}
        raw = None if body is None else json.dumps(body).encode()
        event = self._converter.create_lambda_event(method, path, own, raw)
        answer: dict[str, Any] = self._app(event, _context("api_handler"))
        if answer["statusCode"] != status:
            raise RuntimeError(f"{method} {path}: {answer['statusCode']} {answer['body']!r}")
        return answer

    def measure(self, method: str, path: str, **request: Any) -> Taken:
        """What one request takes."""
        with meter() as taken:
            answer = self.send(method, path, **request)
        taken.answer_bytes = _size(answer)
        return taken


def _context(function: str) -> LambdaContext:
    return LambdaContext(function, _MEMORY_MB, _FUNCTION_SECONDS * 1000)


def _size(answer: dict[str, Any]) -> int:
    """Bytes of an answer; binary bodies travel as base64 to the gateway and as bytes from there on."""
    lines = [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
    lines += [f"{name}: {value}" for name, values in answer.get("multiValueHeaders", {}).items() for value in values]
    body = answer.get("body") or ""
    length = (
        len(body) * 3 // 4 if answer.get("isBase64Encoded") else len(body.encode() if isinstance(body, str) else body)
    )
    return sum(len(line) + 2 for line in lines) + length


def work_off(queues: Any, queue: str) -> tuple[Taken, int]:
    """What the function of a queue takes for the messages that wait there now, and how many they were.

    Receiving and deleting is Lambda's part, and not in it.
    """
    bodies = take_bodies(queues, queue)
    with meter(with_process=queue.startswith("deliver-")) as taken:
        for body in bodies:
            HANDLERS[queue]({"Records": [{"messageId": "1", "receiptHandle": "1", "body": body}]}, _context(queue))
    return taken, len(bodies)


def take_bodies(queues: Any, queue: str) -> list[str]:
    """Takes the messages out of a queue."""
    url = queues.get_queue_url(QueueName=PREFIX + queue)["QueueUrl"]
    bodies: list[str] = []
    while received := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in received]
        for message in received:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def summarise(measured: Sequence[Taken]) -> Taken:
    """The median of each figure: a block of numbers that is leased once in a thousand passes does not count."""
    return Taken(
        calls=round(statistics.median(each.calls for each in measured)),
        reads=statistics.median(each.reads for each in measured),
        writes=statistics.median(each.writes for each in measured),
        index_writes=statistics.median(each.index_writes for each in measured),
        sends=round(statistics.median(each.sends for each in measured)),
        messages=measured[0].messages,
        # others share the machine: the least of several tries is nearest to what it takes alone
        cpu_milliseconds=min(each.cpu_milliseconds for each in measured),
        answer_bytes=round(statistics.median(each.answer_bytes for each in measured)),
        log_bytes=round(statistics.median(each.log_bytes for each in measured)),
    )


def repeat(times: int, act: Callable[[], Taken]) -> Taken:
    """The median of several tries, after one that does not count."""
    act()
    return summarise([act() for _ in range(times)])


def item_bytes(item: dict[str, dict[str, Any]]) -> int:
    """What DynamoDB counts an item as (developer guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content.lstrip("-").replace(".", "").strip("0")) / 2) + 1
        case "SS":
            return sum(len(each.encode()) for each in content)
        case "BOOL" | "NULL":
            return 1
    raise ValueError(f"no attribute of ours is of type {kind}")
