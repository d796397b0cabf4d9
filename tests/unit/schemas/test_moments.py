"""Dates and times of campaigns and passes: what the description allows is what is read."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.passes import parse_moment
from chalicelib.schemas.passworks import Moment
from chalicelib.schemas.passworks_shown import MOMENT_PATTERN
from chalicelib.wallets.apple.values import as_date

MOMENT = re.compile(MOMENT_PATTERN)
READER: TypeAdapter[str | None] = TypeAdapter(Moment)

YEARS = (1, 4, 99, 100, 400, 1900, 1996, 2000, 2023, 2024, 2026, 2100, 2400, 9996, 9999)


@given(st.from_regex(MOMENT_PATTERN))
def test_whatever_the_description_allows_is_a_moment(text: str) -> None:
    assert READER.validate_python(text) == text
    assert parse_moment(text) is not None
    assert as_date(text) is not None, "what one wallet leaves out, another one shows"


def test_its_dates_are_those_of_the_calendar() -> None:
    dates = [
        (f"{year:04}-{month:02}-{day:02}", day <= calendar.monthrange(year, month)[1])
        for year in YEARS
        for month in range(1, 13)
        for day in range(1, 33)
    ]
    assert [text for text, exists in dates if (MOMENT.match(text) is not None) != exists] == []


@given(st.datetimes(timezones=st.timezones() | st.none()), st.sampled_from(["T", "t", " "]), st.booleans())
def test_every_moment_can_be_written(moment: datetime, between: str, exact: bool) -> None:
    text = moment.isoformat(sep=between, timespec="microseconds" if exact else "minutes")
    if moment.tzinfo is not None and moment.utcoffset().seconds % 60:  # type: ignore[union-attr]
        return  # before there were time zones
    assert READER.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-02", datetime(2030, 1, 2, tzinfo=UTC)),
        ("2030-01-02T9:41", datetime(2030, 1, 2, 9, 41, tzinfo=UTC)),
        ("2030-01-02 10:00:00", datetime(2030, 1, 2, 10, tzinfo=UTC)),
        ("2030-01-02t10:00:00z", datetime(2030, 1, 2, 10, tzinfo=UTC)),
        ("2030-01-02T10:00:00.5+0200", datetime(2030, 1, 2, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-12:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_what_it_means(text: str, moment: datetime) -> None:
    assert READER.validate_python(text) == text
    assert parse_moment(text) == moment
    assert parse_moment(text).astimezone(UTC) == moment  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "20300101",
        "2030-W01-1",
        "2030-02-30",
        "2030-01-01T24:00",
        "2030-01-01T10",
        "0000-01-01",
        " 2030-01-01",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be an ISO 8601 date"):
        READER.validate_python(text)
