"""Dates of HTTP headers, in whole seconds since 1970 (RFC 9110, section 5.6.7; wallets, section 2.4).

Read by hand: `email.utils` takes much that is no HTTP date, such as zones and missing parts, and a date misread here
would keep an update from a device.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import formatdate

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_SHORT_DAY = rf"(?P<weekday>{'|'.join(day[:3] for day in _DAYS)})"
_LONG_DAY = rf"(?P<weekday>{'|'.join(_DAYS)})"
_FORMS = (
    re.compile(rf"{_SHORT_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    re.compile(rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    re.compile(rf"{_SHORT_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)
"""IMF-fixdate, RFC 850 and asctime"""

_SECONDS = re.compile(r"[0-9]{1,9}")

_FIRST_YEAR_OF_LAST_CENTURY = 69
"""two-digit years from here on are 19xx, as POSIX has it; a rule with a clock would make reading depend on the day"""


def parse_http_date(text: str) -> int | None:
    """The moment that an HTTP date names; None for anything else, also for a day that does not fit its weekday."""
    match = next((match for form in _FORMS if (match := form.fullmatch(text.strip(" \t")))), None)
    if match is None:
        return None
    try:
        moment = datetime(
            _read_year(match["year"]),
            _MONTHS.index(match["month"]) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            int(match["second"]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    fits = _DAYS[moment.weekday()].startswith(match["weekday"])
    return int(moment.timestamp()) if fits else None


def read_retry_after(value: str | None, *, now: datetime) -> float | None:
    """The seconds of a Retry-After header, which is a number or a date (RFC 9110, section 10.2.3); None for neither."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    moment = parse_http_date(text)
    return None if moment is None else max(0.0, moment - now.timestamp())


def format_http_date(seconds: int) -> str:
    """The date as HTTP servers send it, such as `Sun, 06 Nov 1994 08:49:37 GMT`."""
    return formatdate(seconds, usegmt=True)


def _read_year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (1900 if int(digits) >= _FIRST_YEAR_OF_LAST_CENTURY else 2000)
