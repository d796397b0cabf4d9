from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.campaign_drafts import ContentDraft
from chalicelib.domain.campaign_passes import check_distance, push_pass, update_pass_of_campaign
from chalicelib.domain.content import Content
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.ports import Platform
from tests.support.samples import MOMENT, sample_pass
from tests.unit.domain.test_campaign_drafts import _template as make_template
from tests.unit.domain.test_updating import Scene


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


@pytest.mark.parametrize(("registrations", "asked"), [(0, []), (2, [[12_345]])])
def test_a_push_without_a_message_asks_those_who_hold_the_pass_to_look(
    registrations: int, asked: list[list[int]]
) -> None:
    sent: list[Any] = []
    parts = SimpleNamespace(
        sequences=SimpleNamespace(next_values=lambda **_: (70, MOMENT)),
        queues=SimpleNamespace(send_documents=lambda queue, documents: sent.extend(documents)),
        now=lambda: MOMENT,
    )

    push_pass(cast(Platform, parts), sample_pass(registrations=registrations), message=None)

    assert [document["pass_ids"] for document in sent] == asked
    assert [(document["ticket_id"], document["project_id"]) for document in sent] == [(70, 1)] * len(asked)


@pytest.mark.parametrize(("more", "pushes"), [({}, 1), ({"announced": True}, 1), ({"announced": False}, 0)])
def test_an_update_is_announced_unless_it_is_not_to_be(more: dict[str, Any], pushes: int) -> None:
    scene = Scene(
        pass_=sample_pass(registrations=1, serial_number="8a2f6a3e-8a5b-4a0e-9d1f-000000003039", template_id=1)
    )
    draft = ContentDraft(fields={"Points": {"fieldType": "primary", "value": "5"}})

    after = update_pass_of_campaign(
        scene.platform, make_template(Content()), scene.pass_, draft=draft, restart=False, **more
    )

    assert (after, after.content.fields["Points"].attributes["value"]) == (scene.pass_, "5")
    assert len(scene.sent) == pushes
