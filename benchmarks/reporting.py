"""How figures are kept: a table for people and the same as JSON, both under benchmarks/results/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

Row = Mapping[str, Any]


def report(rows: Sequence[Row], *, name: str) -> None:
    """One table."""
    _write(rows, [make_table(rows)], name=name)


def report_parts(parts: Mapping[str, Sequence[Row]], *, name: str) -> None:
    """Several tables of one subject."""
    _write(parts, [make_table(rows) for rows in parts.values()], name=name)


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
