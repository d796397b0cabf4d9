"""What alarms and the dashboard watch is in the packaged template under the very names they use.

They name it and do not refer to it, and CloudWatch takes any name: a wrong one watches nothing and says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from infra.stages import Stage
from tests.infra.template import Json, Template

AWS_ALONE = {"AWS/Lambda", "AWS/SQS", "AWS/DynamoDB", "AWS/ApiGateway"}


def dimensions_of_alarms(template: Template) -> Iterator[tuple[str, str]]:
    for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
        metrics = [
            alarm,
            *(query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query),
        ]
        for metric in metrics:
            if metric.get("Namespace") in AWS_ALONE:
                yield from ((each["Name"], each["Value"]) for each in metric.get("Dimensions", ()))


def widgets(template: Template) -> list[Json]:
    (dashboard,) = template.of_type("AWS::CloudWatch::Dashboard").values()
    found: list[Json] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    return found


def dimensions_of_graphs(template: Template) -> Iterator[tuple[str, str]]:
    for widget in widgets(template):
        before: list[str] = []
        for line in widget["properties"].get("metrics", []):
            whole = [*before[:-1], line[-1]] if line[0] == "..." else line
            before = [before[place] if part == "." else part for place, part in enumerate(whole)]
            if before[0] in AWS_ALONE:
                yield from zip(before[2::2], before[3::2], strict=True)


@pytest.fixture(scope="session")
def names(template: Template) -> dict[str, set[str]]:
    """Of everything that has metrics, by the dimension that names it."""
    api = template.resources["RestAPI"]["Properties"]
    return {
        "FunctionName": {function["FunctionName"] for function in template.functions.values()},
        "QueueName": {queue["QueueName"] for queue in template.of_type("AWS::SQS::Queue").values()},
        "TableName": {table["TableName"] for table in template.of_type("AWS::DynamoDB::Table").values()},
        "ApiName": {api["DefinitionBody"]["info"]["title"]},
        "Stage": {api["StageName"]},
    }


def test_alarms_watch_what_is_there(template: Template, names: dict[str, set[str]]) -> None:
    watched = set(dimensions_of_alarms(template))
    assert {dimension for dimension, _ in watched} == names.keys()
    assert sorted(each for each in watched if each[1] not in names[each[0]]) == []
    assert {name for dimension, name in watched if dimension == "FunctionName"} == names["FunctionName"]


def test_the_dashboard_shows_what_is_there(template: Template, names: dict[str, set[str]]) -> None:
    shown = set(dimensions_of_graphs(template))
    assert {dimension for dimension, _ in shown} == names.keys()
    assert sorted(each for each in shown if each[1] not in names[each[0]]) == []


def test_the_dashboard_asks_the_logs_that_functions_write(template: Template) -> None:
    groups = {group["LogGroupName"] for group in template.of_type("AWS::Logs::LogGroup").values()}
    asked = {
        name
        for widget in widgets(template)
        for name in re.findall(r"SOURCE '(.+?)'", widget["properties"].get("query", ""))
    }
    assert asked == groups
    assert len(groups) == len(template.functions)


def test_functions_are_named_as_the_chalice_cli_names_them(template: Template, stage: Stage) -> None:
    found = {function["FunctionName"] for function in template.functions.values()}
    assert found == set(stage.deployed_functions)
    by_handler = {function["Handler"].rpartition(".")[2]: function for function in template.functions.values()}
    by_handler["api_handler"] = by_handler.pop("app")
    assert {name: function["FunctionName"] for name, function in by_handler.items()} == {
        name: stage.deployed_name(name) for name in stage.functions
    }


def test_a_function_has_its_log_group_before_it_writes(template: Template) -> None:
    """Lambda would make a group of that name that is kept for ever, and CloudFormation could not make its own."""
    for function in template.functions.values():
        group = template.resources[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Properties"]["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"


def test_the_parameter_names_functions_that_are_there(template: Template, names: dict[str, set[str]]) -> None:
    (parameter,) = template.of_type("AWS::SSM::Parameter").values()
    assert json.loads(parameter["Value"]["Fn::Sub"])["functions"] in names["FunctionName"]
