"""The scale bench: what requests cost at each size, pages by depth, the plain way beside ours, order by `updatedAt`.

`SCALE=1000000 python -m benchmarks scale` measures up to so many passes in one tag, on dynoxide with data on disk. The
data are loaded once and kept in build/bench; what is measured is a copy.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.conditions import describe_run, name_results
from benchmarks.loaded_file import Loaded, Wish, provide_file
from benchmarks.reporting import BarsMissed, Section, report_sections
from benchmarks.scale_bars import BAR, FORMULA, find_growth, find_slow_pages
from local.embedded import run_embedded

if TYPE_CHECKING:
    from benchmarks.scale_subjects import Subject

SIZES = (1000, 10_000, 100_000, 1_000_000)
DEPTH_SIZE = 100_000
"""passes at which depth is judged; the largest size if that is smaller"""

_VARIABLES = {
    "PASSEL_CREDENTIAL_CACHE_SECONDS": "86400",  # credentials are known, as for a minute on Lambda
    "PASSEL_READ_TIMEOUT_SECONDS": "120",  # of one call: a long walk is measured to its end
}


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What reading all counters of a tag costs, which every page of it does."""

    passes: int
    rows: int
    bytes: int
    read_units: float
    cpu_milliseconds: float
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often things are measured: the depth in turns, the requests timed."""

    rounds: int = 60
    timed: int = 30


def run(*, scale: int, effort: Effort | None = None) -> None:
    """Measures, and writes the results.

    Raises:
        BarsMissed
    """
    effort = effort or Effort()
    sizes = sorted({size for size in SIZES if size < scale} | {scale})
    loaded = provide_file([Wish(size) for size in sizes])
    with loaded.copy_for_writing() as copy, run_embedded(database=copy, variables=_VARIABLES) as stack:
        if stack.engine_name != "dynoxide":
            raise SystemExit("benchmarks need dynoxide: on another engine the figures mean nothing")
        with _silent_log():
            sections, missed = _measure(loaded, effort)
    report_sections([_describe(loaded, scale, effort), *sections], name=name_results("scale", scale=scale))
    if missed:
        raise BarsMissed(missed)


def _measure(loaded: Loaded, effort: Effort) -> tuple[list[Section], list[str]]:
    """What only reads comes first: the requests that write change what others would list."""
    from app import app
    from benchmarks.operation_meter import Gateway
    from benchmarks.plain_way import measure_ways, widest
    from benchmarks.scale_costs import Tries, measure_flat, measure_growing
    from benchmarks.scale_depth import measure_depth
    from benchmarks.scale_subjects import open_subjects
    from benchmarks.updated_costs import measure_designs
    from chalicelib.wiring import get_platform

    subjects = open_subjects(get_platform(), Gateway(app), loaded.populations)
    of_depth = max((each for each in subjects if each.size <= DEPTH_SIZE), key=lambda each: each.size)
    depth = measure_depth(of_depth, rounds=effort.rounds)
    ways = measure_ways(subjects[-1])
    counters = [_measure_counters(subject) for subject in subjects]
    designs = measure_designs(of_depth)
    growing = measure_growing(subjects)
    flat = measure_flat(subjects, tries=Tries(unmeasured=1, counted=3, timed=effort.timed))
    sections = [
        Section("Requests", f"They must not grow: {FORMULA}.", _rows(flat, without="compared")),
        Section(
            "What is known to grow",
            "Order by `updatedAt` walks from the nearer end, and a filter that counters cannot answer reads all.",
            _rows(growing, without="compared"),
        ),
        Section(
            f"Depth, at {of_depth.size} passes",
            f"The first page and a deep one of ten passes in turns; on the wall at most {BAR} times.",
            _rows(depth),
        ),
        Section(f"The plain way, at {subjects[-1].size} passes", f"Beside ours: {widest(ways)}.", _rows(ways)),
        Section("Counters of one tag", "Every page reads them all.", _rows(counters)),
        Section(
            f"Order by `updatedAt`, at {of_depth.size} passes",
            "Write units for one updated pass, and read units of the first page.",
            _rows(designs),
        ),
    ]
    return sections, [*find_growth(flat), *find_slow_pages(depth)]


def _measure_counters(subject: Subject, *, tries: int = 10) -> Counters:
    """Of the tag that all passes have."""
    from benchmarks.scale_meter import count, summarise_times, take_time
    from benchmarks.scale_subjects import measure_counters

    collection = subject.tag.collection

    def read() -> None:
        subject.read_counts(collection)

    read()
    size, cost = measure_counters(collection), count(read)
    times = summarise_times([take_time(read) for _ in range(tries)])
    return Counters(
        passes=subject.size,
        rows=size.rows,
        bytes=size.bytes,
        read_units=cost.reads,
        cpu_milliseconds=times.cpu,
        milliseconds=times.wall,
    )


def _rows(measured: Sequence[Any], *, without: str = "") -> list[dict[str, Any]]:
    return [{name: value for name, value in asdict(row).items() if name != without} for row in measured]


def _describe(loaded: Loaded, scale: int, effort: Effort) -> Section:
    return describe_run(
        "Scale",
        "Requests are answered in this process by the handler that Lambda calls: CPU is that of the application with "
        "botocore, and the wall holds the engine too. Sizes and pages take turns. Units are the engine's.",
        command=f"make bench SCALE={scale} PARTS=scale" if effort == Effort() else "none: the effort was another",
        tries=f"{effort.timed} of each request at each size, {effort.rounds} of each page of the depth",
        file=f"{loaded.database.stat().st_size / 1e6:.0f} MB, loaded in {loaded.seconds:.0f} s when it was made",
    )


@contextmanager
def _silent_log() -> Iterator[None]:
    """Log lines are made as ever, but not shown."""
    kept = []
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for handler in logging.getLogger("passel").handlers:
            if isinstance(handler, logging.StreamHandler):
                kept.append((handler, handler.setStream(nowhere)))
        try:
            yield
        finally:
            for handler, stream in kept:
                if stream is not None:
                    handler.setStream(stream)
