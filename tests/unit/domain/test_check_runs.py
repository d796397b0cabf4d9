"""A difference is damage once two looks agree on it, with time between them; a mend that fails is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.domain import check_runs
from chalicelib.domain.check_runs import Cursor, Finding, Inspector, Outcome, Progress, Unit, run_stages
from chalicelib.domain.checking import UNSETTLED, Damage, Kind, Known, Sighting, Subject, check, pass_place
from chalicelib.domain.errors import Conflict

SUBJECT = Subject("pass", (1,))
MEND = (check(pass_place(1), {"revision": 1}),)


def damage(detail: str = "wrong", *, kind: Kind = Kind.PASS_KEYS, mend: bool = True, **more: Any) -> Damage:
    return Damage(kind=kind, place="passes 1", detail=detail, project_id=3, mend=MEND if mend else (), **more)


WHOLE = Sighting()
WRONG = Sighting([damage()])


@dataclass
class FakeLooks:
    """Shows what it is told, the last of it for ever; a mend makes things whole, or runs `on_mend`."""

    sightings: list[Sighting]
    on_mend: Callable[[], None] = lambda: None
    seen_at: list[float] = field(default_factory=list)
    memories: list[Mapping[str, Any]] = field(default_factory=list)
    mends: int = 0
    clock: Callable[[], float] = lambda: 0.0

    def look(self, subject: Subject, before: Mapping[str, Any]) -> Sighting:
        self.seen_at.append(self.clock())
        self.memories.append(dict(before))
        return self.sightings.pop(0) if len(self.sightings) > 1 else self.sightings[0]

    def mend(self, damage: Damage) -> None:
        self.mends += 1
        self.on_mend()
        self.sightings = [WHOLE]


@dataclass
class Run:
    """An inspector with a clock of its own."""

    looks: FakeLooks
    repair: bool = False
    patience_seconds: float = 30.0
    concerns: Callable[[Damage], bool] = lambda _: True
    progress: Progress = field(default_factory=Progress)
    known: Known = field(default_factory=Known)
    findings: list[Finding] = field(default_factory=list)
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def inspector(self) -> Inspector:
        self.looks.clock = lambda: self.now
        return Inspector(
            self.looks,
            self.progress,
            known=self.known,
            report=self.findings.append,
            repair=self.repair,
            patience_seconds=self.patience_seconds,
            clock=lambda: self.now,
            sleep=self.sleep,
            concerns=self.concerns,
        )

    def inspect(self) -> list[Outcome]:
        inspector = self.inspector()
        inspector.suspect(SUBJECT)
        inspector.work(to_the_end=True)
        return [finding.outcome for finding in self.findings]


def test_a_subject_is_the_same_once_it_was_written_down() -> None:
    subject = Subject("counter", ("tag-passes:3.1.1", 4, 3))

    assert subject.encode() == ["counter", "tag-passes:3.1.1", 4, 3]
    assert Subject.decode(subject.encode()) == subject


def test_what_two_looks_agree_on_is_damage() -> None:
    looks = FakeLooks([WRONG])
    run = Run(looks)

    assert run.inspect() == [Outcome.FOUND]
    assert run.findings == [Finding(damage(), Outcome.FOUND)]
    assert looks.seen_at == [0.0, 30.0]


@pytest.mark.parametrize("sightings", [[WHOLE], [WRONG, WHOLE]], ids=["at once", "after a while"])
def test_what_passes_is_no_damage(sightings: list[Sighting]) -> None:
    assert Run(FakeLooks(sightings)).inspect() == []


def test_what_looks_different_each_time_is_never_damage() -> None:
    run = Run(FakeLooks([Sighting([damage(str(number))]) for number in range(20)]))

    assert run.inspect() == []
    assert run.progress.busy == 1
    assert len(run.looks.seen_at) == 2 + check_runs.TURNS


def test_what_looked_different_once_gets_its_time_again() -> None:
    looks = FakeLooks([WRONG, Sighting([damage("otherwise")])])

    assert Run(looks).inspect() == [Outcome.FOUND]
    assert looks.seen_at == [0.0, 30.0, 60.0]


def test_what_is_written_all_the_time_cannot_be_judged() -> None:
    run = Run(FakeLooks([WRONG, UNSETTLED]))

    assert run.inspect() == []
    assert run.progress.busy == 1


def test_a_look_that_did_not_settle_is_repeated_at_once_with_what_it_learned() -> None:
    unsure = Sighting(is_settled=False, partial={"ranges": 1})
    looks = FakeLooks([Sighting([damage()], memory={"last": 5}), unsure, WRONG])

    assert Run(looks).inspect() == [Outcome.FOUND]
    assert looks.memories == [{}, {"last": 5}, {"last": 5, "ranges": 1}]


def test_nothing_is_mended_unless_that_is_asked_for() -> None:
    looks = FakeLooks([WRONG])
    Run(looks).inspect()

    assert looks.mends == 0


def test_a_mend_is_looked_at_once_more() -> None:
    assert Run(FakeLooks([WRONG]), repair=True).inspect() == [Outcome.MENDED]


def test_a_mend_that_does_not_help_is_told() -> None:
    looks = FakeLooks([WRONG])
    looks.on_mend = lambda: None
    run = Run(looks, repair=True)
    looks.mend = lambda damage: None  # type: ignore[method-assign]

    assert run.inspect() == [Outcome.LEFT]


def test_damage_without_a_mend_is_left() -> None:
    assert Run(FakeLooks([Sighting([damage(mend=False)])]), repair=True).inspect() == [Outcome.LEFT]


def test_a_writer_who_comes_in_between_wins_and_the_mend_is_made_anew() -> None:
    looks = FakeLooks([WRONG])

    def refuse() -> None:
        if looks.mends < 3:
            raise Conflict

    looks.on_mend = refuse

    assert Run(looks, repair=True).inspect() == [Outcome.MENDED]
    assert looks.mends == 3


def test_damage_that_a_writer_has_mended_is_whole() -> None:
    looks = FakeLooks([WRONG])

    def mend_itself() -> None:
        looks.sightings = [WHOLE]
        raise Conflict

    looks.on_mend = mend_itself

    assert Run(looks, repair=True).inspect() == [Outcome.MENDED]


def test_a_mend_that_never_comes_through_ends() -> None:
    looks = FakeLooks([WRONG])

    def refuse() -> None:
        raise Conflict

    looks.on_mend = refuse

    assert Run(looks, repair=True).inspect() == [Outcome.LEFT]
    assert looks.mends == check_runs.MENDS


def test_the_same_damage_is_told_once_however_it_is_met() -> None:
    run = Run(FakeLooks([WRONG]))
    run.inspect()
    run.inspect()

    assert len(run.findings) == run.progress.count(Outcome.FOUND) == 1


def test_damage_that_stays_is_known_also_to_whoever_goes_on() -> None:
    wrong = damage(kind=Kind.STATUS, truth={"pass_id": 1, "status": "installed"})
    run = Run(FakeLooks([Sighting([wrong])]))
    run.inspect()
    assert run.known.statuses == {1: "installed"}

    later = Run(FakeLooks([WHOLE]), progress=run.progress)
    later.inspector()
    assert later.known.statuses == {1: "installed"}


def test_damage_of_no_concern_is_neither_told_nor_mended() -> None:
    looks = FakeLooks([WRONG])

    assert Run(looks, repair=True, concerns=lambda _: False).inspect() == []
    assert looks.mends == 0


def test_suspects_wait_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_runs, "PENDING", 5)
    run = Run(FakeLooks([WRONG]))
    inspector = run.inspector()
    for number in range(11):
        inspector.suspect(Subject("pass", (number,)))
    inspector.work(to_the_end=True)

    assert run.now == 60.0, "two full waiting rooms, not eleven single waits"


def test_a_suspect_that_waits_is_not_looked_at_again_meanwhile() -> None:
    run = Run(FakeLooks([WRONG]))
    inspector = run.inspector()
    inspector.suspect(SUBJECT)
    inspector.suspect(SUBJECT)
    inspector.work(to_the_end=True)

    assert len(run.looks.seen_at) == 2


@dataclass
class FakeStage:
    name: str
    suspects: Sequence[Sequence[Subject]]
    begun: list[Cursor | None] = field(default_factory=list)

    def estimate(self) -> int:
        return len(self.suspects)

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        self.begun.append(after)
        for number, suspects in enumerate(self.suspects):
            if after is None or [number] > after:
                yield Unit([number], 10, suspects)


class Stopped(BaseException):
    pass


def test_a_check_goes_on_after_the_last_unit_that_was_kept() -> None:
    stages = [FakeStage("first", [[]]), FakeStage("second", [[], [SUBJECT], []]), FakeStage("third", [[]])]
    run = Run(FakeLooks([WRONG]))
    seen: list[str] = []

    def stop(name: str, _: int) -> None:
        seen.append(name)
        if seen == ["first", "second", "second"]:
            raise Stopped

    with pytest.raises(Stopped):
        run_stages(stages, run.inspector(), run.progress, save=lambda: None, advance=stop)
    assert (run.progress.stage, run.progress.cursor, run.progress.rows) == ("second", [1], 30)
    assert run.progress.pending == [SUBJECT]
    assert run.findings == []

    run_stages(stages, run.inspector(), run.progress, save=lambda: None, advance=stop)
    assert seen == ["first", "second", "second", "second", "third"]
    assert (stages[0].begun, stages[1].begun) == ([None], [None, [1]])
    assert [finding.outcome for finding in run.findings] == [Outcome.FOUND]
    assert run.progress.rows == 50


def test_a_mend_wakes_what_agreed_with_the_wrong() -> None:
    woken = Subject("counter", ("project-passes:3", 0, 3))
    run = Run(FakeLooks([Sighting([damage(wakes=(woken,))])]), repair=True)
    inspector = run.inspector()
    inspector.suspect(SUBJECT)
    inspector.work()

    # if the process ends between mend and look, the next one looks
    assert run.progress.pending == [SUBJECT, woken]
    looked: list[Subject] = []
    look = run.looks.look
    run.looks.look = lambda subject, before: looked.append(subject) or look(subject, before)  # type: ignore
    inspector.work(to_the_end=True)

    assert looked[-1] == woken
    assert [finding.outcome for finding in run.findings] == [Outcome.MENDED]
    assert run.progress.pending == []


def test_what_is_only_found_wakes_nothing() -> None:
    run = Run(FakeLooks([Sighting([damage(wakes=(Subject("counter", ("x", 0, 3)),))])]))

    assert run.inspect() == [Outcome.FOUND]
    assert run.progress.pending == []
