"""What a mutation run has found, as text and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import sqrt
from typing import Any

from tests.mutation.mutants import Mutant

_DEVIATIONS = 1.96
"""of the normal distribution, for 95 percent"""

NOTICED = ("killed", "timeout")


def interval(noticed: int, total: int) -> tuple[float, float]:
    """The 95 percent interval of a share (Wilson 1927), in percent."""
    if not total:
        return 0.0, 100.0
    share, squared = noticed / total, _DEVIATIONS**2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    reach = _DEVIATIONS / (1 + squared / total) * sqrt(share * (1 - share) / total + squared / (4 * total**2))
    return 100 * (middle - reach), 100 * (middle + reach)


def write_report(mutants: Iterable[Mutant], results: Mapping[str, Mapping[str, Any]], *, total: int) -> Iterator[str]:
    """The lines of the report: the score, the score of each module, and what survived."""
    judged = [each for each in mutants if each.name in results]
    verdicts = Counter(str(results[each.name]["verdict"]) for each in judged)
    noticed = sum(verdicts[each] for each in NOTICED)
    low, high = interval(noticed, len(judged))
    percent = 100 * noticed / len(judged) if judged else 0
    late = verdicts["timeout"]
    yield f"{noticed} of {len(judged)} mutants were noticed ({late} by taking too long): {percent:.1f} %."
    yield f"Of all {total:,} it is {low:.1f} to {high:.1f} %, with a certainty of 95 %."
    yield from ("", "| module | mutants | noticed | % |", "|---|---|---|---|")
    for module in sorted({each.module for each in judged}):
        own = [each for each in judged if each.module == module]
        seen = sum(results[each.name]["verdict"] in NOTICED for each in own)
        yield f"| {module} | {len(own)} | {seen} | {100 * seen / len(own):.0f} |"
    yield ""
    for each in judged:
        if results[each.name]["verdict"] not in NOTICED:
            yield f"{each.name} ({results[each.name]['tests']} tests)"
            yield from (f"  - {line.strip()}" for line in each.removed.split("\n"))
            yield from (f"  + {line.strip()}" for line in each.added.split("\n"))
