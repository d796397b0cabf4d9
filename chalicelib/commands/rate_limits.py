"""Rate limits as people say and read them, for `projects` and `keys` alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from chalicelib.domain.rate_limits import RateLimit

NOTICED = "Running processes notice within a minute."


def limit_options(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of a limit; `default` says what `--default` goes back to."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        options = (
            click.option("--per-second", type=float, help="Requests a second, such as 20 or 0.5."),
            click.option("--burst", type=int, help="Requests at once after a pause.  [default: those of one second]"),
            click.option("--none", "is_unlimited", is_flag=True, help="No limit, whatever others have."),
            click.option("--default", "is_default", is_flag=True, help=f"Back to {default}."),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def read_limit(
    *, per_second: float | None, burst: int | None, is_unlimited: bool, is_default: bool
) -> RateLimit | None:
    """What the options say; None for the default.

    Raises:
        UsageError: they say nothing, or several things.
        InvalidRequest: such a limit cannot be kept.
    """
    from chalicelib.domain.rate_limits import UNLIMITED, make_rate_limit

    if sum((per_second is not None, is_unlimited, is_default)) != 1:
        raise click.UsageError("Say one of --per-second, --none and --default.")
    if per_second is None and burst is not None:
        raise click.UsageError("--burst goes with --per-second.")
    if per_second is not None:
        return make_rate_limit(per_second=per_second, burst=burst)
    return UNLIMITED if is_unlimited else None


def show_limit(limit: RateLimit | None, *, as_json: bool) -> Any:
    """A limit in a list: `20/s, 40 at once`, `none`, or None where there is no own one."""
    if limit is None or not limit.per_second:
        return None if limit is None else "none"
    if as_json:
        return {"per_second": limit.per_second, "burst": limit.burst}
    return f"{limit.per_second:g}/s, {limit.burst} at once"


def describe_limit(limit: RateLimit | None, *, default: str) -> str:
    """What was set, as the end of a sentence."""
    if limit is None:
        return f"has {default} now"
    if not limit.per_second:
        return "has no limit now"
    return f"may make {limit.per_second:g} requests a second now, {limit.burst} at once"
