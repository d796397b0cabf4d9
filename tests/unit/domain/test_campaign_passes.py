from __future__ import annotations

import pytest

from chalicelib.domain.campaign_passes import check_distance
from chalicelib.domain.content import Content
from chalicelib.domain.errors import InvalidRequest


@pytest.mark.parametrize(
    ("campaign_type", "metres", "limit"),
    [("event_tickets", 1000, 1000), ("event_tickets", 1001, 1000), ("coupons", 100, 100), ("coupons", 101, 100)],
)
def test_a_pass_is_of_interest_within_a_walk_and_a_ticket_within_a_longer_one(
    campaign_type: str, metres: int, limit: int
) -> None:
    content = Content(lists={"max_distance": metres})
    if metres <= limit:
        check_distance(content, campaign_type=campaign_type)
        return
    with pytest.raises(InvalidRequest) as refused:
        check_distance(content, campaign_type=campaign_type)

    assert (refused.value.field, refused.value.problem) == ("max_distance", f"must be at most {limit} metres")


@pytest.mark.parametrize("lists", [{}, {"max_distance": None}, {"max_distance": 0}])
def test_without_a_distance_there_is_nothing_to_check(lists: dict[str, object]) -> None:
    check_distance(Content(lists=lists), campaign_type="coupons")
