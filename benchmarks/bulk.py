"""The pace of bulk updates: from the accepted PUT to COMPLETED, against the fastest bare loop that writes the same.

Workers are processes of their own that take messages from the queue, one at a time as on Lambda. Beside each number of
workers, as many processes run the bare loop (`bulk_bare`) on the same passes in the same file, before and after.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.bulk_bare import WAYS, Way
from benchmarks.bulk_processes import Helper, engine_cpu_seconds, start_helpers
from benchmarks.conditions import DEFAULT_SCALE, describe_run, name_results
from benchmarks.loaded_file import Population, Wish, provide_file
from benchmarks.reporting import BarsMissed, Section, report_sections
from chalicelib.domain import bulk_updates
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.ports import Platform
from chalicelib.domain.tickets import TicketStatus
from local.embedded import run_embedded

UPDATE = ContentUpdate(fields={"field1": {"value": "new value"}, "field2": {"value": "another"}})

BAR = 0.7
"""of the bare loop's rate"""

_TRIED = 2000
"""passes with which each bare loop is tried"""

_COMPARED = 20_000
"""passes that the fastest one writes"""

_VARIABLES = {"PASSEL_READ_TIMEOUT_SECONDS": "60"}
"""a disk that is busy with other things makes a measurement bad, not impossible"""

_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """A bulk update of two fields, or a bare loop."""

    processes: int
    passes: int
    passes_per_second: float
    cpu_milliseconds_per_pass: float
    """of the processes that work"""
    engine_milliseconds_per_pass: float
    """processor time of the engine"""
    calls_per_pass: float = 0.0
    units_per_pass: float = 0.0
    queue_milliseconds_per_pass: float = 0.0
    """processor time of the bench's own process, which plays the queue"""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One bulk update beside the bare loops of the same number of processes."""

    passes: int
    tags: int
    workers: int
    passes_per_second: int
    bare_loop: str
    bare_passes_per_second: int
    ratio: float
    bare_reading_passes_per_second: int
    """of the same loop if it reads the passes too"""
    ratio_to_reading: float
    calls_per_pass: float
    units_per_pass: float
    cpu_milliseconds_per_pass: float
    bare_cpu_milliseconds_per_pass: float
    engine_milliseconds_per_pass: float
    bare_engine_milliseconds_per_pass: float
    queue_milliseconds_per_pass: float


def update_all(platform: Platform, workers: Sequence[Helper], *, project_id: int, tag: str) -> Pace:
    """Updates every pass that has the tag.

    Raises:
        RuntimeError: the ticket did not complete with every pass changed.
    """
    _ask_all(workers)
    number = f"{time.time_ns()}"
    update = ContentUpdate(fields={name: {"value": f"value {number}"} for name in ("field1", "field2")})
    engine, queue = engine_cpu_seconds(), time.process_time()
    ticket = bulk_updates.start_bulk_update(platform, project_id=project_id, segment=tag, update=update)
    begun = time.perf_counter()
    finished = ticket
    while finished.status in (TicketStatus.PREQUED, TicketStatus.QUEUED):
        if time.perf_counter() - begun > _PATIENCE_SECONDS:
            break
        time.sleep(_LOOK_SECONDS)
        finished = platform.tickets.get_ticket(ticket_id=ticket.ticket_id) or finished
    seconds = time.perf_counter() - begun
    passes = finished.progress.changed
    if finished.status is not TicketStatus.COMPLETED or passes != ticket.progress.total:
        raise RuntimeError(f"the bulk update went wrong: {finished}")
    spent = _ask_all(workers)
    return Pace(
        processes=len(workers),
        passes=passes,
        passes_per_second=passes / seconds,
        cpu_milliseconds_per_pass=_total(spent, "cpu_seconds") * 1000 / passes,
        engine_milliseconds_per_pass=(engine_cpu_seconds() - engine) * 1000 / passes,
        calls_per_pass=_total(spent, "calls") / passes,
        units_per_pass=_total(spent, "units") / passes,
        queue_milliseconds_per_pass=(time.process_time() - queue) * 1000 / passes,
    )


def _ask_all(helpers: Sequence[Helper]) -> list[dict[str, float]]:
    for helper in helpers:
        helper.tell("what have you spent?")
    return [helper.hear() for helper in helpers]


def _total(spent: Sequence[dict[str, float]], name: str) -> float:
    return sum(each[name] for each in spent)


def run_bare(loops: Sequence[Helper], way: Way, pass_ids: Sequence[int]) -> Pace:
    """Has the bare loops write these passes, each its share."""
    share = -(-len(pass_ids) // len(loops))
    for number, loop in enumerate(loops):
        own = list(pass_ids[number * share : (number + 1) * share])
        loop.tell({"way": way.name, "threads": way.threads, "reads": way.reads, "pass_ids": own})
    for loop in loops:
        loop.hear()  # its requests are made
    engine, begun = engine_cpu_seconds(), time.perf_counter()
    for loop in loops:
        loop.tell("go")
    spent = [loop.hear() for loop in loops]
    seconds = time.perf_counter() - begun
    return Pace(
        processes=len(loops),
        passes=len(pass_ids),
        passes_per_second=len(pass_ids) / seconds,
        cpu_milliseconds_per_pass=_total(spent, "cpu_seconds") * 1000 / len(pass_ids),
        engine_milliseconds_per_pass=(engine_cpu_seconds() - engine) * 1000 / len(pass_ids),
    )


def try_ways(loops: Sequence[Helper], pass_ids: Sequence[int]) -> list[tuple[Way, Pace]]:
    """Each way of writing, on few passes."""
    return [(way, run_bare(loops, way, pass_ids[:_TRIED])) for way in WAYS]


def compare(platform: Platform, population: Population, *, processes: int) -> tuple[Comparison, list[tuple[Way, Pace]]]:
    """A bulk update of all these passes between two runs of the fastest bare loop."""
    pass_ids = population.pass_ids
    some = pass_ids[:_COMPARED]
    with start_helpers("benchmarks.bulk_bare", processes) as loops:
        tried = try_ways(loops, pass_ids)
        way, _ = max(((way, pace) for way, pace in tried if way.is_safe), key=lambda each: each[1].passes_per_second)
        before = run_bare(loops, way, some)
        with start_helpers("benchmarks.bulk_worker", processes) as workers:
            ours = update_all(platform, workers, project_id=population.project_id, tag="tag-0")
        bare = max(before, run_bare(loops, way, some), key=lambda pace: pace.passes_per_second)
        reading = run_bare(loops, Way(way.name, way.threads, reads=True), some)
    comparison = Comparison(
        passes=ours.passes,
        tags=population.tags,
        workers=processes,
        passes_per_second=round(ours.passes_per_second),
        bare_loop=str(way),
        bare_passes_per_second=round(bare.passes_per_second),
        ratio=round(ours.passes_per_second / bare.passes_per_second, 2),
        bare_reading_passes_per_second=round(reading.passes_per_second),
        ratio_to_reading=round(ours.passes_per_second / reading.passes_per_second, 2),
        calls_per_pass=round(ours.calls_per_pass, 3),
        units_per_pass=round(ours.units_per_pass, 2),
        cpu_milliseconds_per_pass=round(ours.cpu_milliseconds_per_pass, 3),
        bare_cpu_milliseconds_per_pass=round(bare.cpu_milliseconds_per_pass, 3),
        engine_milliseconds_per_pass=round(ours.engine_milliseconds_per_pass, 3),
        bare_engine_milliseconds_per_pass=round(bare.engine_milliseconds_per_pass, 3),
        queue_milliseconds_per_pass=round(ours.queue_milliseconds_per_pass, 3),
    )
    return comparison, tried


def run(*, scale: int) -> None:
    """Measures and reports: one tag and three, one process and two.

    Raises:
        BarsMissed
    """
    from chalicelib.wiring import get_platform

    comparisons, ways = [], []
    loaded = provide_file([Wish(scale, 1), Wish(scale, 3)])
    with loaded.copy_for_writing() as copy, run_embedded(database=copy, variables=_VARIABLES) as stack:
        if stack.engine_name != "dynoxide":
            raise SystemExit("benchmarks need dynoxide: on another engine the figures mean nothing")
        for population in loaded.populations:
            for processes in (1, 2):
                comparison, tried = compare(get_platform(), population, processes=processes)
                comparisons.append(comparison)
                ways += [_describe_way(way, pace) for way, pace in tried] if population.tags == 1 else []
    report_sections(
        [
            _describe(scale),
            Section(
                "Beside the bare loop",
                f"The ratio is at least {BAR}.",
                [asdict(comparison) for comparison in comparisons],
            ),
            Section("Bare loops", f"Each tried on {_TRIED} passes; the fastest safe one is the rival.", ways),
        ],
        name=name_results("bulk", scale=scale),
    )
    missed = [each for each in comparisons if each.ratio < BAR]
    if missed:
        raise BarsMissed(
            [f"{each.tags} tags, {each.workers} workers: {each.ratio} of the bare loop" for each in missed]
        )


def _describe(scale: int) -> Section:
    return describe_run(
        "Bulk updates",
        "From the accepted request to the completed ticket, with worker processes of their own that take messages from "
        "a queue one at a time. The bare loop sends the same conditional writes with botocore alone, from requests "
        "made beforehand; the reading one reads each pass too, as an update must.",
        command=f"make bench SCALE={scale} PARTS=bulk",
        compared=f"{min(scale, _COMPARED)} passes by the bare loop, before and after: its better run counts",
    )


def _describe_way(way: Way, pace: Pace) -> dict[str, object]:
    return {
        "bare_loop": str(way) if way.is_safe else f"{way}, without the condition",
        "processes": pace.processes,
        "passes_per_second": round(pace.passes_per_second),
        "cpu_milliseconds_per_pass": round(pace.cpu_milliseconds_per_pass, 3),
        "engine_milliseconds_per_pass": round(pace.engine_milliseconds_per_pass, 3),
    }


if __name__ == "__main__":
    run(scale=int(os.environ.get("SCALE", DEFAULT_SCALE)))
