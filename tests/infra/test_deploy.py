"""`infra.deploy` against moto; the Chalice CLI is replaced by what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.session import Session, get_session
from botocore.stub import Stubber
from moto import mock_aws

from infra import deploy as deploying
from infra.definition import read_queues, read_tables
from infra.deploy import DeployError, check_account, deploy, main, pass_bytes_through
from infra.gateway_responses import GATEWAY_RESPONSES
from infra.package import Stage

REGION = "eu-west-1"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield get_session()


class FakeChalice:
    """Makes a REST API, as the Chalice CLI would."""

    def __init__(self, session: Session) -> None:
        self.gateway: Any = session.create_client("apigateway")
        self.api_id = ""
        self.account = ""

    def __call__(self, stage: Stage, account: str) -> str:
        self.account = account
        self.api_id = self.gateway.create_rest_api(name=stage.app_name)["id"]
        root = self.gateway.get_resources(restApiId=self.api_id)["items"][0]["id"]
        method = {"restApiId": self.api_id, "resourceId": root, "httpMethod": "GET"}
        self.gateway.put_method(**method, authorizationType="NONE")
        self.gateway.put_integration(**method, type="MOCK")
        return self.api_id


@contextmanager
def stubbed_gateway() -> Iterator[tuple[Any, Stubber]]:
    """A client that gets the answers in the order they were added; all of them must be fetched."""
    client: Any = get_session().create_client(
        "apigateway", region_name=REGION, aws_access_key_id="none", aws_secret_access_key="none"
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def names_of_tables(session: Session) -> set[str]:
    client: Any = session.create_client("dynamodb")
    return set(client.list_tables()["TableNames"])


def test_a_first_deployment_creates_tables_queues_and_bucket(session: Session, stage: Stage) -> None:
    chalice = FakeChalice(session)
    deploy(stage, session=session, run_chalice=chalice)

    assert names_of_tables(session) == {table["TableName"] for table in read_tables(stage.prefix)}
    sqs: Any = session.create_client("sqs")
    queues = {address.rpartition("/")[2] for address in sqs.list_queues()["QueueUrls"]}
    assert queues == {queue.name for queue in read_queues(stage.prefix)}
    s3: Any = session.create_client("s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [f"passel-dev-assets-{chalice.account}"]
    assert chalice.account == check_account(session)


def test_deploying_again_changes_no_table(session: Session, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    deploy(stage, session=session, run_chalice=FakeChalice(session))
    before = names_of_tables(session)
    deploy(stage, session=session, run_chalice=FakeChalice(session))

    assert names_of_tables(session) == before
    assert "tables, queues and bucket" in capsys.readouterr().out


def test_the_gateway_gets_our_answers_and_publishes_them(session: Session, stage: Stage) -> None:
    chalice = FakeChalice(session)
    deploy(stage, session=session, run_chalice=chalice)

    for kind, response in GATEWAY_RESPONSES.items():
        found = chalice.gateway.get_gateway_response(restApiId=chalice.api_id, responseType=kind)
        assert found["statusCode"] == str(response.status)
        assert found["responseTemplates"] == {"application/json": response.body}
    assert chalice.gateway.get_stage(restApiId=chalice.api_id, stageName="api")["deploymentId"]


def test_the_gateway_takes_every_body_as_bytes() -> None:
    with stubbed_gateway() as (gateway, stubber):
        stubber.add_response("get_rest_api", {"binaryMediaTypes": ["image/png"]}, {"restApiId": "a1"})
        operation = {"op": "add", "path": "/binaryMediaTypes/*~1*"}
        stubber.add_response("update_rest_api", {}, {"restApiId": "a1", "patchOperations": [operation]})
        pass_bytes_through(api_id="a1", apigateway=gateway)


def test_a_gateway_that_takes_bytes_already_is_left_alone() -> None:
    with stubbed_gateway() as (gateway, stubber):
        stubber.add_response("get_rest_api", {"binaryMediaTypes": ["image/png", "*/*"]}, {"restApiId": "a1"})
        pass_bytes_through(api_id="a1", apigateway=gateway)


def test_bytes_pass_before_the_api_is_published(
    session: Session, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    chalice = FakeChalice(session)
    calls: list[str] = []
    record = calls.append
    monkeypatch.setattr(deploying, "pass_bytes_through", lambda **_: record("bytes"))
    monkeypatch.setattr(deploying, "put_gateway_responses", lambda **_: record("answers"))
    api_id = chalice(stage, "1")
    chalice.gateway.meta.events.register("before-call.api-gateway", lambda model, **_: record(model.name))
    deploying.finish_api(stage, api_id=api_id, apigateway=chalice.gateway)
    assert calls == ["answers", "bytes", "CreateDeployment"]


def test_the_log_of_the_api_is_not_kept_for_ever(session: Session, stage: Stage) -> None:
    deploy(stage, session=session, run_chalice=FakeChalice(session))

    logs: Any = session.create_client("logs")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/passel-dev")["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/lambda/passel-dev", 30)


def test_a_stack_that_cannot_be_updated_stops_the_deployment(session: Session, stage: Stage) -> None:
    cloudformation: Any = session.create_client("cloudformation")
    cloudformation.create_change_set(
        StackName="passel-dev-resources",
        ChangeSetName="unfinished",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}',
    )
    with pytest.raises(DeployError, match="stack passel-dev-resources is REVIEW_IN_PROGRESS"):
        deploy(stage, session=session, run_chalice=FakeChalice(session))


def test_without_credentials_nothing_is_touched(session: Session, stage: Stage) -> None:
    class Anonymous(Session):
        def create_client(self, service_name: str, *_: Any, **__: Any) -> Any:
            assert service_name == "sts"
            raise NoCredentialsError

    anonymous = Anonymous()
    with pytest.raises(DeployError, match="no usable AWS credentials: Unable to locate credentials"):
        deploy(stage, session=anonymous, run_chalice=FakeChalice(session))


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(DeployError, match="set AWS_DEFAULT_REGION"):
        check_account(get_session())


def test_the_command_fails_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stage", "moon"]) == 1
    assert capsys.readouterr().err == "deploy: no stage 'moon' in .chalice/config.json; it has: dev\n"
