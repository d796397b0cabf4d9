"""Cells: what is written reads back as the same value, and what people type means what they think."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.cells import guard_formula, is_same, join_tags, read_cell, read_json, split_tags, write_cell
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.tags import normalize_tag_name

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["", "0", "007", "5", "1e3", "-0", "true", "null", "json:", "json:5", " x ", '"', "Infinity"]),
)


@given(SCALARS, SCALARS)
@example("5", 5)
@example(5, "text")
@example(1, True)
@example(True, 1)
@example(1.0, 1)
@example("", None)
def test_what_is_written_reads_back_as_the_same_value(value: Any, like: Any) -> None:
    cell = write_cell(value, like=like)

    assert cell, "an empty cell says nothing"
    assert is_same(read_cell(cell, like=like), value)


@pytest.mark.parametrize(
    ("text", "like", "value"),
    [
        ("Ann", None, "Ann"),
        ("120", 0, 120),
        ("-1.5", 0, -1.5),
        ("120", "text", "120"),
        ("120", None, "120"),
        ("007", 0, "007"),
        ("1e3", 0, "1e3"),
        ("1,5", 0, "1,5"),
        ("NaN", 0, "NaN"),
        ("9" * 5000, 0, "9" * 5000),
        ("true", False, True),
        ("false", True, False),
        ("yes", False, "yes"),
        ("true", 0, "true"),
        ("json:120", "text", 120),
        ("json:null", None, None),
        ('json:""', None, ""),
        ('json:"json:1"', None, "json:1"),
    ],
)
def test_a_cell_is_text_unless_the_template_or_the_cell_says_otherwise(text: str, like: Any, value: Any) -> None:
    assert is_same(read_cell(text, like=like), value)


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "1e999", "[" * 100_000, "{'a': 1}"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is no JSON"):
        read_json(text)


@given(st.lists(st.text(min_size=1).map(normalize_tag_name).filter(bool), max_size=15))
@example(["a;b", "c|d", "e\\", "\\;", "f"])
def test_tags_that_are_written_read_back_as_the_same(names: list[str]) -> None:
    assert split_tags(join_tags(names)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("gold", ["gold"]),
        ("gold;VIP", ["gold", "VIP"]),
        ("gold|VIP", ["gold", "VIP"]),
        (" gold ; VIP | ", ["gold", "VIP"]),
        ("a, b", ["a, b"]),
        (r"a\;b;c", ["a;b", "c"]),
        (r"C:\x", [r"C:\x"]),
        ("a\\", ["a\\"]),
        (";;", []),
        ("", []),
    ],
)
def test_tags_are_separated_by_either_sign(text: str, names: list[str]) -> None:
    assert split_tags(text) == names


def test_formulas_are_guarded_and_nothing_else() -> None:
    assert [guard_formula(text) for text in ("=1+1", "+1", "-1", "@x", "\tx", "\rx")] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@x",
        "'\tx",
        "'\rx",
    ]
    assert [guard_formula(text) for text in ("", "1-1", "a=b", "'x")] == ["", "1-1", "a=b", "'x"]
