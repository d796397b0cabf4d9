"""What commands print, and the options that say how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
project_argument = click.argument("project_id", type=click.IntRange(min=1))


def show_time(moment: datetime) -> str:
    """A moment to the second, in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def make_printable(text: str) -> str:
    """`text` with escapes in place of what could move a terminal's cursor or hide something."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def print_json(document: object) -> None:
    """A document for programs, in which a terminal finds nothing to obey either."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    click.echo("".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text))


def print_rows(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Columns as wide as their content, or a JSON array."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo("None.")
        return
    table = [[name.replace("_", " ").upper() for name in rows[0]]]
    table += [["-" if value is None else make_printable(str(value)) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
