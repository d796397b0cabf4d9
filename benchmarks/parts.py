"""Parts of the bench that share no data with others: each starts a stack of its own, measures and reports."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.reporting import report, report_parts
from local.embedded import Embedded, run_embedded

LARGEST = 10_000
"""passes and devices of these parts: they are made one request after another"""


@contextmanager
def run_stack(variables: Mapping[str, str] | None = None) -> Iterator[Embedded]:
    """An empty stack on dynoxide with data on disk.

    Raises:
        SystemExit: there is no dynoxide for this machine.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        run_embedded(database=Path(folder) / "bench.db", variables=variables) as stack,
    ):
        if stack.engine_name != "dynoxide":
            raise SystemExit("benchmarks need dynoxide: on another engine the figures mean nothing")
        yield stack


def run_wallets(*, scale: int) -> None:
    """What wallets ask, registering, and building the file."""
    from benchmarks.wallets import measure_wallets
    from chalicelib.wiring import get_platform

    with run_stack() as stack:
        wallets, rates, files = measure_wallets(stack, get_platform(), counts=(100, min(scale, LARGEST)))
    report([asdict(row) for row in wallets], name="wallets")
    report([asdict(row) for row in rates], name="registrations")
    report([asdict(row) for row in files], name="files")


def run_pushes(*, scale: int) -> None:
    """An update on its way to the phones."""
    from benchmarks.apns_process import start_apns
    from benchmarks.pushes import measure_pushes
    from chalicelib.wiring import get_platform

    with (
        tempfile.TemporaryDirectory() as folder,
        start_apns(Path(folder) / "apns") as apns,
        run_stack(apns.variables) as stack,
    ):
        pushes = measure_pushes(stack, get_platform(), apns, devices=min(scale, LARGEST))
    report_parts(pushes, name="pushes")


def run_cold_start(*, scale: int) -> None:
    """What a new environment of Lambda does before it answers, beside a bare one."""
    from benchmarks import cold_start

    cold_start.report(cold_start.measure())


def run_overhead(*, scale: int) -> None:
    """Handlers of hot routes, beside bare functions with the same calls."""
    from benchmarks import handler_overhead

    handler_overhead.report(handler_overhead.measure())


def run_contention(*, scale: int) -> None:
    """Many writers at once, under DynamoDB's own rule."""
    from benchmarks import contention

    contention.report(contention.measure())
