"""Entity tags in headers (RFC 9110, sections 8.8.3 and 13.1)."""

from __future__ import annotations

from typing import Any

import pytest
from chalice import Response
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.conditional import answer_if_changed, make_expectation, make_tag
from chalicelib.domain.errors import PreconditionFailed
from tests.support.samples import sample_pass

BODY = '{"a":1}'
TAG = make_tag(BODY)

OPAQUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=40)
OTHERS = st.lists(st.builds(lambda weak, text: f'{weak}"{text}"', st.sampled_from(["", "W/"]), OPAQUE), max_size=4)
GAPS = st.sampled_from([",", ", ", " ,", "\t,  ", ",,", ", ,"])


def _is_known(header: str) -> bool:
    return answer_if_changed(Response(BODY, {"X-Total": "1"}, 200), known=header).status_code == 304


def _is_matched(header: str) -> bool:
    try:
        make_expectation(header, lambda _: BODY)(sample_pass())
    except PreconditionFailed:
        return False
    return True


def _join(tags: list[str], gaps: Any) -> str:
    header = ""
    for tag in tags:
        header += (gaps.draw(GAPS) if header else "") + tag
    return header


@given(before=OTHERS, after=OTHERS, is_weak=st.booleans(), data=st.data())
def test_a_list_that_holds_the_tag_names_it(before: list[str], after: list[str], is_weak: bool, data: Any) -> None:
    own = f"W/{TAG}" if is_weak else TAG
    header = _join([*before, own, *after], data)
    assert _is_known(header)
    assert _is_matched(header) is not is_weak


@given(tags=OTHERS, data=st.data())
def test_a_list_without_it_names_it_not(tags: list[str], data: Any) -> None:
    header = _join(tags, data)
    assert not _is_known(header)
    assert not _is_matched(header)


@given(header=st.text(max_size=60).filter(lambda text: text.strip() != "*" and TAG not in text))
def test_whatever_stands_there_breaks_nothing(header: str) -> None:
    assert not _is_known(header)
    assert not _is_matched(header)


@pytest.mark.parametrize(
    "header", [f"{TAG} {TAG}", f"{TAG};", f"x{TAG}", f"{TAG},*", TAG.strip('"'), f'{TAG}"', f"w/{TAG}"]
)
def test_what_is_no_list_names_nothing(header: str) -> None:
    assert not _is_known(header)
    assert not _is_matched(header)


@pytest.mark.parametrize("header", ["*", " * "])
def test_a_star_names_whatever_there_is(header: str) -> None:
    assert _is_known(header)
    assert _is_matched(header)


def test_an_answer_keeps_status_body_and_headers_and_gets_its_tag() -> None:
    answer = answer_if_changed(Response(BODY, {"X-Total": "1"}, 200), known=None)
    assert (answer.status_code, answer.body, answer.headers) == (200, BODY, {"X-Total": "1", "ETag": TAG})


def test_text_and_its_bytes_have_the_same_tag_and_other_bytes_another() -> None:
    assert make_tag("ü") == make_tag("ü".encode()) != make_tag("u")
