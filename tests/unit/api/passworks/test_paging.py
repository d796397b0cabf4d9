"""Pages: what is asked for, and that following the headers visits every row once (passworks-v2, sections 4, 12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.passworks.paging import LARGEST_NUMBER, Paging, paging_headers, read_paging
from tests.unit.api.passworks.requesting import make_request


@pytest.mark.parametrize(
    ("query", "page", "per_page", "skip"),
    [
        ("", 1, 25, 0),
        ("page=2", 2, 25, 0),
        ("page=2&per_page=10&offset=3", 2, 10, 3),
        ("per_page=50", 1, 50, 0),
        ("per_page=51", 1, 50, 0),
        ("per_page=1", 1, 1, 0),
        ("per_page=0", 1, 1, 0),
        ("per_page=-7", 1, 1, 0),
        ("per_page=many", 1, 25, 0),
        ("per_page=", 1, 25, 0),
        ("per_page=2.5", 1, 25, 0),
        ("per_page=%D9%A3", 1, 25, 0),
        ("page=0", 1, 25, 0),
        ("page=-1", 1, 25, 0),
        ("page=x", 1, 25, 0),
        ("page=%202%20", 2, 25, 0),
        ("page=+2", 2, 25, 0),
        ("page=002", 2, 25, 0),
        ("page=1&page=3", 3, 25, 0),
        ("offset=-1", 1, 25, 0),
        ("offset=x", 1, 25, 0),
        ("limit=5&start=9", 1, 25, 0),
    ],
)
def test_each_number_is_brought_into_its_range(query: str, page: int, per_page: int, skip: int) -> None:
    assert read_paging(make_request(query)) == Paging(page=page, per_page=per_page, skip=skip)


@pytest.mark.parametrize("digits", [13, 20, 400, 5000])
def test_a_huge_number_is_beyond_every_list_and_breaks_nothing(digits: int) -> None:
    paging = read_paging(make_request(f"page={'9' * digits}&offset={'9' * digits}&per_page={'9' * digits}"))

    assert paging == Paging(page=LARGEST_NUMBER, per_page=50, skip=LARGEST_NUMBER)
    assert paging.offset < 2**63
    assert "X-Next-Page" not in paging_headers(paging, 10**9)


@pytest.mark.parametrize("digits", [20, 5000])
def test_a_huge_negative_number_is_the_smallest(digits: int) -> None:
    number = "-" + "9" * digits

    assert read_paging(make_request(f"page={number}&offset={number}&per_page={number}")) == Paging(per_page=1)


def test_the_headers_are_the_contracts_own_example() -> None:
    assert paging_headers(Paging(page=2), 58) == {
        "X-Total": "58",
        "X-Total-Pages": "3",
        "X-Page": "2",
        "X-Per-Page": "25",
        "X-Next-Page": "3",
        "X-Prev-Page": "1",
        "X-Offset": "0",
    }


def test_an_empty_list_has_the_five_headers_alone() -> None:
    assert paging_headers(Paging(), 0) == {
        "X-Total": "0",
        "X-Total-Pages": "0",
        "X-Page": "1",
        "X-Per-Page": "25",
        "X-Offset": "0",
    }


def test_past_the_end_there_is_the_page_asked_for_and_the_one_before_it() -> None:
    headers = paging_headers(Paging(page=9), 58)

    assert (headers["X-Page"], headers["X-Prev-Page"]) == ("9", "8")
    assert "X-Next-Page" not in headers


def test_an_offset_leaves_the_total_and_shortens_the_pages() -> None:
    headers = paging_headers(Paging(per_page=10, skip=35), 58)

    assert (headers["X-Total"], headers["X-Total-Pages"], headers["X-Offset"]) == ("58", "3", "35")


@given(total=st.integers(0, 400), per_page=st.integers(1, 50), skip=st.integers(0, 450))
def test_following_the_next_page_visits_every_row_after_the_offset_once(total: int, per_page: int, skip: int) -> None:
    rows, visited, page = list(range(total)), list[int](), 1
    for _ in range(total + 2):
        paging = Paging(page=page, per_page=per_page, skip=skip)
        visited += rows[paging.offset : paging.offset + paging.size]
        headers = paging_headers(paging, total)
        assert headers.get("X-Prev-Page") == (str(page - 1) if page > 1 else None)
        assert "" not in headers.values()
        if "X-Next-Page" not in headers:
            break
        page = int(headers["X-Next-Page"])

    assert visited == rows[skip:]
    assert int(headers["X-Total-Pages"]) == (page if visited else 0)
