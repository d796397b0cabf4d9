"""Durations as people write them: 90s, 30m, 12h, 7d, or 0."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3650)


class Duration(click.ParamType[timedelta]):
    """A whole number and its unit; zero needs none."""

    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """See `click.ParamType`."""
        if isinstance(value, timedelta):
            return value
        written = re.fullmatch(r"(?a:(\d{1,9})([smhd]))|0", value.strip().lower())
        if written is None:
            self.fail(f"{value!r} is no duration such as 30m, 12h, 7d or 0", param, ctx)
        duration = timedelta(**{_UNITS[written[2]]: int(written[1])}) if written[1] else timedelta()
        if duration > _LONGEST:
            self.fail(f"{value!r} is longer than ten years", param, ctx)
        return duration
