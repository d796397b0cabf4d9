"""Receivers in DynamoDB, and this process's memory of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

import cachetools
from pynamodb.expressions.condition import Condition

from chalicelib.domain.errors import Conflict
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.receivers import AirshipReceiver, PassworksReceiver, Receiver
from chalicelib.store.connection import Database
from chalicelib.store.delivery_models import ReceiverRow
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.models import RawItem

_PROJECTS_REMEMBERED = 10_000


class DynamoReceiverStore:
    """Implements `ReceiverStore`. That a project has no receiver is remembered as well."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: cachetools.TTLCache[int, Receiver | None] = cachetools.TTLCache(
            _PROJECTS_REMEMBERED, database.settings.credential_cache_seconds
        )
        self._lock = Lock()

    def unknown_keys(self, project_id: int) -> dict[str, list[RawItem]]:
        """By table, what a batch-get has to bring along for `find_receiver` to answer from memory."""
        with self._lock:
            is_known = project_id in self._known
        return {} if is_known else {ReceiverRow.Meta.table_name: [_key(project_id)]}

    def note_answer(self, project_id: int, answer: Mapping[str, Sequence[RawItem]]) -> None:
        """Remembers what such a batch-get has brought, be it that there is no receiver."""
        items = answer.get(ReceiverRow.Meta.table_name)
        if items is not None:
            self._remember(project_id, next(map(_as_receiver, items), None))

    def _remember(self, project_id: int, receiver: Receiver | None) -> None:
        with self._lock:
            self._known[project_id] = receiver

    def find_receiver(self, project_id: int) -> Receiver | None:
        """See `ReceiverStore`."""
        with self._lock:
            if project_id in self._known:
                return self._known[project_id]
        return self.get_receiver(project_id)

    def get_receiver(self, project_id: int) -> Receiver | None:
        """See `ReceiverStore`."""
        table = ReceiverRow.Meta.table_name
        answer = self._database.call("GetItem", TableName=table, Key=_key(project_id), ConsistentRead=True)
        receiver = _as_receiver(answer["Item"]) if "Item" in answer else None
        self._remember(project_id, receiver)
        return receiver

    def put_receiver(self, receiver: Receiver) -> None:
        """See `ReceiverStore`."""
        condition: Condition = ReceiverRow.project_id.does_not_exist()
        if receiver.revision > 1:
            condition = ReceiverRow.revision == receiver.revision - 1
        row = ReceiverRow(project_id=receiver.project_id, document=_encode(receiver), revision=receiver.revision)
        try:
            with translated():
                row.save(condition)
        except ConditionFailed as failure:
            raise Conflict("the receiver was written meanwhile") from failure
        self._remember(receiver.project_id, receiver)

    def delete_receiver(self, receiver: Receiver) -> None:
        """See `ReceiverStore`."""
        row = ReceiverRow(project_id=receiver.project_id)
        try:
            with translated():
                row.delete(ReceiverRow.revision == receiver.revision)
        except ConditionFailed as failure:
            raise Conflict("the receiver was written meanwhile") from failure
        self._remember(receiver.project_id, None)


def _encode(receiver: Receiver) -> str:
    """Compact JSON, without what is not set up."""
    airship, passworks = receiver.airship, receiver.passworks
    document: dict[str, Any] = {
        "secret": receiver.secret,
        "previous_secret": receiver.previous_secret,
        "rotated_at": None if receiver.rotated_at is None else as_milliseconds(receiver.rotated_at),
        "airship": airship and {"base_url": airship.base_url, "headers": dict(airship.headers)},
        "passworks": passworks and {"url": passworks.url, "authorization": passworks.authorization},
    }
    stored = {name: value for name, value in document.items() if value is not None}
    return json.dumps(stored, separators=(",", ":"), ensure_ascii=False)


def _key(project_id: int) -> RawItem:
    return {"project_id": {"N": str(project_id)}}


def _as_receiver(item: RawItem) -> Receiver:
    document = json.loads(item["document"]["S"])
    return Receiver(
        project_id=int(item["project_id"]["N"]),
        secret=document["secret"],
        airship=AirshipReceiver(**document["airship"]) if "airship" in document else None,
        passworks=PassworksReceiver(**document["passworks"]) if "passworks" in document else None,
        previous_secret=document.get("previous_secret"),
        rotated_at=_read_moment(document.get("rotated_at")),
        revision=int(item["revision"]["N"]),
    )


def _read_moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_milliseconds(milliseconds)
