"""What the reports of a campaign count, and how (passworks-v2, sections 10 and 12)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.registrations import Wallet
from tests.contract.campaigns import TYPES, UNKNOWN_IDS, Campaign, make_campaign
from tests.support.stack import Stack, Tenant

COUNTS = [
    "installs_count",
    "uninstalls_count",
    "redeems_count",
    "fetches_count",
    "downloads_count",
    "views_count",
    "creates_count",
    "expires_count",
    "pushes_count",
    "updates_count",
    "webhooks_count",
    "api_calls_count",
    "distribution_updates_count",
]
DAY_KEYS = [*COUNTS, "i", "u", "active_count", "removed_count"]
TOTAL_KEYS = ["apple", "android", *COUNTS, "active_count", "removed_count"]

MOMENT = datetime(2016, 6, 28, 23, 59, 59, 999000, tzinfo=UTC)


def today() -> date:
    return datetime.now(UTC).date()


def nothing() -> dict[str, Any]:
    """A day on which nothing happened."""
    systems = {"ios": 0, "android": 0, "wp": 0}
    return dict.fromkeys(DAY_KEYS, 0) | {"i": systems, "u": systems}


def live(campaign: Campaign) -> None:
    """Two passes, made today; three devices took them in 2016, on two days, and one gave its pass up today."""
    first, second = campaign.add_pass(), campaign.add_pass()
    campaign.install(first, "phone", now=MOMENT - timedelta(hours=1))
    campaign.install(second, "tablet", wallet=Wallet.PASS2U, now=MOMENT)
    campaign.install(second, "phone", now=MOMENT + timedelta(milliseconds=1))
    campaign.redeem(second, now=MOMENT)
    campaign.remove(second, "tablet")


def report(campaign: Campaign, query: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = campaign.tenant.call("GET", f"{campaign.path}/reports{query}")
    return answer


def test_a_report_has_the_documented_keys_in_their_order(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)

    answer = report(campaign, "?start_date=2016-06-27&end_date=2016-06-29")

    assert list(answer) == ["campaign_id", "start_date", "end_date", "report"]
    assert answer["campaign_id"] == campaign.template.campaign_id
    assert (answer["start_date"], answer["end_date"]) == ("2016-06-27", "2016-06-29")
    assert list(answer["report"]) == ["2016-06-27", "2016-06-28", "2016-06-29"]
    for day in answer["report"].values():
        assert list(day) == DAY_KEYS
        assert list(day["i"]) == list(day["u"]) == ["ios", "android", "wp"]
        assert day == nothing()


def test_each_day_in_utc_counts_what_happened_on_it(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    live(campaign)

    days = report(campaign, "?start_date=2016-06-27&end_date=2016-06-29")["report"]

    assert days == {
        "2016-06-27": nothing(),
        "2016-06-28": nothing()
        | {"installs_count": 2, "redeems_count": 1, "i": {"ios": 1, "android": 1, "wp": 0}, "active_count": 2},
        "2016-06-29": nothing() | {"installs_count": 1, "i": {"ios": 1, "android": 0, "wp": 0}, "active_count": 1},
    }


def test_a_day_of_removals_has_a_negative_balance(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    before = today()
    live(campaign)

    days = report(campaign, f"?start_date={before}")["report"]

    (found,) = [day for day in days.values() if day["uninstalls_count"]]
    assert found["u"] == {"ios": 0, "android": 1, "wp": 0}
    assert (found["installs_count"], found["active_count"], found["removed_count"]) == (0, -1, 1)


def test_passes_made_and_updated_are_counted(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    before = today()
    pass_ = campaign.add_pass()
    campaign.add_pass()
    tenant.call("PUT", f"/v1/pass/{pass_.pass_id}", json={"fields": {"Points": {"value": "7"}}})

    days = report(campaign, f"?start_date={before}")["report"].values()

    assert sum(day["creates_count"] for day in days) == 2
    assert sum(day["updates_count"] for day in days) == 1


def test_the_totals_have_the_documented_keys_and_cover_everything(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    live(campaign)

    answer = tenant.call("GET", f"{campaign.path}/reports/totals")

    assert list(answer) == ["campaign_id", "report"]
    assert answer["campaign_id"] == campaign.template.campaign_id
    assert list(answer["report"]) == TOTAL_KEYS
    assert answer["report"] == dict.fromkeys(COUNTS, 0) | {
        "apple": {"installs_count": 2, "uninstalls_count": 0},
        "android": {"installs_count": 1, "uninstalls_count": 1},
        "installs_count": 3,
        "uninstalls_count": 1,
        "redeems_count": 1,
        "creates_count": 2,
        "active_count": 2,
        "removed_count": 1,
    }


def test_the_totals_of_a_new_campaign_are_zero(tenant: Tenant) -> None:
    totals = tenant.call("GET", f"{make_campaign(tenant).path}/reports/totals/")["report"]

    none = {"installs_count": 0, "uninstalls_count": 0}
    assert totals == dict.fromkeys(TOTAL_KEYS, 0) | {"apple": none, "android": none}


def test_without_dates_it_is_the_month_until_today(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    before = today()

    answer = report(campaign)

    start, end = (date.fromisoformat(answer[name]) for name in ("start_date", "end_date"))
    assert before <= end <= today()
    assert (end - start).days in (28, 29, 30, 31)
    assert start.day in (end.day, (end.replace(day=1) - timedelta(days=1)).day)
    assert len(answer["report"]) == (end - start).days + 1


@pytest.mark.parametrize(("end", "start"), [("2016-06-29", "2016-05-29"), ("2016-03-31", "2016-02-29")])
def test_without_a_start_it_is_the_month_until_the_end(tenant: Tenant, end: str, start: str) -> None:
    assert report(make_campaign(tenant), f"?end_date={end}")["start_date"] == start


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "value", ["", "yesterday", "2016-02-30", "2016-13-01", "20160628", "2016-W26-2", "28-06-2016", "2016-06-28T00:00"]
)
def test_a_date_that_is_none_is_422_under_its_key(tenant: Tenant, name: str, value: str) -> None:
    answer = tenant.request("GET", f"{make_campaign(tenant).path}/reports?{name}={value}")

    assert answer.status_code == 422
    assert answer.json() == {
        "status_code": 422,
        "error_code": 10100,
        "message": "Validation failed",
        "errors": {name: ["must be a date such as 2016-06-29"]},
    }


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("start_date=2016-06-29&end_date=2016-06-28", "end_date"),
        ("start_date=9999-01-01", "end_date"),
        ("start_date=1970-01-01&end_date=2016-06-28", "start_date"),
    ],
)
def test_a_time_that_is_none_or_too_long_is_422(tenant: Tenant, query: str, key: str) -> None:
    answer = tenant.request("GET", f"{make_campaign(tenant).path}/reports?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [key])


@pytest.mark.parametrize(
    "query",
    [
        "?end_date=0001-01-15",
        "?start_date=9999-12-30&end_date=9999-12-31",
        "?start_date=1996-02-29&end_date=2016-02-29",
    ],
)
def test_the_ends_of_the_calendar_and_twenty_years_are_days_too(tenant: Tenant, query: str) -> None:
    assert all(day == nothing() for day in report(make_campaign(tenant), query)["report"].values())


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_has_reports_and_only_its_own(tenant: Tenant, campaign_type: str) -> None:
    campaign_id = make_campaign(tenant, campaign_type).template.campaign_id

    for other in (*TYPES, "event_tickers"):
        for suffix in ("reports", "reports/totals"):
            answer = tenant.request("GET", f"/v2/{other}/{campaign_id}/{suffix}")
            assert answer.status_code == (200 if other == campaign_type else 404)


@pytest.mark.parametrize("suffix", ["reports", "reports/totals"])
def test_an_unknown_or_foreign_campaign_is_404(tenant: Tenant, stack: Stack, suffix: str) -> None:
    foreign = make_campaign(stack.tenant())

    for campaign_id in (*UNKNOWN_IDS, foreign.template.campaign_id):
        assert tenant.request("GET", f"/v2/coupons/{campaign_id}/{suffix}").status_code == 404
