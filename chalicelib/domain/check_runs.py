"""How a check goes about its work beside live traffic: suspicion, patience, a second look, and only then the mend.

Stages read in bulk and name what looks wrong. Each suspect is looked at by itself, consistently. What is still wrong
then is looked at again once a time has passed that no request outlives, and only what both looks saw alike is damage.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from chalicelib.domain.checking import Damage, Kind, Known, Sighting, Subject
from chalicelib.domain.errors import Busy, Conflict

LOOKS = 6
"""looks at something that others write at the same time, before it counts as too busy to judge"""

TURNS = 4
"""times that a suspect may look different from before"""

MENDS = 40
"""writes that one suspect takes at most"""

PENDING = 2000
"""suspects that are waited for side by side"""

REMEMBERED = 20_000
"""damages that stay and are remembered, so that memory stays bounded; what comes beyond may be reported twice"""

_FIRST_PAUSE_SECONDS = 0.05

Cursor = list[Any]
"""JSON: where a stage goes on"""


class Outcome(StrEnum):
    """What became of damage."""

    FOUND = "found"
    MENDED = "mended"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Finding:
    """Damage that two looks agree on."""

    damage: Damage
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Unit:
    """A bounded piece of a stage: what looked wrong in it, and where the next one begins."""

    cursor: Cursor
    rows: int
    suspects: Sequence[Subject]


class Stage(Protocol):
    """One way through the stored rows."""

    name: str

    def estimate(self) -> int:
        """About how many rows there are."""

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """The pieces that come after a cursor, in an order that stays the same."""


class Looks(Protocol):
    """Consistent looks at single subjects, and writes that mend them."""

    def look(self, subject: Subject, before: Mapping[str, Any]) -> Sighting:
        """What is wrong with a subject now. `before` is what the looks before it remember; it is empty at the first."""

    def mend(self, damage: Damage) -> None:
        """Writes a damage's mend, all of it or nothing. Raises Conflict if anything has changed since the look."""


@dataclass(slots=True)
class Progress:
    """How far a check is: what is kept, so that it can go on in another process."""

    stage: str | None = None
    """the stage that was begun last"""
    cursor: Cursor | None = None
    pending: list[Subject] = field(default_factory=list)
    """suspects that still wait for their second look"""
    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """`<kind> <outcome>` to how often"""
    busy: int = 0
    """suspects that were written all the time"""
    reported: set[tuple[str, str]] = field(default_factory=set)
    """kind and place of what was reported and stays"""
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """kind and truth of damage that stays, see `Known`"""

    def count(self, outcome: Outcome) -> int:
        """How many findings came to that."""
        return sum(times for name, times in self.outcomes.items() if name.endswith(f" {outcome}"))


@dataclass(slots=True)
class _Suspect:
    subject: Subject
    sighting: Sighting
    seen_at: float
    turns: int = 0


class Inspector:
    """Takes suspects, and tells of those that are truly damaged."""

    def __init__(
        self,
        looks: Looks,
        progress: Progress,
        *,
        known: Known,
        report: Callable[[Finding], None],
        repair: bool,
        patience_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        concerns: Callable[[Damage], bool] = lambda _: True,
    ) -> None:
        self._looks = looks
        self._progress = progress
        self._known = known
        self._report = report
        self._repair = repair
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._sleep = sleep
        self._concerns = concerns
        self._pending: deque[_Suspect] = deque()
        self._waiting: set[Subject] = set()
        for kind, truth in progress.notes:
            known.note(Kind(kind), truth)

    def suspect(self, subject: Subject) -> None:
        """Looks at something for the first time, unless it waits for a second look already."""
        if subject in self._waiting:
            return
        sighting = self._settle(subject, {})
        if sighting.damages or not sighting.is_settled:
            self._pending.append(_Suspect(subject, sighting, self._clock()))
            self._waiting.add(subject)
        if len(self._pending) > PENDING:
            self.work(to_the_end=True)

    def work(self, *, to_the_end: bool = False) -> None:
        """Takes second looks for which the time has come; `to_the_end` waits for it, until no suspect is left."""
        while self._pending:
            due_in = self._pending[0].seen_at + self._patience_seconds - self._clock()
            if due_in > 0:
                if not to_the_end:
                    break
                self._sleep(due_in)
            suspect = self._pending.popleft()
            self._waiting.discard(suspect.subject)
            self._look_again(suspect)
        self._progress.pending = self._list_pending()

    def _list_pending(self) -> list[Subject]:
        """Suspects, and what a mend of theirs would make suspect: the process may end between the two."""
        wakes = (
            subject
            for suspect in self._pending
            for damage in (suspect.sighting.damages if self._repair else ())
            for subject in damage.wakes
        )
        return list(dict.fromkeys([*(suspect.subject for suspect in self._pending), *wakes]))

    def _look_again(self, suspect: _Suspect) -> None:
        second = self._settle(suspect.subject, suspect.sighting.memory)
        if not second.is_settled:
            self._progress.busy += 1
            return
        before = {damage.identity for damage in suspect.sighting.damages}
        agreed = [damage for damage in second.damages if damage.identity in before]
        if agreed:
            self._conclude(suspect, agreed)
        if len(agreed) == len(second.damages):
            return
        if suspect.turns < TURNS:
            again = _Suspect(suspect.subject, second, self._clock(), suspect.turns + 1)
            self._pending.append(again)
            self._waiting.add(suspect.subject)
        else:
            self._progress.busy += 1

    def _settle(self, subject: Subject, before: Mapping[str, Any]) -> Sighting:
        """Looks until nobody writes at the same time, a few times at most."""
        sighting = self._looks.look(subject, before)
        pause_seconds = _FIRST_PAUSE_SECONDS
        for _ in range(LOOKS - 1):
            if sighting.is_settled:
                break
            self._sleep(pause_seconds)
            pause_seconds *= 2
            sighting = self._looks.look(subject, {**before, **sighting.partial})
        return sighting

    def _conclude(self, suspect: _Suspect, agreed: Sequence[Damage]) -> None:
        new = [damage for damage in agreed if self._concerns(damage) and not self._is_reported(damage)]
        mended = self._mend(suspect, new) if self._repair else set()
        for damage in new:
            if not self._repair:
                self._tell(damage, Outcome.FOUND)
            elif damage.spot in mended:
                self._tell(damage, Outcome.MENDED)
                for subject in damage.wakes:
                    self.suspect(subject)
            else:
                self._tell(damage, Outcome.LEFT)

    def _is_reported(self, damage: Damage) -> bool:
        return (str(damage.kind), damage.place) in self._progress.reported

    def _tell(self, damage: Damage, outcome: Outcome) -> None:
        self._progress.outcomes[f"{damage.kind} {outcome}"] += 1
        if outcome is not Outcome.MENDED and len(self._progress.reported) < REMEMBERED:
            self._progress.reported.add((str(damage.kind), damage.place))
            if damage.truth:
                self._known.note(damage.kind, damage.truth)
                self._progress.notes.append((str(damage.kind), dict(damage.truth)))
        self._report(Finding(damage, outcome))

    def _mend(self, suspect: _Suspect, damages: Sequence[Damage]) -> set[tuple[Kind, str]]:
        """Mends one damage after another, each by what a look before it has read; the spots that are whole then.

        A writer who comes in between wins: the mend fails, and the next look decides whether there is still anything to
        mend.
        """
        wanted = {damage.spot for damage in damages if damage.mend}
        written: set[tuple[Kind, str]] = set()
        current = list(damages)
        pause_seconds = _FIRST_PAUSE_SECONDS
        for _ in range(MENDS):
            damage = next((each for each in current if each.spot in wanted - written and each.mend), None)
            if damage is None:
                break
            try:
                self._looks.mend(damage)
                written.add(damage.spot)
            except (Conflict, Busy):
                self._sleep(pause_seconds)
                pause_seconds = min(2 * pause_seconds, 2.0)
            sighting = self._settle(suspect.subject, suspect.sighting.memory)
            if not sighting.is_settled:
                return written
            current = list(sighting.damages)
        return wanted - {damage.spot for damage in current}


def run_stages(
    stages: Sequence[Stage],
    inspector: Inspector,
    progress: Progress,
    *,
    save: Callable[[], None],
    advance: Callable[[str, int], None],
) -> None:
    """Goes through the stages from where `progress` stands, and keeps it up to date.

    `save` is called after each unit, and `advance` with the stage and the rows that were read.
    """
    names = [stage.name for stage in stages]
    start = names.index(progress.stage) if progress.stage in names else 0
    for subject in list(progress.pending):
        inspector.suspect(subject)
    for stage in stages[start:]:
        cursor = progress.cursor if stage.name == progress.stage else None
        progress.stage, progress.cursor = stage.name, cursor
        for unit in stage.units(cursor):
            for subject in unit.suspects:
                inspector.suspect(subject)
            inspector.work()
            progress.cursor = unit.cursor
            progress.rows += unit.rows
            save()
            advance(stage.name, unit.rows)
        inspector.work(to_the_end=True)
        save()
