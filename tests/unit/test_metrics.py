"""Metrics in CloudWatch's embedded format, held against its specification.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import ast
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib import metrics
from chalicelib.observing import observe
from tests.support.log_lines import LogLines, metric_values, run_as_lambda

PACKAGE = Path(metrics.__file__).parent
UNITS = {"Count", "Milliseconds", "None"}
"""of CloudWatch's, those that we use"""


@pytest.fixture
def lines() -> Iterator[LogLines]:
    with run_as_lambda() as written:
        yield written


def check_document(document: dict[str, Any]) -> None:
    """The rules of the specification, as far as they can be broken."""
    marks = document["_aws"]
    assert type(marks["Timestamp"]) is int
    assert abs(marks["Timestamp"] - time.time() * 1000) < 600_000
    assert marks["CloudWatchMetrics"]
    for directive in marks["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Namespace"]) <= 1024
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(type(document[name]) is str and document[name] for name in dimensions)
        assert 1 <= len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric["Unit"] in UNITS
            values = document[metric["Name"]]
            listed = values if isinstance(values, list) else [values]
            assert 1 <= len(listed) <= 100
            assert all(type(value) in (int, float) for value in listed)


def example(name: str) -> dict[str, str]:
    return {dimension: f"a {dimension}" for dimension in metrics.METRICS[name].dimensions}


@pytest.mark.parametrize("name", metrics.METRICS)
def test_each_metric_is_a_document_that_cloudwatch_can_read(lines: LogLines, name: str) -> None:
    metrics.count(name, 2, **example(name))

    (document,) = lines.all
    check_document(document)
    assert document["Deployment"] == "passel-local"
    assert document[name] == 2
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Passel"
    for dimensions in directive["Dimensions"]:
        assert dimensions[0] == "Deployment", "stages that share an account would be mixed"


def test_what_an_alarm_watches_is_stored_as_a_whole_as_well() -> None:
    assert metrics.METRICS["PushesAbandoned"].series == [["Deployment"], ["Deployment", "Wallet"]]
    assert metrics.METRICS["Pushes"].series == [["Deployment", "Wallet", "Outcome"]]
    assert metrics.METRICS["TicketsFailed"].series == [["Deployment"]]


def test_what_belongs_together_is_one_document(lines: LogLines) -> None:
    with metrics.gather() as gathered:
        metrics.count("Requests", Dialect="airship")
        metrics.measure("Latency", 12.5, Dialect="airship")
        metrics.count("Errors", Dialect="airship", Status="5xx")
        metrics.count("ConflictsExhausted")
        (document,) = metrics.render(gathered)

    check_document(document)
    assert metric_values(document) == {"Requests": 1, "Latency": 12.5, "Errors": 1, "ConflictsExhausted": 1}
    assert lines.text == "", "whoever gathers writes"


def test_a_dimension_has_one_value_in_a_document() -> None:
    with run_as_lambda(), metrics.gather() as gathered:
        metrics.count("Pushes", 3, Wallet="passbook", Outcome="sent")
        metrics.count("Pushes", 1, Wallet="passbook", Outcome="gone")
        metrics.count("PushesAbandoned", 4, Wallet="passbook")
        documents = metrics.render(gathered)

    for document in documents:
        check_document(document)
    found = [(document["Outcome"], metric_values(document)) for document in documents]
    assert found == [("sent", {"Pushes": 3, "PushesAbandoned": 4}), ("gone", {"Pushes": 1})]


def test_counts_add_up_and_measured_values_are_kept_apart() -> None:
    with run_as_lambda(), metrics.gather() as gathered:
        for value in (5, 7):
            metrics.count("BulkSegments", value)
            metrics.measure("Latency", value, Dialect="pages")
        (document,) = metrics.render(gathered)

    check_document(document)
    assert metric_values(document) == {"BulkSegments": 12, "Latency": [5, 7]}


def test_no_document_has_more_values_than_cloudwatch_takes() -> None:
    with run_as_lambda(), metrics.gather() as gathered:
        for value in range(250):
            metrics.measure("Latency", value, Dialect="pages")
        documents = metrics.render(gathered)

    for document in documents:
        check_document(document)
    assert sum(len(document["Latency"]) for document in documents) == 250


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [("Unheard", {}), ("Requests", {}), ("TicketsFailed", {"Ticket": "6"}), ("Requests", {"Route": "/v1/tag"})],
)
def test_an_unknown_metric_or_dimension_is_a_fault_of_the_caller(name: str, dimensions: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"no metric {name} with the dimensions"):
        metrics.count(name, 1, **dimensions)


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_metrics_can_be_switched_off(lines: LogLines, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", value)
    metrics.count("TicketsFailed")
    with observe(None) as observation:
        metrics.count("TicketsFailed")
        observation.close(logging.INFO, "done")

    (line,) = lines.all
    assert "_aws" not in line


def test_metrics_are_written_on_lambda_alone(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.count("TicketsFailed")

    assert capsys.readouterr().out == ""


def test_the_closing_line_carries_the_metrics(lines: LogLines) -> None:
    with observe(None, route="/v1/tag") as observation:
        metrics.count("Pushes", Wallet="passbook", Outcome="sent")
        metrics.count("Pushes", Wallet="passbook", Outcome="gone")
        observation.close(logging.INFO, "done", status=200)

    closing, other = lines.all
    check_document(closing)
    check_document(other)
    assert (closing["message"], closing["route"], closing["status"]) == ("done", "/v1/tag", 200)
    assert closing["ms"] >= 0
    assert (closing["Outcome"], other["Outcome"]) == ("sent", "gone")


def test_metrics_do_not_depend_on_the_level_of_the_log() -> None:
    with run_as_lambda(level=logging.ERROR) as lines, observe(None) as observation:
        metrics.count("TicketsFailed")
        observation.close(logging.INFO, "done")

    (document,) = lines.all
    check_document(document)
    assert "message" not in document


def test_what_was_counted_by_work_that_nobody_closed_is_written(lines: LogLines) -> None:
    def fail() -> None:
        with observe(None):
            metrics.count("TicketsFailed")
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()

    (document,) = lines.all
    check_document(document)


def _counted() -> Iterator[str]:
    """Names of the metrics that the sources count."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            module = node.func.value
            if isinstance(module, ast.Name) and module.id == "metrics" and node.func.attr in ("count", "measure"):
                name = node.args[0]
                assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: the name must be found by a search"
                yield str(name.value)


def test_each_metric_is_counted_somewhere_and_each_count_is_of_a_metric() -> None:
    assert set(_counted()) == set(metrics.METRICS)
