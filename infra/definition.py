"""Tables and queues as `infra/resources.yaml` defines them, ready to be created through a botocore client.

CloudFormation reads that file on AWS, local runs and tests read it here: both have the same tables and queues.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

RESOURCES_FILE = Path(__file__).with_name("resources.yaml")

_TABLE = "AWS::DynamoDB::Table"
_QUEUE = "AWS::SQS::Queue"

_CREATE_TABLE_ARGUMENTS = frozenset(
    {
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "SSESpecification",
        "StreamSpecification",
        "TableClass",
        "TableName",
        "Tags",
    }
)
# CloudFormation sets these through other calls; they change nothing that a local run or a test can see.
_AWS_ONLY_TABLE_PROPERTIES = frozenset(
    {
        "ContributorInsightsSpecification",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "TimeToLiveSpecification",
        "WarmThroughput",
    }
)


class DefinitionError(Exception):
    """The resources file holds something that this reader does not know; the message names the resource."""


@dataclass(frozen=True)
class Redrive:
    """Where a queue's messages go after too many tries."""

    dead_letter_queue: str
    """full name of the dead-letter queue"""
    max_receive_count: int


@dataclass(frozen=True)
class Queue:
    """One queue, named in full."""

    name: str
    attributes: Mapping[str, str]
    """CreateQueue attributes; the redrive policy is apart, since it needs the ARN of a queue that exists"""
    redrive: Redrive | None = None


def read_tables(prefix: str) -> list[dict[str, Any]]:
    """CreateTable arguments of every table, in the file's order.

    Raises:
        DefinitionError: a property or an intrinsic function is unknown.
    """
    return [
        _read_table(name, _resolve(name, properties, prefix)) for name, properties in _properties_of(_TABLE).items()
    ]


def read_queues(prefix: str) -> list[Queue]:
    """Every queue, dead-letter queues before the queues that name them.

    Raises:
        DefinitionError: a property or an intrinsic function is unknown.
    """
    queues = [_read_queue(name, properties, prefix) for name, properties in _properties_of(_QUEUE).items()]
    return sorted(queues, key=lambda queue: queue.redrive is not None)


def create_tables(client: Any, prefix: str, *, wait: bool = True) -> list[str]:
    """Create the tables that do not exist yet and return their names; existing ones are left as they are.

    With `wait` the created tables are active on return.
    """
    created = []
    for arguments in read_tables(prefix):
        try:
            client.create_table(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUseException":
                raise
        else:
            created.append(arguments["TableName"])
    if wait:
        waiter = client.get_waiter("table_exists")
        for name in created:
            waiter.wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return created


def find_outdated_tables(client: Any, prefix: str) -> list[str]:
    """Names of tables whose indexes are not those of the definition: they were made by another release."""
    outdated = []
    for arguments in read_tables(prefix):
        table = client.describe_table(TableName=arguments["TableName"])["Table"]
        if _index_names(table) != _index_names(arguments):
            outdated.append(arguments["TableName"])
    return outdated


def _index_names(table: Mapping[str, Any]) -> set[str]:
    return {index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or ()}


def create_queues(client: Any, prefix: str) -> dict[str, str]:
    """Create the queues that do not exist yet and return the address of every queue by its full name.

    Existing queues are left as they are.
    """
    addresses: dict[str, str] = {}
    for queue in read_queues(prefix):
        addresses[queue.name] = _queue_address(client, queue.name) or _create_queue(client, queue, addresses)
    return addresses


def _create_queue(client: Any, queue: Queue, addresses: Mapping[str, str]) -> str:
    attributes = dict(queue.attributes)
    if queue.redrive is not None:
        dead_letters = client.get_queue_attributes(
            QueueUrl=addresses[queue.redrive.dead_letter_queue], AttributeNames=["QueueArn"]
        )
        attributes["RedrivePolicy"] = json.dumps(
            {
                "deadLetterTargetArn": dead_letters["Attributes"]["QueueArn"],
                "maxReceiveCount": queue.redrive.max_receive_count,
            }
        )
    return str(client.create_queue(QueueName=queue.name, Attributes=attributes)["QueueUrl"])


def _queue_address(client: Any, name: str) -> str | None:
    try:
        return str(client.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        # AWS and moto spell the same code in two ways
        if (
            "NonExistentQueue" in error.response["Error"]["Code"]
            or "QueueDoesNotExist" in error.response["Error"]["Code"]
        ):
            return None
        raise


def _read_table(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    unknown = properties.keys() - _CREATE_TABLE_ARGUMENTS - _AWS_ONLY_TABLE_PROPERTIES
    if unknown:
        raise DefinitionError(f"{name}: unknown table property {', '.join(sorted(unknown))}")
    return {key: value for key, value in properties.items() if key in _CREATE_TABLE_ARGUMENTS}


def _read_queue(name: str, properties: Mapping[str, Any], prefix: str) -> Queue:
    attributes = {key: value for key, value in properties.items() if key not in ("QueueName", "RedrivePolicy", "Tags")}
    resolved: dict[str, Any] = _resolve(name, attributes, prefix)
    nested = [key for key, value in resolved.items() if isinstance(value, dict | list)]
    if nested:
        raise DefinitionError(f"{name}: unknown queue property {', '.join(nested)}")
    return Queue(
        name=_resolve(name, properties["QueueName"], prefix),
        attributes={key: _attribute_text(value) for key, value in resolved.items()},
        redrive=_read_redrive(name, properties.get("RedrivePolicy"), prefix),
    )


def _read_redrive(name: str, policy: Mapping[str, Any] | None, prefix: str) -> Redrive | None:
    if policy is None:
        return None
    match policy:
        case {"deadLetterTargetArn": {"Fn::GetAtt": [str(target), "Arn"]}, "maxReceiveCount": int(count)}:
            queues = _properties_of(_QUEUE)
            if target not in queues:
                raise DefinitionError(f"{name}: no queue {target} to send dead letters to")
            return Redrive(_resolve(target, queues[target]["QueueName"], prefix), count)
    raise DefinitionError(f"{name}: RedrivePolicy must name its queue with Fn::GetAtt and give maxReceiveCount")


def _attribute_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _resolve(name: str, value: Any, prefix: str) -> Any:
    """`value` with every `Fn::Sub` replaced by its text; a name still holding a variable is refused."""
    if isinstance(value, list):
        return [_resolve(name, item, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    intrinsic = next((key for key in value if str(key).startswith("Fn::") or key == "Ref"), None)
    if intrinsic is None:
        return {key: _resolve(name, item, prefix) for key, item in value.items()}
    text = value.get("Fn::Sub")
    resolved = text.replace("${Prefix}", prefix) if isinstance(text, str) else None
    if resolved is None or "${" in resolved:
        raise DefinitionError(f"{name}: cannot resolve {json.dumps(value)}")
    return resolved


def _properties_of(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in _read_resources().items() if resource["Type"] == kind}


@lru_cache(maxsize=1)
def _read_resources() -> dict[str, Any]:
    resources: dict[str, Any] = yaml.safe_load(RESOURCES_FILE.read_text(encoding="utf-8"))["Resources"]
    return resources
