"""`check`: whether everything that is stored adds up, and mending what does not."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.printing import show_time
from chalicelib.commands.running import INTERRUPTED, Operation

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from chalicelib.check_operations import Check, CheckOptions, CheckSummary
    from chalicelib.domain.check_runs import Finding

_CLEAR_LINE = "\r\x1b[K"


def _show_kinds(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from chalicelib.domain.checking_kinds import KINDS

    for kind, explanation in KINDS.items():
        click.echo(f"{kind}\n    {explanation.means}\n    mend: {explanation.mend}")
    context.exit()


@click.command("check", cls=Operation)
@click.option("--repair", is_flag=True, help="Mend what is damaged.")
@click.option("--project", "project_id", type=click.IntRange(min=1), help="Only what is one project's.")
@click.option(
    "--quick", is_flag=True, help="Leave out rows that nothing leads to; they are found by reading all tables."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=1000.0,
    show_default=True,
    metavar="UNITS",
    help="Read units a second that it consumes at most.",
)
@click.option(
    "--patience",
    "patience_seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long something must be wrong to be damage; requests live up to 25 s.",
)
@click.option(
    "--state",
    "state_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keeps how far the check is; named after deployment and project, in this folder, if not given.",
)
@click.option("--fresh", is_flag=True, help="Begin anew, though an unfinished check could go on.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each finding, and one for the sum.")
@click.option(
    "--kinds", is_flag=True, is_eager=True, expose_value=False, callback=_show_kinds, help="Show the kinds of damage."
)
def check(
    *,
    repair: bool,
    project_id: int | None,
    quick: bool,
    rate: float,
    patience_seconds: float,
    state_file: Path | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Check that everything stored adds up, beside live traffic.

    A check that was stopped goes on where it stopped. Exit code 0: nothing is damaged; 1: something was found, or is
    left after --repair; 2: wrong usage.
    """
    from chalicelib import check_operations

    options = check_operations.CheckOptions(
        project_id=project_id, repair=repair, quick=quick, rate=rate, patience_seconds=patience_seconds
    )
    file = state_file or check_operations.name_state_file(options)
    try:
        opened = check_operations.open_check(options, state_file=file, fresh=fresh)
    except check_operations.StateMismatch as mismatch:
        raise click.UsageError(str(mismatch)) from mismatch
    if opened.is_resumed:
        began = show_time(opened.started_at)
        click.echo(f"Going on with the check of {began}, after {opened.progress.rows:,} rows.", err=True)
    summary = _run(opened, as_json=as_json)
    _print_summary(summary, options, as_json=as_json)
    if opened.is_resumed:
        began = show_time(opened.started_at)
        click.echo(
            f"What was written since {began} to rows that were read before the stop was not seen; --fresh reads anew.",
            err=True,
        )
    if not summary.is_clean:
        click.get_current_context().exit(1)


def _run(opened: Check, *, as_json: bool) -> CheckSummary:
    """Runs a check with a progress bar, where there is a terminal, and says how to go on should it stop."""
    from chalicelib.check_operations import StateUnwritable
    from chalicelib.domain.errors import Busy

    with _Display(as_json=as_json) as display:
        try:
            return opened.run(report=display.report, begin=display.begin, advance=display.advance)
        except (KeyboardInterrupt, Busy) as error:
            display.close()
            click.echo(f"Stopped. The same command goes on from {opened.state_file}.", err=True)
            if isinstance(error, Busy):
                raise
            raise click.exceptions.Exit(INTERRUPTED) from error
        except StateUnwritable as error:
            display.close()
            raise click.ClickException(str(error)) from error


class _Display:
    """A progress bar over all stages, on stderr, and findings above it, on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bar: ProgressBar[int] | None = None
        self._estimates: dict[str, int] = {}
        self._read: Counter[str] = Counter()

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, estimates: Mapping[str, int]) -> None:
        """Learns about how many rows each stage has."""
        self._estimates = {name: max(rows, 1) for name, rows in estimates.items()}
        self._bar = click.progressbar(
            length=sum(self._estimates.values()),
            label="Checking",
            item_show_func=lambda name: name,
            show_pos=True,
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        )
        self._bar.__enter__()

    def advance(self, stage: str, rows: int) -> None:
        """Moves the bar: a stage that has begun ends all before it, and estimates may be wrong."""
        self._read[stage] += rows
        if self._bar is None:
            return
        position = 0
        for name, estimate in self._estimates.items():
            if name == stage:
                position += min(self._read[stage], estimate)
                break
            position += estimate
        self._bar.update(max(position - self._bar.pos, 0), stage)  # type: ignore[arg-type]

    def report(self, finding: Finding) -> None:
        """Prints damage."""
        if sys.stderr.isatty():
            click.echo(_CLEAR_LINE, err=True, nl=False)
        damage = finding.damage
        if self._as_json:
            from chalicelib.domain.checking_kinds import KINDS

            document = {
                "kind": str(damage.kind),
                "project_id": damage.project_id,
                "place": damage.place,
                "detail": damage.detail,
                "outcome": str(finding.outcome),
                "mend": KINDS[damage.kind].mend,
            }
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            owner = "" if damage.project_id is None else f"project {damage.project_id}, "
            click.echo(f"{finding.outcome}: {damage.kind}: {owner}{damage.place}: {damage.detail}")

    def close(self) -> None:
        """Ends the bar's line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def _print_summary(summary: CheckSummary, options: CheckOptions, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"summary": _as_document(summary)}))
        return
    click.echo(f"{summary.rows:,} rows were read, with {summary.units:,.0f} read units.")
    if not summary.outcomes:
        click.echo("Nothing is damaged.")
    for outcome in ("found", "mended", "left"):
        _print_outcome(summary, outcome)
    if summary.found and not options.repair:
        click.echo("The same command with --repair mends what can be mended.")
    if summary.busy:
        click.echo(f"{summary.busy} places were written all the time, so nothing can be said of them.", err=True)


def _print_outcome(summary: CheckSummary, outcome: str) -> None:
    from chalicelib.domain.checking import Kind
    from chalicelib.domain.checking_kinds import KINDS

    kinds = {name.partition(" ")[0]: times for name, times in summary.outcomes.items() if name.endswith(f" {outcome}")}
    if not kinds:
        return
    click.echo(f"{outcome.capitalize()}: {', '.join(f'{times} {kind}' for kind, times in kinds.items())}.")
    if outcome == "left":
        for kind in kinds:
            mend = KINDS[Kind(kind)].mend
            reason = mend.removeprefix("left: ") if "left" in mend else "somebody wrote there all the time; check again"
            click.echo(f"    {kind}: {reason}")


def _as_document(summary: CheckSummary) -> dict[str, Any]:
    return {
        "rows": summary.rows,
        "read_units": summary.units,
        "found": summary.found,
        "mended": summary.mended,
        "left": summary.left,
        "busy": summary.busy,
        "kinds": dict(summary.outcomes),
    }
