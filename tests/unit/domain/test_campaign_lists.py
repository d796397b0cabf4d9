"""Lists of campaigns, with their numbers of redeems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.campaign_lists import list_campaigns
from chalicelib.domain.content import Content
from chalicelib.domain.counted_index import Collection, redeems_of_template
from chalicelib.domain.filtering import Kind, Ordering, Predicate, Query, make_condition
from chalicelib.domain.paging import Window
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import Template
from tests.unit.domain.test_campaign_drafts import _template as make_template

FIRST = make_template(Content())
CAMPAIGNS = [
    replace(FIRST, template_id=number, created_at=FIRST.created_at + timedelta(milliseconds=number))
    for number in (1, 2, 3, 4)
]
OTHER = replace(FIRST, template_id=5, type="Generic", project_type="generic")
REDEEMS = {1: 7, 2: 0, 3: 9, 4: 7}


@dataclass
class Scene:
    """Four campaigns of one type and one of another. `counted` are those whose redeems were read."""

    counted: list[list[int]] = field(default_factory=list)

    def count_collections(self, collections: Sequence[Collection]) -> list[int]:
        by_collection = {redeems_of_template(number): number for number in REDEEMS}
        numbers = [by_collection[collection] for collection in collections]
        self.counted.append(numbers)
        return [REDEEMS[number] for number in numbers]

    def list(self, query: Query, *, offset: int = 0, size: int = 10) -> tuple[list[tuple[int, int]], int]:
        templates = SimpleNamespace(
            list_templates=lambda project_id: [*CAMPAIGNS, OTHER] if project_id == 1 else cast(list[Template], [])
        )
        platform = cast(Platform, SimpleNamespace(templates=templates, counts=self))
        page = list_campaigns(
            platform, project_id=1, campaign_type="coupons", query=query, window=Window(offset=offset, size=size)
        )
        return [(template.template_id, redeems) for template, redeems in page.items], page.total


def of_redeems(predicate: Predicate, text: str) -> Query:
    return Query(
        conditions=(make_condition(attribute="redeem_count", kind=Kind.NUMBER, predicate=predicate, text=text),)
    )


def test_only_the_redeems_of_the_campaigns_on_the_page_are_counted() -> None:
    scene = Scene()

    assert scene.list(Query(), offset=1, size=2) == ([(2, 0), (3, 9)], 4)
    assert scene.counted == [[2, 3]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (of_redeems(Predicate.EQ, "7"), [1, 4]),
        (of_redeems(Predicate.GT, "7"), [3]),
        (Query(ordering=Ordering(attribute="redeem_count", kind=Kind.NUMBER)), [2, 1, 4, 3]),
        (Query(ordering=Ordering(attribute="redeem_count", kind=Kind.NUMBER, descending=True)), [3, 1, 4, 2]),
    ],
)
def test_a_list_is_filtered_and_ordered_by_redeems(query: Query, expected: list[int]) -> None:
    scene = Scene()

    assert scene.list(query) == ([(number, REDEEMS[number]) for number in expected], len(expected))
    assert scene.counted == [[1, 2, 3, 4]]  # once


@pytest.mark.parametrize(("descending", "expected"), [(False, [1, 2, 3, 4]), (True, [4, 3, 2, 1])])
def test_campaigns_of_one_second_are_in_the_order_of_their_creation(descending: bool, expected: list[int]) -> None:
    ordering: Any = Ordering(attribute="created_at", kind=Kind.TIME, descending=descending)

    assert [number for number, _ in Scene().list(Query(ordering=ordering))[0]] == expected
