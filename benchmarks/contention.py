"""Many writers on the same counters, under DynamoDB's rules of contention, and what stripes do for them.

`python -m benchmarks.contention [PART ...]` measures and writes benchmarks/results/contention.*; of parts that are left
out, the rows of the last time stay. Time is virtual (tests/support/virtual_time): no machine is too slow, and what is
computed costs nothing, so writers meet more often than they would. EACH=8 says how often each of the 32 writers acts.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.reporting import RESULTS, report_parts
from local.embedded import Embedded, run_embedded

WRITERS = 32
SEED = 6
STRIPES = (1, 2, 4, 8, 16)
MEMORY_SECONDS = (0.2, 1.0, 5.0)
SEGMENT_WORKERS = (10, 32)

NAME = "contention"

Row = dict[str, Any]


class Bench:
    """The scenes of one run on one stack."""

    def __init__(self, stack: Embedded, scene: Any, *, each: int) -> None:
        from chalicelib.wiring import get_platform

        self.platform = get_platform()
        self._stack = stack
        self._scene = scene
        self._each = each

    def measure_tagging(self) -> Iterator[Row]:
        """Tagging the passes of one segment with one tag, for each number of stripes; and apart, each in a project."""
        yield self._run("tag, apart", [self._tagging(self._each)[0] for _ in range(WRITERS)])
        for stripes in STRIPES:
            yield self._run(f"tag, {stripes} stripes", self._tagging(self._each * WRITERS), stripes=stripes)

    def measure_creating(self) -> Iterator[Row]:
        """Creating tagged passes under one template, likewise."""
        yield self._run("create, apart", [self._creating() for _ in range(WRITERS)])
        for stripes in STRIPES:
            yield self._run(f"create, {stripes} stripes", [self._creating()] * WRITERS, stripes=stripes)

    def measure_memory(self) -> Iterator[Row]:
        """How long writers remember that they met: three times as many creates as above."""
        from dataclasses import replace

        for seconds in MEMORY_SECONDS:
            share = self._creating()
            longer = replace(share, numbers=range(3 * self._each))
            yield self._run(f"create, {seconds:g} s of memory", [longer] * WRITERS, memory_seconds=seconds)

    def measure_devices(self) -> Iterator[Row]:
        """Devices that come to the passes of one template, and to one pass."""
        from tests.support.builders import make_passes
        from tests.support.contention import Share

        project_id = self._project()
        pass_ids = [pass_.pass_id for pass_ in make_passes(project_id, WRITERS * self._each, tags=["one"])]
        shares = [Share(kind="register", project_id=project_id, numbers=own) for own in _deal(pass_ids, WRITERS)]
        yield self._run("register, passes of one template", shares)
        one = Share(kind="register", project_id=project_id, numbers=pass_ids[:1] * self._each)
        yield self._run("register, one pass", [one] * WRITERS)

    def measure_updates(self) -> Iterator[Row]:
        """Updates of single passes of one template, and views of them while others are made."""
        from tests.support.builders import make_passes
        from tests.support.contention import Share

        project_id = self._project()
        pass_ids = [pass_.pass_id for pass_ in make_passes(project_id, WRITERS * self._each)]
        shares = [Share(kind="update", project_id=project_id, numbers=own) for own in _deal(pass_ids, WRITERS)]
        yield self._run("update, passes of one template", shares)
        creating = self._creating()
        viewing = Share(
            kind="view",
            project_id=creating.project_id,
            template_id=creating.template_id,
            numbers=range(6 * self._each),
        )
        yield self._run("view, while others create", [creating, viewing] * (WRITERS // 2))

    def measure_segments(self) -> Iterator[Row]:
        """Workers who complete segments of one ticket, with as few passes in a segment as there can be."""
        from chalicelib.domain import bulk_updates
        from tests.support.builders import make_spread_passes, write_field
        from tests.support.contention import Share

        for workers in SEGMENT_WORKERS:
            project_id = self._project()
            passes = make_spread_passes(project_id, segments=workers * self._each, tags=["one"])
            update = write_field("Points", "9")
            ticket = bulk_updates.start_bulk_update(self.platform, project_id=project_id, segment="one", update=update)
            bulk_updates.plan_bulk_update(self.platform, ticket_id=ticket.ticket_id)
            segments = [pass_.pass_id // 1000 for pass_ in passes]
            shares = [
                Share(kind="complete", project_id=project_id, ticket_id=ticket.ticket_id, numbers=own)
                for own in _deal(segments, workers)
            ]
            yield self._run(f"complete a segment, {workers} workers", shares)

    def _run(self, what: str, shares: Sequence[Any], **settings: Any) -> Row:
        """Runs a scene and recounts what it wrote."""
        from tests.support.conflict_rule import name_item
        from tests.support.recount import recount

        outcome = self._scene.run(shares, seed=SEED, **settings)
        projects = {share.project_id for share in shares}
        wrong = [problem for project in projects for problem in recount(self._stack.dynamodb, project, swept=False)]
        counts, acts = outcome.counts, len(outcome.seconds)
        hottest = [name_item(item) for item, _ in counts.contended.most_common(1)]
        return {
            "scene": what,
            "acts": acts,
            "failed": outcome.failures.total(),
            "counted wrong": len(wrong),
            "a second": round(outcome.per_second),
            "p50 ms": round(outcome.quantile_seconds(0.5) * 1000),
            "p99 ms": round(outcome.quantile_seconds(0.99) * 1000),
            "longest ms": round(outcome.seconds[-1] * 1000),
            "conflicts": counts.conflicts,
            "throttled": counts.throttled,
            "retries for each act": round((counts.conflicts + counts.throttled) / acts, 2),
            "met most often at": hottest[0].removeprefix("passel-local-") if hottest else "",
        }

    def _project(self) -> int:
        from chalicelib import operations

        return operations.create_project(name=NAME).project_id

    def _tagging(self, passes: int) -> list[Any]:
        """Shares of the passes of a new project, all but one of which have no tag yet."""
        from chalicelib.domain import tagging
        from chalicelib.domain.passes import PassReference
        from tests.support.builders import make_passes
        from tests.support.contention import Share

        project_id = self._project()
        tagged, *pass_ids = [pass_.pass_id for pass_ in make_passes(project_id, passes + 1)]
        reference = PassReference(pass_id=tagged)
        tagging.add_tags(self.platform, project_id=project_id, reference=reference, names=["one"])
        writers = WRITERS if passes > self._each else 1
        return [Share(kind="tag", project_id=project_id, numbers=own, tag="one") for own in _deal(pass_ids, writers)]

    def _creating(self) -> Any:
        """One writer's share of new passes, of a new project, with a tag that is there."""
        from tests.support.builders import make_passes
        from tests.support.contention import Share

        project_id = self._project()
        template_id = make_passes(project_id, 1, tags=["one"])[0].template_id
        return Share(
            kind="create", project_id=project_id, template_id=template_id, tag="one", numbers=range(self._each)
        )


def _deal(numbers: Sequence[int], hands: int) -> list[Sequence[int]]:
    return [numbers[hand::hands] for hand in range(hands)]


PARTS: Mapping[str, Callable[[Bench], Iterator[Row]]] = {
    "tagging": Bench.measure_tagging,
    "creating": Bench.measure_creating,
    "memory": Bench.measure_memory,
    "devices": Bench.measure_devices,
    "updates": Bench.measure_updates,
    "segments": Bench.measure_segments,
}


def measure(parts: Sequence[str] = tuple(PARTS), *, each: int = 8) -> dict[str, list[Row]]:
    """The rows of each part."""
    with tempfile.TemporaryDirectory() as folder, run_embedded(database=Path(folder) / "bench.db") as stack:
        from tests.support.contention import open_scene

        with open_scene() as scene:
            bench = Bench(stack, scene, each=each)
            rows: dict[str, list[Row]] = {}
            for part in parts:
                rows[part] = []
                for row in PARTS[part](bench):
                    rows[part].append(row)
                    print(row, flush=True)
    return rows


def report(rows: Mapping[str, Sequence[Row]]) -> None:
    """Writes the tables; parts that were not measured now keep their rows."""
    path = RESULTS / f"{NAME}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    report_parts({part: rows.get(part) or before[part] for part in PARTS if part in rows or part in before}, name=NAME)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
def main(parts: tuple[str, ...]) -> None:
    """Measures the parts that are named, or all."""
    report(measure(parts or tuple(PARTS), each=int(os.environ.get("EACH", "8"))))


if __name__ == "__main__":
    main()
