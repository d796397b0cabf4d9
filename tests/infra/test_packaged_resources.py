"""Tables and queues in the packaged template are those of `infra/resources.yaml`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.definition import read_queues, read_tables
from infra.package import Package, Stage
from tests.infra.template import Template


def test_every_table_and_index_is_there(template: Template, stage: Stage) -> None:
    packaged = {table["TableName"]: table for table in template.of_type("AWS::DynamoDB::Table").values()}
    assert packaged == {table["TableName"]: table for table in read_tables(stage.prefix)}


def test_every_queue_is_there(template: Template, stage: Stage) -> None:
    packaged = {queue["QueueName"] for queue in template.of_type("AWS::SQS::Queue").values()}
    assert packaged == {queue.name for queue in read_queues(stage.prefix)}


def test_removing_the_stack_keeps_the_tables(template: Template) -> None:
    tables = [item for item in template.resources.values() if item["Type"] == "AWS::DynamoDB::Table"]
    assert {(item["DeletionPolicy"], item["UpdateReplacePolicy"]) for item in tables} == {
        ("RetainExceptOnCreate", "Retain")
    }


def test_every_working_queue_hands_over_to_its_dead_letter_queue(template: Template) -> None:
    queues = template.of_type("AWS::SQS::Queue")
    for queue in queues.values():
        name = queue["QueueName"]
        if name.endswith("-dead"):
            assert "RedrivePolicy" not in queue
            continue
        target, _ = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
        assert queues[target]["QueueName"] == f"{name}-dead"
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        # a message keeps the age it had, so the last stop must not forget it sooner
        assert queues[target]["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"]


def test_nothing_is_left_to_a_parameter(template: Template) -> None:
    """Functions and policies hold the prefix as text, so another one must not come in beside it."""
    assert "Parameters" not in template.content


def test_cloudformation_would_accept_the_template(package: Package) -> None:
    """cfn-lint knows the schema of every resource; Chalice's own template, before we finish it, does not pass."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(package.template)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
