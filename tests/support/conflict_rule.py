"""DynamoDB's own rules of contention, which no local engine has, for the proxy in `aws_proxy`.

- Whoever touches an item that a transaction in flight touches is refused: a transaction is cancelled with a reason for
  each of its items, a single write gets a TransactionConflictException, each statement of a batch an error of its own.
  A read of several items in a transaction is refused beside any write. Other reads are never refused. A transaction
  that is refused has touched its other items all the same, and holds them until its answer, as in two-phase commit.
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
- A partition key of a table or an index takes 1,000 write units a second; a transaction's writes count twice in the
  table. Beyond that, writes are throttled.
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html

Stricter than AWS: no burst capacity beyond a tenth of a second, and no partition is split by its sort key. Known to be
missing: a write's size is taken from its request, so an update or a delete of a large item counts too little; and an
index key that an update leaves as it is counts only if `unnamed` tells it.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.aws_proxy import Answer, Call, Forward, Outcome, answer_json, cancel, refuse
from tests.support.write_requests import Item, Write, WriteReader, read_gets

UNITS_PER_SECOND = 1000.0
CALL_SECONDS = (0.005, 0.010)
_BURST_SECONDS = 0.1

_CONFLICT, _THROTTLED, _NONE = "TransactionConflict", "ThrottlingError", "None"
_MESSAGES = {_CONFLICT: "Transaction is ongoing for the item", _THROTTLED: "Throughput exceeds the current capacity"}
_EXCEPTIONS = {_CONFLICT: "TransactionConflictException", _THROTTLED: "ThrottlingException"}

_SINGLE_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})


@dataclass
class ContentionCounts:
    """What the rule has seen since it was made."""

    calls: Counter[str] = field(default_factory=Counter)
    """by operation"""
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    """calls, or members of a batch, by operation and reason"""
    contended: Counter[Item] = field(default_factory=Counter)
    """refusals by item, for TransactionConflict"""
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    """write units by table or index, and partition key"""

    @property
    def conflicts(self) -> int:
        """Calls, or members of a batch, that were refused because of a transaction in flight."""
        return sum(count for (_, reason), count in self.refusals.items() if reason == _CONFLICT)

    @property
    def throttled(self) -> int:
        """Calls, or members of a batch, beyond what a partition key takes."""
        return sum(count for (_, reason), count in self.refusals.items() if reason == _THROTTLED)


class ContentionRule:
    """A rule of `aws_proxy` that refuses what DynamoDB would. One object for all calls to one engine."""

    def __init__(
        self,
        tables: Sequence[Mapping[str, Any]],
        *,
        seed: int,
        unnamed: Mapping[tuple[str, str], Callable[[Item], str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`tables` are as `infra.definition.read_tables` gives them; for `unnamed` see `WriteReader`."""
        self.counts = ContentionCounts()
        self._reader = WriteReader(tables, unnamed=unnamed or {})
        self._chance = random.Random(seed)
        self._clock = clock
        self._pause = pause
        self._held: Counter[Item] = Counter()
        """by how many transactions in flight"""
        self._written: Counter[Item] = Counter()
        """by how many writes in flight, transactions included"""
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    async def __call__(self, call: Call, forward: Forward) -> Outcome:
        self.counts.calls[call.operation] += 1
        half = self._chance.uniform(*CALL_SECONDS) / 2
        if call.operation == "TransactWriteItems":
            return await self._transact(call, forward, half)
        if call.operation in _SINGLE_WRITES:
            return await self._write(call, forward, half)
        if call.operation == "BatchExecuteStatement":
            return await self._execute(call, forward, half)
        if call.operation == "BatchWriteItem":
            return await self._write_batch(call, forward, half)
        if call.operation == "TransactGetItems":
            return await self._read_together(call, forward, half)
        return await self._take_time(forward, half)

    async def _transact(self, call: Call, forward: Forward, half: float) -> Outcome:
        writes = self._reader.read_transaction(call.body)
        reasons = [self._judge(write) for write in writes]
        touched = [write for write, reason in zip(writes, reasons, strict=True) if reason != _CONFLICT]
        with self._holding(touched):
            if any(reason != _NONE for reason in reasons):
                self._count(call, set(reasons))
                await self._pause(2 * half)
                return cancel(reasons)
            return await self._take_time(forward, half)

    async def _write(self, call: Call, forward: Forward, half: float) -> Outcome:
        write = self._reader.read_write(call.operation, call.body)
        reason = self._judge(write)
        if reason != _NONE:
            self._count(call, [reason])
            await self._pause(2 * half)
            return refuse(call, _EXCEPTIONS[reason], _MESSAGES[reason])
        with self._writing([write]):
            return await self._take_time(forward, half)

    async def _execute(self, call: Call, forward: Forward, half: float) -> Outcome:
        """Each statement stands alone: those that are refused are answered here, the others go on."""
        statements = call.body["Statements"]
        writes = [self._reader.read_statement(statement) for statement in statements]
        reasons = [self._judge(write) for write in writes]
        self._count(call, reasons)
        taken = [position for position, reason in enumerate(reasons) if reason == _NONE]
        answers: list[dict[str, Any]] = [{"Error": _error(reason)} for reason in reasons]
        if not taken:
            await self._pause(2 * half)
            return answer_json({"Responses": answers})
        with self._writing([writes[position] for position in taken]):
            changed = {**call.body, "Statements": [statements[position] for position in taken]}
            outcome = await self._take_time(lambda: forward(None if len(taken) == len(statements) else changed), half)
        if not isinstance(outcome, Answer) or outcome.status != 200 or len(taken) == len(statements):
            return outcome
        for position, response in zip(taken, outcome.body["Responses"], strict=True):
            answers[position] = response
        return answer_json({**outcome.body, "Responses": answers})

    async def _write_batch(self, call: Call, forward: Forward, half: float) -> Outcome:
        """What is refused comes back as unprocessed. AWS does not say so of conflicts; our batches meet none."""
        taken: dict[str, list[Any]] = {}
        refused: dict[str, list[Any]] = {}
        writes = []
        for table, requests in call.body["RequestItems"].items():
            for request in requests:
                write = self._reader.read_batched(table, request)
                reason = self._judge(write)
                self._count(call, [reason])
                is_taken = reason == _NONE
                writes += [write] if is_taken else []
                (taken if is_taken else refused).setdefault(table, []).append(request)
        if not taken:
            await self._pause(2 * half)
            return answer_json({"UnprocessedItems": refused})
        with self._writing(writes):
            outcome = await self._take_time(lambda: forward({**call.body, "RequestItems": taken}), half)
        if not isinstance(outcome, Answer) or outcome.status != 200 or not refused:
            return outcome
        return answer_json({**outcome.body, "UnprocessedItems": {**outcome.body["UnprocessedItems"], **refused}})

    async def _read_together(self, call: Call, forward: Forward, half: float) -> Outcome:
        items = read_gets(self._reader, call.body)
        reasons = [_CONFLICT if self._written[item] else _NONE for item in items]
        if _CONFLICT in reasons:
            self._count(call, [_CONFLICT])
            await self._pause(2 * half)
            return cancel(reasons)
        return await self._take_time(forward, half)

    def _judge(self, write: Write) -> str:
        """The reason to refuse a write, or `None` as DynamoDB spells it; what is taken is paid for."""
        if self._held[write.item]:
            self.counts.contended[write.item] += 1
            return _CONFLICT
        return _NONE if self._pay(write) else _THROTTLED

    def _count(self, call: Call, reasons: Iterable[str]) -> None:
        self.counts.refusals.update((call.operation, reason) for reason in reasons if reason != _NONE)

    def _pay(self, write: Write) -> bool:
        now = self._clock()
        buckets = [(self._bucket(partition, now), units) for partition, units in write.units]
        if not all(bucket.is_open(now) for bucket, _ in buckets):
            return False
        for bucket, units in buckets:
            bucket.take(units)
        for partition, units in write.units:
            self.counts.units[partition] += int(units)
        return True

    def _bucket(self, partition: tuple[str, str], now: float) -> _Bucket:
        if partition not in self._buckets:
            self._buckets[partition] = _Bucket(now)
        return self._buckets[partition]

    async def _take_time(self, forward: Callable[[], Awaitable[Outcome]], half: float) -> Outcome:
        """What is read or written takes effect in the middle of the call."""
        await self._pause(half)
        outcome = await forward()
        await self._pause(half)
        return outcome

    @contextmanager
    def _holding(self, writes: Sequence[Write]) -> Iterator[None]:
        items = [write.item for write in writes]
        self._held.update(items)
        try:
            with self._writing(writes):
                yield
        finally:
            _release(self._held, items)

    @contextmanager
    def _writing(self, writes: Sequence[Write]) -> Iterator[None]:
        items = [write.item for write in writes]
        self._written.update(items)
        try:
            yield
        finally:
            _release(self._written, items)


class _Bucket:
    """Units that one partition key still takes. A write may go into debt, since it may be larger than the bucket."""

    def __init__(self, now: float) -> None:
        self._units = UNITS_PER_SECOND * _BURST_SECONDS
        self._at = now

    def is_open(self, now: float) -> bool:
        full = UNITS_PER_SECOND * _BURST_SECONDS
        self._units = min(full, self._units + (now - self._at) * UNITS_PER_SECOND)
        self._at = now
        return self._units > 0

    def take(self, units: float) -> None:
        self._units -= units


def _release(counter: Counter[Item], items: Sequence[Item]) -> None:
    for item in items:
        counter[item] -= 1
        if not counter[item]:
            del counter[item]


def _error(reason: str) -> dict[str, str]:
    return {"Code": reason, "Message": _MESSAGES.get(reason, "")}


def name_item(item: Item) -> str:
    """An item for tables of figures: its table and its key."""
    return f"{item.table} {json.dumps(dict(item.key))}"
