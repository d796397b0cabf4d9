from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import (
    LARGEST_ID,
    get_live_references,
    get_live_tags,
    get_pass_or_raise,
    get_tag_or_raise,
    get_template_or_raise,
    get_ticket_or_raise,
    parse_id,
    spellings,
)
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.tags import Tag, TagReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus
from tests.support.samples import BOUNDS, MOMENT, sample_pass, sample_tag


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


# Over stores that know one thing each, in project 1


@dataclass
class Stores:
    """What is asked for is noted, so that a look-up that was not needed is seen."""

    asked: list[Any] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(passes=self, templates=self, tags=self, tickets=self, bounds=BOUNDS)
        return cast(Platform, parts)

    def find_pass_id(self, *, project_id: int, reference: PassReference) -> int | None:
        return reference.pass_id if project_id == 1 else None

    def get_pass(self, *, project_id: int | None, pass_id: int) -> Pass | None:
        return sample_pass(pass_id=5, template_id=2) if (project_id, pass_id) == (1, 5) else None

    def find_template_id(self, *, project_id: int, reference: TemplateReference) -> int | None:
        return reference.template_id if project_id == 1 else None

    def get_template(self, *, project_id: int, template_id: int) -> str | None:
        return "the template" if (project_id, template_id) == (1, 2) else None

    def find_tag(self, *, project_id: int, names: list[str], tag_id: int | None) -> Tag | None:
        self.asked.append((names, tag_id))
        return sample_tag(7, "a b") if project_id == 1 and ("a b" in names or tag_id == 7) else None

    def get_ticket(self, *, ticket_id: int) -> Ticket | None:
        return TICKET if ticket_id == 70 else None

    def get_tags(self, *, project_id: int, tag_ids: list[int]) -> tuple[Any, dict[int, Tag]]:
        assert project_id == 1
        return {}, {tag_id: sample_tag(tag_id, f"tag {tag_id}", generation=2) for tag_id in tag_ids if tag_id < 9}


TICKET = Ticket(
    ticket_id=70,
    project_id=1,
    status=TicketStatus.COMPLETED,
    created_at=MOMENT,
    target=None,
    progress=Progress(),
)


def missing(call: Callable[[], object]) -> tuple[str, object]:
    with pytest.raises(NotFound) as refused:
        call()
    return refused.value.kind, refused.value.reference


def test_a_pass_is_found_in_its_project_and_template_or_named_in_the_refusal() -> None:
    platform = Stores().platform
    found = get_pass_or_raise(platform, project_id=1, reference=PassReference(pass_id=5))
    assert found.pass_id == 5
    assert get_pass_or_raise(platform, project_id=1, reference=PassReference(pass_id=5, template_id=2)) == found

    for project_id, reference in (
        (1, PassReference(pass_id=6)),
        (1, PassReference(pass_id=5, template_id=3)),
        (1, PassReference(external_id="x")),
        (2, PassReference(pass_id=5)),
    ):
        refused = missing(partial(get_pass_or_raise, platform, project_id=project_id, reference=reference))
        assert refused == ("pass", reference)


def test_a_template_is_found_in_its_project_or_named_in_the_refusal() -> None:
    platform = Stores().platform
    reference = TemplateReference(template_id=2)
    assert get_template_or_raise(platform, project_id=1, reference=reference) == "the template"  # type: ignore[comparison-overlap]

    for project_id, other in (
        (2, reference),
        (1, TemplateReference(template_id=3)),
        (1, TemplateReference(external_id="x")),
    ):
        refused = missing(partial(get_template_or_raise, platform, project_id=project_id, reference=other))
        assert refused == ("template", other)


def test_a_tag_is_looked_for_once_under_all_that_its_segment_may_mean() -> None:
    stores = Stores()

    assert get_tag_or_raise(stores.platform, project_id=1, segment="a+b").tag_id == 7
    assert get_tag_or_raise(stores.platform, project_id=1, segment="7").tag_id == 7
    assert stores.asked == [(["a+b", "a b"], None), (["7"], 7)]


def test_a_tag_that_is_not_there_is_named_as_it_was_meant() -> None:
    stores = Stores()

    assert missing(lambda: get_tag_or_raise(stores.platform, project_id=1, segment="caf%C3%A9")) == ("tag", "café")
    stores.asked.clear()
    long = "x" * (BOUNDS.tag_characters + 1)
    assert missing(lambda: get_tag_or_raise(stores.platform, project_id=1, segment=long)) == ("tag", long)
    assert stores.asked == []


def test_a_ticket_is_found_in_its_project_or_named_in_the_refusal() -> None:
    platform = Stores().platform
    assert get_ticket_or_raise(platform, project_id=1, segment="70") is TICKET
    assert get_ticket_or_raise(platform, project_id=1, segment="%370") is TICKET

    for project_id, segment, named in ((2, "70", "70"), (1, "71", "71"), (1, "%78", "x"), (1, "y" * 50, "y" * 40)):
        refused = missing(partial(get_ticket_or_raise, platform, project_id=project_id, segment=segment))
        assert refused == ("ticket", named)


def test_the_tags_of_a_pass_are_those_that_are_still_in_its_generation() -> None:
    references = frozenset({TagReference(8, 2), TagReference(3, 2), TagReference(4, 1), TagReference(9, 2)})
    pass_ = sample_pass(tags=references)

    assert [tag.tag_id for tag in get_live_tags(Stores().platform, pass_)] == [3, 8]
    assert get_live_references(Stores().platform, pass_) == [TagReference(3, 2), TagReference(8, 2)]
    assert get_live_tags(cast(Platform, None), sample_pass()) == []  # without a call
