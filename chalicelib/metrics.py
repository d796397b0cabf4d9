"""Metrics for CloudWatch, written as lines of the log in its embedded format: no call, no library, no waiting.

Every series has the dimension `Deployment`, since several stages may share an account. What one request or message
counts goes out at its end, with its line of the log (`observing.py`).

Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from chalicelib.logs import deployment, is_on_lambda

NAMESPACE: Final = "Passel"
DEPLOYMENT: Final = "Deployment"
DISABLED: Final = "POWERTOOLS_METRICS_DISABLED"
"""the variable by which Powertools' own metrics are switched off"""

_MOST_VALUES = 100
"""of one metric in one document"""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, and by what it can be looked up."""

    unit: str = "Count"
    dimensions: tuple[str, ...] = ()
    """beside the deployment; each takes few values"""
    total: bool = False
    """there is a series without these dimensions as well, as an alarm wants it"""

    @property
    def series(self) -> list[list[str]]:
        """The sets of dimensions under which it is stored."""
        whole = [[DEPLOYMENT]] if self.total and self.dimensions else []
        return [*whole, [DEPLOYMENT, *self.dimensions]]


METRICS: Final[Mapping[str, Metric]] = {
    "Requests": Metric(dimensions=("Dialect",)),
    "Latency": Metric(unit="Milliseconds", dimensions=("Dialect",)),
    "Errors": Metric(dimensions=("Dialect", "Status")),
    "RequestsLimited": Metric(),
    "RateLimitsUnknown": Metric(),
    "ConflictsExhausted": Metric(),
    "StorageFailures": Metric(),
    "DeviceComplaint": Metric(dimensions=("Complaint",), total=True),
    "MessagesDropped": Metric(),
    "BulkSegments": Metric(),
    "BulkPassesProcessed": Metric(),
    "BulkPassesChanged": Metric(),
    "BulkPassesFailed": Metric(),
    "TicketsCompleted": Metric(),
    "TicketsFailed": Metric(),
    "Pushes": Metric(dimensions=("Wallet", "Outcome")),
    "PushesAbandoned": Metric(dimensions=("Wallet",), total=True),
    "PushServiceRefusals": Metric(dimensions=("Wallet",), total=True),
    "CallbacksFailed": Metric(dimensions=("Dialect",)),
    "CallbacksAbandoned": Metric(dimensions=("Dialect",), total=True),
    "CertificateDaysLeft": Metric(unit="None", dimensions=("Scope",), total=True),
    "CertificateProblems": Metric(),
}
"""docs/operations.md says what each means"""


@dataclass(slots=True)
class _Document:
    """What one line of the log can hold: a dimension has one value in it."""

    dimensions: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def takes(self, name: str, dimensions: Mapping[str, str]) -> bool:
        """Whether a value under these dimensions would contradict nothing that is here."""
        if len(self.values.get(name, ())) >= _MOST_VALUES:
            return False
        return all(self.dimensions.get(each, value) == value for each, value in dimensions.items())

    def add(self, name: str, value: float, dimensions: Mapping[str, str]) -> None:
        """Adds up what is counted, and keeps what is measured."""
        self.dimensions.update(dimensions)
        values = self.values.setdefault(name, [])
        if values and METRICS[name].unit == "Count":
            values[0] += value
        else:
            values.append(value)


Gathered = list[_Document]

_gathered: ContextVar[Gathered | None] = ContextVar("metrics", default=None)


def count(name: str, times: float = 1, **dimensions: str) -> None:
    """Counts something; `METRICS` says by which dimensions.

    Raises:
        ValueError: the metric is not there, or has other dimensions.
    """
    measure(name, times, **dimensions)


def measure(name: str, value: float, **dimensions: str) -> None:
    """Notes a value. It is written at the end of the work that is being gathered for, without one at once.

    Raises:
        ValueError: the metric is not there, or has other dimensions.
    """
    metric = METRICS.get(name)
    if metric is None or metric.dimensions != tuple(dimensions):
        raise ValueError(f"no metric {name} with the dimensions {', '.join(dimensions)}")
    gathered = _gathered.get()
    documents: Gathered = [] if gathered is None else gathered
    document = next((each for each in documents if each.takes(name, dimensions)), None)
    if document is None:
        document = _Document()
        documents.append(document)
    document.add(name, value, dimensions)
    if gathered is None:
        write(render(documents))


@contextmanager
def gather() -> Iterator[Gathered]:
    """Gathers what is counted inside the block, to be rendered by whoever opened it."""
    gathered: Gathered = []
    token = _gathered.set(gathered)
    try:
        yield gathered
    finally:
        _gathered.reset(token)


def render(gathered: Gathered) -> list[dict[str, Any]]:
    """The documents of what was gathered; none where nobody reads them. Each may have other members beside these."""
    if not gathered or not _is_wanted():
        return []
    now, name = int(time.time() * 1000), deployment()
    return [_render(document, now=now, deployment_name=name) for document in gathered]


def write(documents: Iterable[Mapping[str, Any]]) -> None:
    """Writes documents as lines of their own."""
    for document in documents:
        sys.stdout.write(json.dumps(document) + "\n")


def _is_wanted() -> bool:
    return is_on_lambda() and os.environ.get(DISABLED, "").lower() not in ("1", "true")


def _render(document: _Document, *, now: int, deployment_name: str) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": _direct(tuple(document.values))},
        DEPLOYMENT: deployment_name,
        **document.dimensions,
    }
    for name, values in document.values.items():
        rendered[name] = values[0] if len(values) == 1 else values
    return rendered


@lru_cache(maxsize=256)
def _direct(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Which members of a document are metrics, and under which dimensions each is stored."""
    directives: list[dict[str, Any]] = []
    for name in names:
        metric = METRICS[name]
        found = next((each for each in directives if each["Dimensions"] == metric.series), None)
        if found is None:
            found = {"Namespace": NAMESPACE, "Dimensions": metric.series, "Metrics": []}
            directives.append(found)
        found["Metrics"].append({"Name": name, "Unit": metric.unit})
    return directives
