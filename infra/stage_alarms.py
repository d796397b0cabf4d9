"""Every alarm of a stage.

Metric math costs by the metric, like single alarms, so functions and tables share alarms only where one answer fits
them all. What is only counted when it happens has no data otherwise, which means that all is well; what is measured by
a schedule has no data when that has stopped, which is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from chalicelib.metrics import DEPLOYMENT, NAMESPACE
from infra.alarms import MINUTE, MOST_METRICS, Alarm, Missing, Series
from infra.definition import Queue

HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

BUSY_TABLES: Final = (
    *("passes", "memberships", "segments", "tags", "sequences"),
    *("tickets", "ticket-parts", "registrations", "deliveries", "outbox"),
)
"""written to by requests in numbers that grow with passes and devices"""

EMPTIED_BY_WORKERS: Final = frozenset({"plan-dead", "segment-dead"})
"""dead letters that a function takes, to mark the ticket"""

LONGEST_WAIT_SECONDS: Final[Mapping[str, int]] = {
    "plan": 15 * MINUTE,  # seconds of work, and two tries
    "push": HOUR // 2,  # a message that waits for the end of a bulk update is sent anew
    "deliver-google-wallet": 4 * HOUR,  # 18 requests a second: 100,000 passes take an hour and a half
}
USUAL_WAIT_SECONDS: Final = HOUR
"""longer than the longest delay of a retry (15 minutes), and than a bulk update of a million passes"""

SCHEDULES: Final = frozenset({"resume_unfinished", "watch_certificates"})

_CONCURRENCY: Final = 800
"""of the 1,000 functions at once that an account has unless it asked for more"""


def list_alarms(
    *, app_name: str, prefix: str, api_stage: str, base_name: str, functions: Sequence[str], queues: Sequence[Queue]
) -> list[Alarm]:
    """Every alarm of a stage."""
    return [
        *_watch_queues(prefix, queues),
        *_watch_api({"ApiName": app_name, "Stage": api_stage}),
        *_watch_functions(base_name, functions),
        *_watch_storage(prefix),
        *_watch_work(prefix.rstrip("-")),
        *_watch_certificates(prefix.rstrip("-")),
    ]


def _watch_queues(prefix: str, queues: Iterable[Queue]) -> Iterator[Alarm]:
    for queue in queues:
        bare = queue.name.removeprefix(prefix)
        age = Series("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue.name}, "Maximum")
        if queue.redrive is None and bare not in EMPTIED_BY_WORKERS:
            yield Alarm(
                name=f"DeadLetters-{bare}",
                section="Dead letters",
                meaning="Messages failed five times and wait for an operator.",
                series=[Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.name}, "Maximum")],
                threshold=0,
            )
        elif queue.redrive is None:
            yield Alarm(
                name=f"DeadLetters-{bare}",
                section="Dead letters",
                meaning="Nobody marks the tickets whose messages failed five times.",
                series=[age],
                threshold=15 * MINUTE,
                periods=2,
                needed=2,
            )
        else:
            yield Alarm(
                name=f"MessagesWait-{bare}",
                section="Messages wait",
                meaning="A queue is not worked off as fast as it fills, or its worker fails.",
                series=[age],
                threshold=LONGEST_WAIT_SECONDS.get(bare, USUAL_WAIT_SECONDS),
                periods=2,
                needed=2,
            )


def _watch_api(api: Mapping[str, str]) -> Iterator[Alarm]:
    def series(metric: str, statistic: str) -> Series:
        return Series("AWS/ApiGateway", metric, api, statistic)

    yield Alarm(
        name="ApiErrors",
        section="API errors",
        meaning="More than 2 % of requests, and at least five in five minutes, are answered with a 5xx.",
        series=[series("5XXError", "Sum"), series("5XXError", "Average")],
        expression="IF(m0 > 4, 100 * m1, 0)",
        threshold=2,
        periods=3,
        needed=2,
    )
    yield Alarm(
        name="ApiSlow",
        section="API slow",
        meaning="One request in a hundred takes longer than three seconds.",
        series=[series("Latency", "p99"), series("Count", "Sum")],
        expression="IF(m1 > 20, m0, 0)",
        threshold=3000,
        periods=3,
        needed=3,
    )


def _watch_functions(base_name: str, functions: Iterable[str]) -> Iterator[Alarm]:
    groups = group_functions(base_name, functions)
    for group, names in groups.items():
        for part, chosen in enumerate(
            names[start : start + MOST_METRICS] for start in range(0, len(names), MOST_METRICS)
        ):
            yield _watch_errors(group, chosen, part)
    yield Alarm(
        name="FunctionThrottles-api",
        section="Function throttles",
        meaning="Lambda refuses to start the API: its concurrency, or the account's, is used up.",
        series=[Series("AWS/Lambda", "Throttles", {"FunctionName": base_name})],
        threshold=0,
        periods=3,
        needed=2,
    )
    yield Alarm(
        name="FunctionThrottles-account",
        section="Function throttles",
        meaning="Lambda keeps refusing to start functions of this account and region.",
        series=[Series("AWS/Lambda", "Throttles")],
        threshold=10,
        periods=3,
        needed=3,
    )
    yield Alarm(
        name="Concurrency",
        section="Concurrency",
        meaning=f"More than {_CONCURRENCY} functions of this account run at once.",
        series=[Series("AWS/Lambda", "ConcurrentExecutions", statistic="Maximum")],
        threshold=_CONCURRENCY,
        periods=3,
        needed=2,
    )
    yield Alarm(
        name="ScheduleStopped",
        section="Schedule stopped",
        meaning="Nobody looks any more for work whose message was lost.",
        series=[Series("AWS/Lambda", "Invocations", {"FunctionName": f"{base_name}-resume_unfinished"})],
        threshold=1,
        is_minimum=True,
        period_seconds=HOUR,
        missing="missing",
    )


def group_functions(base_name: str, functions: Iterable[str]) -> dict[str, list[str]]:
    """Functions by what they do, so that one answer fits all of a group."""
    groups: dict[str, list[str]] = {}
    for name in functions:
        groups.setdefault(_find_group(name.removeprefix(base_name).lstrip("-")), []).append(name)
    return groups


def _find_group(bare: str) -> str:
    if not bare:
        return "api"
    if bare in SCHEDULES:
        return "schedules"
    if bare.startswith("deliver_") or bare == "spread_push":
        return "pushes"
    return "callbacks" if bare == "send_callback" else "bulk"


def _watch_errors(group: str, names: Sequence[str], part: int) -> Alarm:
    series = [Series("AWS/Lambda", "Errors", {"FunctionName": name}) for name in names]
    name = f"FunctionErrors-{group}" + (f"-{part + 1}" if part else "")
    expression = "SUM(METRICS())" if len(names) > 1 else None
    if group == "api":
        meaning = "The API dies of requests instead of answering them: time, memory, or a faulty deployment."
        return Alarm(
            name=name, section="Function errors", meaning=meaning, series=series, threshold=0, periods=3, needed=2
        )
    if group == "schedules":
        return Alarm(
            name=name,
            section="Function errors",
            meaning="A function that runs by the clock failed three times.",
            series=series,
            expression=expression,
            threshold=2,
            period_seconds=HOUR,
        )
    return Alarm(
        name=name,
        section="Function errors",
        meaning="Workers keep failing; after five tries their messages are dead letters.",
        series=series,
        expression=expression,
        threshold=4,
        periods=3,
        needed=2,
    )


def _watch_storage(prefix: str) -> Iterator[Alarm]:
    yield Alarm(
        name="StorageThrottled",
        section="Storage throttled",
        meaning="DynamoDB keeps putting off writes to the busy tables.",
        series=[Series("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": prefix + name}) for name in BUSY_TABLES],
        expression="SUM(METRICS())",
        threshold=50,
        periods=3,
        needed=3,
    )


def _watch_work(deployment: str) -> Iterator[Alarm]:
    def alarm(metric: str, section: str, meaning: str, *, threshold: float = 0, **more: Any) -> Alarm:
        series = [Series(NAMESPACE, metric, {DEPLOYMENT: deployment})]
        name = section.title().replace(" ", "")
        return Alarm(name=name, section=section, meaning=meaning, series=series, threshold=threshold, **more)

    often = {"periods": 3, "needed": 2}
    failures = "A table or queue did not take what was asked, also when asked again."
    yield alarm("StorageFailures", "Storage failures", failures, threshold=5, **often)
    conflicts = "Requests gave up after ten seconds, as too many others write the same things."
    yield alarm("ConflictsExhausted", "Conflicts exhausted", conflicts, threshold=10, **often)
    yield alarm("MessagesDropped", "Messages dropped", "A worker threw away messages that it cannot read.")
    yield alarm("TicketsFailed", "Tickets failed", "A bulk update did not reach all its passes.")
    refusals = "A push service refuses our credentials, or knows none of our tokens."
    yield alarm("PushServiceRefusals", "Push service refusals", refusals, period_seconds=15 * MINUTE)
    pushes = "Devices were not told of a change within a day."
    yield alarm("PushesAbandoned", "Pushes abandoned", pushes, period_seconds=HOUR)
    callbacks = "A team's system was not told of an event within a day."
    yield alarm("CallbacksAbandoned", "Callbacks abandoned", callbacks, period_seconds=HOUR)
    complaints = "Devices keep reporting faults of this server."
    yield alarm("DeviceComplaint", "Device complaints", complaints, threshold=20, period_seconds=HOUR, **often)


def _watch_certificates(deployment: str) -> Iterator[Alarm]:
    yield _certificate_alarm(deployment, days=30, missing="missing")
    yield _certificate_alarm(deployment, days=7, missing="ignore")
    yield Alarm(
        name="CertificateProblems",
        section="Certificate problems",
        meaning="A certificate cannot sign passes, or there is none.",
        series=[Series(NAMESPACE, "CertificateProblems", {DEPLOYMENT: deployment}, "Maximum")],
        threshold=0,
        period_seconds=DAY,
        missing="ignore",
    )


def _certificate_alarm(deployment: str, *, days: int, missing: Missing) -> Alarm:
    return Alarm(
        name=f"CertificateEnds-{days}",
        section="Certificate ends",
        meaning=f"A certificate that signs passes ends within {days} days.",
        series=[Series(NAMESPACE, "CertificateDaysLeft", {DEPLOYMENT: deployment}, "Minimum")],
        threshold=days,
        is_minimum=True,
        period_seconds=DAY,
        missing=missing,
    )
