"""Everything of a stage that is neither function nor API, as CloudFormation templates without parameters.

`infra/resources.yaml` names what every stage has; here it gets the stage's own: names, protection, alarms. What
CloudFormation alone knows, such as the account, stays a `Fn::Sub`.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from infra.definition import RESOURCES_FILE, read_queues
from infra.monitoring import render_monitoring
from infra.stages import Json, Stage

_KEPT_VERSIONS_DAYS = 35
"""as long as tables can be restored"""


def render_storage(stage: Stage) -> Json:
    """Tables, queues, bucket and parameters."""
    template = yaml.safe_load(RESOURCES_FILE.read_text(encoding="utf-8"))
    resources: Json = _fill_in(template["Resources"], stage.prefix)
    if stage.protected:
        _protect(resources)
    resources["DeploymentParameter"] = _describe_deployment(stage)
    return {"Description": template["Description"], "Resources": resources}


def render_alarms(stage: Stage) -> Json:
    """Alarms and dashboard."""
    resources = render_monitoring(
        app_name=stage.app_name,
        stage=stage.name,
        prefix=stage.prefix,
        api_stage=stage.api_stage,
        functions=stage.deployed_functions,
        queues=read_queues(stage.prefix),
        alarm_email=stage.alarm_email,
    )
    return {"Description": f"Passel {stage.name}: alarms and dashboard", "Resources": resources}


def render_resources(stage: Stage) -> Json:
    """All of it in one template."""
    storage = render_storage(stage)
    return {**storage, "Resources": storage["Resources"] | render_alarms(stage)["Resources"]}


def _fill_in(value: Any, prefix: str) -> Any:
    match value:
        case {"Fn::Sub": str(text)} if "${Prefix}" in text:
            filled = text.replace("${Prefix}", prefix)
            return {"Fn::Sub": filled} if "${" in filled else filled
        case dict():
            return {key: _fill_in(item, prefix) for key, item in value.items()}
        case list():
            return [_fill_in(item, prefix) for item in value]
    return value


def _protect(resources: Json) -> None:
    """Tables can be restored to any second of 35 days and not be deleted; so can replaced and deleted images."""
    for resource in resources.values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            resource["Properties"]["DeletionProtectionEnabled"] = True
            resource["Properties"]["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": True}
        elif resource["Type"] == "AWS::S3::Bucket":
            resource["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
            resource["Properties"]["LifecycleConfiguration"]["Rules"].append(
                {
                    "Id": "ForgetOldVersions",
                    "Status": "Enabled",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": _KEPT_VERSIONS_DAYS},
                }
            )


def _describe_deployment(stage: Stage) -> Json:
    """What the command line and other systems must know to find this stage."""
    document = {
        "prefix": stage.prefix,
        "functions": stage.base_name,
        "bucket": f"{stage.prefix}assets-${{AWS::AccountId}}",
    }
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": f"/{stage.base_name}/deployment",
            "Type": "String",
            "Description": "Names of this deployment of Passel",
            "Value": {"Fn::Sub": json.dumps(document)},
        },
    }
