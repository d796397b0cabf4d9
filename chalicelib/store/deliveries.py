"""Deliveries in DynamoDB: who was told of which ticket, and which services are left alone."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.domain.deliveries import Claims, Pause
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.store.connection import Database
from chalicelib.store.delivery_models import DeliveryRow
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.models import RawItem

ITEMS_PER_WRITE = 25
"""DynamoDB's limit for one BatchWriteItem"""

_MEMORY = timedelta(days=3)
"""longer than a push is tried"""

_TAKEN, _DONE, _GONE, _PAUSED = "taken", "done", "gone", "paused"
_PAUSE = "pause#"


class DynamoDeliveryStore:
    """Implements `DeliveryStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, names: Sequence[str], *, asked_at: datetime, now: datetime, seconds: float) -> Claims:
        """See `DeliveryStore`. A call for each 25, and one for each 100 that were taken before."""
        until = as_milliseconds(now) + round(seconds * 1000)
        asked_at = from_milliseconds(as_milliseconds(asked_at))
        taken = self._database.execute_statements([_insert(name, until, now) for name in names])
        mine = {name for name, is_mine in zip(names, taken, strict=True) if is_mine}
        others = [name for name in names if name not in mine]
        found = {item["key"]["S"]: item for item in self._read(others)}
        free = [name for name in others if _is_free(found.get(name), asked_at=asked_at, now=now)]
        won = self._database.run_parallel([partial(self._take, name, found.get(name), until, now) for name in free])
        mine |= {name for name, is_mine in zip(free, won, strict=True) if is_mine}
        states = {name: item["state"]["S"] for name, item in found.items() if name not in mine}
        return Claims(
            mine=mine,
            done={name for name, state in states.items() if state == _DONE and _until(found[name]) >= asked_at},
            gone={name: _until(found[name]) for name, state in states.items() if state == _GONE},
            # also what another took from under our eyes, be it for what was asked for later
            busy={name for name in others if name not in mine and _is_open(found.get(name), asked_at)},
        )

    def _read(self, names: Sequence[str]) -> list[RawItem]:
        return self._database.batch_get(DeliveryRow, [{"key": {"S": name}} for name in names], consistent=True)

    def _take(self, name: str, item: RawItem | None, until: int, now: datetime) -> bool:
        condition = DeliveryRow.key.does_not_exist()
        if item is not None:
            condition = (DeliveryRow.state == item["state"]["S"]) & (DeliveryRow.until == int(item["until"]["N"]))
        row = DeliveryRow(key=name, state=_TAKEN, until=until, expires_at=_expiry(now))
        try:
            with translated():
                row.save(condition)
        except ConditionFailed:
            return False
        return True

    def finish(self, names: Sequence[str], *, pushed_at: datetime) -> None:
        """See `DeliveryStore`. A call for each 25."""
        self._write([_put(name, _DONE, pushed_at, until=as_milliseconds(pushed_at)) for name in names])

    def note_gone(self, since: Mapping[str, datetime], *, now: datetime) -> None:
        """See `DeliveryStore`."""
        self._write([_put(name, _GONE, now, until=as_milliseconds(moment)) for name, moment in since.items()])

    def release(self, names: Sequence[str]) -> None:
        """See `DeliveryStore`."""
        self._write([{"DeleteRequest": {"Key": {"key": {"S": name}}}} for name in names])

    def _write(self, requests: Sequence[dict[str, Any]]) -> None:
        chunks = [requests[start : start + ITEMS_PER_WRITE] for start in range(0, len(requests), ITEMS_PER_WRITE)]
        self._database.run_parallel([partial(self._write_chunk, chunk) for chunk in chunks])

    def _write_chunk(self, requests: Sequence[dict[str, Any]]) -> None:
        table = DeliveryRow.Meta.table_name
        left, pause_seconds = list(requests), 0.02
        while left:
            answer = self._database.call("BatchWriteItem", RequestItems={table: left})
            left = answer.get("UnprocessedItems", {}).get(table, [])
            if left:
                time.sleep(random.uniform(0, pause_seconds))
                pause_seconds = min(pause_seconds * 2, 0.5)

    def get_pause(self, service: str, *, now: datetime) -> Pause | None:
        """See `DeliveryStore`."""
        key = {"key": {"S": _PAUSE + service}}
        item = self._database.call("GetItem", TableName=DeliveryRow.Meta.table_name, Key=key).get("Item")
        return None if item is None or _until(item) <= now else _as_pause(item)

    def pause(self, pause: Pause) -> None:
        """See `DeliveryStore`."""
        until = as_milliseconds(pause.until)
        row = DeliveryRow(
            key=_PAUSE + pause.service,
            state=_PAUSED,
            until=until,
            reason=pause.reason,
            failures=pause.failures or None,
            expires_at=_expiry(pause.until),
        )
        try:
            with translated():
                row.save(DeliveryRow.key.does_not_exist() | (DeliveryRow.until < until))
        except ConditionFailed:
            return

    def list_pauses(self, *, now: datetime) -> list[Pause]:
        """See `DeliveryStore`."""
        pages = DeliveryRow.scan(DeliveryRow.key.startswith(_PAUSE) & (DeliveryRow.until > as_milliseconds(now)))
        with translated():
            rows = sorted(pages, key=lambda row: str(row.key))
        return [
            Pause(
                service=row.key.removeprefix(_PAUSE),
                until=from_milliseconds(int(row.until or 0)),
                reason=row.reason or "",
            )
            for row in rows
        ]

    def end_pause(self, service: str) -> bool:
        """See `DeliveryStore`."""
        try:
            with translated():
                DeliveryRow(key=_PAUSE + service).delete(DeliveryRow.key.exists())
        except ConditionFailed:
            return False
        return True


def _is_free(item: RawItem | None, *, asked_at: datetime, now: datetime) -> bool:
    if item is None:
        return True
    state, until = item["state"]["S"], _until(item)
    return (state == _TAKEN and until <= now) or (state == _DONE and until < asked_at)


def _is_open(item: RawItem | None, asked_at: datetime) -> bool:
    """Whether what is stored leaves something to do."""
    return item is None or item["state"]["S"] == _TAKEN or (item["state"]["S"] == _DONE and _until(item) < asked_at)


def _until(item: RawItem) -> datetime:
    return from_milliseconds(int(item["until"]["N"]))


def _expiry(now: datetime) -> int:
    return int((now + _MEMORY).timestamp())


def _insert(name: str, until: int, now: datetime) -> dict[str, Any]:
    return {
        "Statement": f'INSERT INTO "{DeliveryRow.Meta.table_name}" '
        "VALUE {'key': ?, 'state': ?, 'until': ?, 'expires_at': ?}",
        "Parameters": [{"S": name}, {"S": _TAKEN}, {"N": str(until)}, {"N": str(_expiry(now))}],
    }


def _put(name: str, state: str, now: datetime, *, until: int) -> dict[str, Any]:
    item = {
        "key": {"S": name},
        "state": {"S": state},
        "until": {"N": str(until)},
        "expires_at": {"N": str(_expiry(now))},
    }
    return {"PutRequest": {"Item": item}}


def _as_pause(item: RawItem) -> Pause:
    return Pause(
        service=item["key"]["S"].removeprefix(_PAUSE),
        until=_until(item),
        reason=item.get("reason", {}).get("S", ""),
        failures=int(item.get("failures", {}).get("N", 0)),
    )
