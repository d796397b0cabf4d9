"""What tells a stage's people of trouble: a topic, the alarms that speak to it, and a dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.dashboard import render_dashboard
from infra.definition import Queue
from infra.stage_alarms import list_alarms

Json = dict[str, Any]


def render_monitoring(
    *,
    app_name: str,
    stage: str,
    prefix: str,
    api_stage: str,
    functions: Sequence[str],
    queues: Sequence[Queue],
    alarm_email: str | None,
) -> Json:
    """CloudFormation resources by logical id.

    `functions` are names as Lambda has them. What is watched is named and not referred to, so that the alarms can be in
    a stack of their own. With `alarm_email` the topic sends mail there, once the address has confirmed it.
    """
    base_name = f"{app_name}-{stage}"
    resources = _render_topic(base_name, alarm_email)
    alarms = list_alarms(
        app_name=app_name,
        prefix=prefix,
        api_stage=api_stage,
        base_name=base_name,
        functions=functions,
        queues=queues,
    )
    for alarm in alarms:
        resources[f"Alarm{_camel_case(alarm.name)}"] = alarm.render(base_name=base_name)
    resources["Dashboard"] = render_dashboard(
        app_name=app_name,
        base_name=base_name,
        prefix=prefix,
        api_stage=api_stage,
        functions=functions,
        queues=queues,
    )
    return resources


def _render_topic(base_name: str, alarm_email: str | None) -> Json:
    """The topic with a key of its own: CloudWatch cannot write to one that is encrypted with SNS's usual key."""
    resources: Json = {
        "AlarmKey": {"Type": "AWS::KMS::Key", "Properties": _describe_key(base_name)},
        "AlarmTopic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": f"{base_name}-alarms", "KmsMasterKeyId": {"Ref": "AlarmKey"}},
        },
        "AlarmTopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "AlarmTopic"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [_let_alarms(base_name, ["sns:Publish"], {"Ref": "AlarmTopic"})],
                },
            },
        },
    }
    if alarm_email is not None:
        resources["AlarmMail"] = {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": {"Ref": "AlarmTopic"}, "Protocol": "email", "Endpoint": alarm_email},
        }
    return resources


def _describe_key(base_name: str) -> Json:
    administrate = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
        "Action": "kms:*",
        "Resource": "*",  # in the policy of a key this is the key alone
    }
    return {
        "Description": f"Alarms of {base_name} on their way through SNS",
        "EnableKeyRotation": True,
        "PendingWindowInDays": 7,
        "KeyPolicy": {
            "Version": "2012-10-17",
            "Statement": [administrate, _let_alarms(base_name, ["kms:Decrypt", "kms:GenerateDataKey*"], "*")],
        },
    }


def _let_alarms(base_name: str, actions: list[str], resource: object) -> Json:
    """Allows something to this stage's alarms alone."""
    alarms = f"arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{base_name}-*"
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": actions,
        "Resource": resource,
        "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": alarms}}},
    }


def _camel_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace("_", "-").split("-"))
