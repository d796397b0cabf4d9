"""Reading, deciding and writing again when another writer was in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chalicelib.domain.errors import Busy, Conflict

Result = TypeVar("Result")


def retry_conflicts(attempt: Callable[[], Result], *, budget_seconds: float) -> Result:
    """Calls `attempt` until no other writer is in its way, waiting with full jitter in between.

    `attempt` must read anew each time, so that its decision fits what it writes.

    Raises:
        Busy: the time budget is spent; nothing was written.
    """
    import tenacity  # whoever only reads does not wait for it

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict),
        stop=tenacity.stop_after_delay(budget_seconds),
        wait=tenacity.wait_random_exponential(multiplier=0.01, max=0.5),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except Conflict as conflict:
        raise Busy from conflict
