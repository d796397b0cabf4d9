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
from infra.deploy import DeployError
from infra.stages import Stage

REGION = "eu-west-1"
ACCOUNT = "123456789012"
HEALTHY = {"statusCode": 200, "body": "{}"}
ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


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
    """Makes the API, its function and one worker with its queue mapping, and the record; or fails before the record."""

    def __init__(self, session: Session, *, fails: bool = False) -> None:
        self.gateway: Any = session.create_client("apigateway")
        self._lambda: Any = session.create_client("lambda")
        self._iam: Any = session.create_client("iam")
        self._fails = fails
        self.found_record = False
        self.api_id = ""
        self.place: Place | None = None

    def __call__(self, stage: Stage, place: Place) -> str:
        self.place = place
        record = deployment_record(stage)
        self.found_record = record.exists()
        if self.found_record:
            self.api_id = json.loads(record.read_text())["resources"][0]["rest_api_id"]
            return self.api_id
        self._make_functions(stage, place)
        self._make_api(stage)
        if self._fails:
            raise DeployError("chalice deploy failed; its message is above")
        record.parent.mkdir(parents=True, exist_ok=True)
        resources = [{"resource_type": "rest_api", "rest_api_id": self.api_id}]
        record.write_text(json.dumps({"resources": resources}))
        return self.api_id

    def _make_functions(self, stage: Stage, place: Place) -> None:
        role = self._iam.create_role(RoleName=stage.base_name, AssumeRolePolicyDocument=json.dumps(ROLE))["Role"]["Arn"]
        for name in stage.functions:
            self._lambda.create_function(
                FunctionName=stage.deployed_name(name),
                Runtime="python3.11",
                Role=role,
                Handler="app.app",
                Code={"ZipFile": code_archive()},
            )
        self._lambda.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{place.region}:{place.account}:{stage.prefix}plan",
            FunctionName=stage.deployed_name("plan_bulk_update"),
        )

    def _make_api(self, stage: Stage) -> None:
        self.api_id = self.gateway.create_rest_api(name=stage.app_name)["id"]
        root = self.gateway.get_resources(restApiId=self.api_id)["items"][0]["id"]
        method = {"restApiId": self.api_id, "resourceId": root, "httpMethod": "GET"}
        self.gateway.put_method(**method, authorizationType="NONE")
        self.gateway.put_integration(**method, type="MOCK")


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
