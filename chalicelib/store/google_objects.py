"""What Google has of our passes, and the pace of its accounts, in DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.domain.content import Content
from chalicelib.domain.google_ports import GoogleType, SentClass, SentObject
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.store.connection import Database
from chalicelib.store.failures import translated
from chalicelib.store.google_models import GoogleObjectRow
from chalicelib.store.models import RawItem

_EPOCH = from_milliseconds(0)
_MICROSECOND = timedelta(microseconds=1)


class DynamoGoogleObjectStore:
    """Implements `GoogleObjectStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self, *, template_ids: Collection[int] = (), pass_ids: Collection[int] = ()
    ) -> tuple[dict[int, SentClass], dict[int, SentObject]]:
        """See `GoogleObjectStore`."""
        names = [_class_key(one) for one in set(template_ids)] + [_object_key(one) for one in set(pass_ids)]
        if not names:
            return {}, {}
        items = self._database.batch_get(GoogleObjectRow, [{"key": {"S": name}} for name in names], consistent=True)
        classes: dict[int, SentClass] = {}
        objects: dict[int, SentObject] = {}
        for item in items:
            kind, _, number = item["key"]["S"].partition("#")
            if kind == "class":
                classes[int(number)] = _as_class(int(number), item)
            else:
                objects[int(number)] = _as_object(int(number), item)
        return classes, objects

    def save_class(self, sent: SentClass) -> SentClass:
        """See `GoogleObjectStore`. One write."""
        document = {
            "type": sent.google_type,
            "shared": sent.shared.encode(),
            "announced": dict(sent.announced),
            "notified_at": [as_milliseconds(moment) for moment in sent.notified_at],
        }
        _save(_class_key(sent.template_id), sent.digest, sent.revision, document)
        return replace(sent, revision=sent.revision + 1)

    def save_object(self, sent: SentObject) -> SentObject:
        """See `GoogleObjectStore`. One write."""
        document = {
            "type": sent.google_type,
            "object_id": sent.object_id,
            "pass_revision": sent.pass_revision,
            "announced": dict(sent.announced),
            "notified_at": [as_milliseconds(moment) for moment in sent.notified_at],
        }
        _save(_object_key(sent.pass_id), sent.digest, sent.revision, document)
        return replace(sent, revision=sent.revision + 1)

    def reserve(self, *, account: str, count: int, spacing: timedelta, now: datetime, horizon: timedelta) -> datetime:
        """See `RateStore`. One read and one write; again when another worker is in the way."""

        def attempt() -> datetime:
            stored = self._read_allowed(account)
            first = now if stored is None else max(now, _EPOCH + stored * _MICROSECOND)
            if first <= now + horizon:
                # rounded up, so that no two moments are closer than the spacing
                self._write_allowed(account, -((_EPOCH - first - count * spacing) // _MICROSECOND), stored)
            return first

        return retry_conflicts(attempt, budget_seconds=self._database.settings.request_budget_seconds)

    def hold_off(self, *, account: str, until: datetime) -> None:
        """See `RateStore`. One read, and one write if nobody asked for more."""

        def attempt() -> None:
            stored, wanted = self._read_allowed(account), (until - _EPOCH) // _MICROSECOND
            if stored is None or stored < wanted:
                self._write_allowed(account, wanted, stored)

        retry_conflicts(attempt, budget_seconds=self._database.settings.request_budget_seconds)

    def _read_allowed(self, account: str) -> int | None:
        items = self._database.batch_get(GoogleObjectRow, [{"key": {"S": _rate_key(account)}}], consistent=True)
        return int(items[0]["allowed_at"]["N"]) if items else None

    def _write_allowed(self, account: str, allowed_at: int, stored: int | None) -> None:
        condition = GoogleObjectRow.key.does_not_exist() if stored is None else GoogleObjectRow.allowed_at == stored
        _put(GoogleObjectRow(key=_rate_key(account), allowed_at=allowed_at), condition)


def _class_key(template_id: int) -> str:
    return f"class#{template_id}"


def _object_key(pass_id: int) -> str:
    return f"object#{pass_id}"


def _rate_key(account: str) -> str:
    return f"rate#{account}"


def _save(key: str, digest: str, revision: int, document: dict[str, Any]) -> None:
    row = GoogleObjectRow(
        key=key,
        digest=digest,
        revision=revision + 1,
        document=json.dumps(document, ensure_ascii=False, separators=(",", ":")),
    )
    _put(row, GoogleObjectRow.revision == revision if revision else GoogleObjectRow.key.does_not_exist())


def _put(row: GoogleObjectRow, condition: Condition) -> None:
    with translated():
        row.save(condition)


def _as_class(template_id: int, item: RawItem) -> SentClass:
    document = json.loads(item["document"]["S"])
    return SentClass(
        template_id=template_id,
        google_type=GoogleType(document["type"]),
        shared=Content.decode(document["shared"]),
        digest=item["digest"]["S"],
        announced=document["announced"],
        notified_at=tuple(from_milliseconds(moment) for moment in document["notified_at"]),
        revision=int(item["revision"]["N"]),
    )


def _as_object(pass_id: int, item: RawItem) -> SentObject:
    document = json.loads(item["document"]["S"])
    return SentObject(
        pass_id=pass_id,
        object_id=document["object_id"],
        google_type=GoogleType(document["type"]),
        pass_revision=document["pass_revision"],
        digest=item["digest"]["S"],
        announced=document["announced"],
        notified_at=tuple(from_milliseconds(moment) for moment in document["notified_at"]),
        revision=int(item["revision"]["N"]),
    )
