"""An AWS account as far as moto plays it, and a Chalice CLI that leaves behind what the real one would."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.session import Session, get_session
from moto import mock_aws
from moto.awslambda_simple.models import lambda_simple_backends

from infra.chalice_project import Place, deployment_record
from infra.stages import Stage

REGION = "eu-west-1"
ACCOUNT = "123456789012"
HEALTHY = {"statusCode": 200, "body": "{}"}
ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}


@contextmanager
def played_account(*, answer: object = HEALTHY) -> Iterator[Session]:
    """An empty account; whatever function is called in it gives `answer`."""
    with mock_aws(config={"lambda": {"use_docker": False}}):
        queue = lambda_simple_backends[ACCOUNT][REGION].lambda_simple_results_queue
        queue.extend([json.dumps(answer)] * 9)
        try:
            yield get_session()
        finally:
            queue.clear()


def code_archive() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("app.py", "")
    return archive.getvalue()


class FakeChalice:
    """Makes functions with their roles, layer, rule and log group, one queue mapping, the API, and then the record.

    Or it raises `failure` before the record.
    """

    def __init__(self, session: Session, *, failure: BaseException | None = None) -> None:
        self.gateway: Any = session.create_client("apigateway")
        self._lambda: Any = session.create_client("lambda")
        self._iam: Any = session.create_client("iam")
        self._events: Any = session.create_client("events")
        self._logs: Any = session.create_client("logs")
        self._failure = failure
        self.found_record = False
        self.api_id = ""
        self.place: Place | None = None

    def __call__(self, stage: Stage, place: Place) -> str:
        self.place = place
        record = deployment_record(stage)
        self.found_record = record.exists()
        if self.found_record:
            self.api_id = json.loads(record.read_text())["resources"][-1]["rest_api_id"]
            return self.api_id
        self._make_functions(stage, place)
        self.api_id = make_api(self.gateway, stage)
        if self._failure is not None:
            raise self._failure
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"resources": describe(stage, place, api_id=self.api_id)}))
        return self.api_id

    def _make_functions(self, stage: Stage, place: Place) -> None:
        self._lambda.publish_layer_version(
            LayerName=f"{stage.base_name}-managed-layer", Content={"ZipFile": code_archive()}
        )
        for name in stage.functions:
            role = f"{stage.base_name}-{name}"
            arn = self._iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["Arn"]
            self._iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(POLICY))
            self._lambda.create_function(
                FunctionName=stage.deployed_name(name),
                Runtime="python3.11",
                Role=arn,
                Handler="app.app",
                Code={"ZipFile": code_archive()},
            )
        self._lambda.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{place.region}:{place.account}:{stage.prefix}plan",
            FunctionName=stage.deployed_name("plan_bulk_update"),
        )
        rule = f"{stage.base_name}-resume_unfinished-event"
        self._events.put_rule(Name=rule, ScheduleExpression="rate(15 minutes)")
        function = f"arn:aws:lambda:{place.region}:{place.account}:function:{stage.deployed_name('resume_unfinished')}"
        self._events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": function}])
        self._logs.create_log_group(logGroupName=f"/aws/lambda/{stage.deployed_name('resume_unfinished')}")


def describe(stage: Stage, place: Place, *, api_id: str) -> list[dict[str, str]]:
    """What Chalice records."""
    arn = f"arn:aws:lambda:{place.region}:{place.account}:function:"
    functions = [{"resource_type": "lambda_function", "lambda_arn": arn + name} for name in stage.deployed_functions]
    return [*functions, {"resource_type": "rest_api", "rest_api_id": api_id}]


def make_api(gateway: Any, stage: Stage) -> str:
    """An API that calls the function of `stage`; its id."""
    api_id = str(gateway.create_rest_api(name=stage.app_name)["id"])
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    method = {"restApiId": api_id, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stage.base_name}"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    return api_id


def list_chalice_made(session: Session) -> dict[str, list[str]]:
    """The names of everything in the account that only Chalice makes, by kind."""
    find: Any = session.create_client
    return {
        "functions": sorted(list_functions(session)),
        "mappings": [each["UUID"] for each in find("lambda").list_event_source_mappings()["EventSourceMappings"]],
        "layers": [each["LayerName"] for each in find("lambda").list_layers()["Layers"]],
        "roles": [each["RoleName"] for each in find("iam").list_roles()["Roles"]],
        "rules": [each["Name"] for each in find("events").list_rules()["Rules"]],
        "logs": [each["logGroupName"] for each in find("logs").describe_log_groups()["logGroups"]],
        "apis": sorted(list_apis(session)),
    }


def list_functions(session: Session) -> set[str]:
    client: Any = session.create_client("lambda")
    return {function["FunctionName"] for function in client.list_functions()["Functions"]}


def list_tables(session: Session) -> set[str]:
    client: Any = session.create_client("dynamodb")
    return set(client.list_tables()["TableNames"])


def list_buckets(session: Session) -> list[str]:
    client: Any = session.create_client("s3")
    return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def list_apis(session: Session) -> set[str]:
    client: Any = session.create_client("apigateway")
    return {api["id"] for api in client.get_rest_apis()["items"]}
