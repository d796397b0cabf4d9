"""A call of a function is held against its policy before it is made."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.support import calls
from tests.support.aws_actions import Access, UnknownCallError, queue_arn, table_arn
from tests.support.calls import CallRefusedError, Calls
from tests.support.functions import working_as
from tests.support.policies import parse_policy

POLICY = parse_policy(
    """{"Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": [
    "arn:aws:dynamodb:us-east-1:123456789012:table/passes"]}]}"""
)
READ = Access("dynamodb:GetItem", table_arn("passes"))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of functions that have all the same policy."""
    monkeypatch.setattr(calls, "read_policy", lambda _: POLICY)
    return Calls()


def test_what_the_policy_grants_is_noted(made: Calls) -> None:
    made.check("reader", "dynamodb", "GetItem", {"TableName": "passes"})
    made.check("reader", "dynamodb", "GetItem", {"TableName": "passes"})
    assert made.made == {("reader", READ)}
    made.tell_refused()


def test_what_the_policy_lacks_is_refused_as_aws_would_and_told_once(made: Calls) -> None:
    arguments = {"TransactItems": [{"Put": {"TableName": "passes"}}]}
    with pytest.raises(ClientError) as refusal:
        made.check("reader", "dynamodb", "TransactWriteItems", arguments)
    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
    with pytest.raises(CallRefusedError, match=r"reader may not dynamodb:PutItem on arn:.*:table/passes"):
        made.tell_refused()
    made.tell_refused()


def test_a_call_that_nobody_has_thought_of_is_told_even_if_it_is_caught(made: Calls) -> None:
    with pytest.raises(UnknownCallError):
        made.check("reader", "dynamodb", "DeleteTable", {"TableName": "passes"})
    with pytest.raises(CallRefusedError, match="dynamodb:DeleteTable"):
        made.tell_refused()


def test_every_client_is_followed_but_only_in_the_work_of_functions(pytestconfig: pytest.Config) -> None:
    """This process's own following, which began with it: no function of ours has this name."""
    client: Any = botocore.session.Session().create_client(
        "sqs", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        stubber.add_response("get_queue_url", {"QueueUrl": "http://jobs"})
        assert client.get_queue_url(QueueName="jobs")["QueueUrl"] == "http://jobs"
        with working_as("nobody_we_know"), pytest.raises(ClientError, match=queue_arn("jobs")):
            client.get_queue_url(QueueName="jobs")
    with pytest.raises(CallRefusedError, match="nobody_we_know may not"):
        pytestconfig.stash[calls.CALLS].tell_refused()
