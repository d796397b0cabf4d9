"""What Google was told, and the pace of its accounts, in memory; held to the contract of the real store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from chalicelib.domain.errors import Conflict
from chalicelib.domain.google_ports import SentClass, SentObject


class FakeGoogleStore:
    """Implements `GoogleObjectStore`."""

    def __init__(self) -> None:
        self.classes: dict[int, SentClass] = {}
        self.objects: dict[int, SentObject] = {}
        self.allowed_at: dict[str, datetime] = {}
        self.reads = 0
        self.writes = 0
        self._lock = Lock()

    def read(
        self, *, template_ids: Collection[int] = (), pass_ids: Collection[int] = ()
    ) -> tuple[dict[int, SentClass], dict[int, SentObject]]:
        with self._lock:
            self.reads += 1
            return (
                {one: self.classes[one] for one in template_ids if one in self.classes},
                {one: self.objects[one] for one in pass_ids if one in self.objects},
            )

    def save_class(self, sent: SentClass) -> SentClass:
        with self._lock:
            stored = self.classes.get(sent.template_id)
            _check(stored.revision if stored else 0, sent.revision)
            self.writes += 1
            self.classes[sent.template_id] = replace(sent, revision=sent.revision + 1)
            return self.classes[sent.template_id]

    def save_object(self, sent: SentObject) -> SentObject:
        with self._lock:
            stored = self.objects.get(sent.pass_id)
            _check(stored.revision if stored else 0, sent.revision)
            self.writes += 1
            self.objects[sent.pass_id] = replace(sent, revision=sent.revision + 1)
            return self.objects[sent.pass_id]

    def reserve(self, *, account: str, count: int, spacing: timedelta, now: datetime, horizon: timedelta) -> datetime:
        with self._lock:
            first = max(now, self.allowed_at.get(account, now))
            if first <= now + horizon:
                self.allowed_at[account] = first + count * spacing
            return first

    def hold_off(self, *, account: str, until: datetime) -> None:
        with self._lock:
            self.allowed_at[account] = max(until, self.allowed_at.get(account, until))


def _check(stored: int, given: int) -> None:
    if stored != given:
        raise Conflict("another revision is stored")
