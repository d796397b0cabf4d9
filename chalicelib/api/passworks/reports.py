"""What happened to the passes of a campaign, by day and in all (passworks-v2, section 10)."""

from __future__ import annotations

import re
from datetime import UTC, date
from typing import Any

from chalice import Blueprint

from chalicelib.api.declared import Day
from chalicelib.api.passworks.campaign_types import get_campaign
from chalicelib.api.passworks.entry import PassworksRequest, route
from chalicelib.domain import reporting
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.reporting import Event, Tally

reports = Blueprint(__name__)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


START = Day(name="start_date", text="The first day; without it, a month before the last.")
END = Day(name="end_date", text="The last day; without it, today.")


@route(
    reports,
    "/v2/{campaign_type}/{campaign_id}/reports",
    methods=["GET"],
    query=(START, END),
    answer="passworks_answers.ReportByDay",
)
def get_report_by_day(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Get a report by day

    What happened to the campaign's passes on every day (UTC) from `start_date` to `end_date`, at most 20 years.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    end = _read_date(request, END) or request.platform.now().astimezone(UTC).date()
    start = _read_date(request, START) or reporting.month_before(end)
    days = reporting.report_days(request.platform, template_id=template.template_id, start=start, end=end)
    return {
        "campaign_id": template.campaign_id,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
        "report": {day.isoformat(): _show_day(tally) for day, tally in days.items()},
    }


@route(
    reports,
    "/v2/{campaign_type}/{campaign_id}/reports/totals",
    methods=["GET"],
    answer="passworks_answers.ReportTotals",
)
def get_report_totals(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Get a report of everything since the campaign began

    What happened to the campaign's passes, counted, also for each of the two systems that devices run.
    """
    template = get_campaign(request, campaign_type, campaign_id)
    tally = reporting.report_totals(request.platform, template_id=template.template_id)
    return {"campaign_id": template.campaign_id, "report": _show_totals(tally)}


def _read_date(request: PassworksRequest, day: Day) -> date | None:
    text = request.query(day.name)
    if text is None:
        return None
    try:
        # by form first: Python reads week dates too
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError as error:
        raise InvalidRequest("must be a date such as 2016-06-29", field=day.name) from error


def _show_day(tally: Tally) -> dict[str, Any]:
    return {
        **_show_counts(tally),
        "i": _show_systems(ios=tally.of(Event.INSTALLS_IOS), android=tally.of(Event.INSTALLS_ANDROID)),
        "u": _show_systems(ios=tally.of(Event.UNINSTALLS_IOS), android=tally.of(Event.UNINSTALLS_ANDROID)),
        **_show_balance(tally),
    }


def _show_totals(tally: Tally) -> dict[str, Any]:
    return {
        "apple": {
            "installs_count": tally.of(Event.INSTALLS_IOS),
            "uninstalls_count": tally.of(Event.UNINSTALLS_IOS),
        },
        "android": {
            "installs_count": tally.of(Event.INSTALLS_ANDROID),
            "uninstalls_count": tally.of(Event.UNINSTALLS_ANDROID),
        },
        **_show_counts(tally),
        **_show_balance(tally),
    }


def _show_counts(tally: Tally) -> dict[str, int]:
    """In the documented order. What nothing here counts is 0."""
    return {
        "installs_count": tally.installs,
        "uninstalls_count": tally.uninstalls,
        "redeems_count": tally.of(Event.REDEEMS),
        "fetches_count": tally.of(Event.FETCHES),
        "downloads_count": tally.of(Event.DOWNLOADS),
        "views_count": tally.of(Event.VIEWS),
        "creates_count": tally.of(Event.CREATES),
        "expires_count": 0,
        "pushes_count": tally.of(Event.PUSHES),
        "updates_count": tally.of(Event.UPDATES),
        "webhooks_count": tally.of(Event.WEBHOOKS),
        "api_calls_count": 0,
        "distribution_updates_count": 0,
    }


def _show_systems(*, ios: int, android: int) -> dict[str, int]:
    """`wp` is Windows Phone, which no wallet of ours runs on."""
    return {"ios": ios, "android": android, "wp": 0}


def _show_balance(tally: Tally) -> dict[str, int]:
    return {"active_count": tally.installs - tally.uninstalls, "removed_count": tally.uninstalls}
