"""Lists of redeems (passworks-v2, sections 5 and 12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.passes import Pass
from tests.contract.campaigns import TYPES, UNKNOWN_IDS, Campaign, make_campaign, walk
from tests.contract.expectations import UUID
from tests.support.stack import Stack, Tenant

KEYS = ["id", "pass_id", "redeem_code", "comment", "created_at"]
MOMENT = datetime(2016, 11, 9, 12, tzinfo=UTC)


def redeem_thrice(campaign: Campaign) -> tuple[Pass, Pass]:
    """Two passes: the first redeemed once, the second twice."""
    first, second = campaign.add_pass(), campaign.add_pass()
    campaign.redeem(first, "at the till", now=MOMENT)
    campaign.redeem(second, now=MOMENT + timedelta(seconds=1, milliseconds=5))
    campaign.redeem(second, "again", now=MOMENT + timedelta(days=1))
    return first, second


def without_ids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        assert list(row) == KEYS
        assert UUID.fullmatch(row["id"])
    assert len({row["id"] for row in rows}) == len(rows)
    return [{key: value for key, value in row.items() if key != "id"} for row in rows]


def test_both_lists_show_each_redeem_with_exactly_five_keys(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    first, second = redeem_thrice(campaign)
    expected = [
        {
            "pass_id": first.serial_number,
            "redeem_code": "00000001",
            "comment": "at the till",
            "created_at": "2016-11-09T12:00:00.000Z",
        },
        {
            "pass_id": second.serial_number,
            "redeem_code": "00000002",
            "comment": None,
            "created_at": "2016-11-09T12:00:01.005Z",
        },
        {
            "pass_id": second.serial_number,
            "redeem_code": "00000002",
            "comment": "again",
            "created_at": "2016-11-10T12:00:00.000Z",
        },
    ]

    rows = tenant.call("GET", f"{campaign.path}/redeems")

    assert without_ids(rows) == expected
    assert tenant.call("GET", f"{campaign.pass_path(first)}/redeems") == rows[:1]
    assert tenant.call("GET", f"{campaign.pass_path(second)}/redeems/") == rows[1:]


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_has_both_lists_and_the_misprint_is_no_type(tenant: Tenant, campaign_type: str) -> None:
    campaign = make_campaign(tenant, campaign_type)
    pass_ = campaign.add_pass()
    campaign.redeem(pass_)
    campaign_id = campaign.template.campaign_id

    for suffix in ("redeems", f"passes/{pass_.serial_number}/redeems"):
        for other in (*TYPES, "event_tickers"):
            answer = tenant.request("GET", f"/v2/{other}/{campaign_id}/{suffix}")
            assert answer.status_code == (200 if other == campaign_type else 404)


def test_nothing_redeemed_is_an_empty_array_with_headers(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()

    for path in (campaign.path, campaign.pass_path(pass_)):
        answer = tenant.request("GET", f"{path}/redeems")
        assert answer.json() == []
        assert (answer.headers["X-Total"], answer.headers["X-Total-Pages"]) == ("0", "0")
        assert "X-Next-Page" not in answer.headers


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q[redeem_code_eq]=00000002", [1, 2]),
        ("q[comment_eq]=again", [2]),
        ("q[comment_cont]=TILL", [0]),
        ("q[comment_not_eq]=again", [0, 1]),
        ("q[created_at_gteq]=2016-11-09T12:00:01.005Z", [1, 2]),
        ("q[created_at_lt]=2016-11-10&q[redeem_code_eq]=00000002", [1]),
        ("q[s]=created_at+desc", [2, 1, 0]),
        ("q[s]=redeem_code+desc", [1, 2, 0]),
        ("q[s]=comment+asc", [2, 0, 1]),
        ("q[id_eq]=nothing", []),
        ("per_page=2&page=2", [2]),
        ("offset=1&per_page=1", [1]),
    ],
)
def test_a_query_filters_orders_and_cuts(tenant: Tenant, query: str, shown: list[int]) -> None:
    campaign = make_campaign(tenant)
    redeem_thrice(campaign)
    rows = tenant.call("GET", f"{campaign.path}/redeems")

    assert tenant.call("GET", f"{campaign.path}/redeems?{query}") == [rows[number] for number in shown]


def test_filters_by_pass_and_redeem_id(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    first, _ = redeem_thrice(campaign)
    rows = tenant.call("GET", f"{campaign.path}/redeems")

    assert tenant.call("GET", f"{campaign.path}/redeems?q[pass_id_eq]={first.serial_number}") == rows[:1]
    assert tenant.call("GET", f"{campaign.path}/redeems?q[id_eq]={rows[1]['id']}") == rows[1:2]


def test_an_unknown_filter_names_the_attributes_of_redeems(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)

    answer = tenant.request("GET", f"{campaign.path}/redeems?q[wallet_eq]=passbook")

    assert (answer.status_code, answer.json()["error_code"]) == (422, 10101)
    assert answer.json()["errors"] == {"q": "Unknown filter 'wallet_eq'"}
    assert "Attributes: id, pass_id, redeem_code, comment, created_at." in answer.json()["message"]


def test_walking_by_the_next_page_sees_every_row_once(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()
    for number in range(7):
        campaign.redeem(pass_, f"{number}")

    for path in (campaign.path, campaign.pass_path(pass_)):
        pages = list(walk(tenant, f"{path}/redeems?per_page=3"))
        assert [[row["comment"] for row in page] for page in pages] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_nothing_of_another_account_or_campaign_is_found(tenant: Tenant, stack: Stack) -> None:
    campaign = make_campaign(tenant)
    first, _ = redeem_thrice(campaign)
    other = make_campaign(tenant)
    stranger = stack.tenant()

    assert tenant.call("GET", f"{other.path}/redeems") == []
    assert tenant.request("GET", f"{other.pass_path(first)}/redeems").status_code == 404
    for path in (campaign.path, campaign.pass_path(first)):
        assert stranger.request("GET", f"{path}/redeems").status_code == 404


@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_unknown_campaign_or_pass_is_404(tenant: Tenant, unknown: str) -> None:
    campaign = make_campaign(tenant)

    for path in (f"/v2/coupons/{unknown}", f"{campaign.path}/passes/{unknown}"):
        assert tenant.request("GET", f"{path}/redeems").status_code == 404
