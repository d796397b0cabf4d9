"""Reading, deciding and writing again when another writer was in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from chalicelib.domain.errors import Busy, Conflict

Result = TypeVar("Result")
Thing = TypeVar("Thing")


class Unheard(Generic[Thing]):
    """What a try was about of whose end nothing was heard. Its write may have taken effect: a later try that finds
    things as they are after such a write takes it for its own."""

    def __init__(self) -> None:
        self.thing: Thing | None = None

    @contextmanager
    def noting(self, thing: Thing) -> Iterator[None]:
        """Around the write: remembers the thing if nobody can tell whether it was written."""
        try:
            yield
        except Conflict as conflict:
            if conflict.may_be_written:
                self.thing = thing
            raise


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
