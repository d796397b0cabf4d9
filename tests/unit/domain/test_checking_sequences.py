"""Every sequence that the sources take numbers of is one that the check holds against the numbers in use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import chalicelib
from chalicelib.domain.checking_counters import REPAIRS
from chalicelib.domain.checking_numbers import SEQUENCES, judge_project, judge_sequence
from chalicelib.store.checking_rows import latest_ticket

SOURCES = Path(chalicelib.__file__).parent


def _taken(tree: ast.AST) -> Iterator[ast.expr]:
    """The names of sequences in calls that take numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "next_values":
                yield next(each.value for each in node.keywords if each.arg == "name")
            elif node.func.attr == "_add" and isinstance(node.args[0], ast.Constant):
                yield node.args[0]


def _resolve(name: ast.expr, tree: ast.AST) -> str:
    """The part of a sequence's name that stands in the source, before any colon."""
    if isinstance(name, ast.Name):
        values = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name.id for t in node.targets)
        ]
        return _resolve(values[0], tree)
    if isinstance(name, ast.JoinedStr):
        name = name.values[0]
    assert isinstance(name, ast.Constant)
    return str(name.value).partition(":")[0]


def test_the_check_knows_every_sequence() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCES.rglob("*.py"))]
    taken = {_resolve(name, tree) for tree in trees for name in _taken(tree)}

    assert taken == set(SEQUENCES)
    # numbers mends of counters, so that two do not meet; no row has one
    assert REPAIRS not in taken


def test_a_sequence_stays_behind_however_many_take_numbers_of_it() -> None:
    """So two looks agree under traffic, and what is set is what was seen last."""
    (first,) = judge_sequence("tickets", row={"value": 3}, used=90, project_id=None)
    (second,) = judge_sequence("tickets", row={"value": 8}, used=95, project_id=None)

    assert first.identity == second.identity
    assert (second.mend[0].expect, second.mend[0].sets) == ({"value": 8}, {"value": 95})
    assert judge_sequence("tickets", row={"value": 95}, used=95, project_id=None) == []


@pytest.mark.parametrize(
    ("content", "latest"),
    [
        ('{"fields":{},"headers":{}}', 0),
        ('{"fields":{"a":[{"value":1},{"value":7}]},"headers":{"b":[{},{"value":9}]}}', 9),
        ('{"fields":{"a":[{"value":1},{"value":-11}]},"headers":{}}', 11),
        ('{"fields":{},"headers":{},"list_tickets":{"locations":12}}', 12),
    ],
)
def test_the_latest_ticket_of_content(content: str, latest: int) -> None:
    assert latest_ticket(content) == latest


def test_a_project_is_missing_only_if_something_is_its() -> None:
    (missing,) = judge_project(7, exists=False, keys=1, blocks=2)

    assert (missing.place, missing.project_id, missing.mend) == ("projects 7", 7, ())
    assert judge_project(7, exists=True, keys=1, blocks=2) == judge_project(7, exists=False, keys=0, blocks=0) == []
