"""What is known of one request or message, from its beginning to the line that closes it, with its metrics in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib import logs, metrics

_log = logging.getLogger("passel")

_CALLER = 2
"""frames between the log and who closes the work, whose place the line names"""


class Observation:
    """One request or message at work."""

    def __init__(self, gathered: metrics.Gathered) -> None:
        self._gathered = gathered
        self._began = time.perf_counter()

    @property
    def milliseconds(self) -> float:
        """Since the beginning."""
        return round((time.perf_counter() - self._began) * 1000, 3)

    def close(self, level: int, message: str, *, error: BaseException | None = None, **fields: Any) -> None:
        """Writes the closing line. Metrics go with it, or alone where the log leaves lines of that level out."""
        documents = metrics.render(self._gathered)
        self._gathered.clear()
        if _log.isEnabledFor(level):
            fields = {"ms": self.milliseconds, **fields, **(documents.pop(0) if documents else {})}
            _log.log(level, message, exc_info=error, extra={"fields": fields}, stacklevel=_CALLER)
        metrics.write(documents)


@contextmanager
def observe(context: object, **fields: object) -> Iterator[Observation]:
    """Sets the log up, and gathers for one request or message until the block ends.

    `context` is Lambda's, the fields are on every line.
    """
    logs.set_up()
    with logs.work(context, **fields), metrics.gather() as gathered:
        try:
            yield Observation(gathered)
        finally:
            metrics.write(metrics.render(gathered))  # of work that nobody closed
