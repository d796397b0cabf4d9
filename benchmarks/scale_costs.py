"""Each request at each size: what it costs, how long it takes, and whether that grows beyond the counter rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from benchmarks.scale_bars import RequestCost
from benchmarks.scale_meter import count, median_cost, summarise_times, take_time
from benchmarks.scale_requests import Request, flat_requests, growing_requests, pair_up
from benchmarks.scale_subjects import CounterSize, Subject, measure_counters


@dataclass(frozen=True)
class Tries:
    """How often a request is sent: counting takes time itself, so what is timed is not counted."""

    unmeasured: int
    counted: int
    timed: int


GROWING = Tries(unmeasured=0, counted=1, timed=2)
"""of requests that take seconds"""

_NO_COUNTERS = CounterSize(rows=0, bytes=0)


def measure_flat(subjects: Sequence[Subject], *, tries: Tries) -> list[RequestCost]:
    """Every request that must not grow."""
    paired = pair_up(subjects, flat_requests)
    with click.progressbar(paired, label=f"{len(paired)} requests at {len(subjects)} sizes") as progress:
        return [row for pairs in progress for row in _measure(pairs, tries)]


def measure_growing(subjects: Sequence[Subject], *, tries: Tries = GROWING) -> list[RequestCost]:
    """What is known to grow."""
    paired = pair_up(subjects, growing_requests)
    with click.progressbar(paired, label=f"{len(paired)} that grow") as progress:
        return [row for pairs in progress for row in _measure(pairs, tries)]


def _measure(pairs: Sequence[tuple[Subject, Request]], tries: Tries) -> list[RequestCost]:
    """The sizes in turns, so that whatever else the machine does meets all of them."""
    counters = [
        _NO_COUNTERS if request.counters is None else measure_counters(request.counters) for subject, request in pairs
    ]
    for number in range(tries.unmeasured):
        for _, request in pairs:
            _try(request, number, take_time)
    costs = [
        median_cost([_try(request, 100 + number, count) for number in range(tries.counted)]) for _, request in pairs
    ]
    taken: list[list[tuple[float, float]]] = [[] for _ in pairs]
    for number in range(tries.timed):
        for own, (_, request) in zip(taken, pairs, strict=True):
            own.append(_try(request, 200 + number, take_time))
    times = list(map(summarise_times, taken))
    return [
        RequestCost(
            request=request.name,
            passes=subject.size,
            calls=cost.calls,
            read_units=cost.reads,
            of_them_counters=of_counters.units,
            write_units=cost.writes,
            bytes_sent=cost.bytes_sent,
            bytes_received=cost.bytes_received,
            cpu_milliseconds=time.cpu,
            milliseconds=time.wall,
            milliseconds_p95=time.wall_p95,
            compared=subject.size >= request.smallest,
        )
        for (subject, request), of_counters, cost, time in zip(pairs, counters, costs, times, strict=True)
    ]


def _try(request: Request, number: int, measure: Callable[[Callable[[], object]], Any]) -> Any:
    found = measure(lambda: request.send(number))
    if request.put_back is not None:
        request.put_back()
    return found
