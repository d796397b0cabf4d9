"""The reader of `infra/resources.yaml`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import definition
from infra.definition import (
    DefinitionError,
    create_queues,
    create_tables,
    find_outdated_tables,
    read_queues,
    read_tables,
)

PREFIX = "passel-unit-"


def define(monkeypatch: pytest.MonkeyPatch, **resources: dict[str, Any]) -> None:
    monkeypatch.setattr(definition, "_read_resources", lambda: resources)


def a_queue(**properties: object) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${Prefix}jobs"}, **properties}}


def a_table(**properties: object) -> dict[str, Any]:
    return {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Sub": "${Prefix}things"}, **properties}}


class FakeEngine:
    """Creates tables and queues in memory, and refuses what exists, as AWS does."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = {}
        self.queues: dict[str, dict[str, str]] = {}
        self.awaited: list[str] = []

    def create_table(self, **arguments: Any) -> None:
        if arguments["TableName"] in self.tables:
            raise ClientError({"Error": {"Code": "ResourceInUseException"}}, "CreateTable")
        self.tables[arguments["TableName"]] = arguments

    def get_waiter(self, name: str) -> FakeEngine:
        assert name == "table_exists"
        return self

    def wait(self, *, TableName: str, WaiterConfig: dict[str, int]) -> None:  # noqa: N803 - AWS's names
        self.awaited.append(TableName)

    def create_queue(self, *, QueueName: str, Attributes: dict[str, str]) -> dict[str, str]:  # noqa: N803
        assert QueueName not in self.queues
        self.queues[QueueName] = Attributes
        return {"QueueUrl": f"http://queues/{QueueName}"}

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        if QueueName not in self.queues:
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "GetQueueUrl")
        return {"QueueUrl": f"http://queues/{QueueName}"}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        assert AttributeNames == ["QueueArn"]
        return {"Attributes": {"QueueArn": f"arn:here:{QueueUrl.rsplit('/', 1)[1]}"}}


def test_every_table_is_named_with_the_prefix_and_holds_only_create_arguments() -> None:
    tables = read_tables(PREFIX)
    assert len({table["TableName"] for table in tables}) == len(tables) > 0
    for table in tables:
        assert table["TableName"].startswith(PREFIX)
        assert {"KeySchema", "AttributeDefinitions", "BillingMode"} <= table.keys()


def test_every_key_attribute_of_a_table_is_defined_and_no_other() -> None:
    for table in read_tables(PREFIX):
        schemas = [table["KeySchema"], *(index["KeySchema"] for index in table.get("GlobalSecondaryIndexes", []))]
        used = {key["AttributeName"] for schema in schemas for key in schema}
        assert used == {attribute["AttributeName"] for attribute in table["AttributeDefinitions"]}, table["TableName"]


def test_what_is_no_table_and_no_queue_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${Prefix}${AWS::AccountId}"}}}
    define(monkeypatch, Things=a_table(), Jobs=a_queue(), Pictures=bucket)
    assert [table["TableName"] for table in read_tables(PREFIX)] == [PREFIX + "things"]
    assert [queue.name for queue in read_queues(PREFIX)] == [PREFIX + "jobs"]


def test_dead_letter_queues_come_before_the_queues_that_name_them() -> None:
    seen: set[str] = set()
    for queue in read_queues(PREFIX):
        assert queue.name.startswith(PREFIX)
        assert queue.redrive is None or queue.redrive.dead_letter_queue in seen
        seen.add(queue.name)


def test_queue_attributes_are_text_as_sqs_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, Jobs=a_queue(VisibilityTimeout=360, SqsManagedSseEnabled=True, Tags=[{"Key": "a"}]))
    (queue,) = read_queues(PREFIX)
    assert queue.attributes == {"VisibilityTimeout": "360", "SqsManagedSseEnabled": "true"}


def test_properties_that_only_cloudformation_can_set_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    define(monkeypatch, Things=a_table(PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}))
    assert read_tables(PREFIX) == [{"TableName": PREFIX + "things"}]


@pytest.mark.parametrize(
    "resource",
    [
        a_table(TabelName="typo"),
        a_table(TableClass={"Ref": "Class"}),
        a_table(TableClass={"Fn::Sub": "${Other}"}),
        a_table(TableClass={"Fn::Sub": "${Prefix}${AWS::AccountId}"}),
        a_table(TableClass={"Fn::Sub": ["${A}", {"A": "b"}]}),
    ],
)
def test_an_unknown_table_property_or_intrinsic_is_refused_with_the_resource_name(
    monkeypatch: pytest.MonkeyPatch, resource: dict[str, Any]
) -> None:
    define(monkeypatch, Things=resource)
    with pytest.raises(DefinitionError, match=r"^Things: "):
        read_tables(PREFIX)


@pytest.mark.parametrize(
    "resource",
    [
        a_queue(RedrivePolicy={"deadLetterTargetArn": "arn:fixed", "maxReceiveCount": 5}),
        a_queue(RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Nowhere", "Arn"]}, "maxReceiveCount": 5}),
        a_queue(RedriveAllowPolicy={"redrivePermission": "denyAll"}),
    ],
)
def test_an_unusable_queue_is_refused_with_the_resource_name(
    monkeypatch: pytest.MonkeyPatch, resource: dict[str, Any]
) -> None:
    define(monkeypatch, Jobs=resource)
    with pytest.raises(DefinitionError, match=r"^Jobs: "):
        read_queues(PREFIX)


def test_creating_twice_leaves_what_exists() -> None:
    engine = FakeEngine()
    created = create_tables(engine, PREFIX)
    addresses = create_queues(engine, PREFIX)
    assert engine.awaited == created == [table["TableName"] for table in read_tables(PREFIX)]

    assert create_tables(engine, PREFIX) == []
    assert create_queues(engine, PREFIX) == addresses


def test_the_redrive_policy_names_the_arn_of_the_queue_that_exists() -> None:
    engine = FakeEngine()
    create_queues(engine, PREFIX)
    assert engine.queues[PREFIX + "plan"]["RedrivePolicy"] == (
        '{"deadLetterTargetArn": "arn:here:passel-unit-plan-dead", "maxReceiveCount": 5}'
    )


def test_a_table_of_another_release_is_told_apart() -> None:
    tables = {arguments["TableName"]: dict(arguments) for arguments in read_tables("p-")}
    client = SimpleNamespace(describe_table=lambda **named: {"Table": tables[named["TableName"]]})
    assert find_outdated_tables(client, "p-") == []

    indexes = tables["p-registrations"]["GlobalSecondaryIndexes"]
    tables["p-registrations"] = {**tables["p-registrations"], "GlobalSecondaryIndexes": indexes[:-1]}
    assert find_outdated_tables(client, "p-") == ["p-registrations"]
