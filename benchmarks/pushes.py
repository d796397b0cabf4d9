"""Pushes: how fast a worker makes them, what they cost, and when the last of many iPhones shows an update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from benchmarks.apns_process import ApnsProcess
from benchmarks.holders import Holder, load_holders
from benchmarks.load import create_passes
from benchmarks.push_costs import measure_costs
from benchmarks.push_journey import measure_journey
from benchmarks.push_rates import BATCH, ROUNDS, measure_rates
from chalicelib.domain.ports import Platform
from local.embedded import Embedded

COUNTED_DEVICES = 1000

_DRAIN_SECONDS = 600.0


def measure_pushes(
    stack: Embedded, platform: Platform, apns: ApnsProcess, *, devices: int
) -> dict[str, Sequence[dict[str, Any]]]:
    """Rates, costs and the whole way of an update to `devices` iPhones, as rows of one table each."""
    stack.pump.drain(_DRAIN_SECONDS)  # what others left in the queues would count as ours
    project_id, pass_ids, _ = _prepare(platform, devices=COUNTED_DEVICES)
    template_id = platform.passes.get_passes(pass_ids[:1])[pass_ids[0]].template_id
    tokens = max(1, devices // 8 // BATCH) * BATCH
    with click.progressbar(length=ROUNDS, label=f"{ROUNDS} rounds of {tokens} pushes") as progress:
        rates = measure_rates(
            platform,
            apns,
            project_id=project_id,
            template_id=template_id,
            tokens=tokens,
            advance=lambda: progress.update(1),
        )
    costs = measure_costs(stack, platform, project_id=project_id, devices=COUNTED_DEVICES)
    project_id, _, holders = _prepare(platform, devices=devices)
    with click.progressbar(length=devices, label=f"an update to {devices} iPhones") as progress:
        journey = measure_journey(stack, apns, project_id=project_id, holders=holders, advance=progress.update)
    return {
        "rates": [asdict(rate) for rate in rates],
        "costs": [asdict(cost) for cost in costs],
        "journey": [asdict(journey)],
    }


def _prepare(platform: Platform, *, devices: int) -> tuple[int, list[int], list[Holder]]:
    """A project whose passes have `tag-0` and are each on one iPhone."""
    with click.progressbar(length=2 * devices, label=f"{devices} passes, each on an iPhone") as progress:
        project_id, pass_ids = create_passes(platform, count=devices, tags=1, advance=progress.update)
        holders = load_holders(platform, pass_ids, advance=progress.update)
    return project_id, pass_ids, holders
