"""What of production is open, and what is written down of requests: in the packaged template."""

from __future__ import annotations

import json
import re

from tests.infra.template import Template

SECRET = re.compile(r"(KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL)")


def test_every_queue_is_encrypted_and_shared_with_nobody(template: Template) -> None:
    """Messages hold push tokens, and what people gave of themselves."""
    queues = template.of_type("AWS::SQS::Queue")
    assert [name for name, queue in queues.items() if queue.get("SqsManagedSseEnabled") is not True] == []
    assert template.of_type("AWS::SQS::QueuePolicy") == {}


def test_the_gateway_writes_no_request_down(template: Template) -> None:
    """Addresses hold tokens: of downloads, of pages, of devices, and whole secrets as `api_key`. (What X-Ray keeps of
    them is in docs/security.md.)"""
    api = template.resources["RestAPI"]["Properties"]
    assert "AccessLogSetting" not in api
    for settings in api["MethodSettings"]:
        assert not {"DataTraceEnabled", "LoggingLevel"} & settings.keys()


def test_no_function_is_told_a_secret(template: Template) -> None:
    """Whoever may look at a function sees its variables."""
    for name, function in template.functions.items():
        for variable in function["Environment"]["Variables"]:
            assert not SECRET.search(variable), (name, variable)
    assert "PRIVATE KEY" not in json.dumps(template.content)


def test_a_function_has_no_address_of_its_own_and_only_our_gateway_calls_the_api(template: Template) -> None:
    assert template.of_type("AWS::Lambda::Url") == {}
    assert [name for name, function in template.functions.items() if "FunctionUrlConfig" in function] == []
    permissions = template.of_type("AWS::Lambda::Permission").values()
    assert permissions
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert "RestAPI" in json.dumps(permission["SourceArn"])


def test_only_functions_take_the_roles_of_functions(template: Template) -> None:
    for role in template.of_type("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert statement["Action"] == "sts:AssumeRole"
