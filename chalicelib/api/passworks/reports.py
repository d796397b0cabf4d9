"""What happened to the passes of a campaign, by day and in all (passworks-v2, section 10)."""

from __future__ import annotations

import re
from datetime import UTC, date
from typing import Any

from chalice import Blueprint

from chalicelib.api.passworks.campaign_types import get_campaign
from chalicelib.api.passworks.entry import PassworksRequest, route
from chalicelib.domain import reporting
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.reporting import Event, Tally

reports = Blueprint(__name__)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@route(reports, "/v2/{campaign_type}/{campaign_id}/reports", methods=["GET"])
def get_report_by_day(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Every day from `start_date` to `end_date`; without them the month until today."""
    template = get_campaign(request, campaign_type, campaign_id)
    end = _read_date(request, "end_date") or request.platform.now().astimezone(UTC).date()
    start = _read_date(request, "start_date") or reporting.month_before(end)
    days = reporting.report_days(request.platform, template_id=template.template_id, start=start, end=end)
    return {
        "campaign_id": template.campaign_id,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
        "report": {day.isoformat(): _show_day(tally) for day, tally in days.items()},
    }


@route(reports, "/v2/{campaign_type}/{campaign_id}/reports/totals", methods=["GET"])
def get_report_totals(request: PassworksRequest, campaign_type: str, campaign_id: str) -> Any:
    """Everything since the campaign began."""
    template = get_campaign(request, campaign_type, campaign_id)
    tally = reporting.report_totals(request.platform, template_id=template.template_id)
    return {"campaign_id": template.campaign_id, "report": _show_totals(tally)}


def _read_date(request: PassworksRequest, name: str) -> date | None:
    text = request.query(name)
    if text is None:
        return None
    try:
        # by form first: Python reads week dates too
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError as error:
        raise InvalidRequest("must be a date such as 2016-06-29", field=name) from error


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
