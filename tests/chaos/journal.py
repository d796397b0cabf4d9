"""What clients asked for and were told, in order, with times: all that a client can know."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FOREVER = float("inf")

LATE_SECONDS = 8.0
"""until when a call whose answer was lost may still take effect: the longest fault, and botocore's tries after it"""


class Kind(StrEnum):
    """What a client does."""

    CREATE = "create"
    CREATE_V2 = "create (v2)"
    DELETE = "delete"
    DELETE_V2 = "delete (v2)"
    TAG = "tag"
    UNTAG = "untag"
    CLEAR_TAG = "clear tag"
    DELETE_TAG = "delete tag"
    UPDATE = "update"
    UPDATE_V2 = "update (v2)"
    BULK_UPDATE = "bulk update"
    CHANGE_CAMPAIGN = "change campaign (v2)"
    MERGE = "merge (v2)"
    REGISTER = "register"
    UNREGISTER = "unregister"
    READ_TAGS = "read tags"
    READ_PASS = "read pass"
    LIST_TAG = "list a tag"
    LIST_TAGS = "list tags"
    LIST_CHANGES = "list changes (device)"
    READ_FILE = "read pass.json"
    FETCH = "fetch pass (device)"
    LIST_REGISTRATIONS = "list registrations (v2)"
    READ_TICKET = "read ticket"


class Outcome(StrEnum):
    """What a client knows of an operation at its end."""

    DONE = "done"
    """it took effect, or it was told that what it wants is so already"""
    REFUSED = "refused"
    """by a 4xx"""
    UNKNOWN = "unknown"
    """given up: it may have taken effect, or may yet"""


@dataclass(slots=True)
class Try:
    """One request; `status` is None where the connection was lost."""

    server: int
    started: float
    ended: float = 0.0
    status: int | None = None
    opened: float = 0.0
    """when its connection was made"""

    @property
    def is_open(self) -> bool:
        """Whether it may have worked, for all that its answer says."""
        return self.status is None or self.status in (429, 503)


@dataclass(slots=True)
class Operation:
    """One thing that a client wanted, with all its tries. What does not apply is empty."""

    number: int
    kind: Kind
    client: int
    card: str = ""
    """external id of the pass"""
    project: int = 0
    template: int = 0
    tags: tuple[str, ...] = ()
    device: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """field to the value that it writes"""
    tries: list[Try] = field(default_factory=list)
    outcome: Outcome = Outcome.UNKNOWN
    ticket: int | None = None
    completed: float = FOREVER
    """by when its ticket was seen to be COMPLETED"""
    seen: Any = None
    """what a read was told"""

    @property
    def started(self) -> float:
        """When it was first sent."""
        return self.tries[0].started

    @property
    def ended(self) -> float:
        """When its last answer came; later, if its effect may come later."""
        return self.tries[-1].ended + (LATE_SECONDS if any(each.is_open for each in self.tries) else 0.0)

    @property
    def told(self) -> float:
        """When its last answer came."""
        return self.tries[-1].ended

    @property
    def works(self) -> bool:
        """Whether it took effect for certain."""
        return self.outcome is Outcome.DONE

    @property
    def may_work(self) -> bool:
        """Whether it may have taken effect."""
        return self.works or any(each.is_open for each in self.tries)

    def describe(self, epoch: float) -> str:
        """One line, with seconds since `epoch`."""
        what = [self.card, ",".join(self.tags), self.device, " ".join(f"{k}={v}" for k, v in self.values.items())]
        tries = " ".join(
            f"{each.started - epoch:.3f}-{each.ended - epoch:.3f}@{each.server}:{each.status or 'lost'}"
            for each in self.tries
        )
        ticket = "" if self.ticket is None else f" ticket {self.ticket}"
        seen = "" if self.seen is None else f" saw {self.seen}"
        subject = " ".join(part for part in what if part)
        return f"#{self.number} client {self.client} {self.kind} {subject}{ticket}: {self.outcome} [{tries}]{seen}"


class Journal:
    """All operations of a run, and what clients found wrong at once. Threads share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.epoch = clock()
        self.operations: list[Operation] = []
        self.complaints: list[tuple[str, Operation]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def begin(self, kind: Kind, *, client: int, **about: Any) -> Operation:
        """Notes a new operation before its first request."""
        with self._lock:
            operation = Operation(number=next(self._numbers), kind=kind, client=client, **about)
            self.operations.append(operation)
        return operation

    def complain(self, problem: str, operation: Operation) -> None:
        """Notes an answer that no client must ever get."""
        with self._lock:
            self.complaints.append((problem, operation))

    def count_outcomes(self) -> dict[str, Counter[str]]:
        """How often each kind ended how."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for operation in self.operations:
            counts[operation.kind][operation.outcome] += 1
        return dict(counts)

    def write(self, file: Path, operations: Iterable[Operation]) -> None:
        """Writes operations in the order in which they began."""
        ordered = sorted(operations, key=lambda each: each.started if each.tries else FOREVER)
        file.write_text("".join(f"{each.describe(self.epoch)}\n" for each in ordered), encoding="utf-8")
