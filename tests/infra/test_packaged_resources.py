"""Tables, queues and bucket in the packaged template are those of `infra/resources.yaml`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.definition import read_queues, read_tables
from infra.package import Package
from infra.resources import render_resources
from infra.stacks import list_stacks
from infra.stages import Stage, read_stage
from tests.infra.template import Template

AWS_ALONE = {"TimeToLiveSpecification", "PointInTimeRecoverySpecification", "DeletionProtectionEnabled"}
"""of no meaning to a local engine"""
LONGEST_TEMPLATE = 51_200
"""bytes of a template that does not lie in a bucket (CloudFormation user guide, `cloudformation-limits`)"""
STAGES = ("dev", "prod", "emulator")


def test_every_table_and_index_is_there(template: Template, stage: Stage) -> None:
    packaged = {table["TableName"]: table for table in template.of_type("AWS::DynamoDB::Table").values()}
    defined = {table["TableName"]: table for table in read_tables(stage.prefix)}
    assert packaged.keys() == defined.keys()
    for name, table in defined.items():
        assert packaged[name] == table | {key: packaged[name][key] for key in AWS_ALONE if key in packaged[name]}


def test_tables_of_a_protected_stage_can_be_restored_and_not_deleted(template: Template) -> None:
    for table in template.of_type("AWS::DynamoDB::Table").values():
        assert table["DeletionProtectionEnabled"] is True
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_images_of_a_protected_stage_can_be_brought_back(template: Template) -> None:
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_other_stages_are_not_protected_and_pay_for_no_backup() -> None:
    resources = Template(render_resources(read_stage("dev")))
    for table in resources.of_type("AWS::DynamoDB::Table").values():
        assert not {"DeletionProtectionEnabled", "PointInTimeRecoverySpecification"} & table.keys()
    (bucket,) = resources.of_type("AWS::S3::Bucket").values()
    assert "VersioningConfiguration" not in bucket


@pytest.mark.parametrize("name", STAGES)
def test_each_stack_may_be_handed_to_cloudformation_as_it_is(name: str) -> None:
    for stack, template in list_stacks(read_stage(name)):
        assert len(json.dumps(template, separators=(",", ":"))) < LONGEST_TEMPLATE, stack


def test_received_events_are_forgotten(template: Template, stage: Stage) -> None:
    found = {
        table["TableName"]: table["TimeToLiveSpecification"]
        for table in template.of_type("AWS::DynamoDB::Table").values()
        if "TimeToLiveSpecification" in table
    }
    names = ("received-events", "deliveries", "rate-limits", "idempotency")
    forgetful = {stage.prefix + table for table in names}
    assert found == {name: {"AttributeName": "expires_at", "Enabled": True} for name in forgetful}


def test_every_queue_is_there(template: Template, stage: Stage) -> None:
    packaged = {queue["QueueName"] for queue in template.of_type("AWS::SQS::Queue").values()}
    assert packaged == {queue.name for queue in read_queues(stage.prefix)}


def test_the_bucket_is_spoken_to_over_tls_alone(template: Template) -> None:
    (policy,) = template.of_type("AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": "AssetsBucket"}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": ["AssetsBucket", "Arn"]}, {"Fn::Sub": "${AssetsBucket.Arn}/*"}]


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket"])
def test_removing_the_stack_keeps_the_data(template: Template, kind: str) -> None:
    kept = [item for item in template.resources.values() if item["Type"] == kind]
    assert {(item["DeletionPolicy"], item["UpdateReplacePolicy"]) for item in kept} == {
        ("RetainExceptOnCreate", "Retain")
    }


def test_the_bucket_carries_the_account_in_its_name(template: Template, stage: Stage) -> None:
    """All accounts of AWS share the names of buckets."""
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    assert bucket["BucketName"] == {"Fn::Sub": stage.prefix + "assets-${AWS::AccountId}"}


def test_the_bucket_is_encrypted_and_shut_to_everybody_else(template: Template) -> None:
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


def test_unfinished_uploads_are_not_paid_for_ever(template: Template) -> None:
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {"DaysAfterInitiation": 1} in [rule.get("AbortIncompleteMultipartUpload") for rule in rules]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert not any(key.startswith("Expiration") for rule in rules for key in rule), "images are kept until deleted"


def test_every_working_queue_hands_over_to_its_dead_letter_queue(template: Template) -> None:
    queues = template.of_type("AWS::SQS::Queue")
    for queue in queues.values():
        name = queue["QueueName"]
        if name.endswith("-dead"):
            assert "RedrivePolicy" not in queue
            continue
        target, _ = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
        family = re.sub("deliver-.*", "deliver", name)
        assert queues[target]["QueueName"] == f"{family}-dead"
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
