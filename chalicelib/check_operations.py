"""What operators do about consistency: a check of a live deployment that can be stopped, goes on, and mends."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain.check_runs import Cursor, Finding, Inspector, Outcome, Progress, Stage, Unit, run_stages
from chalicelib.domain.checking import Damage, Known, Subject
from chalicelib.domain.errors import NotFound
from chalicelib.store.checking_blocks import read_blocks
from chalicelib.store.checking_counter_stage import CounterStage
from chalicelib.store.checking_looks import DynamoLooks
from chalicelib.store.checking_pass_stage import PassStage
from chalicelib.store.checking_passes import Surroundings
from chalicelib.store.checking_project_stages import BlockStage, OpenTicketStage, ReportStage, TemplateStage
from chalicelib.store.checking_reads import Meter, Reader
from chalicelib.store.checking_sequences import Sequences
from chalicelib.store.checking_stages import Scope, Screens
from chalicelib.wiring import get_database

UNITS_A_SECOND = 1000.0
"""read units that a check consumes at most, unless it is told otherwise"""

PATIENCE_SECONDS = 30.0
"""longer than any request lives: what is still wrong then is not under way"""

_FORMAT = 2

OLDEST_STATE = timedelta(days=1)
"""since a check was stopped, after which it does not go on: what it has read is long since written anew"""

_BEFORE_TAGS = (None, "blocks", "projects", "keys", "tags")
"""stages during which a tag without a row by id may only have lost that row"""


class StateMismatch(Exception):
    """The state file cannot be used; the message says why."""


class StateUnwritable(Exception):
    """The state file cannot be written any more; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What is checked, and how."""

    project_id: int | None = None
    """None is all of them"""
    repair: bool = False
    quick: bool = False
    """leave out rows that nothing leads to"""
    rate: float = UNITS_A_SECOND
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """What a check came to, with what it found before it was stopped."""

    rows: int
    units: float
    """read units that this process consumed"""
    outcomes: Mapping[str, int]
    """`<kind> <outcome>` to how often"""
    found: int
    mended: int
    left: int
    busy: int
    """suspects that were written all the time, so that nothing can be said of them"""

    @property
    def is_clean(self) -> bool:
        """Whether nothing that was found is still damaged."""
        return not self.found and not self.left


@dataclass(slots=True)
class Check:
    """A check of this process's deployment, new or to be gone on with."""

    options: CheckOptions
    state_file: Path
    progress: Progress
    started_at: datetime
    is_resumed: bool
    identity: Mapping[str, Any]
    """what must be the same for a check to go on, see `_describe`"""

    def run(
        self,
        *,
        report: Callable[[Finding], None],
        begin: Callable[[Mapping[str, int]], None] = lambda _: None,
        advance: Callable[[str, int], None] = lambda _, __: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> CheckSummary:
        """Checks to the end. The state file is written after each unit and removed at the end.

        `begin` is told about how many rows each stage has, and `advance` how many more were read.

        Raises:
            NotFound: there is no such project, nor passes of it.
            Busy: storage is throttled or out of reach; the state file says where to go on.
            StateUnwritable
        """
        options, progress, database, known = self.options, self.progress, get_database(), Known()
        meter = Meter(rate=options.rate)
        reader = Reader(database, meter)
        blocks = read_blocks(reader)
        projects = sorted({row["project_id"] for row in reader.filter("projects", {})} | set(blocks.projects))
        if options.project_id is not None and options.project_id not in projects:
            raise NotFound("project", options.project_id)
        around = Surroundings(
            reader=reader,
            blocks=blocks,
            known=known,
            sequences=Sequences(reader, blocks.values),
            tags_verified=lambda: not options.quick and progress.stage not in _BEFORE_TAGS,
            now=lambda: datetime.now(UTC),
        )
        stages = _make_stages(around, options, projects)
        begin({stage.name: stage.estimate() for stage in stages})
        inspector = Inspector(
            DynamoLooks(database, around),
            progress,
            known=known,
            report=report,
            repair=options.repair,
            patience_seconds=options.patience_seconds,
            clock=time.monotonic,
            sleep=sleep,
            concerns=self.concerns,
        )
        run_stages(stages, inspector, progress, save=self._save, advance=advance)
        self.state_file.unlink(missing_ok=True)
        return self._sum_up(meter.units)

    def concerns(self, damage: Damage) -> bool:
        """Whether damage is in the project that is checked, or between several."""
        return self.options.project_id is None or damage.project_id in (None, self.options.project_id)

    def _save(self) -> None:
        document = {
            "format": _FORMAT,
            **self.identity,
            "started_at": self.started_at.isoformat(),
            "saved_at": datetime.now(UTC).isoformat(),
            "progress": _encode(self.progress),
        }
        unfinished = _unfinished(self.state_file)
        try:
            unfinished.write_text(json.dumps(document))
            unfinished.replace(self.state_file)
        except OSError as error:
            raise StateUnwritable(f"{self.state_file} cannot be written: {error.strerror}") from error

    def _sum_up(self, units: float) -> CheckSummary:
        progress = self.progress
        return CheckSummary(
            rows=progress.rows,
            units=units,
            outcomes=dict(sorted(progress.outcomes.items())),
            found=progress.count(Outcome.FOUND),
            mended=progress.count(Outcome.MENDED),
            left=progress.count(Outcome.LEFT),
            busy=progress.busy,
        )


def name_state_file(options: CheckOptions) -> Path:
    """Where a check keeps its state unless it is told otherwise: in the current folder, named after what it checks."""
    which = "" if options.project_id is None else f"-project-{options.project_id}"
    return Path(f"{get_database().settings.prefix}check{which}.json")


def open_check(options: CheckOptions, *, state_file: Path, fresh: bool = False) -> Check:
    """A check that goes on where the state file says, or begins if there is none or it is to be `fresh`.

    Raises:
        StateMismatch: the file is of another check or of one long ago, is none of ours, or cannot be written.
    """
    document = None if fresh else _read_state(state_file)
    _try_writing(state_file)
    wanted = _describe(options)
    if document is None:
        return Check(options, state_file, Progress(), datetime.now(UTC), is_resumed=False, identity=wanted)
    try:
        started_at, saved_at = (datetime.fromisoformat(document[name]) for name in ("started_at", "saved_at"))
        progress = _decode(document["progress"])
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise StateMismatch(f"{state_file} is not the state of a check; --fresh begins anew") from error
    differing = [f"{name} {document.get(name)}" for name, value in wanted.items() if document.get(name) != value]
    if differing:
        raise StateMismatch(
            f"{state_file} is of a check with {', '.join(differing)};"
            " give the same options, another --state, or --fresh to begin anew"
        )
    if datetime.now(UTC) - saved_at > OLDEST_STATE:
        raise StateMismatch(
            f"{state_file} is of a check that was stopped at {saved_at:%Y-%m-%d %H:%M} UTC, and much may have been"
            " written since; --fresh begins anew"
        )
    return Check(options, state_file, progress, started_at, is_resumed=True, identity=wanted)


def _unfinished(state_file: Path) -> Path:
    return state_file.with_name(f"{state_file.name}.new")


def _try_writing(state_file: Path) -> None:
    """Finds out before anything is read."""
    try:
        _unfinished(state_file).touch()
        _unfinished(state_file).unlink()
    except OSError as error:
        raise StateMismatch(f"{state_file} cannot be written: {error.strerror}") from error


def describe_database() -> str:
    """What tells this deployment's data from other data under the same names, such as a table that was made anew."""
    database = get_database()
    name = database.settings.table_name("projects")
    table = database.call("DescribeTable", TableName=name)["Table"]
    return f"{table['TableArn']} of {table['CreationDateTime']:%Y-%m-%dT%H:%M:%S}"


def _describe(options: CheckOptions) -> dict[str, Any]:
    """What must be the same for a check to go on."""
    settings = get_database().settings
    return {
        "prefix": settings.prefix,
        "region": settings.region,
        "table": describe_database(),
        "project": options.project_id,
        "repair": options.repair,
        "quick": options.quick,
    }


def _read_state(state_file: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(state_file.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise StateMismatch(f"{state_file} cannot be read: {reason}; --fresh begins anew") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise StateMismatch(f"{state_file} is not the state of a check of this version; --fresh begins anew")
    return document


def _encode(progress: Progress) -> dict[str, Any]:
    return {
        "stage": progress.stage,
        "cursor": progress.cursor,
        "pending": [subject.encode() for subject in progress.pending],
        "rows": progress.rows,
        "outcomes": dict(progress.outcomes),
        "busy": progress.busy,
        "reported": sorted(progress.reported),
        "notes": progress.notes,
    }


def _decode(document: Mapping[str, Any]) -> Progress:
    return Progress(
        stage=document["stage"],
        cursor=document["cursor"],
        pending=[Subject.decode(subject) for subject in document["pending"]],
        rows=document["rows"],
        outcomes=Counter(document["outcomes"]),
        busy=document["busy"],
        reported={(kind, place) for kind, place in document["reported"]},
        notes=[(kind, truth) for kind, truth in document["notes"]],
    )


def _make_stages(around: Surroundings, options: CheckOptions, projects: list[int]) -> list[Stage]:
    """Everything in the order in which one leans on the other: passes on tags, counters on passes."""
    scope = Scope(options.project_id)
    wanted = sorted(each for each in {*projects, *around.blocks.projects} if scope.concerns(each))
    screens = Screens(around, scope)
    before = [] if options.quick else screens.stages_before_passes()
    after = [] if options.quick else screens.stages_after_passes()
    stages: list[Stage] = [
        BlockStage(around, scope),
        *screens.stages_of_projects(),
        *before,
        TemplateStage(around, wanted),
        PassStage(around, scope),
        CounterStage(around, scope, screens, wanted),
        ReportStage(around, wanted),
        *after,
        OpenTicketStage(around, screens),
        screens.stage_of_messages(),
    ]
    return [_WithOdd(stage, around.reader) for stage in stages]


class _WithOdd:
    """A stage, and as suspects the rows that were left out on the way since they make no sense."""

    def __init__(self, stage: Stage, reader: Reader) -> None:
        self.name = stage.name
        self._stage = stage
        self._reader = reader

    def estimate(self) -> int:
        """See `Stage`."""
        return self._stage.estimate()

    def units(self, after: Cursor | None) -> Iterator[Unit]:
        """See `Stage`."""
        for unit in self._stage.units(after):
            odd = self._reader.take_odd()
            yield replace(unit, suspects=[*odd, *unit.suspects])
