"""The first page of a list against its last, in turns, at one size: a deep page must not cost more."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any

import click

from benchmarks.scale_bars import BAR, Depth
from benchmarks.scale_meter import count, take_time
from benchmarks.scale_subjects import PAGE_SIZE, Subject
from chalicelib.domain.passes import STATUS_FILTERS

TRIES = 3
"""a ratio beyond the bar is measured anew, since others may have been at the processors; the least counts"""

DEEPEST = 10_000
"""the page that is compared with the first; the last full one if there are fewer"""


def measure_depth(subject: Subject, *, rounds: int) -> list[Depth]:
    """Every status filter, both directions; and without a filter the middle of a segment too, where most is skipped."""
    lists: list[tuple[str, AbstractSet[str] | None]] = [("any", None), *STATUS_FILTERS.items()]
    wanted = [
        (status, direction, page, place)
        for status, facets in lists
        for direction in ("DESC", "ASC")
        for page, place in _deep_pages(subject, facets)
    ]
    with click.progressbar(wanted, label=f"depth at {subject.size} passes, {rounds} rounds") as progress:
        return [_measure_until_good(subject, *each, rounds=rounds) for each in progress]


def _deep_pages(subject: Subject, facets: AbstractSet[str] | None) -> Iterator[tuple[int, str]]:
    deep = min(subject.last_page(subject.tag.collection, facets), DEEPEST)
    yield deep, "end"
    if facets is None and deep > 100:
        yield deep - 50, "middle"


def _measure_until_good(subject: Subject, *asked: Any, rounds: int) -> Depth:
    rows: list[Depth] = []
    while len(rows) < TRIES and not (rows and rows[-1].ratio <= BAR):
        rows.append(_measure(subject, *asked, rounds=rounds))
    return replace(min(rows, key=lambda row: row.ratio), tries=len(rows))


def _measure(subject: Subject, status: str, direction: str, page: int, place: str, *, rounds: int) -> Depth:
    path = f"/v1/tag/tag-0/passes?pageSize={PAGE_SIZE}&direction={direction}"
    path += "" if status == "any" else f"&status={status}"
    acts = [partial(subject.send, "GET", f"{path}&page={each}") for each in (1, page)]
    units = [count(act).reads for act in acts]
    tries: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for _ in range(rounds):
        for own, act in zip(tries, acts, strict=True):
            own.append(take_time(act))
    (wall, cpu), (deep_wall, deep_cpu) = map(_medians, tries)
    return Depth(
        status=status,
        direction=direction,
        page=page,
        place=place,
        read_units=units[0],
        deep_read_units=units[1],
        cpu_milliseconds=round(cpu, 2),
        deep_cpu_milliseconds=round(deep_cpu, 2),
        milliseconds=round(wall, 2),
        deep_milliseconds=round(deep_wall, 2),
        ratio=round(deep_wall / wall, 2),
        cpu_ratio=round(deep_cpu / cpu, 2),
    )


def _medians(tries: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(wall for wall, _ in tries), statistics.median(cpu for _, cpu in tries)
