"""Rate limits at the door: what a request takes, what its client is told, and what happens if nobody knows.

Imported by the first request of a project or key that has a limit. What clients are told is revision 11 of
draft-ietf-httpapi-ratelimit-headers: the policy with its quota `q` and its window `w`, and what is left of it, `r`,
until there is one more, `t`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import MutableMapping
from typing import Final

from chalicelib import metrics
from chalicelib.domain.errors import RateLimited
from chalicelib.domain.projects import Credential
from chalicelib.domain.rate_limits import RateLimitUnknown, find_bucket
from chalicelib.settings import get_settings
from chalicelib.wiring import get_rate_limiter

SILENT_SECONDS: Final = 60.0
"""between two lines of the log about limits that are not applied"""

_log = logging.getLogger("passel")


class _Said:
    """When this process last said so."""

    silent_until = 0.0


def apply_limit(credential: Credential, headers: MutableMapping[str, str]) -> None:
    """Takes a token for a request with this key, and adds the headers that its answer has, whatever becomes of it.

    A request whose limit nobody knows in time goes on, and its answer names the policy alone.

    Raises:
        RateLimited: there is no token.
    """
    settings = get_settings()
    bucket = find_bucket(credential, per_second=settings.rate_limit_per_second, burst=settings.rate_limit_burst)
    if bucket is None:
        return
    limit = bucket.limit
    headers["RateLimit-Policy"] = f'"{bucket.policy}";q={limit.burst};w={limit.window_seconds}'
    try:
        verdict = get_rate_limiter().take(bucket)
    except RateLimitUnknown as unknown:
        _tell(unknown)
        return
    headers["RateLimit"] = f'"{bucket.policy}";r={verdict.remaining};t={verdict.wait_seconds}'
    if not verdict.granted:
        metrics.count("RequestsLimited")
        problem = f"the {bucket.policy} may make {limit.per_second:g} requests a second, {limit.burst} at once"
        raise RateLimited(problem, retry_after_seconds=verdict.wait_seconds)


def _tell(unknown: RateLimitUnknown) -> None:
    metrics.count("RateLimitsUnknown")
    now = time.monotonic()
    if now >= _Said.silent_until:
        _Said.silent_until = now + SILENT_SECONDS
        _log.warning("requests go on without their rate limit: %s", unknown)
