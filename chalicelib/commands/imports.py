"""`passes import` and `tags import`: CSV files of any size into a project, and on again where an import was cut off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from chalicelib.commands.csv_files import CsvFile, RejectsFile
from chalicelib.commands.import_runs import REJECTED, ImportRun
from chalicelib.commands.journal import Journal
from chalicelib.commands.printing import count, json_option, print_json, project_argument
from chalicelib.commands.running import INTERRUPTED, Operation

if TYPE_CHECKING:
    from chalicelib.domain.templates import Template
    from chalicelib.import_operations import Importer

PASSES_PER_BATCH = 200
TAGS_PER_BATCH = 50
"""lines that one worker handles before what came of them is noted"""


@dataclass(frozen=True, slots=True)
class _Options:
    """What both imports take."""

    path: Path
    delimiter: str | None
    workers: int
    batch_rows: int
    restart: bool
    as_json: bool


def _common_options(*, batch_rows: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """FILE and how it is read; handed to the command as one `options`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def collected(
            *, path: Path, delimiter: str | None, workers: int, batch: int, restart: bool, as_json: bool, **more: Any
        ) -> None:
            if delimiter in ("tab", "\\t"):
                delimiter = "\t"
            if delimiter is not None and len(delimiter) != 1:
                raise click.BadParameter("must be one character, or the word tab", param_hint="--delimiter")
            command(options=_Options(path, delimiter, workers, batch, restart, as_json), **more)

        collected.__doc__ = command.__doc__
        for option in reversed(
            (
                click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
                click.option("--delimiter", help="What separates columns, or `tab`; found out if not given."),
                click.option(
                    "--workers",
                    type=click.IntRange(1, 32),
                    default=4,
                    show_default=True,
                    help="Batches of lines that are handled side by side.",
                ),
                click.option("--batch", type=click.IntRange(1, 1000), default=batch_rows, hidden=True),
                click.option("--restart", is_flag=True, help="Forget what was done of this file, and begin anew."),
                json_option,
            )
        ):
            collected = option(collected)
        return collected

    return decorate


@click.command("import", cls=Operation)
@project_argument
@click.argument("template")
@click.option(
    "--existing",
    type=click.Choice(["skip", "update", "reject"]),
    default="skip",
    show_default=True,
    help="What to do with a line whose external id a pass of the template has already.",
)
@click.option("--new-fields", is_flag=True, help="Let columns name fields and headers that the template does not have.")
@_common_options(batch_rows=PASSES_PER_BATCH)
def import_passes(*, project_id: int, template: str, existing: str, new_fields: bool, options: _Options) -> None:
    """Create a pass of TEMPLATE for each line of a CSV FILE.

    TEMPLATE is an id, or id/ and an external id. Columns: externalId; tags, separated by ; or |; publicUrl; locations,
    beacons, semantics and universalLinks as JSON; and fields and headers of the template by name, or as field:NAME,
    header:NAME, field.label:NAME. An empty cell leaves what the template has. Columns of an export are understood.

    Lines that are refused go to FILE.rejects.csv with the reason, to be corrected and imported. What is done is noted
    in FILE.progress: the same command goes on after an import was cut off, and creates no pass twice. Exit code 1 if a
    line was rejected.
    """
    from chalicelib import operations
    from chalicelib.pass_import_operations import Existing, PassImport

    found = operations.get_named_template_or_raise(project_id=project_id, name=template)

    def make_importer(file: CsvFile, stopping: Event) -> Importer:
        return PassImport(
            template=found,
            columns=file.columns,
            existing=Existing(existing),
            new_entries=new_fields,
            stopping=stopping,
        )

    _import(options, _describe_target("passes", project_id, found), make_importer)


@click.command("import", cls=Operation)
@project_argument
@click.option("--template", help="External ids are of this template: its id, or id/ and an external id.")
@_common_options(batch_rows=TAGS_PER_BATCH)
def import_tags(*, project_id: int, template: str | None, options: _Options) -> None:
    """Put tags on passes, or take them off, as each line of a CSV FILE says.

    Columns: externalId or passId; tag, one tag as it stands, or tags, separated by ; or |; and action, add or remove,
    which is add where it is empty. Lines about the same pass are handled in their order.

    Rejected lines, progress and exit codes are those of `passes import`.
    """
    from chalicelib import operations
    from chalicelib.tag_import_operations import TagImport

    operations.get_project_or_raise(project_id=project_id)
    found = None if template is None else operations.get_named_template_or_raise(project_id=project_id, name=template)

    def make_importer(file: CsvFile, stopping: Event) -> Importer:
        return TagImport(project_id=project_id, template=found, columns=file.columns, stopping=stopping)

    _import(options, _describe_target("tags", project_id, found), make_importer)


def _describe_target(kind: str, project_id: int, template: Template | None) -> dict[str, Any]:
    """What an import goes to. Numbers are the same in every deployment, so it says what no other one has too."""
    from chalicelib import operations

    made_at = operations.get_project_or_raise(project_id=project_id).created_at.isoformat()
    return {
        "kind": kind,
        "project": project_id,
        "template": None if template is None else template.template_id,
        "data": made_at if template is None else f"{made_at} {template.campaign_id}",
    }


def _import(options: _Options, subject: Mapping[str, Any], make_importer: Callable[[CsvFile, Event], Importer]) -> None:
    from chalicelib.settings import get_settings

    start, stopping = time.monotonic(), Event()
    settings = get_settings()
    with _opened(options) as file, _locked(file.stream, options.path):
        importer = make_importer(file, stopping)
        total = file.count_rows()
        whole = {
            **subject,
            "file": file.digest(),
            "delimiter": file.form.delimiter,
            "deployment": f"{settings.prefix} {settings.region}",
        }
        journal, rejects = _prepare(options, file, whole)
        run = ImportRun(file, journal, rejects, importer, options.workers, options.batch_rows, stopping)
        try:
            run.run(total=total)
        except BaseException as error:
            _tell_stop(options.path, journal, total)
            if isinstance(error, KeyboardInterrupt):
                raise click.exceptions.Exit(INTERRUPTED) from error
            raise
    _tell_summary(options, journal, importer, rejects, seconds=time.monotonic() - start)


@contextmanager
def _opened(options: _Options) -> Iterator[CsvFile]:
    file = CsvFile(options.path, delimiter=options.delimiter)
    try:
        yield file
    except OSError as error:
        raise click.ClickException(f"{error.filename or options.path}: {error.strerror or error}") from error
    finally:
        file.close()


@contextmanager
def _locked(stream: BinaryIO, path: Path) -> Iterator[None]:
    """Keeps a second import of the same file away. Where the system knows no such locks, there is none."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise click.ClickException(f"{path} is being imported by another process") from error
    except OSError:
        pass  # a file system without locks
    yield


def _prepare(options: _Options, file: CsvFile, subject: Mapping[str, Any]) -> tuple[Journal, RejectsFile]:
    path = options.path
    progress, rejects = (path.with_name(path.name + ending) for ending in (".progress", ".rejects.csv"))
    if options.restart:
        with suppress(FileNotFoundError):
            progress.unlink()
    journal = Journal(progress, subject=subject, beginning=file.beginning)
    if journal.finished_at is not None:
        raise click.ClickException(f"{path} was imported, {journal.finished_at}; --restart imports it once more")
    if journal.is_new and not options.restart and rejects.exists():
        raise click.ClickException(f"{rejects} is there from another import; move it away, or give --restart")
    return journal, RejectsFile(rejects, file)


def _tell_stop(path: Path, journal: Journal, total: int) -> None:
    done = f"{journal.position.row} of {count(total, 'line')} of {path.name} are done"
    click.echo(f"Stopped: {done}. The same command goes on from there.", err=True)


def _tell_summary(
    options: _Options, journal: Journal, importer: Importer, rejects: RejectsFile, *, seconds: float
) -> None:
    rejected = journal.counts[REJECTED]
    numbers = {outcome.value: journal.counts[outcome.value] for outcome in importer.outcomes} | {REJECTED: rejected}
    if options.as_json:
        where = str(rejects.path) if rejected else None
        document = {"file": str(options.path), "lines": journal.position.row, **numbers}
        print_json({**document, "rejects": where, "seconds": round(seconds, 1)})
    else:
        told = ", ".join(f"{number} {name}" for name, number in numbers.items())
        click.echo(f"{count(journal.position.row, 'line')} of {options.path.name}: {told}.")
        if rejected:
            click.echo(f"What was rejected is in {rejects.path}, with the reasons; correct and import that file.")
    if rejected:
        click.get_current_context().exit(1)
