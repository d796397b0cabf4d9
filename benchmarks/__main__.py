"""`make bench`: measures on dynoxide with data on disk, and writes a table to benchmarks/results/."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.apns_process import start_apns
from benchmarks.cold_start import measure_with_a_stack
from benchmarks.reporting import report, report_parts
from local.embedded import run_embedded


def main() -> None:
    """Runs everything; SCALE is the larger number of passes."""
    scale = int(os.environ.get("SCALE", "10000"))
    with (
        tempfile.TemporaryDirectory() as folder,
        start_apns(Path(folder) / "apns") as apns,
        run_embedded(database=Path(folder) / "bench.db", variables=apns.variables) as stack,
    ):
        if stack.engine_name != "dynoxide":
            raise SystemExit("benchmarks need dynoxide: on another engine the figures mean nothing")
        from benchmarks import bulk, bulk_memory
        from benchmarks.load import create_passes
        from benchmarks.pushes import measure_pushes
        from benchmarks.requests import measure_requests
        from benchmarks.wallets import measure_wallets
        from chalicelib.wiring import get_platform

        platform = get_platform()
        requests = []
        for tags in (1, 3):
            with click.progressbar(length=scale, label=f"{scale} passes with {tags} tags") as progress:
                project_id, pass_ids = create_passes(platform, count=scale, tags=tags, advance=progress.update)
        small_project, small_ids = create_passes(platform, count=100, tags=1, advance=lambda _: None)
        for project, ids in ((small_project, small_ids), (project_id, pass_ids)):
            requests += measure_requests(stack, project_id=project, pass_ids=ids)
        wallets, rates, files = measure_wallets(stack, platform, counts=(100, scale))
        pushes = measure_pushes(stack, platform, apns, devices=scale)
    for name, rows in (("wallets", wallets), ("registrations", rates), ("files", files)):
        report([asdict(row) for row in rows], name=name)
    bulk.run(scale=scale)
    bulk_memory.run(scale=scale)
    report([asdict(row) for row in requests], name="requests")
    report_parts(pushes, name="pushes")
    report_parts(measure_with_a_stack(), name="cold_start")


if __name__ == "__main__":
    main()
