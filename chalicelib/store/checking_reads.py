"""Reading for the consistency check: metered, held to a rate, and patient where storage is busy.

Rows are given as plain mappings. Everything that bypasses the other stores' reading is here, so that the check sees
what is stored and not what the stores make of it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from chalicelib.domain.checking import Place, Row, Subject, Value
from chalicelib.domain.errors import Busy, Conflict
from chalicelib.store.checking_rows import Unreadable, find_fault, key_of, list_projected
from chalicelib.store.connection import BATCH_GET_ITEMS, Database
from chalicelib.store.failures import CANCELLED
from chalicelib.store.models import RawItem

Result = TypeVar("Result")

SNAPSHOT_ROWS = 100
"""DynamoDB's limit for one TransactGetItems"""

_TRIES = 8
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0

Key = Mapping[str, Any]


def plain(item: RawItem) -> dict[str, Any]:
    """An item as DynamoDB sends it, as plain values."""
    return {name: _plain_value(*value.items()) for name, value in item.items()}


def _plain_value(typed: tuple[str, Any]) -> Value:
    kind, value = typed
    if kind == "N":
        return int(value) if value.lstrip("-").isdecimal() else float(value)
    if kind == "SS":
        return frozenset(value)
    plain_value: Value = value
    return plain_value


def typed(value: Value) -> dict[str, Any]:
    """A plain value as DynamoDB takes it."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        return {"N": str(value)}
    if isinstance(value, frozenset):
        return {"SS": sorted(value)}
    return {"S": value}


def typed_row(row: Key) -> RawItem:
    """Plain values as DynamoDB takes them."""
    return {name: typed(value) for name, value in row.items()}


class Meter:
    """Adds up consumed read units, and makes whoever reads wait so that they stay below a rate per second."""

    def __init__(
        self,
        *,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paid_until = clock()
        self.units = 0.0

    def spend(self, units: float) -> None:
        """Counts consumed units and waits until they are paid for; at most a second of rest is saved up."""
        with self._lock:
            self.units += units
            self._paid_until = max(self._paid_until, self._clock() - 1.0) + units / self._rate
            wait_seconds = self._paid_until - self._clock()
        if wait_seconds > 0:
            self._sleep(wait_seconds)


class Reader:
    """The reads of the check, on one database.

    A row that makes no sense is left out and kept in mind. A `strict` reader raises Unreadable: to it such a row is not
    one that is missing, from which much would follow.
    """

    def __init__(self, database: Database, meter: Meter, *, strict: bool = False) -> None:
        self._database = database
        self._meter = meter
        self._strict = strict
        self._odd: list[Subject] = []

    def as_strict(self) -> Reader:
        """The same for looks, on which mends are built."""
        return Reader(self._database, self._meter, strict=True)

    def take_odd(self) -> list[Subject]:
        """The rows that were left out since this was asked before."""
        odd, self._odd = self._odd, []
        return odd

    def _sift(
        self, table: str, items: Sequence[RawItem], attributes: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """The rows that make sense."""
        rows = []
        for row in map(plain, items):
            fault = find_fault(table, row, attributes)
            if fault is None:
                rows.append(row)
            elif self._strict:
                raise Unreadable(table, row, fault)
            else:
                self._odd.append(odd_row(table, row))
        return rows

    def table_name(self, bare_name: str) -> str:
        """A table's name in this deployment."""
        return self._database.settings.table_name(bare_name)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One call, tried again while storage is busy.

        Raises:
            Busy: it stayed so for about half a minute.
        """
        answer = _try_patiently(partial(self._call, operation, arguments))
        self._meter.spend(_consumed(answer))
        return answer

    def _call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._database.call(operation, **arguments)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == CANCELLED:
                raise Conflict("a transaction was in the way") from error
            raise

    def run_parallel(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Results in the order of the tasks, which run side by side."""
        return self._database.run_parallel(tasks)

    def query(self, table: str, condition: Mapping[str, Any], **more: Any) -> Iterator[dict[str, Any]]:
        """Rows whose key attributes have the given values; a pair of values is a range, both ends included."""
        names = {f"#k{position}": name for position, name in enumerate(condition)}
        terms, values = [], {}
        for (short, _), value in zip(names.items(), condition.values(), strict=True):
            terms.append(f"{short} = :{short[1:]}")
            values[f":{short[1:]}"] = typed(value)
        low, high = more.pop("between", (None, None))
        if low is not None:
            names["#range"] = more.pop("range_key")
            terms.append("#range BETWEEN :low AND :high")
            values |= {":low": typed(low), ":high": typed(high)}
        arguments = {
            "TableName": self.table_name(table),
            "KeyConditionExpression": " AND ".join(terms),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            **more,
        }
        index = more.get("IndexName")
        return self._pages(table, arguments, None if index is None else list_projected(table, index))

    def _pages(
        self, table: str, arguments: dict[str, Any], attributes: Sequence[str] | None
    ) -> Iterator[dict[str, Any]]:
        while True:
            answer = self.call("Query", **arguments)
            yield from self._sift(table, answer["Items"], attributes)
            if not answer.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan_page(self, table: str, after: RawItem | None, **more: Any) -> tuple[list[dict[str, Any]], RawItem | None]:
        """Up to 1 MB of a table, and the key after which to go on."""
        arguments: dict[str, Any] = {"TableName": self.table_name(table), **more}
        if after:
            arguments["ExclusiveStartKey"] = after
        answer = self.call("Scan", **arguments)
        return self._sift(table, answer["Items"]), answer.get("LastEvaluatedKey") or None

    def filter(self, table: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All rows of a short table that have the given values."""
        found, after, is_over = [], None, False
        while not is_over:
            rows, after = self.scan_page(table, after, ConsistentRead=True)
            found += [row for row in rows if all(row.get(name) == value for name, value in values.items())]
            is_over = after is None
        return found

    def batch_get(
        self, table: str, keys: Sequence[Key], *, attributes: Sequence[str] = (), consistent: bool = False
    ) -> list[dict[str, Any]]:
        """Rows of one table, each once, in no order; calls of 100 keys run side by side."""
        distinct = list({tuple(key.items()): key for key in keys}.values())
        chunks = [distinct[start : start + BATCH_GET_ITEMS] for start in range(0, len(distinct), BATCH_GET_ITEMS)]
        tasks = [partial(self._get_chunk, table, chunk, attributes, consistent) for chunk in chunks]
        return [row for rows in self.run_parallel(tasks) for row in rows]

    def _get_chunk(
        self, table: str, keys: Sequence[Key], attributes: Sequence[str], consistent: bool
    ) -> list[dict[str, Any]]:
        name = self.table_name(table)
        request: dict[str, Any] = {"Keys": [typed_row(key) for key in keys], "ConsistentRead": consistent}
        if attributes:
            attributes = tuple(dict.fromkeys((*attributes, *keys[0])))  # the key tells which row makes no sense
            request["ProjectionExpression"] = ",".join(f"#{position}" for position in range(len(attributes)))
            request["ExpressionAttributeNames"] = {f"#{position}": each for position, each in enumerate(attributes)}
        rows: list[dict[str, Any]] = []
        while request["Keys"]:
            answer = self.call("BatchGetItem", RequestItems={name: request})
            rows += self._sift(table, answer["Responses"].get(name, []), attributes or None)
            request["Keys"] = answer.get("UnprocessedKeys", {}).get(name, {}).get("Keys", [])
            if request["Keys"]:
                time.sleep(random.uniform(0, _FIRST_PAUSE_SECONDS))
        return rows

    def get(self, place: Place) -> dict[str, Any] | None:
        """One row, read consistently."""
        answer = self.call(
            "GetItem", TableName=self.table_name(place.table), Key=typed_row(dict(place.key)), ConsistentRead=True
        )
        return next(iter(self._sift(place.table, [answer["Item"]])), None) if "Item" in answer else None

    def snapshot(self, places: Sequence[Place]) -> dict[Place, dict[str, Any] | None]:
        """Up to 100 rows as they were at one moment, so that no transaction is seen half."""
        distinct = list(dict.fromkeys(places))
        gets = [
            {"Get": {"TableName": self.table_name(place.table), "Key": typed_row(dict(place.key))}}
            for place in distinct
        ]
        answer = self.call("TransactGetItems", TransactItems=gets)
        return {
            place: next(iter(self._sift(place.table, [found["Item"]])), None) if found.get("Item") else None
            for place, found in zip(distinct, answer["Responses"], strict=True)
        }

    def count(self, table: str, condition: Mapping[str, Any]) -> int:
        """How many rows have the given key, without reading more of them than it must."""
        arguments: dict[str, Any] = {
            "TableName": self.table_name(table),
            "KeyConditionExpression": " AND ".join(f"{name} = :{name}" for name in condition),
            "ExpressionAttributeValues": {f":{name}": typed(value) for name, value in condition.items()},
            "Select": "COUNT",
        }
        total = 0
        while True:
            answer = self.call("Query", **arguments)
            total += int(answer["Count"])
            if not answer.get("LastEvaluatedKey"):
                return total
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def count_rows(self, table: str) -> int:
        """About how many rows a table has: AWS counts them every six hours or so."""
        answer = self._database.call("DescribeTable", TableName=self.table_name(table))
        return int(answer["Table"].get("ItemCount") or 0)


def odd_row(table: str, row: Row) -> Subject:
    """A row that makes no sense, as something to look at."""
    return Subject("row", (table, *(value for _, value in key_of(table, row))))


def _try_patiently(act: Callable[[], Result]) -> Result:
    """Gives way to live traffic: pauses double, with full jitter."""
    pause_seconds = _FIRST_PAUSE_SECONDS
    for _ in range(_TRIES):
        try:
            return act()
        except (Busy, Conflict):
            time.sleep(random.uniform(0, pause_seconds))
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
    try:
        return act()
    except Conflict as conflict:
        raise Busy("storage is busy") from conflict


def _consumed(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity") or []
    entries = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(entry["CapacityUnits"] for entry in entries))
