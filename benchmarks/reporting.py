"""How figures are kept: a table for people and the same as JSON, both under benchmarks/results/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

Row = Mapping[str, Any]


class BarsMissed(Exception):
    """Figures beyond their bars, one sentence each; the results are written all the same."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = list(sentences)


@dataclass(frozen=True)
class Section:
    """A table with a heading and a sentence or two."""

    title: str
    text: str
    rows: Sequence[Row]


def report(rows: Sequence[Row], *, name: str) -> None:
    """One table."""
    _write(rows, [make_table(rows)], name=name)


def report_parts(parts: Mapping[str, Sequence[Row]], *, name: str) -> None:
    """Several tables of one subject."""
    _write(parts, [make_table(rows) for rows in parts.values()], name=name)


def report_sections(sections: Sequence[Section], *, name: str) -> None:
    """Several tables, each with its heading; the first heading is that of the page."""
    texts = [
        f"{'#' if position == 0 else '##'} {each.title}\n\n{each.text}\n\n{make_table(each.rows)}"
        for position, each in enumerate(sections)
    ]
    _write({each.title: each.rows for each in sections}, texts, name=name)


def make_table(rows: Sequence[Row]) -> str:
    """The rows in Markdown; the first one names the columns."""
    lines = ["| " + " | ".join(column.replace("_", " ") for column in rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _write(document: object, tables: Sequence[str], *, name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    text = "\n\n".join(tables)
    (RESULTS / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}")
