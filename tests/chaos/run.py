"""One run: clients at work amid faults and kills, then silence, then the verdict."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chalicelib.domain.tickets import TicketStatus
from local.environment import PREFIX
from tests.chaos import verdict
from tests.chaos.actor import NOTE, OFFER, POINTS, Actor
from tests.chaos.airship_actions import create_card
from tests.chaos.cards import Deck, ProjectNames, TemplateNames
from tests.chaos.client import Client
from tests.chaos.expectations import FIRST_VALUE, Expectations
from tests.chaos.faults import QUEUE_FAULTS, TABLE_FAULTS, Fault, Weather
from tests.chaos.journal import Journal, Kind
from tests.chaos.looking import Observer
from tests.chaos.other_actions import register
from tests.chaos.processes import Killer
from tests.chaos.stage import READ_TIMEOUT_SECONDS, Stage, run_stage, wait_until
from tests.chaos.verdict import Violation
from tests.chaos.workload import Workload
from tests.support.recount import read_rows, recount

Say = Callable[[str], None]

TAGS = 10
"""of a project: fewer than a pass may have"""

DRAIN_SECONDS = 600.0
SCHEDULE_SECONDS = 5.0
"""between two rounds of the schedule in the end"""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    operations: int
    clients: int
    servers: int = 2
    workers: int = 2
    projects: int = 3
    segments: int = 3
    cards_per_segment: int = 16
    operations_per_kill: int = 400
    chance: float = 0.012
    storm_chance: float = 0.0006
    sweep_delay_seconds: int = 30

    @property
    def weather(self) -> Weather:
        """How often calls fail."""
        return Weather(
            chance=self.chance,
            storm_chance=self.storm_chance,
            storm_seconds=(0.1, 0.9),
            chance_in_storm=0.6,
            read_timeout_seconds=READ_TIMEOUT_SECONDS,
        )


LONG = Scale(operations=20_000, clients=16)
SHORT = Scale(
    operations=700,
    clients=12,
    projects=2,
    segments=2,
    cards_per_segment=14,
    operations_per_kill=150,
    chance=0.02,
    storm_chance=0.0015,
    sweep_delay_seconds=12,
)


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: int
    journal: Journal
    faults: Counter[str]
    violations: list[Violation]
    seconds: dict[str, float]
    failed_tickets: int
    passes: int


def run_chaos(scale: Scale, *, seed: int, folder: Path, say: Say) -> Report:
    """Everything from start to verdict."""
    clock = _Clock(say)
    with run_stage(
        folder,
        seed=seed,
        weather=scale.weather,
        servers=scale.servers,
        workers=scale.workers,
        sweep_delay_seconds=scale.sweep_delay_seconds,
    ) as stage:
        stage.await_ready()
        journal = Journal()
        deck = _set_up(stage, scale, journal)
        clock.note("started")
        killer = Killer(stage.servers, stage.workers, random=Random(f"{seed} kills"))
        workload = Workload(
            seed=seed,
            clients=scale.clients,
            operations=scale.operations,
            deck=deck,
            journal=journal,
            ports=stage.ports,
            say=say,
        )
        stage.begin_faults()
        workload.start()
        try:
            killer.run(
                workload.finished,
                count_operations=lambda: len(journal.operations),
                every=scale.operations_per_kill,
            )
        finally:
            workload.stop()
        workload.join()
        clock.note("clients")
        stage.end_faults()
        drain = _Drain(stage)
        drain.wait()
        clock.note("drained")
        violations = [Violation("everything is done in the end", each) for each in drain.left]
        violations += _judge(stage, deck, journal, killer)
        faults = Counter(stage.played)
        faults.update(kind for kind, *_ in killer.kills)
        violations += _find_missing_faults(faults)
        clock.note("verdict")
        return Report(
            seed=seed,
            journal=journal,
            faults=faults,
            violations=violations,
            seconds=clock.seconds,
            failed_tickets=len(drain.redriven),
            passes=len(deck.cards),
        )


class _Clock:
    def __init__(self, say: Say) -> None:
        self.seconds: dict[str, float] = {}
        self._say = say
        self._last = time.monotonic()

    def note(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = now - self._last
        self._say(f"{stage}: {self.seconds[stage]:.1f} s")
        self._last = now


def _set_up(stage: Stage, scale: Scale, journal: Journal) -> Deck:
    """Projects, templates, tags and passes in several segments, before anything fails."""
    from chalicelib import operations
    from chalicelib.wiring import get_platform

    platform = get_platform()
    projects = []
    for number in range(scale.projects):
        project = operations.create_project(name=f"chaos {number}")
        issued = operations.issue_key(project_id=project.project_id)
        names = ProjectNames(
            project_id=project.project_id,
            key=issued.key,
            secret=issued.secret,
            templates=[_make_template(project.project_id, position) for position in range(2)],
            tags=[f"tag{tag}" for tag in range(TAGS)],
        )
        projects.append(names)
    deck = Deck(projects)
    random = Random(0)
    client = Client(ports=stage.ports, journal=journal, random=random, pause=time.sleep)
    actor = Actor(number=0, random=random, client=client, deck=deck, journal=journal)
    for segment in range(scale.segments):
        for position, names in enumerate(projects):
            if segment:
                platform.sequences.allocate_pass_ids(project_id=names.project_id, count=1000, now=platform.now())
            for card in range(scale.cards_per_segment):
                tags = {names.tags[card % TAGS], names.tags[0], names.tags[(card * 7 + segment) % TAGS]}
                create_card(actor, project=position, template=card % 2, tags=tuple(sorted(tags)))
    for _ in deck.cards:  # so that the first bulk updates have many devices to tell
        register(actor)
    client.close()
    return deck


def _make_template(project_id: int, position: int) -> TemplateNames:
    """Merges write its offer; what single passes have of the other fields is theirs."""
    from chalicelib.domain import template_editing
    from chalicelib.domain.content import Content, Entry
    from chalicelib.domain.templates import APPLE, TemplateDraft
    from chalicelib.wiring import get_platform

    places = {POINTS: ("primary", "dynamic"), NOTE: ("secondary", "dynamic"), OFFER: ("back", "fixed")}
    fields = {
        name: Entry({"fieldType": place, "value": FIRST_VALUE, "label": name, "behaviour": behaviour})
        for name, (place, behaviour) in places.items()
    }
    draft = TemplateDraft(
        name=f"Card {position}",
        description="",
        vendor=APPLE,
        type="Store Card",
        project_type="loyalty",
        content=Content(fields=fields),
    )
    template = template_editing.create_template(get_platform(), project_id=project_id, draft=draft, external_id=None)
    return TemplateNames(template_id=template.template_id, campaign_id=template.campaign_id)


@dataclass(slots=True)
class _Drain:
    """Waiting until everything is done, with a schedule that comes often and an operator who redrives what failed."""

    stage: Stage
    redriven: set[int] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    """what is still to be done"""
    _resumes_at: float = 0.0
    _empty_rounds: int = 0

    def wait(self) -> None:
        """Returns once nothing is left, or patience is over. Sweeps that wait for writers are asked for anew, since
        there are no writers any more."""
        self.stage.queues.purge_queue(QueueUrl=self.stage.queue_urls["sweep"])
        wait_until(self._is_done, timeout_seconds=DRAIN_SECONDS, pause_seconds=0.3)

    def _is_done(self) -> bool:
        from chalicelib import operations
        from chalicelib.domain import sweeping
        from chalicelib.wiring import get_platform
        from chalicelib.workers.handlers import HANDLERS

        for ticket_id in _list_tickets(self.stage, TicketStatus.FAILED):
            self.redriven.add(ticket_id)
            operations.redrive(ticket_id=ticket_id)
        messages = self.stage.count_messages(list(HANDLERS))
        if not messages and time.monotonic() > self._resumes_at:  # what is left then has lost its message
            self._resumes_at = time.monotonic() + SCHEDULE_SECONDS
            sweeping.resume_unfinished(get_platform(), minimum_age_seconds=0, queues_lost=False)
        self.left = [f"{count} messages in {queue}" for queue, count in messages.items()] + _list_waiting(self.stage)
        self._empty_rounds = 0 if self.left else self._empty_rounds + 1
        return self._empty_rounds > 1


def _list_tickets(stage: Stage, *statuses: str) -> list[int]:
    found = []
    for page in stage.dynamodb.get_paginator("scan").paginate(TableName=f"{PREFIX}tickets", ConsistentRead=True):
        found += [int(item["ticket_id"]["N"]) for item in page["Items"] if item["status"]["S"] in statuses]
    return found


def _list_waiting(stage: Stage) -> list[str]:
    """What some worker has still to do: unfinished tickets, messages of the outbox, sweeps."""
    waiting = [f"ticket {each}" for each in _list_tickets(stage, TicketStatus.PREQUED, TicketStatus.QUEUED)]
    for table, key in (("outbox", "key"), ("sweeps", "collection")):
        items = stage.dynamodb.scan(TableName=f"{PREFIX}{table}", ConsistentRead=True)["Items"]
        waiting += [f"{table} {item[key]['S']}" for item in items]
    return waiting


def _judge(stage: Stage, deck: Deck, journal: Journal, killer: Killer) -> Iterator[Violation]:
    yield from verdict.judge_answers(
        journal, lambda server, opened, ended: killer.explains(server, opened=opened, ended=ended)
    )
    yield from verdict.judge_logs(stage.read_logs())
    for names in deck.projects:
        for problem in recount(stage.dynamodb, names.project_id, swept=True):
            yield Violation("everything stored adds up", problem)
    rows = [read_rows(stage.dynamodb, names.project_id) for names in deck.projects]
    for own in rows:
        yield from verdict.judge_progress(own.tickets)
    expected = Expectations(journal.operations)
    observer = Observer(deck, stage.ports)
    try:
        seen = observer.look_at_passes(rows)
        yield from observer.judge_lists(seen)
        yield from verdict.judge_passes(expected, deck, seen)
        devices = sorted({each.device for each in expected.operations if each.kind is Kind.REGISTER})
        pass_type = next((card.pass_type for card in deck.cards.values() if card.pass_type), "")
        yield from verdict.judge_registrations(expected, deck, observer.look_at_devices(devices, pass_type))
        tickets = [(each.project, each.ticket) for each in expected.operations if each.ticket is not None]
        yield from verdict.judge_tickets(expected, observer.look_at_tickets(tickets))
    finally:
        observer.close()
    yield from verdict.judge_answers(observer.journal, lambda *_: False)
    yield from verdict.judge_refusals(expected)
    yield from verdict.judge_removals(expected)
    yield from verdict.judge_reads(expected)
    yield from _check(stage)


def _check(stage: Stage) -> Iterator[Violation]:
    """What an operator would be told."""
    command = [sys.executable, "-m", "chalicelib.cli", "check", "--fresh", "--patience", "0", "--rate", "100000"]
    command += ["--state", str(stage.folder / "check.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0 or "Nothing is damaged." not in done.stdout:
        yield Violation("`cli check` finds nothing", f"{done.stdout}{done.stderr}"[-3000:])


def _find_missing_faults(faults: Counter[str]) -> Iterator[Violation]:
    wanted = {fault for table in (TABLE_FAULTS, QUEUE_FAULTS) for faults_of in table.values() for fault in faults_of}
    wanted |= {Fault.KILL_API, Fault.KILL_WORKER}
    for fault in sorted(wanted):
        if faults[fault] <= 0:
            yield Violation("every kind of fault happens", f"{fault} never happened")
