"""Put one stage into the AWS account of the current credentials: `python -m infra.deploy --stage dev`.

Everything is checked and packaged before anything is made. Then tables, queues, bucket and alarms, as a CloudFormation
stack of their own; then the functions and the API with the Chalice CLI; then what this CLI cannot say; then the API is
asked whether it answers. Every step of ours may be repeated. Chalice records what it made only when all of it succeeded
(https://github.com/aws/chalice/issues/1340), so a first deployment that does not come to its end
is taken back.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session, get_session

from infra.accounts import AccountError, check_account, check_concurrency
from infra.chalice_project import Place, chalice_command, chalice_environment, chalice_project, deployment_record
from infra.gateway_limits import limits_of
from infra.gateway_responses import CONTENT_TYPE, GATEWAY_RESPONSES
from infra.leftovers import LeftoverError, remove_functions
from infra.package import BINARY_MEDIA_TYPE, LOGGING, PACKAGES, PackageError, build_package
from infra.records import RecordError, drop_record, fetch_record, is_first_under_way, keep_record, mark_first
from infra.stacks import StackError, deploy_stacks
from infra.stages import Stage, StageError, check_runtime, read_stage

RunChalice = Callable[[Stage, Place], str]
"""deploys the functions and the API of a stage to a place and returns the id of its REST API"""

_POLL = {"Delay": 2, "MaxAttempts": 60}
_HEALTH = {
    "resource": "/v1/system/status",
    "path": "/v1/system/status",
    "httpMethod": "GET",
    "headers": {"Api-Revision": "1.2"},
    "multiValueHeaders": {},
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {"httpMethod": "GET", "resourcePath": "/v1/system/status", "path": "/v1/system/status"},
    "body": None,
    "isBase64Encoded": False,
}


class DeployError(Exception):
    """The stage could not be deployed; the message says why."""


def deploy(stage: Stage, *, session: Session, run_chalice: RunChalice) -> str:
    """Create or update everything of `stage` in the account and region of `session`, and return the API's address.

    Raises:
        DeployError: a step failed; the steps before it stay done.
    """
    try:
        place = check_account(session)
        print(f"deploying {stage.app_name} {stage.name} to account {place.account}, region {place.region}")
        check_concurrency(stage, awslambda=session.create_client("lambda"))
        deploy_stacks(stage, cloudformation=session.create_client("cloudformation"))
        api_id = deploy_functions(stage, place, session=session, run_chalice=run_chalice)
        finish_api(stage, api_id=api_id, apigateway=session.create_client("apigateway"))
        finish_logs(stage, logs=session.create_client("logs"), awslambda=session.create_client("lambda"))
        check_answer(stage, awslambda=session.create_client("lambda"))
    except (AccountError, LeftoverError, RecordError, StackError, BotoCoreError, ClientError) as error:
        raise DeployError(str(error)) from error
    return f"https://{api_id}.execute-api.{place.region}.amazonaws.com/{stage.api_stage}"


def deploy_functions(stage: Stage, place: Place, *, session: Session, run_chalice: RunChalice) -> str:
    """Deploy functions and API, with the record of who deployed them last, and return the id of the REST API.

    A first deployment that does not come to its end is taken back, since Chalice would make half of it twice: at once,
    or by the next one if nobody was left to do so.

    Raises:
        DeployError, LeftoverError, RecordError
    """
    s3 = session.create_client("s3")
    is_first = not fetch_record(stage, place, s3=s3, awslambda=session.create_client("lambda"))
    if is_first:
        if is_first_under_way(stage, place, s3=s3):
            print("the first deployment did not come to its end; removing what it left behind")
            remove_functions(stage, session=session)
        mark_first(stage, place, s3=s3)
    try:
        api_id = run_chalice(stage, place)
        keep_record(stage, place, s3=s3)
    except BaseException:
        if is_first:
            with _uninterrupted():
                print("taking the first deployment back", flush=True)
                remove_functions(stage, session=session)
                drop_record(stage, place, s3=s3)
        raise
    return api_id


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Another Ctrl-C waits for the end of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_chalice_deploy(stage: Stage, place: Place) -> str:
    """Deploy functions and API with the Chalice CLI and return the id of the REST API.

    What was deployed is recorded in `.chalice/deployed/<stage>.json`: the next deployment and the removal need it.

    Raises:
        DeployError: the Chalice CLI failed; it has printed why.
    """
    with chalice_project(stage, place=place) as project:
        command = chalice_command("deploy", "--stage", stage.name)
        result = subprocess.run(command, cwd=project, env=chalice_environment(), check=False)
    if result.returncode != 0:
        raise DeployError("chalice deploy failed; its message is above")
    deployed = json.loads(deployment_record(stage).read_text(encoding="utf-8"))
    return next(str(item["rest_api_id"]) for item in deployed["resources"] if item["resource_type"] == "rest_api")


def finish_api(stage: Stage, *, api_id: str, apigateway: Any) -> None:
    """Give the API what Chalice cannot: our bodies for the gateway's own answers, untouched bytes, limits. Publishes.

    `chalice deploy` overwrites the whole API, so this belongs after each one.
    """
    print(f"setting the gateway's own answers, binary bodies and limits (API {api_id})")
    put_gateway_responses(api_id=api_id, apigateway=apigateway)
    pass_bytes_through(api_id=api_id, apigateway=apigateway)
    apigateway.create_deployment(restApiId=api_id, stageName=stage.api_stage, tracingEnabled=False)
    limit_requests(stage, api_id=api_id, apigateway=apigateway)


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


def limit_requests(stage: Stage, *, api_id: str, apigateway: Any) -> None:
    """Limit what the gateway lets through to the API's function."""
    operations = [
        {"op": "replace", "path": f"/{limit.escaped_path}/{limit.method}/throttling/{name}", "value": value}
        for limit in limits_of(stage)
        for name, value in (("rateLimit", f"{limit.rate:g}"), ("burstLimit", str(limit.burst)))
    ]
    apigateway.update_stage(restApiId=api_id, stageName=stage.api_stage, patchOperations=operations)


def finish_logs(stage: Stage, *, logs: Any, awslambda: Any) -> None:
    """Make all log lines JSON, and limit how long the API's are kept: Chalice limits a group that no function has."""
    for function in stage.deployed_functions:
        # which refuses a second change while the first is under way
        awslambda.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig=_POLL)
        awslambda.update_function_configuration(FunctionName=function, LoggingConfig=LOGGING)
    group = f"/aws/lambda/{stage.base_name}"
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=stage.log_retention_days)


def check_answer(stage: Stage, *, awslambda: Any) -> None:
    """Ask the API's function for its health, as the gateway would ask it.

    Raises:
        DeployError: everything is deployed, but it does not answer.
    """
    awslambda.get_waiter("function_updated_v2").wait(FunctionName=stage.base_name, WaiterConfig=_POLL)
    answer = awslambda.invoke(FunctionName=stage.base_name, Payload=json.dumps(_HEALTH))
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or payload.get("statusCode") != 200:
        raise DeployError(
            f"everything is deployed, but the API does not answer: {json.dumps(payload)[:500]};"
            f" see the log group /aws/lambda/{stage.base_name}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy one stage. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Deploy a stage to AWS.")
    parser.add_argument("--stage", default="dev", help="a stage of .chalice/config.json (default: dev)")
    options = parser.parse_args(arguments)
    try:
        check_runtime()
        stage = read_stage(options.stage)
        session = get_session()
        check_account(session)
        # Chalice only warns of a dependency that it cannot package; packaging first makes that an error.
        build_package(stage=stage, out=PACKAGES / stage.name)
        address = deploy(stage, session=session, run_chalice=run_chalice_deploy)
    except (AccountError, DeployError, PackageError, StageError, BotoCoreError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndeploy: stopped midway; run it again", file=sys.stderr)
        return 1
    print(f'{stage.name} is up: {address}\nNext: a project and its key, docs/deploying.md, "The first project and key"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
