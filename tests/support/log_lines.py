"""What this process would write to its log on Lambda."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from chalicelib import logs, metrics

FUNCTION = "passel-test-function"

Line = dict[str, Any]


class LogLines:
    """The lines so far."""

    def __init__(self, stream: StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        """As they were written."""
        return self._stream.getvalue()

    @property
    def all(self) -> list[Line]:
        """As JSON; a line that is none fails the test."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def last(self) -> Line:
        """The newest."""
        return self.all[-1]

    def of_message(self, beginning: str) -> list[Line]:
        """Those whose message begins so."""
        return [line for line in self.all if line.get("message", "").startswith(beginning)]


@contextmanager
def run_as_lambda(*, level: int = logging.INFO) -> Iterator[LogLines]:
    """Has lines and metrics written as on Lambda while the block runs, in all threads of this process."""
    logs.set_up()  # once a process, and not for what is only played here
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter(function=FUNCTION))
    logger = logging.getLogger(logs.SERVICE)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        with (
            patch.dict(os.environ, {"AWS_LAMBDA_FUNCTION_NAME": FUNCTION}),
            patch.object(metrics, "sys", SimpleNamespace(stdout=stream)),
            # a recorded run listens below the level too
            patch.object(logger, "isEnabledFor", lambda asked: asked >= logger.level),
        ):
            yield LogLines(stream)
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def metric_values(line: Line) -> Line:
    """The metrics of a line by name, with the dimensions they are stored under."""
    found: Line = {}
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        for metric in directive["Metrics"]:
            found[metric["Name"]] = line[metric["Name"]]
    return found
