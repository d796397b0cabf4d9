"""What the scale bench measures, and when a figure is beyond its bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

ROUNDING = 1.0
"""read units that a figure may differ by: longer numbers in keys fill another 4 KB here and there"""

FORMULA = (
    "read units = those at the smallest size + one for each 4 KB of counter rows (a row for 1,000 passes of a list); "
    "calls and write units stay"
)

BAR = 1.5
"""that the deep page may take, as a multiple of the first (DESIGN, section 9)"""


@dataclass(frozen=True, kw_only=True)
class RequestCost:
    """One request in a project of so many passes."""

    request: str
    passes: int
    calls: int
    read_units: float
    of_them_counters: int
    """by the formula, from the sizes of the rows"""
    write_units: float
    bytes_sent: int
    bytes_received: int
    cpu_milliseconds: float
    """median of this process, botocore included"""
    milliseconds: float
    """median"""
    milliseconds_p95: float
    compared: bool = True
    """whether the size is one at which the request is compared"""


@dataclass(frozen=True, kw_only=True)
class Depth:
    """One list of a tag: its first page and a deep one."""

    status: str
    direction: str
    page: int
    place: str
    """where the deep page lies in its segment"""
    read_units: float
    deep_read_units: float
    cpu_milliseconds: float
    """median, of the first page"""
    deep_cpu_milliseconds: float
    milliseconds: float
    """median, of the first page"""
    deep_milliseconds: float
    ratio: float
    """of the medians on the wall"""
    cpu_ratio: float
    tries: int = 1


def find_growth(rows: Sequence[RequestCost]) -> list[str]:
    """Sentences about requests that cost more at a larger size than `FORMULA` allows; none if all is well."""
    problems: list[str] = []
    bases: dict[str, RequestCost] = {}
    for row in sorted(rows, key=lambda row: row.passes):
        if not row.compared:
            continue
        base = bases.setdefault(row.request, row)
        allowed = {
            "calls": base.calls,
            "read_units": base.read_units - base.of_them_counters + row.of_them_counters + ROUNDING,
            "write_units": base.write_units,
        }
        found = asdict(row)
        problems += [
            f"{row.request}: {name.replace('_', ' ')} {found[name]:g} at {row.passes} passes, "
            f"{asdict(base)[name]:g} at {base.passes}; the formula allows {limit:g}"
            for name, limit in allowed.items()
            if found[name] > limit
        ]
    return problems


def find_slow_pages(rows: Sequence[Depth]) -> list[str]:
    """Sentences about deep pages beyond the bar."""
    return [
        f"page {row.page} ({row.status}, {row.direction}, {row.place} of a segment): {row.ratio:g} times page 1, "
        f"at most {BAR:g}"
        for row in rows
        if row.ratio > BAR
    ]
