"""Limits for tests: a project with one, a clock that stands still, and storage that can be reached in other ways."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib import operations
from chalicelib.domain.rate_limiting import RateLimiter
from chalicelib.domain.rate_limits import RateLimit
from chalicelib.settings import Settings
from chalicelib.store.rate_limits import DynamoRateLimitStore
from chalicelib.wiring import get_credential_cache, get_database
from tests.support.stack import Tenant


@dataclass
class Clock:
    """Seconds since 1970, which pass when a test says so."""

    now: float = field(default_factory=lambda: float(int(time.time())))

    def __call__(self) -> float:
        return self.now


PATIENCE = {"rate_limit_timeout_seconds": 20.0}
"""for tests of what is counted: a busy machine takes longer than a limit is worth"""


class Elsewhere:
    """The database as `DynamoRateLimitStore` sees it, with other settings."""

    def __init__(self, **changes: Any) -> None:
        self.settings: Settings = replace(get_database().settings, **{**PATIENCE, **changes})

    def create_client(self, *arguments: Any, **more: Any) -> Any:
        """As `Database` does."""
        return get_database().create_client(*arguments, **more)


def make_limiter(clock: Any = time.time, **changes: Any) -> RateLimiter:
    """What another process has: a limiter with a client and a memory of its own."""
    elsewhere: Any = Elsewhere(**changes)
    return RateLimiter(DynamoRateLimitStore(elsewhere), now=clock)


def limit_tenant(tenant: Tenant, *, per_second: float, burst: int) -> RateLimit:
    """Limits a project, as if a minute had passed since."""
    limit = RateLimit(per_second=per_second, burst=burst)
    operations.limit_project(project_id=tenant.project_id, limit=limit)
    get_credential_cache.cache_clear()
    return limit
