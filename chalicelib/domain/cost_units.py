"""What each operation takes of AWS, as `benchmarks/operation_costs.py` measures it.

A test holds these figures to benchmarks/results/operation_costs.json, and measures the cheap ones anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Operation(StrEnum):
    """What is measured, and what a bill is made of."""

    CREATE = "create a pass"
    CREATE_MANY = "create 100 passes in a request"
    TAG = "tag a pass"
    UNTAG = "untag a pass"
    READ_TAGS = "read the tags of a pass"
    READ_PASS = "read a pass"
    LIST_PAGE = "list a page of 10 passes"
    UPDATE = "update a pass that nobody holds"
    UPDATE_HELD = "update a pass that a device holds"
    ACCEPT = "accept a bulk update"
    PLAN = "plan a bulk update"
    SEGMENT = "update a segment that nobody holds"
    SEGMENT_HELD = "update a segment that devices hold"
    SPREAD = "find the devices of a segment"
    DELIVER_APPLE = "push to iPhones"
    DELIVER_ANDROID = "push to another wallet"
    DELIVER_GOOGLE = "write objects at Google"
    DELIVER_GOOGLE_SHARED = "find objects at Google up to date"
    ASK = "a device asks what changed"
    ASK_IN_VAIN = "a device asks, and nothing changed"
    FETCH = "a device fetches a pass"
    REGISTER_FIRST = "register the first device of a pass"
    REGISTER_FURTHER = "register a further device"
    RENEW = "register again"
    UNREGISTER_LAST = "unregister the last device of a pass"
    UNREGISTER_FURTHER = "unregister one of several devices"
    SAVE_AT_GOOGLE = "note that Google saved a pass"
    REDEEM = "redeem a pass"
    VIEW = "show the page of a pass"
    DOWNLOAD = "download a pass"
    EMPTY_TAG = "empty a tag"
    SWEEP = "sweep an emptied tag"
    CALLBACK = "tell a team's system of an event"
    RESUME = "look for lost messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What is taken once."""

    calls: float = 0
    """of DynamoDB"""
    reads: float = 0
    """read units"""
    writes: float = 0
    """write units, those of indexes included"""
    index_writes: float = 0
    """those among them that transactions make in indexes, which AWS charges once and the table's own twice"""
    sends: float = 0
    """requests to send messages"""
    cpu_milliseconds: float = 0
    answer_bytes: float = 0
    log_bytes: float = 0

    def plus(self, other: Units, times: float = 1) -> Units:
        """Both together, the other so many times."""
        return Units(**{one.name: getattr(self, one.name) + times * getattr(other, one.name) for one in fields(self)})


OF_TEAMS: Final = frozenset(
    {
        *(Operation.CREATE, Operation.CREATE_MANY, Operation.TAG, Operation.UNTAG, Operation.EMPTY_TAG),
        *(Operation.READ_TAGS, Operation.READ_PASS, Operation.LIST_PAGE, Operation.REDEEM),
        *(Operation.UPDATE, Operation.UPDATE_HELD, Operation.ACCEPT),
    }
)
"""requests that come with a key, which alone have a limit"""

A_TOKEN: Final = Units(calls=1, writes=1, cpu_milliseconds=1.1)
"""what a limit adds to a request (benchmarks/results/limits.md)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """What an operation takes for some items, each of which is about one pass."""

    base: Units = field(default_factory=Units)
    """whatever the items"""
    each: Units = field(default_factory=Units)
    """for each item, of a pass without tags in a row of no size"""
    tag: Units = field(default_factory=Units)
    """for each item and tag"""
    writes_per_kb: float = 0
    """write units for each item and begun KB of its row"""
    reads_per_4_kb: float = 0

    def units(self, *, items: float = 1, tags: float = 0, pass_kb: float = 1) -> Units:
        """For so many items."""
        sized = Units(
            writes=self.writes_per_kb * math.ceil(pass_kb), reads=self.reads_per_4_kb * math.ceil(pass_kb / 4)
        )
        return self.base.plus(self.each.plus(sized).plus(self.tag, tags), items)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSize:
    """Bytes that are billed for one row of a table, with the 100 that AWS adds to each entry."""

    table: float
    indexes: float


FORMULAS: Final[Mapping[Operation, Formula]] = MappingProxyType(
    {
        Operation.CREATE: Formula(
            base=Units(calls=8, writes=12, index_writes=4, cpu_milliseconds=10.8, log_bytes=780, answer_bytes=360),
            tag=Units(reads=3, writes=5, index_writes=1),
            writes_per_kb=2,
            reads_per_4_kb=2,
        ),
        Operation.CREATE_MANY: Formula(
            base=Units(calls=12, reads=7, cpu_milliseconds=40.5, log_bytes=790, answer_bytes=11_994),
            each=Units(writes=4.14, index_writes=4),
            tag=Units(writes=3.16, index_writes=1),
            writes_per_kb=2,
        ),
        Operation.TAG: Formula(
            base=Units(
                calls=4, reads=2, writes=6, index_writes=2, cpu_milliseconds=7.24, log_bytes=790, answer_bytes=93
            ),
            tag=Units(reads=1),
            writes_per_kb=2,
            reads_per_4_kb=1,
        ),
        Operation.UNTAG: Formula(
            base=Units(
                calls=3, reads=1, writes=6, index_writes=2, cpu_milliseconds=5.9, log_bytes=800, answer_bytes=101
            ),
            writes_per_kb=2,
            reads_per_4_kb=1,
        ),
        Operation.READ_TAGS: Formula(
            base=Units(calls=2, cpu_milliseconds=1.98, log_bytes=790, answer_bytes=126),
            tag=Units(reads=1),
            reads_per_4_kb=1,
        ),
        Operation.READ_PASS: Formula(
            base=Units(calls=2, cpu_milliseconds=2.14, log_bytes=780, answer_bytes=939),
            tag=Units(reads=1),
            reads_per_4_kb=1,
        ),
        Operation.LIST_PAGE: Formula(
            base=Units(calls=4, reads=2.5, cpu_milliseconds=5.05, log_bytes=760, answer_bytes=3117), reads_per_4_kb=0.5
        ),
        Operation.UPDATE: Formula(
            base=Units(calls=3, writes=7, index_writes=2, cpu_milliseconds=4.41, log_bytes=790, answer_bytes=71),
            writes_per_kb=2,
            reads_per_4_kb=1,
        ),
        Operation.UPDATE_HELD: Formula(
            base=Units(
                calls=3, writes=9, index_writes=2, sends=1, cpu_milliseconds=7.39, log_bytes=790, answer_bytes=72
            ),
            writes_per_kb=2,
            reads_per_4_kb=1,
        ),
        Operation.ACCEPT: Formula(
            base=Units(
                calls=4,
                reads=2,
                writes=6,
                index_writes=1,
                sends=1,
                cpu_milliseconds=10.4,
                log_bytes=780,
                answer_bytes=73,
            )
        ),
        Operation.PLAN: Formula(
            base=Units(calls=14, reads=10.5, writes=4, sends=1, cpu_milliseconds=21.3, log_bytes=490)
        ),
        Operation.SEGMENT: Formula(
            base=Units(calls=6, reads=5, writes=8, cpu_milliseconds=7.9, log_bytes=1000),
            each=Units(calls=0.05, reads=0.01, writes=2, cpu_milliseconds=0.128),
            writes_per_kb=1,
            reads_per_4_kb=0.5,
        ),
        Operation.SEGMENT_HELD: Formula(
            base=Units(calls=6, reads=5, writes=8.5, sends=1, cpu_milliseconds=10.4, log_bytes=1000),
            each=Units(calls=0.05, reads=0.01, writes=2.015, cpu_milliseconds=0.128),
            writes_per_kb=1,
            reads_per_4_kb=0.5,
        ),
        Operation.SPREAD: Formula(
            base=Units(calls=3, reads=1, writes=0.25, sends=1, cpu_milliseconds=9, log_bytes=500),
            each=Units(reads=0.065, writes=0.0075, cpu_milliseconds=0.022),
        ),
        Operation.DELIVER_APPLE: Formula(
            base=Units(calls=1, reads=0.5, writes=1, log_bytes=870),
            each=Units(calls=0.12, writes=2, cpu_milliseconds=1.17),
        ),
        Operation.DELIVER_ANDROID: Formula(
            base=Units(calls=2, reads=0.5, writes=1, cpu_milliseconds=10.6, log_bytes=1400),
            each=Units(calls=0.08, writes=2, cpu_milliseconds=0.177),
        ),
        Operation.DELIVER_GOOGLE: Formula(
            base=Units(calls=5, reads=3.5, writes=2, log_bytes=890),
            each=Units(calls=3.4, reads=1.1, writes=4.1, cpu_milliseconds=11.7),
            reads_per_4_kb=1,
        ),
        Operation.DELIVER_GOOGLE_SHARED: Formula(
            base=Units(calls=8, reads=2.5, writes=1, cpu_milliseconds=18, log_bytes=880),
            each=Units(reads=1, writes=2, cpu_milliseconds=0.3),
            reads_per_4_kb=1,
        ),
        Operation.ASK: Formula(
            base=Units(calls=3, reads=1, cpu_milliseconds=3.94, log_bytes=800, answer_bytes=143), reads_per_4_kb=2
        ),
        Operation.ASK_IN_VAIN: Formula(
            base=Units(calls=3, reads=1, cpu_milliseconds=3.89, log_bytes=800, answer_bytes=58), reads_per_4_kb=2
        ),
        Operation.FETCH: Formula(
            base=Units(calls=3, writes=1, cpu_milliseconds=5.19, log_bytes=810, answer_bytes=7128), reads_per_4_kb=2
        ),
        Operation.REGISTER_FIRST: Formula(
            base=Units(
                calls=4, reads=1, writes=20, index_writes=7, cpu_milliseconds=9.41, log_bytes=850, answer_bytes=58
            ),
            tag=Units(reads=1, writes=5, index_writes=1),
            writes_per_kb=2,
            reads_per_4_kb=2,
        ),
        Operation.REGISTER_FURTHER: Formula(
            base=Units(
                calls=4, reads=1, writes=13, index_writes=4, cpu_milliseconds=7.94, log_bytes=850, answer_bytes=58
            ),
            writes_per_kb=2,
            reads_per_4_kb=2,
        ),
        Operation.RENEW: Formula(
            base=Units(
                calls=2, reads=1, writes=5, index_writes=3, cpu_milliseconds=4.41, log_bytes=850, answer_bytes=58
            ),
            reads_per_4_kb=1,
        ),
        Operation.UNREGISTER_LAST: Formula(
            base=Units(
                calls=3, reads=1, writes=19, index_writes=7, cpu_milliseconds=7.01, log_bytes=860, answer_bytes=58
            ),
            tag=Units(reads=1, writes=5, index_writes=1),
            writes_per_kb=2,
            reads_per_4_kb=2,
        ),
        Operation.UNREGISTER_FURTHER: Formula(
            base=Units(
                calls=2, reads=1, writes=12, index_writes=4, cpu_milliseconds=4.73, log_bytes=860, answer_bytes=58
            ),
            writes_per_kb=2,
            reads_per_4_kb=1,
        ),
        Operation.SAVE_AT_GOOGLE: Formula(
            base=Units(calls=4, reads=1, writes=22, index_writes=7, cpu_milliseconds=8.78, log_bytes=850),
            tag=Units(reads=1, writes=5, index_writes=1),
            writes_per_kb=2,
            reads_per_4_kb=2,
        ),
        Operation.REDEEM: Formula(
            base=Units(calls=5, writes=16, index_writes=4, cpu_milliseconds=9.52, log_bytes=870, answer_bytes=1833),
            writes_per_kb=2,
            reads_per_4_kb=2,
        ),
        Operation.VIEW: Formula(
            base=Units(calls=3, writes=1, cpu_milliseconds=5.66, log_bytes=780, answer_bytes=10_801), reads_per_4_kb=2
        ),
        Operation.DOWNLOAD: Formula(
            base=Units(calls=3, writes=1, cpu_milliseconds=4.68, log_bytes=780, answer_bytes=7131), reads_per_4_kb=2
        ),
        Operation.EMPTY_TAG: Formula(
            base=Units(
                calls=3,
                reads=2,
                writes=7,
                index_writes=1,
                sends=1,
                cpu_milliseconds=8.61,
                log_bytes=770,
                answer_bytes=99,
            )
        ),
        Operation.SWEEP: Formula(
            base=Units(calls=7, reads=4.25, writes=2, cpu_milliseconds=9.78, log_bytes=490),
            each=Units(calls=0.04, reads=0.0075, writes=2, cpu_milliseconds=0.128),
        ),
        Operation.CALLBACK: Formula(
            base=Units(calls=4, reads=1.5, writes=4, sends=1, cpu_milliseconds=5.81, log_bytes=590)
        ),
        Operation.RESUME: Formula(base=Units(calls=3, reads=2.5, cpu_milliseconds=4.79, log_bytes=390)),
    }
)

SIZES: Final[Mapping[str, RowSize]] = MappingProxyType(
    {
        "passes": RowSize(table=925, indexes=655),
        "memberships": RowSize(table=183, indexes=171),
        "registrations": RowSize(table=630, indexes=1607),
        "tickets": RowSize(table=220, indexes=0),
        "deliveries": RowSize(table=175, indexes=0),
        "google-objects": RowSize(table=342, indexes=0),
        "redeems": RowSize(table=329, indexes=658),
        "segments": RowSize(table=149, indexes=0),
    }
)
"""The row of a pass is as large as its content; what stands here is that of the benchmark."""
