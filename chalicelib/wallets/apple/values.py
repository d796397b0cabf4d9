"""Single values as Wallet wants them: dates, colours, numbers and texts. What cannot be told in its way is None."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.domain.passes import parse_written

_HEXADECIMAL = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
"""a number as JSON writes it, and short enough for a double to keep every digit before the point"""


def as_text(value: Any) -> str:
    """A value as text; nothing is the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number that JSON can hold and a double as well."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def as_number(value: Any) -> int | float | None:
    """The number that a value is or spells: `33.0`, but not `007` or a card number of sixteen digits."""
    if is_number(value):
        number: int | float = value
        return number
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return None
    return float(value) if "." in value else int(value)


def as_whole_number(value: Any, *, maximum: int) -> int | None:
    """A whole number from 0 to `maximum`."""
    number = as_number(value)
    if number is None or number != int(number) or not 0 <= number <= maximum:
        return None
    return int(number)


def as_colour(value: Any) -> str | None:
    """`#rgb`, `#rrggbb` and `rgb(r,g,b)` as `rgb(r, g, b)`."""
    text = as_text(value).strip()
    if match := _HEXADECIMAL.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        parts = [int(digits[start : start + 2], 16) for start in (0, 2, 4)]
    elif match := _RGB.fullmatch(text):
        parts = [int(part) for part in match.groups()]
    else:
        return None
    return f"rgb({parts[0]}, {parts[1]}, {parts[2]})" if max(parts) <= 255 else None


def parse_date(value: Any) -> datetime | None:
    """The moment that an ISO 8601 text names; without a zone if the text has none."""
    return parse_written(value.strip()) if isinstance(value, str) else None


def is_day(value: Any) -> bool:
    """Whether an ISO 8601 text names a day and no time of it."""
    try:
        date.fromisoformat(as_text(value).strip())
    except ValueError:
        return False
    return True


def write_date(moment: datetime) -> str:
    """A W3C date with seconds and offset; a moment without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat(timespec="seconds")


def as_date(value: Any) -> str | None:
    """A W3C date with seconds and offset; a day is its first instant in UTC."""
    moment = parse_date(value)
    return None if moment is None else write_date(moment)
