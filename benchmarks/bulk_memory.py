"""Memory of one worker process over a thousand segments: after the first hundred it stays where it is.

`make bench PARTS=bulk_memory` writes the table.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.bulk_processes import Helper, start_helpers
from benchmarks.load import create_passes
from benchmarks.reporting import BarsMissed, report
from chalicelib.domain import bulk_updates, issuing
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import SEGMENT_SIZE, segment_of
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import TemplateReference
from chalicelib.domain.tickets import TicketStatus
from local.embedded import run_embedded

SEGMENTS = 1000
"""handled by the one process"""

WARM_UP = 100
"""segments after which memory is expected to stay"""

BOUND_MEGABYTES = 10.0
"""by which the process may ever be larger than after the warm-up

botocore and tenacity leave some 70 objects a segment to the garbage collector, which comes by when there are 50,000.
"""

_SAMPLE = 50
"""segments between two looks, and of one bulk update"""

_PER_SEGMENT = 20
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Sample:
    """The worker after so many segments."""

    segments: int
    passes: int
    resident_megabytes: float
    objects: int
    """that the garbage collector knows, dead ones included that it has not met yet"""


def _create_segments(platform: Platform) -> tuple[int, list[int]]:
    """A project with a few tagged passes in each of some segments; the segments' numbers."""
    project_id, pass_ids = create_passes(platform, count=_PER_SEGMENT, tags=1, advance=lambda _: None)
    first = platform.passes.get_passes(pass_ids[:1], consistent=True)[pass_ids[0]]
    new = [NewPass(update=ContentUpdate(), tag_names=("tag-0",))] * _PER_SEGMENT
    segments = [segment_of(first.pass_id)]
    while len(segments) < _SAMPLE:
        platform.sequences.allocate_pass_ids(
            project_id=project_id, count=SEGMENT_SIZE - _PER_SEGMENT, now=platform.now()
        )
        outcomes = issuing.create_passes(
            platform, project_id=project_id, template=TemplateReference(template_id=first.template_id), new=new
        )
        made = [outcome for outcome in outcomes if isinstance(outcome, Pass)]
        assert len(made) == _PER_SEGMENT, outcomes
        segments.append(segment_of(made[0].pass_id))
    return project_id, segments


def measure_memory(
    platform: Platform, worker: Helper, *, project_id: int, tag: str, segments: list[int]
) -> list[Sample]:
    """Has the worker handle bulk updates of these segments, one after another, and looks after each."""
    samples: list[Sample] = []
    passes = 0
    for number in range(SEGMENTS // len(segments)):
        update = ContentUpdate(fields={"field1": {"value": f"value {number}"}})
        ticket = bulk_updates.start_bulk_update(platform, project_id=project_id, segment=tag, update=update)
        bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
        worker.tell({"ticket_id": ticket.ticket_id, "segments": segments})
        memory = worker.hear()
        finished = platform.tickets.get_ticket(ticket_id=ticket.ticket_id)
        if finished is None or finished.status is not TicketStatus.COMPLETED:
            raise RuntimeError(f"the bulk update went wrong: {finished}")
        passes += finished.progress.changed
        samples.append(
            Sample(
                segments=(number + 1) * len(segments),
                passes=passes,
                resident_megabytes=round(memory["resident_bytes"] / _MEGABYTE, 1),
                objects=memory["objects"],
            )
        )
    return samples


def growth_megabytes(samples: list[Sample]) -> float:
    """How much larger the process ever is than after the warm-up."""
    after = [sample.resident_megabytes for sample in samples if sample.segments >= WARM_UP]
    return round(max(after) - after[0], 1)


def run(*, scale: int) -> None:
    """Measures and reports; the scale changes nothing.

    Raises:
        BarsMissed: memory grew beyond the bound.
    """
    from chalicelib.wiring import get_platform

    with (
        tempfile.TemporaryDirectory() as folder,
        run_embedded(database=Path(folder) / "bench.db"),
        start_helpers("benchmarks.bulk_memory_worker", 1) as (worker,),
    ):
        platform = get_platform()
        project_id, segments = _create_segments(platform)
        samples = measure_memory(platform, worker, project_id=project_id, tag="tag-0", segments=segments)
    report([asdict(sample) for sample in samples], name="bulk_memory")
    grown = growth_megabytes(samples)
    print(f"grown by {grown} MB since segment {WARM_UP}; the bound is {BOUND_MEGABYTES:g} MB")
    if grown > BOUND_MEGABYTES:
        raise BarsMissed([f"grown by {grown} MB since segment {WARM_UP}"])


if __name__ == "__main__":
    run(scale=0)
