"""How thoroughly hypothesis searches: the same examples each time, unless told to look for new ones.

`HYPOTHESIS_PROFILE=search` takes random examples, and ten times as many where a test asks for a number.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

STABLE, SEARCH = "stable", "search"

_SUPPRESSED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


def load() -> None:
    """Registers and loads the profile for this process."""
    settings.register_profile(STABLE, derandomize=True, deadline=None, database=None, suppress_health_check=_SUPPRESSED)
    settings.register_profile(SEARCH, deadline=None, print_blob=True, suppress_health_check=_SUPPRESSED)
    settings.load_profile(_name())


def _name() -> str:
    return SEARCH if os.environ.get("HYPOTHESIS_PROFILE") == SEARCH else STABLE


WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""for tests whose every example takes a second: a failure is shown as it was found, and soon"""


def examples(number: int) -> int:
    """How many examples a test takes that would take `number` in a stable run."""
    return number * 10 if _name() == SEARCH else number
