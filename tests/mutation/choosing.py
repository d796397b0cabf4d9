"""Which tests judge a mutant: those that reach its line, of many files rather than of one, cheapest first."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant


@dataclass(frozen=True, slots=True)
class Cost:
    """What a test takes."""

    seconds: float
    """of processor time"""
    needs_engines: bool


@dataclass(slots=True)
class Reached:
    """What all tests were seen to reach."""

    costs: dict[str, Cost] = field(default_factory=dict)
    tests_by_line: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))

    def list_tests(self, mutant: Mutant) -> set[str]:
        """Tests that run the statement which the mutant changes."""
        found: set[str] = set()
        for line in range(mutant.first_line, mutant.last_line + 1):
            found |= self.tests_by_line.get((mutant.path, line), set())
        return found


def read_reached(files: Iterable[Path]) -> Reached:
    """Puts together what was noted in several runs."""
    reached = Reached()
    for file in files:
        document: dict[str, Any] = json.loads(file.read_text("utf-8"))
        costs = {name: Cost(**each) for name, each in document["tests"].items()}
        reached.costs |= costs
        for path, lines in document["lines"].items():
            for line, names in lines.items():
                reached.tests_by_line[path, int(line)] |= costs.keys() & set(names)
    return reached


def choose_tests(reached: Reached, mutant: Mutant, *, unit_seconds: float, engine_seconds: float) -> list[str]:
    """Unit tests first, then those that need engines, each for so many seconds of processor time at most.

    The latter stay together by file, since each file's first test prepares tables.
    """
    tests = reached.list_tests(mutant)
    plain = [name for name in tests if not reached.costs[name].needs_engines]
    others = [name for name in tests if reached.costs[name].needs_engines]
    costly = list(_take(reached, others, engine_seconds))
    order = {file: position for position, file in enumerate(dict.fromkeys(_file(name) for name in costly))}
    costly.sort(key=lambda name: order[_file(name)])
    return [*_take(reached, plain, unit_seconds), *costly]


def _take(reached: Reached, names: Sequence[str], seconds: float) -> Iterator[str]:
    left = seconds
    for name in _alternate(reached, names):
        left -= reached.costs[name].seconds
        if left < 0:
            return
        yield name


def _alternate(reached: Reached, names: Sequence[str]) -> Iterator[str]:
    """The cheapest test of each file, then the second of each, and so on."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=lambda each: (reached.costs[each].seconds, each)):
        by_file[_file(name)].append(name)
    turn = 0
    while files := [each for each in by_file.values() if turn < len(each)]:
        yield from (each[turn] for each in files)
        turn += 1


def _file(name: str) -> str:
    return name.partition("::")[0]
