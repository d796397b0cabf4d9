"""Reading policies as IAM does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.aws_actions import Access, table_arn
from tests.support.policies import Grant, Policy, parse_policy, policy_files, read_policy

PASSES = table_arn("passel-local-passes")


def policy(**statement: Any) -> Policy:
    usual = {"Sid": "Some", "Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": ["*"]}
    return parse_policy(json.dumps({"Version": "2012-10-17", "Statement": [usual | statement]}))


@pytest.mark.parametrize(
    ("pattern", "resource", "covered"),
    [
        (PASSES, PASSES, True),
        (PASSES, f"{PASSES}/index/by_project", False),
        (f"{PASSES}/index/*", f"{PASSES}/index/by_project", True),
        (f"{PASSES}/index/*", PASSES, False),
        ("arn:aws:s3:::a.b/*", "arn:aws:s3:::a.b/c/d", True),
        ("arn:aws:s3:::a.b/*", "arn:aws:s3:::aXb/c", False),
        ("arn:aws:s3:::a?", "arn:aws:s3:::ab", True),
        ("arn:aws:s3:::a?", "arn:aws:s3:::a", False),
        ("arn:aws:s3:::A", "arn:aws:s3:::a", False),
    ],
)
def test_a_grant_covers_the_resources_of_its_pattern(pattern: str, resource: str, covered: bool) -> None:
    assert Grant("Some", "dynamodb:Query", pattern).covers(Access("dynamodb:Query", resource)) is covered


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("dynamodb:Query", "dynamodb:Query", True),
        ("DynamoDB:query", "dynamodb:Query", True),
        ("dynamodb:Batch*", "dynamodb:BatchGetItem", True),
        ("dynamodb:Query", "dynamodb:Scan", False),
    ],
)
def test_a_grant_covers_the_actions_of_its_pattern(pattern: str, action: str, covered: bool) -> None:
    assert Grant("Some", pattern, "*").covers(Access(action, PASSES)) is covered


def test_a_policy_allows_what_one_of_its_statements_grants() -> None:
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Prefix}passes"
    read = policy(Action=["dynamodb:GetItem", "dynamodb:Query"], Resource=[arn])
    assert read.allows(Access("dynamodb:GetItem", PASSES))
    assert read.allows(Access("dynamodb:Query", PASSES))
    assert not read.allows(Access("dynamodb:PutItem", PASSES))
    assert not read.allows(Access("dynamodb:GetItem", table_arn("passel-local-tags")))


def test_the_stage_is_that_of_the_tests() -> None:
    (grant,) = policy(Resource="arn:aws:ssm:*:*:parameter/passel-${Stage}/certificates/*").grants
    assert grant.resource == "arn:aws:ssm:*:*:parameter/passel-local/certificates/*"


@pytest.mark.parametrize(
    "statement",
    [{"Effect": "Deny"}, {"Condition": {}}, {"NotAction": []}, {"Resource": "${Unheard}"}],
    ids=["deny", "condition", "everything but", "variable"],
)
def test_what_cannot_be_judged_is_no_policy(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot be judged|no value"):
        policy(**statement)


@pytest.mark.parametrize("function", sorted(policy_files()))
def test_the_policy_of_every_function_can_be_read(function: str) -> None:
    assert read_policy(function).grants


def test_nobody_else_may_do_anything() -> None:
    assert read_policy("somebody").grants == ()
