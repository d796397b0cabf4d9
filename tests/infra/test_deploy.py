"""`infra.deploy` against moto; the Chalice CLI is replaced by what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.session import Session, get_session
from moto import mock_aws

from infra.definition import read_queues, read_tables
from infra.deploy import DeployError, check_account, deploy, main
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

    def __call__(self, stage: Stage) -> str:
        self.api_id = self.gateway.create_rest_api(name=stage.app_name)["id"]
        root = self.gateway.get_resources(restApiId=self.api_id)["items"][0]["id"]
        method = {"restApiId": self.api_id, "resourceId": root, "httpMethod": "GET"}
        self.gateway.put_method(**method, authorizationType="NONE")
        self.gateway.put_integration(**method, type="MOCK")
        return self.api_id


def names_of_tables(session: Session) -> set[str]:
    client: Any = session.create_client("dynamodb")
    return set(client.list_tables()["TableNames"])


def test_a_first_deployment_creates_tables_and_queues(session: Session, stage: Stage) -> None:
    deploy(stage, session=session, run_chalice=FakeChalice(session))

    assert names_of_tables(session) == {table["TableName"] for table in read_tables(stage.prefix)}
    sqs: Any = session.create_client("sqs")
    queues = {address.rpartition("/")[2] for address in sqs.list_queues()["QueueUrls"]}
    assert queues == {queue.name for queue in read_queues(stage.prefix)}


def test_deploying_again_changes_no_table(session: Session, stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    deploy(stage, session=session, run_chalice=FakeChalice(session))
    before = names_of_tables(session)
    deploy(stage, session=session, run_chalice=FakeChalice(session))

    assert names_of_tables(session) == before
    assert "tables and queues" in capsys.readouterr().out


def test_the_gateway_gets_our_answers_and_publishes_them(session: Session, stage: Stage) -> None:
    chalice = FakeChalice(session)
    deploy(stage, session=session, run_chalice=chalice)

    for kind, response in GATEWAY_RESPONSES.items():
        found = chalice.gateway.get_gateway_response(restApiId=chalice.api_id, responseType=kind)
        assert found["statusCode"] == str(response.status)
        assert found["responseTemplates"] == {"application/json": response.body}
    assert chalice.gateway.get_stage(restApiId=chalice.api_id, stageName="api")["deploymentId"]


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
