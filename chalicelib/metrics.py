"""Metrics for CloudWatch, written as lines of the log in its embedded format. Imported only where one is raised."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Passel"


def count(name: str, *, times: int = 1, **dimensions: str) -> None:
    """Counts something; each dimension is a name and its value, from a small known set."""
    if os.environ.get("POWERTOOLS_METRICS_DISABLED", "").lower() in ("1", "true"):  # which single metrics do not heed
        return
    with single_metric(name=name, unit=MetricUnit.Count, value=times, namespace=NAMESPACE) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(name=dimension, value=value)
