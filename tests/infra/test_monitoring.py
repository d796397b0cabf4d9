"""Alarms, dashboard and runbook belong together: none of them may speak of what the others do not know.

cfn-lint reads these resources in the packaged template (`test_packaged_resources.py`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from chalice.app import ScheduledEventConfig, SQSEventConfig

from app import app
from chalicelib.api.requests import DIALECTS as DIALECTS_OF_ROUTES
from chalicelib.metrics import METRICS, NAMESPACE
from chalicelib.settings import get_settings
from infra.alarms import MOST_METRICS
from infra.dashboard import DIALECTS
from infra.definition import read_queues, read_tables
from infra.monitoring import render_monitoring
from infra.stage_alarms import BUSY_TABLES, EMPTIED_BY_WORKERS, LONGEST_WAIT_SECONDS, SCHEDULES
from infra.stages import PROJECT, read_stage
from tests.infra.template import Json

BASE, PREFIX = "passel-test", "passel-test-"
PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
LONGEST_TEMPLATE = 51_200
"""bytes of a template that does not lie in a bucket (CloudFormation user guide, `cloudformation-limits`)"""
FREE_ALARM_METRICS, ALARM_METRIC_DOLLARS = 10, 0.10
"""CloudWatch's price list; an alarm over an expression costs as much as alarms on each of its metrics"""
SCHEDULED_METRICS = {"CertificateDaysLeft", "CertificateProblems", "Invocations"}
"""those that come by the clock, so that no data means more than that nothing happened"""


def functions() -> list[str]:
    """The names that Chalice gives them."""
    names = [source.name for source in app.event_sources]
    return [BASE, *(f"{BASE}-{name}" for name in names)]


def render(*, stage: str = "test", alarm_email: str | None = None) -> Json:
    return render_monitoring(
        app_name="passel",
        stage=stage,
        prefix=f"passel-{stage}-",
        api_stage="api",
        functions=[name.replace(BASE, f"passel-{stage}") for name in functions()],
        queues=read_queues(f"passel-{stage}-"),
        alarm_email=alarm_email,
    )


RESOURCES = render()
ALARMS = {
    resource["Properties"]["AlarmName"].removeprefix(f"{BASE}-"): resource["Properties"]
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
WIDGETS = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]


def series_of(alarm: Json) -> list[Json]:
    """Namespace, name and dimensions of each metric that an alarm watches."""
    if "Metrics" not in alarm:
        return [alarm]
    return [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]


def watched(namespace: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Alarm, metric and dimensions, of one namespace."""
    for name, alarm in ALARMS.items():
        for series in series_of(alarm):
            if series["Namespace"] == namespace:
                dimensions = {each["Name"]: each["Value"] for each in series.get("Dimensions", [])}
                yield name, series["MetricName"], dimensions


def drawn() -> Iterator[list[str]]:
    """Every line of every graph, written out."""
    for widget in WIDGETS:
        before: list[str] = []
        for line in widget["properties"].get("metrics", []):
            if line[0] == "...":
                line = [*before[:-1], line[-1]]
            before = [before[place] if part == "." else part for place, part in enumerate(line)]
            yield before


def headings(level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", PAGE, flags=re.MULTILINE)


def anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def runbook() -> str:
    """The part of the page that has a section for each alarm."""
    (part,) = re.findall(r"^## Runbook$(.+?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(part)


# The runbook


def test_each_alarm_has_a_section_of_the_runbook_and_each_section_an_alarm() -> None:
    sections = {anchor(heading) for heading in re.findall(r"^### (.+)$", runbook(), flags=re.MULTILINE)}
    named = {alarm["AlarmDescription"].rpartition("docs/operations.md#")[2] for alarm in ALARMS.values()}

    assert named == sections


def test_no_two_headings_have_one_anchor() -> None:
    anchors = Counter(anchor(heading) for level in (1, 2, 3) for heading in headings(level))

    assert [name for name, times in anchors.items() if times > 1] == []


@pytest.mark.parametrize("section", re.findall(r"^### (.+?)$(?=.+)", runbook(), flags=re.MULTILINE | re.DOTALL))
def test_a_section_says_what_is_seen_what_it_means_what_to_do_and_when_it_is_over(section: str) -> None:
    (text,) = re.findall(rf"^### {re.escape(section)}$(.+?)(?=^### |\Z)", runbook(), flags=re.MULTILINE | re.DOTALL)
    for part in ("You see", "It means", "Look", "Do", "Over"):
        assert f"**{part}**" in text, part


def test_an_alarm_says_in_a_sentence_what_it_means() -> None:
    for name, alarm in ALARMS.items():
        meaning, _, place = alarm["AlarmDescription"].rpartition(" ")
        assert meaning.endswith("."), name
        assert place.startswith("docs/operations.md#"), name
        assert len(alarm["AlarmDescription"]) <= 1024


# Metrics


def test_alarms_watch_metrics_that_are_counted_under_dimensions_that_are_stored() -> None:
    for name, metric, dimensions in watched(NAMESPACE):
        assert metric in METRICS, name
        assert list(dimensions) in METRICS[metric].series, name
        assert dimensions["Deployment"] == BASE, name


def test_each_metric_is_drawn_or_watched_and_explained() -> None:
    lines = [line for line in drawn() if line[0] == NAMESPACE]
    seen = {line[1] for line in lines} | {metric for _, metric, _ in watched(NAMESPACE)}

    assert seen == set(METRICS)
    assert [metric for metric in METRICS if f"`{metric}`" not in PAGE] == []


def test_the_page_explains_no_metric_that_is_not_there() -> None:
    (part,) = re.findall(r"^## Metrics$(.+?)^## ", PAGE, flags=re.MULTILINE | re.DOTALL)
    table = re.findall(r"^\| (`.+?) \|", part, flags=re.MULTILINE)
    explained = {name for row in table for name in re.findall(r"`(\w+)`", row)}

    assert explained == set(METRICS)


def test_graphs_show_dimensions_that_are_stored_and_values_that_there_are() -> None:
    for line in drawn():
        if line[0] == NAMESPACE:
            _, metric, *pairs = line
            assert pairs[::2] in METRICS[metric].series, line
            assert pairs[1] == BASE
    assert set(DIALECTS) == set(DIALECTS_OF_ROUTES.values())


# Queues, functions, tables


def test_each_queue_is_watched() -> None:
    found = {dimensions["QueueName"] for _, _, dimensions in watched("AWS/SQS")}

    assert found == {queue.name for queue in read_queues(PREFIX)}


def test_dead_letters_that_a_worker_takes_are_judged_by_their_age() -> None:
    names = {source.queue for source in app.event_sources if isinstance(source, SQSEventConfig)}
    dead = [queue.name for queue in read_queues("") if queue.redrive is None]
    taken = {name for name in dead if get_settings().queue_name(name) in names}

    assert taken == EMPTIED_BY_WORKERS
    for name, metric, dimensions in watched("AWS/SQS"):
        bare = dimensions["QueueName"].removeprefix(PREFIX)
        waits = bare.endswith("-dead") and bare not in EMPTIED_BY_WORKERS
        assert metric == ("ApproximateNumberOfMessagesVisible" if waits else "ApproximateAgeOfOldestMessage"), name


def test_a_queue_may_hold_a_retry_for_as_long_as_it_is_delayed() -> None:
    """A retry waits up to 15 minutes in the queue; the plan has none."""
    for name, alarm in ALARMS.items():
        if name.startswith("MessagesWait-") and name != "MessagesWait-plan":
            assert alarm["Threshold"] >= 1800
    assert {f"MessagesWait-{name}" for name in LONGEST_WAIT_SECONDS} <= ALARMS.keys()


def test_the_errors_of_each_function_are_watched() -> None:
    found = [dimensions["FunctionName"] for _, metric, dimensions in watched("AWS/Lambda") if metric == "Errors"]

    assert sorted(found) == sorted(functions())
    assert sorted(read_stage("prod").deployed_functions) == sorted(name.replace(BASE, "passel-prod") for name in found)


def test_functions_that_run_by_the_clock_are_known_as_such() -> None:
    scheduled = {source.name for source in app.event_sources if isinstance(source, ScheduledEventConfig)}

    assert scheduled == SCHEDULES


def test_the_busy_tables_are_tables() -> None:
    assert set(BUSY_TABLES) <= {table["TableName"] for table in read_tables("")}


# What CloudWatch takes


def test_what_counts_events_is_quiet_without_data_and_what_runs_by_the_clock_is_not() -> None:
    by_treatment: dict[str, set[str]] = {}
    for name, alarm in ALARMS.items():
        by_clock = {series["MetricName"] for series in series_of(alarm)} & SCHEDULED_METRICS
        assert (alarm["TreatMissingData"] == "notBreaching") is (not by_clock), name
        by_treatment.setdefault(alarm["TreatMissingData"], set()).add(name)
    assert by_treatment["missing"] == {"ScheduleStopped", "CertificateEnds-30"}
    for name in by_treatment["missing"]:
        assert ALARMS[name]["InsufficientDataActions"] == [{"Ref": "AlarmTopic"}], "or nobody hears of it"


def test_every_alarm_tells_of_its_beginning_and_its_end() -> None:
    for alarm in ALARMS.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]


def test_no_alarm_asks_for_more_than_cloudwatch_gives() -> None:
    for name, alarm in ALARMS.items():
        assert len(series_of(alarm)) <= MOST_METRICS, name
        assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"], name
        if "Metrics" in alarm:
            returned = [query["Id"] for query in alarm["Metrics"] if query["ReturnData"]]
            assert returned == ["watched"], name
            periods = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
            assert len(periods) == 1, name
        else:
            assert alarm["Period"] * alarm["EvaluationPeriods"] <= 7 * 86400, name


def test_the_page_says_what_alarms_cost() -> None:
    metrics = sum(len(series_of(alarm)) for alarm in ALARMS.values())
    dollars = (metrics - FREE_ALARM_METRICS) * ALARM_METRIC_DOLLARS

    assert metrics <= 70
    assert f"{len(ALARMS)} alarms over {metrics} metrics" in PAGE
    assert f"${dollars:.2f}" in PAGE


def test_the_template_may_be_handed_over_as_it_is_also_where_names_are_long() -> None:
    template = {"Resources": render(stage="a-long-name-of-a-stage", alarm_email="team@example.com")}

    assert len(json.dumps(template, separators=(",", ":"))) < LONGEST_TEMPLATE


# The topic


def test_the_topic_is_encrypted_with_a_key_that_alarms_of_this_stage_may_use() -> None:
    assert RESOURCES["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    key = RESOURCES["AlarmKey"]["Properties"]
    assert key["EnableKeyRotation"] is True
    _, by_alarms = key["KeyPolicy"]["Statement"]
    (publish,) = RESOURCES["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert by_alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert publish["Action"] == ["sns:Publish"]
    for statement in (by_alarms, publish):
        assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        (source,) = statement["Condition"]["ArnLike"].values()
        assert source["Fn::Sub"].endswith(f":alarm:{BASE}-*")


def test_mail_is_sent_where_an_address_is_given() -> None:
    assert "AlarmMail" not in RESOURCES
    mail = render(alarm_email="team@example.com")["AlarmMail"]["Properties"]
    assert mail == {"TopicArn": {"Ref": "AlarmTopic"}, "Protocol": "email", "Endpoint": "team@example.com"}


def test_nothing_is_filled_into_the_dashboard_but_the_region() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

    assert set(re.findall(r"\$\{.*?\}", body)) == {"${AWS::Region}"}
    log = WIDGETS[-1]["properties"]["query"]
    assert re.findall(r"SOURCE '/aws/lambda/(.+?)'", log) == functions()
