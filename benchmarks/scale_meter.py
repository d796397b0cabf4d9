"""What one request costs in a loaded deployment, and how long it takes: counted and timed apart, in this process.

Requests go through the handler that Lambda calls, with no HTTP client or server beside it. So the processor time is
that of the application with botocore: this thread's and those of the store.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from benchmarks.operation_meter import meter, read_own_clocks
from chalicelib.wiring import get_database


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What DynamoDB was asked for. Bytes are those of bodies, without headers."""

    calls: int
    reads: float
    """read units"""
    writes: float
    """write units, those of indexes included"""
    bytes_sent: int
    bytes_received: int


@dataclass(frozen=True, kw_only=True)
class Times:
    """Milliseconds of several tries."""

    cpu: float
    """median"""
    wall: float
    """median"""
    wall_p95: float


@dataclass
class _Traffic:
    sent: int = 0
    received: int = 0


def count(act: Callable[[], object]) -> Cost:
    """What one call of `act` costs."""
    with _count_traffic() as traffic, meter() as taken:
        act()
    return Cost(
        calls=taken.calls,
        reads=taken.reads,
        writes=taken.writes,
        bytes_sent=traffic.sent,
        bytes_received=traffic.received,
    )


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The usual cost: what happens once in a while, such as leasing a block of numbers, does not count."""
    names = ("calls", "reads", "writes", "bytes_sent", "bytes_received")
    # median_low: a figure that was measured, also where two differ
    return replace(costs[0], **{name: statistics.median_low(getattr(cost, name) for cost in costs) for name in names})


def take_time(act: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the wall and of the processor."""
    cpu, wall = read_own_clocks(), time.perf_counter()
    act()
    return (time.perf_counter() - wall) * 1000, (read_own_clocks() - cpu) * 1000


def summarise_times(tries: Sequence[tuple[float, float]]) -> Times:
    """Median and 95th percentile."""
    walls = sorted(wall for wall, _ in tries)
    return Times(
        cpu=round(statistics.median(cpu for _, cpu in tries), 2),
        wall=round(statistics.median(walls), 2),
        wall_p95=round(walls[min(int(len(walls) * 0.95), len(walls) - 1)], 2),
    )


@contextmanager
def _count_traffic() -> Iterator[_Traffic]:
    traffic, lock = _Traffic(), Lock()
    events = get_database().connection.client.meta.events

    def before_send(request: Any, **_: Any) -> None:
        with lock:
            traffic.sent += len(request.body or b"")

    def after_receive(response_dict: dict[str, Any] | None, **_: Any) -> None:
        with lock:
            traffic.received += len(response_dict["body"]) if response_dict else 0

    events.register("before-send.dynamodb", before_send)
    events.register("response-received.dynamodb", after_receive)
    try:
        yield traffic
    finally:
        events.unregister("before-send.dynamodb", before_send)
        events.unregister("response-received.dynamodb", after_receive)
