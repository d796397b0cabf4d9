"""The dashboard of a stage: what its people use, what is under way, what waits, and how the services below fare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from chalicelib.domain.push_channels import Outcome
from chalicelib.domain.receivers import Dialect
from chalicelib.domain.registrations import Wallet
from chalicelib.metrics import DEPLOYMENT, NAMESPACE
from infra.alarms import RUNBOOK
from infra.definition import Queue, read_tables
from infra.stage_alarms import BUSY_TABLES

DIALECTS: Final = ("airship", "passworks", "passkit", "google", "pages")

REFUSALS: Final = ("RequestsLimited", "RateLimitsUnknown", "ConflictsExhausted", "StorageFailures", "MessagesDropped")

_WIDTH = 8
"""three graphs stand in a row of 24"""

_USUAL_SECONDS = 300
"""the period that CloudWatch takes where none is named, as it takes a height of 6: a template must not be long"""

_TROUBLE: Final = (
    "fields @timestamp, level, function, message, project_id, ticket_id, request_id"
    " | filter level in ['WARNING', 'ERROR'] | sort @timestamp desc | limit 50"
)

Json = dict[str, Any]
Line = list[Any]


def render_dashboard(
    *, app_name: str, base_name: str, prefix: str, api_stage: str, functions: Sequence[str], queues: Sequence[Queue]
) -> Json:
    """The resource."""
    own = [NAMESPACE, DEPLOYMENT, prefix.rstrip("-")]
    widgets = [
        _text(f"# Passel, {base_name}\nWhat an alarm means and what to do: {RUNBOOK}. Times are UTC."),
        *_draw_requests(own, app_name=app_name, api_stage=api_stage),
        *_draw_work(own),
        *_draw_queues(queues),
        *_draw_functions(functions),
        *_draw_tables(prefix),
        _log("Warnings and errors", functions),
    ]
    body = json.dumps({"widgets": widgets}, separators=(",", ":"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {"DashboardName": base_name, "DashboardBody": {"Fn::Sub": body}},
    }


def _draw_requests(own: Line, *, app_name: str, api_stage: str) -> list[Json]:
    api = ["ApiName", app_name, "Stage", api_stage]
    gateway: list[Line] = [["AWS/ApiGateway", name, *api] for name in ("Count", "4XXError", "5XXError")]
    errors = [_own(own, "Errors", Dialect=dialect, Status=status) for dialect in DIALECTS for status in ("4xx", "5xx")]
    return [
        _graph("Requests", [_own(own, "Requests", Dialect=dialect) for dialect in DIALECTS]),
        _graph("Errors", errors),
        _graph("Latency, p99, ms", [_own(own, "Latency", Dialect=each) for each in DIALECTS], statistic="p99"),
        _graph("API Gateway", gateway),
        _graph("API Gateway, latency p99, ms", [["AWS/ApiGateway", "Latency", *api]], statistic="p99"),
        _graph(
            "Refused for our own reasons",
            [_own(own, name) for name in REFUSALS],
        ),
    ]


def _draw_work(own: Line) -> list[Json]:
    pushes = [_own(own, "Pushes", Wallet=wallet, Outcome=outcome) for wallet in Wallet for outcome in Outcome]
    failed = [_own(own, "CallbacksFailed", Dialect=dialect) for dialect in Dialect]
    return [
        _graph(
            "Bulk updates, passes",
            [_own(own, f"BulkPasses{what}") for what in ("Processed", "Changed", "Failed")],
        ),
        _graph(
            "Bulk updates, tickets and segments",
            [_own(own, name) for name in ("TicketsCompleted", "TicketsFailed", "BulkSegments")],
        ),
        _graph("Pushes by wallet and outcome", pushes),
        _graph("Pushes given up", [_own(own, name) for name in ("PushesAbandoned", "PushServiceRefusals")]),
        _graph("Callbacks", [*failed, _own(own, "CallbacksAbandoned")]),
        _graph("Complaints of devices", [_own(own, "DeviceComplaint")]),
        _graph(
            "Certificates, days left",
            [_own(own, "CertificateDaysLeft", Scope=scope) for scope in ("shared", "project")],
            statistic="Minimum",
            period_seconds=86400,
        ),
        _graph(
            "Certificates that cannot sign",
            [_own(own, "CertificateProblems")],
            statistic="Maximum",
            period_seconds=86400,
        ),
    ]


def _draw_queues(queues: Iterable[Queue]) -> list[Json]:
    working = [queue.name for queue in queues if queue.redrive is not None]
    dead = [queue.name for queue in queues if queue.redrive is None]
    return [
        _graph(
            "Oldest message, seconds",
            _each("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", working),
            statistic="Maximum",
        ),
        _graph(
            "Messages that wait",
            _each("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", working),
            statistic="Maximum",
        ),
        _graph(
            "Dead letters",
            _each("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", dead),
            statistic="Maximum",
        ),
    ]


def _draw_functions(functions: Sequence[str]) -> list[Json]:
    def lines(metric: str) -> list[Line]:
        return _each("AWS/Lambda", metric, "FunctionName", functions)

    return [
        _graph("Functions, errors", lines("Errors")),
        _graph("Functions, throttles", lines("Throttles")),
        _graph("Functions, at once", lines("ConcurrentExecutions"), statistic="Maximum"),
        _graph("Functions, longest, ms", lines("Duration"), statistic="Maximum"),
    ]


def _draw_tables(prefix: str) -> list[Json]:
    every = [str(table["TableName"]) for table in read_tables(prefix)]
    busy = [prefix + name for name in BUSY_TABLES]

    def lines(metric: str, tables: Sequence[str]) -> list[Line]:
        return _each("AWS/DynamoDB", metric, "TableName", tables)

    return [
        _graph("Tables, writes put off", lines("WriteThrottleEvents", every)),
        _graph("Tables, reads put off", lines("ReadThrottleEvents", every)),
        _graph("Busy tables, write units", lines("ConsumedWriteCapacityUnits", busy)),
        _graph("Busy tables, read units", lines("ConsumedReadCapacityUnits", busy)),
    ]


def _own(own: Line, metric: str, **dimensions: str) -> Line:
    namespace, *deployment = own
    return [namespace, metric, *deployment, *(part for pair in dimensions.items() for part in pair)]


def _each(namespace: str, metric: str, dimension: str, values: Sequence[str]) -> list[Line]:
    return [[namespace, metric, dimension, value] for value in values]


def _shorten(lines: list[Line]) -> list[Line]:
    """A dot stands for what stands in the line before, three dots for all but the last: a template must not be long."""
    short = lines[:1]
    for before, line in pairwise(lines):
        if before[:-1] == line[:-1]:
            short.append(["...", line[-1]])
        elif len(before) == len(line):
            short.append(["." if one == other else other for one, other in zip(before, line, strict=True)])
        else:
            short.append(line)
    return short


def _graph(title: str, metrics: list[Line], *, statistic: str = "Sum", period_seconds: int = _USUAL_SECONDS) -> Json:
    properties: Json = {
        "title": title,
        "metrics": _shorten(metrics),
        "stat": statistic,
        "region": "${AWS::Region}",
    }
    if period_seconds != _USUAL_SECONDS:
        properties["period"] = period_seconds
    return {"type": "metric", "width": _WIDTH, "properties": properties}


def _text(markdown: str) -> Json:
    return {"type": "text", "width": 24, "height": 2, "properties": {"markdown": markdown}}


def _log(title: str, functions: Sequence[str]) -> Json:
    sources = " | ".join(f"SOURCE '/aws/lambda/{name}'" for name in functions)
    properties = {"title": title, "query": f"{sources} | {_TROUBLE}", "region": "${AWS::Region}", "view": "table"}
    return {"type": "log", "width": 24, "height": 8, "properties": properties}
