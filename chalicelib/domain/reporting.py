"""What happened to a campaign's passes, by day (passworks-v2, section 10).

Days are segments of a counted collection and events its facets, so they are counted in the transaction that makes them
happen and spread over stripes like every other counter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from chalicelib.domain.counted_index import SegmentCount, events_of_template
from chalicelib.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from chalicelib.domain.ports import Platform
    from chalicelib.domain.registrations import Wallet

_EPOCH = date(1970, 1, 1)

LONGEST_DAYS = 20 * 365 + 5
"""of one report, so that it fits into one answer"""


class Event(StrEnum):
    """What is counted; the values are facets, and part of stored keys."""

    INSTALLS_IOS = "installs_ios"
    INSTALLS_ANDROID = "installs_android"
    UNINSTALLS_IOS = "uninstalls_ios"
    UNINSTALLS_ANDROID = "uninstalls_android"
    CREATES = "creates"
    UPDATES = "updates"
    REDEEMS = "redeems"
    FETCHES = "fetches"
    DOWNLOADS = "downloads"
    VIEWS = "views"
    PUSHES = "pushes"
    WEBHOOKS = "webhooks"


def day_of(moment: datetime) -> int:
    """Days since 1970 in UTC."""
    return (moment.astimezone(UTC).date() - _EPOCH).days


def date_of(day: int) -> date:
    """The date of `day_of`."""
    return _EPOCH + timedelta(days=day)


def month_before(day: date) -> date:
    """The same day of the month before, or that month's last one; before the first month there is none."""
    if (day.year, day.month) == (date.min.year, date.min.month):
        return date.min
    last_of_month_before = day.replace(day=1) - timedelta(days=1)
    return last_of_month_before.replace(day=min(day.day, last_of_month_before.day))


def install_event(wallet: Wallet) -> Event:
    """The event that a new registration is."""
    return Event.INSTALLS_IOS if wallet.device_os == "ios" else Event.INSTALLS_ANDROID


def uninstall_event(wallet: Wallet) -> Event:
    """The event that the end of a registration is."""
    return Event.UNINSTALLS_IOS if wallet.device_os == "ios" else Event.UNINSTALLS_ANDROID


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each event happened in some time."""

    events: dict[str, int] = field(default_factory=dict)

    def of(self, *events: Event) -> int:
        """How often one of these happened."""
        return sum(self.events.get(event, 0) for event in events)

    @property
    def installs(self) -> int:
        """Registrations that began."""
        return self.of(Event.INSTALLS_IOS, Event.INSTALLS_ANDROID)

    @property
    def uninstalls(self) -> int:
        """Registrations that ended."""
        return self.of(Event.UNINSTALLS_IOS, Event.UNINSTALLS_ANDROID)


def report_days(platform: Platform, *, template_id: int, start: date, end: date) -> dict[date, Tally]:
    """The tally of each day from `start` to `end`, both included; days on which nothing happened are there too.

    Raises:
        InvalidRequest: the end comes before the start, or the time is longer than twenty years.
    """
    if end < start:
        raise InvalidRequest("must not be before start_date", field="end_date")
    if (end - start).days > LONGEST_DAYS:
        raise InvalidRequest("must not be more than 20 years before end_date", field="start_date")
    tallies = {date_of(count.segment): _tally(count) for count in _read(platform, template_id)}
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    return {day: tallies.get(day, Tally()) for day in days}


def report_totals(platform: Platform, *, template_id: int) -> Tally:
    """The tally since the beginning."""
    events: dict[str, int] = {}
    for count in _read(platform, template_id):
        for event, times in count.facets.items():
            events[event] = events.get(event, 0) + times
    return Tally(events)


def _read(platform: Platform, template_id: int) -> list[SegmentCount]:
    return platform.counts.read_counts(events_of_template(template_id))


def _tally(count: SegmentCount) -> Tally:
    return Tally(dict(count.facets))
