"""What a reader must know of a run before the figures mean something."""

from __future__ import annotations

import os
import platform as machine
from datetime import UTC, datetime

from benchmarks.reporting import Section
from local.install import VERSION

DEFAULT_SCALE = 100_000


def name_results(part: str, *, scale: int) -> str:
    """The name of the results: those of another scale than the usual one never take its place."""
    return part if scale == DEFAULT_SCALE else f"{part}-{scale}"


def describe_run(title: str, text: str, *, command: str, **more: str) -> Section:
    """The section that comes before all others.

    Args:
        command: that repeats the run.
        more: facts of this part alone.
    """
    facts = {
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "command": command,
        "processors": os.cpu_count(),
        "machine": f"{machine.system()} {machine.machine()}, Python {machine.python_version()}",
        "engine": f"dynoxide {VERSION}, on disk",
        "load": f"{os.getloadavg()[0]:.1f} processes at the end: above the processors, times hold waiting",
        **more,
    }
    return Section(title, text, [{"fact": name, "value": value} for name, value in facts.items()])
