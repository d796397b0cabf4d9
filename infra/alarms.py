"""An alarm: what it watches, when it is raised, and which section of the runbook says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

RUNBOOK: Final = "docs/operations.md"

MOST_METRICS: Final = 10
"""of one alarm (PutMetricAlarm)"""

MINUTE: Final = 60

Missing = Literal["notBreaching", "ignore", "missing"]
"""what a period without data means: all is well, nothing, or that whoever measures has stopped"""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric, as CloudWatch finds it."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Raised when `needed` of the last `periods` values are above the threshold, or below it."""

    name: str
    section: str
    """heading of the runbook"""
    meaning: str
    series: Sequence[Series]
    threshold: float
    expression: str | None = None
    """over m0, m1, ...; None for a single series"""
    is_minimum: bool = False
    """raised below the threshold"""
    period_seconds: int = 5 * MINUTE
    periods: int = 1
    needed: int = 1
    missing: Missing = "notBreaching"
    """`missing` tells of it as well"""

    @property
    def anchor(self) -> str:
        """Where the section is in the page, as its reader makes links of headings."""
        return re.sub(r"[^a-z0-9 -]", "", self.section.lower()).replace(" ", "-")

    def render(self, *, base_name: str) -> Json:
        """The resource. Its actions tell the topic `AlarmTopic`."""
        told = [{"Ref": "AlarmTopic"}]
        properties: Json = {
            "AlarmName": f"{base_name}-{self.name}",
            "AlarmDescription": f"{self.meaning} {RUNBOOK}#{self.anchor}",
            "ComparisonOperator": "LessThanThreshold" if self.is_minimum else "GreaterThanThreshold",
            "Threshold": self.threshold,
            "EvaluationPeriods": self.periods,
            "TreatMissingData": self.missing,
            "AlarmActions": told,
            "OKActions": told,
            **self._watch(),
        }
        if self.needed != self.periods:
            properties["DatapointsToAlarm"] = self.needed
        if self.missing == "missing":
            properties["InsufficientDataActions"] = told
        return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}

    def _watch(self) -> Json:
        if self.expression is None:
            (series,) = self.series
            return {**_name(series), "Statistic": series.statistic, "Period": self.period_seconds}
        queries: list[Json] = [
            {
                "Id": f"m{number}",
                "MetricStat": {"Metric": _name(each), "Period": self.period_seconds, "Stat": each.statistic},
                "ReturnData": False,
            }
            for number, each in enumerate(self.series)
        ]
        return {"Metrics": [{"Id": "watched", "Expression": self.expression, "ReturnData": True}, *queries]}


def _name(series: Series) -> Json:
    found: Json = {"Namespace": series.namespace, "MetricName": series.metric}
    if series.dimensions:
        found["Dimensions"] = [{"Name": name, "Value": value} for name, value in series.dimensions.items()]
    return found
