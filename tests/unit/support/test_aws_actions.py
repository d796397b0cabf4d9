"""From a call to what AWS checks for it (Service Authorization Reference)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.aws_actions import UnknownCallError, find_accesses

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table"
QUEUE = "arn:aws:sqs:us-east-1:123456789012"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter"
ADDRESS = "http://127.0.0.1:5000/123456789012/jobs"

CALLS: list[tuple[str, str, dict[str, Any], set[tuple[str, str]]]] = [
    ("dynamodb", "GetItem", {"TableName": "a"}, {("dynamodb:GetItem", f"{TABLE}/a")}),
    ("dynamodb", "Query", {"TableName": "a"}, {("dynamodb:Query", f"{TABLE}/a")}),
    ("dynamodb", "Query", {"TableName": "a", "IndexName": "i"}, {("dynamodb:Query", f"{TABLE}/a/index/i")}),
    ("dynamodb", "Scan", {"TableName": "a", "IndexName": "i"}, {("dynamodb:Scan", f"{TABLE}/a/index/i")}),
    (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"a": {}, "b": {}}},
        {("dynamodb:BatchGetItem", f"{TABLE}/a"), ("dynamodb:BatchGetItem", f"{TABLE}/b")},
    ),
    ("dynamodb", "BatchWriteItem", {"RequestItems": {"a": []}}, {("dynamodb:BatchWriteItem", f"{TABLE}/a")}),
    (
        "dynamodb",
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "a"}},
                {"Update": {"TableName": "a"}},
                {"Delete": {"TableName": "b"}},
                {"ConditionCheck": {"TableName": "c"}},
            ]
        },
        {
            ("dynamodb:PutItem", f"{TABLE}/a"),
            ("dynamodb:UpdateItem", f"{TABLE}/a"),
            ("dynamodb:DeleteItem", f"{TABLE}/b"),
            ("dynamodb:ConditionCheckItem", f"{TABLE}/c"),
        },
    ),
    (
        "dynamodb",
        "TransactGetItems",
        {"TransactItems": [{"Get": {"TableName": "a"}}]},
        {("dynamodb:GetItem", f"{TABLE}/a")},
    ),
    (
        "dynamodb",
        "BatchExecuteStatement",
        {
            "Statements": [
                {"Statement": "INSERT INTO \"a\" VALUE {'key': ?}"},
                {"Statement": 'UPDATE "b"\nSET x = ? WHERE key = ?'},
                {"Statement": 'delete from "c-d" where key = ?'},
                {"Statement": 'SELECT * FROM "a"."i" WHERE key = ?'},
            ]
        },
        {
            ("dynamodb:PartiQLInsert", f"{TABLE}/a"),
            ("dynamodb:PartiQLUpdate", f"{TABLE}/b"),
            ("dynamodb:PartiQLDelete", f"{TABLE}/c-d"),
            ("dynamodb:PartiQLSelect", f"{TABLE}/a/index/i"),
        },
    ),
    (
        "dynamodb",
        "ExecuteStatement",
        {"Statement": "SELECT key FROM a"},
        {("dynamodb:PartiQLSelect", f"{TABLE}/a")},
    ),
    ("sqs", "GetQueueUrl", {"QueueName": "jobs"}, {("sqs:GetQueueUrl", f"{QUEUE}:jobs")}),
    ("sqs", "SendMessage", {"QueueUrl": ADDRESS}, {("sqs:SendMessage", f"{QUEUE}:jobs")}),
    ("sqs", "SendMessageBatch", {"QueueUrl": ADDRESS}, {("sqs:SendMessage", f"{QUEUE}:jobs")}),
    ("sqs", "DeleteMessageBatch", {"QueueUrl": ADDRESS}, {("sqs:DeleteMessage", f"{QUEUE}:jobs")}),
    (
        "s3",
        "PutObject",
        {"Bucket": "images", "Key": "assets/1.png", "Body": b""},
        {("s3:PutObject", "arn:aws:s3:::images/assets/1.png")},
    ),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "images", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2"}]}},
        {("s3:DeleteObject", "arn:aws:s3:::images/1"), ("s3:DeleteObject", "arn:aws:s3:::images/2")},
    ),
    ("s3", "ListObjectsV2", {"Bucket": "images", "Prefix": "a/"}, {("s3:ListBucket", "arn:aws:s3:::images")}),
    ("s3", "HeadBucket", {"Bucket": "images"}, {("s3:ListBucket", "arn:aws:s3:::images")}),
    ("ssm", "GetParameter", {"Name": "/a/b"}, {("ssm:GetParameter", f"{PARAMETER}/a/b")}),
    ("ssm", "GetParametersByPath", {"Path": "/a"}, {("ssm:GetParametersByPath", f"{PARAMETER}/a")}),
    (
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": "a/b"},
        {("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b-??????")},
    ),
    ("sts", "GetCallerIdentity", {}, set()),
]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"), CALLS, ids=[f"{call[0]}-{call[1]}" for call in CALLS]
)
def test_a_call_needs_these_actions(
    service: str, operation: str, arguments: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert find_accesses(service, operation, arguments) == expected


def test_a_call_that_nobody_has_thought_of_needs_nobody_knows_what() -> None:
    with pytest.raises(UnknownCallError, match="dynamodb:DeleteTable"):
        find_accesses("dynamodb", "DeleteTable", {"TableName": "a"})
    with pytest.raises(UnknownCallError, match="EXISTS"):
        find_accesses("dynamodb", "ExecuteStatement", {"Statement": "EXISTS(SELECT * FROM a)"})
