"""A row of a table of requests over HTTP."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One request at one size of tag, or of registrations."""

    request: str
    size: int
    calls: int
    units: float
    milliseconds: float
    """median"""
    milliseconds_p95: float


def summarise(name: str, passes: int, calls: int, units: float, times: list[float]) -> Measurement:
    """A row of the table, from the times of several requests in milliseconds."""
    times.sort()
    p95 = times[min(int(len(times) * 0.95), len(times) - 1)]
    return Measurement(
        request=name,
        size=passes,
        calls=calls,
        units=units,
        milliseconds=round(statistics.median(times), 1),
        milliseconds_p95=round(p95, 1),
    )
