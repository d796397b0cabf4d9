from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finding import LARGEST_ID, parse_id, spellings


@pytest.mark.parametrize(
    ("segment", "meanings"),
    [
        ("gold", ["gold"]),
        ("a%2Fb", ["a/b"]),
        ("a%20b", ["a b"]),
        ("a+b", ["a+b", "a b"]),
        ("a%2Bb", ["a+b"]),
        ("a%252Fb", ["a%2Fb"]),
        ("caf%C3%A9", ["café"]),
    ],
)
def test_a_segment_is_decoded_once_and_a_plus_may_be_a_space(segment: str, meanings: list[str]) -> None:
    assert spellings(segment) == meanings


@given(st.text(max_size=40))
def test_both_ways_of_encoding_lead_to_the_name(name: str) -> None:
    assert spellings(quote(name, safe=""))[0] == name
    assert name in spellings(quote_plus(name))


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), (str(LARGEST_ID), LARGEST_ID)])
def test_an_id_is_a_whole_number_up_to_two_to_the_53(text: str, number: int) -> None:
    assert parse_id(text) == number


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "1.0", " 1", "1e3", "\u0661", "\u00b2", "x", str(LARGEST_ID + 1), "9" * 5000]
)
def test_anything_else_is_no_id(text: str) -> None:
    assert parse_id(text) is None
