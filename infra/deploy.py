"""Put one stage into the AWS account of the current credentials: `python -m infra.deploy --stage dev`.

First the tables, queues and bucket, as a CloudFormation stack of their own; then the functions and the API with the
Chalice CLI; then the three things that this CLI cannot say. Every step of ours may be repeated. Chalice records what
it made only when all of it succeeded (https://github.com/aws/chalice/issues/1340): docs/deploying.md says what to do
after that.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.session import Session, get_session

from infra.definition import RESOURCES_FILE
from infra.gateway_responses import CONTENT_TYPE, GATEWAY_RESPONSES
from infra.package import (
    BINARY_MEDIA_TYPE,
    PROJECT,
    PackageError,
    Stage,
    build_package,
    chalice_command,
    chalice_environment,
    chalice_project,
    read_stage,
)

RunChalice = Callable[[Stage, str], str]
"""deploys the functions and the API of a stage to an account and returns the id of its REST API"""

_UNCHANGED = "No updates are to be performed"


class DeployError(Exception):
    """The stage could not be deployed; the message says why."""


def deploy(stage: Stage, *, session: Session, run_chalice: RunChalice) -> None:
    """Create or update everything of `stage` in the account and region of `session`.

    Raises:
        DeployError: a step failed; the steps before it stay done.
    """
    account = check_account(session)
    print(f"deploying {stage.app_name} {stage.name} to account {account}, region {_region(session)}")
    try:
        deploy_resources(stage, cloudformation=session.create_client("cloudformation"))
        api_id = run_chalice(stage, account)
        finish_api(stage, api_id=api_id, apigateway=session.create_client("apigateway"))
        keep_api_logs(stage, logs=session.create_client("logs"))
    except (BotoCoreError, ClientError) as error:
        raise DeployError(str(error)) from error


def check_account(session: Session) -> str:
    """The account number behind the credentials of `session`.

    Raises:
        DeployError: no region, no credentials, or AWS does not accept them.
    """
    if not _region(session):
        raise DeployError("no AWS region: set AWS_DEFAULT_REGION, or a region in the AWS profile")
    try:
        sts: Any = session.create_client("sts")
        return str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"no usable AWS credentials: {error}") from error


def _region(session: Session) -> str | None:
    region: str | None = session.get_config_variable("region")
    return region


def deploy_resources(stage: Stage, *, cloudformation: Any) -> None:
    """Create the stack of `infra/resources.yaml`, or update it, and wait until it is done.

    Raises:
        DeployError: the stack failed, or is in a state that no update leaves.
    """
    name = f"{stage.app_name}-{stage.name}-resources"
    request = {
        "StackName": name,
        "TemplateBody": RESOURCES_FILE.read_text(encoding="utf-8"),
        "Parameters": [{"ParameterKey": "Prefix", "ParameterValue": stage.prefix}],
    }
    status = _stack_status(name, cloudformation)
    if status is None:
        print(f"creating tables, queues and bucket (stack {name})")
        cloudformation.create_stack(**request)
        _wait_for_stack(name, "stack_create_complete", cloudformation)
    elif not status.endswith("_COMPLETE") or status == "ROLLBACK_COMPLETE":
        raise DeployError(f"stack {name} is {status}: let it finish, or delete it and deploy again")
    elif _update_stack(request, cloudformation):
        print(f"updating tables, queues and bucket (stack {name})")
        _wait_for_stack(name, "stack_update_complete", cloudformation)
    else:
        print(f"tables, queues and bucket are up to date (stack {name})")


def _stack_status(name: str, cloudformation: Any) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that does not exist.
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise


def _update_stack(request: dict[str, Any], cloudformation: Any) -> bool:
    """Start the update; False when there is nothing to change."""
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if _UNCHANGED in str(error):
            return False
        raise
    return True


def _wait_for_stack(name: str, waiter: str, cloudformation: Any) -> None:
    try:
        cloudformation.get_waiter(waiter).wait(StackName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 720})
    except WaiterError as error:
        raise DeployError(f"stack {name} failed: {_first_failure(name, cloudformation) or error}") from error


def _first_failure(name: str, cloudformation: Any) -> str | None:
    """Why the newest operation on the stack failed. Events come newest first, so the cause is the last of its kind."""
    reason = None
    for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]:
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        if event["LogicalResourceId"] == name and event.get("ResourceStatusReason") == "User Initiated":
            break
    return reason


def run_chalice_deploy(stage: Stage, account: str) -> str:
    """Deploy functions and API with the Chalice CLI and return the id of the REST API.

    What was deployed is recorded in `.chalice/deployed/<stage>.json`: the next deployment and the removal need it.

    Raises:
        PackageError: the project cannot be packaged.
        DeployError: the Chalice CLI failed; it has printed why.
    """
    # Chalice only warns of a dependency that it cannot package; packaging first makes that an error.
    build_package(stage=stage, out=PROJECT / "build" / "package")
    with chalice_project(account=account) as project:
        command = chalice_command("deploy", "--stage", stage.name)
        result = subprocess.run(command, cwd=project, env=chalice_environment(os.environ), check=False)
    if result.returncode != 0:
        raise DeployError("chalice deploy failed; its message is above")
    deployed = json.loads((PROJECT / ".chalice" / "deployed" / f"{stage.name}.json").read_text(encoding="utf-8"))
    return next(str(item["rest_api_id"]) for item in deployed["resources"] if item["resource_type"] == "rest_api")


def finish_api(stage: Stage, *, api_id: str, apigateway: Any) -> None:
    """Give the API what Chalice cannot: our bodies for the gateway's own answers, and untouched bytes. Then publish.

    `chalice deploy` overwrites the whole API, so this belongs after each one.
    """
    print(f"setting the gateway's own answers and binary bodies (API {api_id})")
    put_gateway_responses(api_id=api_id, apigateway=apigateway)
    pass_bytes_through(api_id=api_id, apigateway=apigateway)
    apigateway.create_deployment(restApiId=api_id, stageName=stage.api_stage, tracingEnabled=stage.traced)


def put_gateway_responses(*, api_id: str, apigateway: Any) -> None:
    """Give the API our bodies for what the gateway answers itself."""
    for kind, response in GATEWAY_RESPONSES.items():
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            statusCode=str(response.status),
            responseTemplates={CONTENT_TYPE: response.body},
        )


def pass_bytes_through(*, api_id: str, apigateway: Any) -> None:
    """Make the API take every body as bytes; nothing happens if it does already."""
    if BINARY_MEDIA_TYPE in apigateway.get_rest_api(restApiId=api_id).get("binaryMediaTypes", ()):
        return
    escaped = BINARY_MEDIA_TYPE.replace("/", "~1")  # a JSON pointer, where a slash would part it
    operation = {"op": "add", "path": f"/binaryMediaTypes/{escaped}"}
    apigateway.update_rest_api(restApiId=api_id, patchOperations=[operation])


def keep_api_logs(stage: Stage, *, logs: Any) -> None:
    """Limit how long the API's logs are kept: Chalice 1.34 sets it on a log group that no function has."""
    group = f"/aws/lambda/{stage.app_name}-{stage.name}"
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=stage.log_retention_days)


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy one stage. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Deploy a stage to AWS.")
    parser.add_argument("--stage", default="dev", help="a stage of .chalice/config.json (default: dev)")
    options = parser.parse_args(arguments)
    try:
        deploy(read_stage(options.stage), session=get_session(), run_chalice=run_chalice_deploy)
    except (DeployError, PackageError, BotoCoreError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
