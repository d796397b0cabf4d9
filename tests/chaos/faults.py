"""What storage and queues do wrong, drawn by chance: rules for the proxies that stand before them.

Most of the time a call in a hundred or so fails. Now and then a storm lasts for a moment, in which most calls do: so
that botocore's own tries are used up, and our code has to say that it failed, or does not know.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from tests.support.aws_proxy import Answer, Call, Dropped, Forward, Outcome, answer_json, cancel, refuse

FOREVER_SECONDS = 60.0
"""longer than any client waits for an answer"""


UNSEEN_CHANCE = 0.08
"""of a call to fail in a way that was not there yet: even a short run sees all kinds"""

OWED_CALLS = 5
"""after so many calls of an operation, one fails for sure in a way that only this operation can, until each of them
was there: chance alone would leave some out where an operation is rare"""


class Fault(StrEnum):
    """What may go wrong with one call, a message or a process."""

    EXCEEDED = "throughput exceeded"
    THROTTLED = "throttled"
    UNPROCESSED_KEYS = "unprocessed keys"
    UNPROCESSED_ITEMS = "unprocessed items"
    STATEMENTS_THROTTLED = "some statements throttled"
    STATEMENTS_IN_CONFLICT = "some statements in conflict"
    CONFLICT = "transaction conflict"
    TRANSACTION_THROTTLED = "transaction throttled"
    WRITE_CONFLICT = "conflict of a single write"
    ERROR_BEFORE = "server error before the effect"
    ERROR_AFTER = "server error after the effect"
    LOST_BEFORE = "connection closed before the effect"
    LOST_AFTER = "connection closed after the effect"
    TIMEOUT_BEFORE = "timeout before the effect"
    TIMEOUT_AFTER = "timeout after the effect"
    LATE = "effect after the timeout"
    SLOW = "slow"

    SEND_REFUSED = "send refused"
    SEND_LOST = "sent, and told otherwise"
    SEND_PARTLY = "part of a batch not sent"
    SEND_TWICE = "sent twice"
    SEND_DELAYED = "sent late and out of order"
    DELETE_LOST = "not deleted, and told otherwise"
    RECEIVE_LOST = "received by nobody"

    KILL_API = "API process killed"
    KILL_WORKER = "worker process killed"


_ANY: Mapping[Fault, float] = {
    Fault.EXCEEDED: 2,
    Fault.THROTTLED: 2,
    Fault.ERROR_BEFORE: 1,
    Fault.LOST_BEFORE: 1,
    Fault.TIMEOUT_BEFORE: 0.25,
    Fault.SLOW: 2,
}
_WRITE: Mapping[Fault, float] = {
    **_ANY,
    Fault.ERROR_AFTER: 2,
    Fault.LOST_AFTER: 2,
    Fault.TIMEOUT_AFTER: 0.4,
    Fault.LATE: 0.4,
}
_TRANSACTION = {**_WRITE, Fault.CONFLICT: 4, Fault.TRANSACTION_THROTTLED: 1}
_SEND = {
    Fault.SEND_REFUSED: 1.0,
    Fault.SEND_LOST: 1.0,
    Fault.SEND_PARTLY: 2.0,
    Fault.SEND_TWICE: 2.0,
    Fault.SEND_DELAYED: 2.0,
}

TABLE_FAULTS: Mapping[str, Mapping[Fault, float]] = {
    "GetItem": _ANY,
    "Query": _ANY,
    "Scan": _ANY,
    "BatchGetItem": {**_ANY, Fault.UNPROCESSED_KEYS: 6},
    "BatchWriteItem": {**_WRITE, Fault.UNPROCESSED_ITEMS: 6},
    "TransactGetItems": {**_ANY, Fault.CONFLICT: 2},
    "UpdateItem": {**_WRITE, Fault.WRITE_CONFLICT: 4},
    "PutItem": {**_WRITE, Fault.WRITE_CONFLICT: 4},
    "DeleteItem": {**_WRITE, Fault.WRITE_CONFLICT: 4},
    "BatchExecuteStatement": {**_WRITE, Fault.STATEMENTS_THROTTLED: 8, Fault.STATEMENTS_IN_CONFLICT: 8},
    "TransactWriteItems": _TRANSACTION,
}
"""operation to how likely each fault is among those that it may meet"""

QUEUE_FAULTS: Mapping[str, Mapping[Fault, float]] = {
    "SendMessageBatch": _SEND,
    "DeleteMessage": {Fault.DELETE_LOST: 1.0},
    "ReceiveMessage": {Fault.RECEIVE_LOST: 1.0},
}


@dataclass(frozen=True, slots=True)
class Weather:
    """How often calls fail, and how long."""

    chance: float
    """of one call to fail"""
    storm_chance: float
    """of one call to begin a storm"""
    storm_seconds: tuple[float, float]
    chance_in_storm: float
    read_timeout_seconds: float
    """of the code under test"""


class Rule:
    """A proxy's rule that draws faults, until it is told to stop."""

    def __init__(self, faults: Mapping[str, Mapping[Fault, float]], *, weather: Weather, random: Random) -> None:
        self.is_on = False
        self.counts: Counter[Fault] = Counter()
        self.under_way = 0
        self._faults = faults
        self._weather = weather
        self._random = random
        self._storm_ends = 0.0
        self._committed: set[str] = set()
        self._calls: Counter[str] = Counter()
        self._own = _find_own(faults)

    async def __call__(self, call: Call, forward: Forward) -> Outcome:
        """The rule."""
        self.under_way += 1
        try:
            fault = self._draw(call) if self.is_on else None
            if fault is None:
                return await forward()
            self.counts[fault] += 1
            return await self._play(fault, call, forward)
        finally:
            self.under_way -= 1

    def _draw(self, call: Call) -> Fault | None:
        faults = self._faults.get(call.operation)
        if faults is None:
            return None
        if not _can_be_split(call):
            faults = {fault: weight for fault, weight in faults.items() if fault is not Fault.UNPROCESSED_ITEMS}
        owed = self._draw_owed(call.operation, faults)
        if owed is not None:
            return owed
        unseen = [fault for fault in faults if not self.counts[fault]]
        if unseen and self._random.random() < UNSEEN_CHANCE:
            return self._random.choice(unseen)
        weather, now = self._weather, time.monotonic()
        if self._random.random() < weather.storm_chance:
            self._storm_ends = now + self._random.uniform(*weather.storm_seconds)
        chance = weather.chance_in_storm if now < self._storm_ends else weather.chance
        if self._random.random() >= chance:
            return None
        return self._random.choices(list(faults), list(faults.values()))[0]

    def _draw_owed(self, operation: str, faults: Mapping[Fault, float]) -> Fault | None:
        self._calls[operation] += 1
        owed = [fault for fault in self._own[operation] if fault in faults and not self.counts[fault]]
        if not owed or self._calls[operation] < OWED_CALLS:
            return None
        self._calls[operation] = 0
        return self._random.choice(owed)

    async def _play(self, fault: Fault, call: Call, forward: Forward) -> Outcome:
        if fault in _REFUSALS:
            code, status = _REFUSALS[fault]
            return refuse(call, code, status=status)
        if fault in (Fault.CONFLICT, Fault.TRANSACTION_THROTTLED):
            if call.body.get("ClientRequestToken") in self._committed:
                return await forward()  # DynamoDB knows the repeat of what it has done, and cancels it no more
            return self._cancel(call, "TransactionConflict" if fault is Fault.CONFLICT else "ThrottlingError")
        if fault in _IN_PARTS:
            return await self._play_in_parts(fault, call, forward)
        if fault is Fault.SEND_TWICE:
            await forward()
            return await forward()
        if fault is Fault.RECEIVE_LOST:
            answer = await forward()
            is_loss = isinstance(answer, Answer) and answer.status == 200 and answer.body.get("Messages")
            self.counts[fault] -= not is_loss
            return Dropped() if is_loss else answer
        return await self._play_time(fault, call, forward)

    async def _play_time(self, fault: Fault, call: Call, forward: Forward) -> Outcome:
        timeout = self._weather.read_timeout_seconds
        if fault is Fault.SLOW:
            await asyncio.sleep(self._random.uniform(0.01, 0.2))
            return await forward()
        if fault is Fault.LOST_BEFORE:
            return Dropped()
        if fault is Fault.TIMEOUT_BEFORE:
            return Dropped(silent_seconds=FOREVER_SECONDS)
        if fault is Fault.LATE:
            await asyncio.sleep(timeout * self._random.uniform(1.1, 2))
        self._note_committed(call, await forward())
        if fault in (Fault.ERROR_AFTER, Fault.SEND_LOST) and self._random.random() < 0.5:
            return refuse(call, "InternalServerError", status=500)
        return Dropped(silent_seconds=FOREVER_SECONDS if fault is Fault.TIMEOUT_AFTER else 0.0)

    def _note_committed(self, call: Call, outcome: Outcome) -> None:
        """Keeps the token of a transaction that took effect though nobody hears of it."""
        if call.operation == "TransactWriteItems" and isinstance(outcome, Answer) and outcome.status == 200:
            self._committed.add(call.body.get("ClientRequestToken", ""))

    def _cancel(self, call: Call, reason: str) -> Answer:
        items = len(call.body["TransactItems"])
        met = self._random.randrange(items)
        return cancel([reason if position == met else "None" for position in range(items)])

    async def _play_in_parts(self, fault: Fault, call: Call, forward: Forward) -> Outcome:
        if fault is Fault.UNPROCESSED_KEYS:
            answer = await forward()
            return self._leave_keys(call, answer) if isinstance(answer, Answer) and answer.status == 200 else answer
        if fault is Fault.UNPROCESSED_ITEMS:
            return await self._leave_items(call, forward)
        if fault in (Fault.STATEMENTS_THROTTLED, Fault.STATEMENTS_IN_CONFLICT):
            code = "ThrottlingError" if fault is Fault.STATEMENTS_THROTTLED else "TransactionConflict"
            return await self._leave_statements(call, forward, code)
        if fault is Fault.SEND_DELAYED:
            return await forward(_delay(call.body, self._random))
        if fault is Fault.DELETE_LOST:
            return answer_json({})
        return await self._leave_messages(call, forward)

    def _leave_keys(self, call: Call, answer: Answer) -> Answer:
        """An answer for some of the keys."""
        document = answer.body
        left: dict[str, Any] = {}
        for table, request in call.body["RequestItems"].items():
            keys = [key for key in request["Keys"] if self._random.random() < 0.5]
            if keys:
                left[table] = {**request, "Keys": keys}
                items = document["Responses"].get(table, [])
                if any(name not in item for item in items for name in keys[0]):
                    return answer  # nobody could tell which of them to leave out
                document["Responses"][table] = [item for item in items if not _is_among(item, keys)]
        return answer_json({**document, "UnprocessedKeys": left})

    async def _leave_items(self, call: Call, forward: Forward) -> Outcome:
        """Some of the writes; DynamoDB does at least one, or says that it is throttled."""
        done, left = {}, {}
        for table, requests in call.body["RequestItems"].items():
            cut = self._random.randrange(1, max(2, len(requests)))
            done[table], left[table] = requests[:cut], requests[cut:]
        answer = await forward({**call.body, "RequestItems": done})
        if not isinstance(answer, Answer) or answer.status != 200:
            return answer
        return answer_json({**answer.body, "UnprocessedItems": {table: own for table, own in left.items() if own}})

    async def _leave_statements(self, call: Call, forward: Forward, code: str) -> Outcome:
        """Some of the statements, and an error for each of the others."""
        statements = call.body["Statements"]
        done = [position for position in range(len(statements)) if self._random.random() < 0.5]
        error = {"Error": {"Code": code, "Message": f"{code} by chance"}}
        if not done:
            return answer_json({"Responses": [error] * len(statements)})
        some = {**call.body, "Statements": [statements[position] for position in done]}
        answer = await forward(some)
        if not isinstance(answer, Answer) or answer.status != 200:
            return answer
        own = dict(zip(done, answer.body["Responses"], strict=True))
        return answer_json({"Responses": [own.get(position, error) for position in range(len(statements))]})

    async def _leave_messages(self, call: Call, forward: Forward) -> Outcome:
        """Some messages of a batch, and a failure for each of the others."""
        entries = call.body["Entries"]
        done = [entry for entry in entries if self._random.random() < 0.5]
        failed = [
            {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in entries if entry not in done
        ]
        if not done:
            return answer_json({"Successful": [], "Failed": failed})
        answer = await forward({**call.body, "Entries": done})
        if not isinstance(answer, Answer) or answer.status != 200:
            return answer
        return answer_json({**answer.body, "Failed": failed})


_REFUSALS: Mapping[Fault, tuple[str, int]] = {
    Fault.EXCEEDED: ("ProvisionedThroughputExceededException", 400),
    Fault.THROTTLED: ("ThrottlingException", 400),
    Fault.WRITE_CONFLICT: ("TransactionConflictException", 400),
    Fault.ERROR_BEFORE: ("InternalServerError", 500),
    Fault.SEND_REFUSED: ("ServiceUnavailable", 503),
}

_IN_PARTS = frozenset(
    {
        Fault.UNPROCESSED_KEYS,
        Fault.UNPROCESSED_ITEMS,
        Fault.STATEMENTS_THROTTLED,
        Fault.STATEMENTS_IN_CONFLICT,
        Fault.SEND_DELAYED,
        Fault.SEND_PARTLY,
        Fault.DELETE_LOST,
    }
)


def _find_own(faults: Mapping[str, Mapping[Fault, float]]) -> Mapping[str, Sequence[Fault]]:
    """Operation to the faults that no other operation meets."""
    times = Counter(fault for own in faults.values() for fault in own)
    return {operation: [fault for fault in own if times[fault] == 1] for operation, own in faults.items()}


def _can_be_split(call: Call) -> bool:
    """Whether some of its writes can be left: at least one is done."""
    return call.operation != "BatchWriteItem" or any(len(each) > 1 for each in call.body["RequestItems"].values())


def _is_among(item: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> bool:
    return any(all(item.get(name) == value for name, value in key.items()) for key in keys)


def _delay(body: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """The same messages, to be delivered some seconds late and in another order."""
    entries = [
        {**entry, "DelaySeconds": entry.get("DelaySeconds", 0) + random.randint(1, 3)} for entry in body["Entries"]
    ]
    random.shuffle(entries)
    return {**body, "Entries": entries}
