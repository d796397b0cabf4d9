"""Days of reports (passworks-v2, section 10)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import cast

import pytest

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.ports import Platform
from chalicelib.domain.reporting import Event, Tally, date_of, day_of, month_before, report_days


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2016, 6, 29), date(2016, 5, 29)),
        (date(2016, 1, 15), date(2015, 12, 15)),
        (date(2016, 3, 31), date(2016, 2, 29)),
        (date(2015, 3, 29), date(2015, 2, 28)),
        (date(2016, 7, 31), date(2016, 6, 30)),
        (date.max, date(9999, 11, 30)),
        (date(1, 1, 15), date.min),
        (date.min, date.min),
        (date(1, 2, 3), date(1, 1, 3)),
    ],
)
def test_a_month_before_is_the_same_day_or_the_last(day: date, before: date) -> None:
    assert month_before(day) == before


@pytest.fixture
def _far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine where it is tomorrow already."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_east")
def test_a_day_is_that_of_utc_wherever_the_machine_stands() -> None:
    assert date_of(day_of(datetime(2016, 6, 28, 23, tzinfo=UTC))) == date(2016, 6, 28)


def test_a_day_is_that_of_utc() -> None:
    moment = datetime(2016, 6, 29, 0, 30, tzinfo=timezone(timedelta(hours=1)))

    assert date_of(day_of(moment)) == date(2016, 6, 28)
    assert day_of(datetime(1970, 1, 2, tzinfo=UTC)) == 1


def test_a_tally_adds_both_systems() -> None:
    tally = Tally({"installs_ios": 3, "installs_android": 2, "uninstalls_android": 1, "fetches": 9})

    assert (tally.installs, tally.uninstalls, tally.of(Event.FETCHES, Event.VIEWS)) == (5, 1, 9)


@pytest.mark.parametrize(
    ("start", "end", "field", "problem"),
    [
        (date(2016, 1, 2), date(2016, 1, 1), "end_date", "must not be before start_date"),
        (date(1995, 12, 31), date(2016, 1, 1), "start_date", "must not be more than 20 years before end_date"),
    ],
)
def test_a_report_is_of_some_days_of_twenty_years(start: date, end: date, field: str, problem: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        report_days(cast(Platform, None), template_id=1, start=start, end=end)  # before anything is read

    assert (refused.value.field, refused.value.problem) == (field, problem)
