"""`passes export` and `registrations export`: whole lists into CSV or JSON Lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from chalicelib.commands.csv_files import Form, format_line
from chalicelib.commands.output_files import STANDARD_OUTPUT, open_output
from chalicelib.commands.printing import count, project_argument
from chalicelib.commands.running import Operation

if TYPE_CHECKING:
    from chalicelib.export_operations import Export

_BOM = "\ufeff"


def _output_options(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--format",
            "form",
            type=click.Choice(["csv", "jsonl"]),
            default="csv",
            show_default=True,
            help="CSV, or JSON Lines with values as they are.",
        ),
        click.option(
            "-o",
            "--output",
            default=STANDARD_OUTPUT,
            metavar="FILE",
            help="Where to; - is standard output, the default.",
        ),
        click.option(
            "--for-spreadsheets",
            is_flag=True,
            help="CSV for people: an apostrophe before what a spreadsheet would take for a formula, and a mark that it"
            " is UTF-8. Not to be imported again.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("export", cls=Operation)
@project_argument
@click.option("--template", help="Of one template alone: its id, or id/ and an external id.")
@click.option("--tag", help="With one tag alone.")
@_output_options
def export_passes(
    *, project_id: int, template: str | None, tag: str | None, form: str, output: str, for_spreadsheets: bool
) -> None:
    """Write the passes of a project, oldest first. No token or address that opens a pass is in it.

    As CSV, what is written of one template can be imported again.
    """
    from chalicelib import export_operations

    _check(form, for_spreadsheets=for_spreadsheets)
    export = export_operations.export_passes(project_id=project_id, template=template, tag=tag, as_cells=form == "csv")
    _write(export, "passes", form=form, output=output, for_spreadsheets=for_spreadsheets)


@click.command("export", cls=Operation)
@project_argument
@click.argument("template")
@_output_options
def export_registrations(*, project_id: int, template: str, form: str, output: str, for_spreadsheets: bool) -> None:
    """Write the registrations of a template's passes: which pass is on how many devices, in which wallets, since when.

    TEMPLATE is an id, or id/ and an external id. Push tokens and devices are not in it.
    """
    from chalicelib import export_operations

    _check(form, for_spreadsheets=for_spreadsheets)
    export = export_operations.export_registrations(project_id=project_id, template=template, as_cells=form == "csv")
    _write(export, "registrations", form=form, output=output, for_spreadsheets=for_spreadsheets)


def _check(form: str, *, for_spreadsheets: bool) -> None:
    if for_spreadsheets and form != "csv":
        raise click.UsageError("--for-spreadsheets is for CSV alone")


def _write(export: Export, what: str, *, form: str, output: str, for_spreadsheets: bool) -> None:
    written = 0
    with (
        open_output(output) as stream,
        click.progressbar(
            length=export.total,
            label=what.capitalize(),
            show_pos=True,
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as bar,
    ):
        write = (
            _csv_writer(export, stream, for_spreadsheets=for_spreadsheets) if form == "csv" else _line_writer(stream)
        )
        for scanned, records in export.parts:
            write(records)
            written += len(records)
            bar.update(scanned)
    told = count(written, "pass" if what == "passes" else "registration", what)
    click.echo(told + ("." if output == STANDARD_OUTPUT else f" in {output}."), err=True)


def _csv_writer(export: Export, stream: TextIO, *, for_spreadsheets: bool) -> Callable[[Sequence[Any]], None]:
    from chalicelib.domain.cells import guard_formula

    form = Form(has_bom=for_spreadsheets)
    if form.has_bom:
        stream.write(_BOM)
    stream.write(format_line(export.columns, form))

    def write(records: Sequence[Any]) -> None:
        if for_spreadsheets:
            records = [list(map(guard_formula, cells)) for cells in records]
        stream.writelines(format_line(cells, form) for cells in records)

    return write


def _line_writer(stream: TextIO) -> Callable[[Sequence[Any]], None]:
    def write(records: Sequence[Any]) -> None:
        stream.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in records)

    return write
