"""`infra.deploy` against moto; the Chalice CLI is replaced by what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.session import Session, get_session
from botocore.stub import Stubber

from infra import deploy as deploying
from infra.accounts import AccountError, check_account, check_concurrency
from infra.definition import read_queues, read_tables
from infra.deploy import DeployError, deploy, main, pass_bytes_through
from infra.gateway_responses import GATEWAY_RESPONSES
from infra.leftovers import find_apis, remove_mappings
from infra.stacks import deploy_stacks, list_stacks
from infra.stages import Stage
from tests.infra.cloud import (
    ACCOUNT,
    REGION,
    FakeChalice,
    describe,
    list_apis,
    list_buckets,
    list_chalice_made,
    list_functions,
    list_tables,
    make_api,
    played_account,
)

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse .* not supported by moto:UserWarning")


@pytest.fixture
def session(own_checkout: Path) -> Iterator[Session]:
    with played_account() as session:
        yield session


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client that gets the answers in the order they were added; all of them must be fetched."""
    client: Any = get_session().create_client(
        service, region_name=REGION, aws_access_key_id="none", aws_secret_access_key="none"
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def test_a_first_deployment_creates_tables_queues_and_bucket(session: Session, dev: Stage) -> None:
    chalice = FakeChalice(session)
    address = deploy(dev, session=session, run_chalice=chalice)

    assert address == f"https://{chalice.api_id}.execute-api.{REGION}.amazonaws.com/dev"
    assert list_tables(session) == {table["TableName"] for table in read_tables(dev.prefix)}
    sqs: Any = session.create_client("sqs")
    queues = {address.rpartition("/")[2] for address in sqs.list_queues()["QueueUrls"]}
    assert queues == {queue.name for queue in read_queues(dev.prefix)}
    assert list_buckets(session) == [f"passel-dev-assets-{ACCOUNT}"]
    assert chalice.place == check_account(session)


def test_deploying_again_changes_no_table(session: Session, dev: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    before = list_tables(session)
    deploy(dev, session=session, run_chalice=FakeChalice(session))

    assert list_tables(session) == before
    assert "stack passel-dev-resources" in capsys.readouterr().out


def test_names_of_the_deployment_can_be_looked_up(session: Session, dev: Stage) -> None:
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    ssm: Any = session.create_client("ssm")
    found = ssm.get_parameter(Name="/passel-dev/deployment")["Parameter"]["Value"]
    assert '"prefix": "passel-dev-"' in found
    assert f"passel-dev-assets-{ACCOUNT}" in found


def test_somebody_else_deploys_next_from_another_checkout(session: Session, dev: Stage, own_checkout: Path) -> None:
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    (own_checkout / "dev.json").unlink()

    second = FakeChalice(session)
    deploy(dev, session=session, run_chalice=second)
    assert second.found_record
    assert list_apis(session) == {second.api_id}


def test_without_any_record_nothing_is_made_a_second_time(session: Session, dev: Stage, own_checkout: Path) -> None:
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    (own_checkout / "dev.json").unlink()
    s3: Any = session.create_client("s3")
    s3.delete_object(Bucket=f"passel-dev-assets-{ACCOUNT}", Key="deployments/chalice.json")

    with pytest.raises(DeployError, match=r"passel-dev is there, but no record.*bring dev\.json"):
        deploy(dev, session=session, run_chalice=FakeChalice(session))
    assert len(list_apis(session)) == 1


def test_the_record_of_a_stage_that_is_gone_is_not_believed(session: Session, dev: Stage, own_checkout: Path) -> None:
    (own_checkout / "dev.json").write_text('{"resources": [{"resource_type": "rest_api", "rest_api_id": "gone"}]}')
    chalice = FakeChalice(session)
    deploy(dev, session=session, run_chalice=chalice)
    assert not chalice.found_record


@pytest.mark.parametrize("failure", [DeployError("Chalice has printed why"), KeyboardInterrupt()])
def test_a_first_deployment_that_fails_is_taken_back(
    session: Session, dev: Stage, stage: Stage, failure: BaseException
) -> None:
    """Else the next try would make the API and the queue mappings once more. What is another's stays."""
    gateway: Any = session.create_client("apigateway")
    make_api(gateway, stage)
    gateway.create_rest_api(name=dev.app_name)
    before = list_chalice_made(session)
    with pytest.raises(type(failure), match=r"Chalice has printed why|^$"):
        deploy(dev, session=session, run_chalice=FakeChalice(session, failure=failure))
    assert list_chalice_made(session) == before
    assert not list_kept(session)


def test_what_nobody_took_back_is_taken_back_by_the_next_deployment(session: Session, dev: Stage, stage: Stage) -> None:
    """As after `kill -9`: the mark in the bucket is all that tells of it."""
    gateway: Any = session.create_client("apigateway")
    others = make_api(gateway, stage)
    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(deploying, "remove_functions", lambda *_, **__: None)
        killed.setattr(deploying, "drop_record", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            deploy(dev, session=session, run_chalice=FakeChalice(session, failure=KeyboardInterrupt()))
    assert list_functions(session) == set(dev.deployed_functions)
    assert list_kept(session) == ["deployments/first-under-way"]

    chalice = FakeChalice(session)
    deploy(dev, session=session, run_chalice=chalice)
    assert list_apis(session) == {chalice.api_id, others}
    assert len(list_chalice_made(session)["mappings"]) == 1
    assert list_kept(session) == ["deployments/chalice.json"]


def list_kept(session: Session) -> list[str]:
    s3: Any = session.create_client("s3")
    return [each["Key"] for each in s3.list_objects_v2(Bucket=f"passel-dev-assets-{ACCOUNT}").get("Contents", [])]


def test_the_api_of_the_stage_is_known_by_the_function_that_lets_it_call(session: Session, dev: Stage) -> None:
    gateway: Any = session.create_client("apigateway")
    awslambda: Any = session.create_client("lambda")
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    bare = gateway.create_rest_api(name=dev.app_name)["id"]
    known = find_apis(dev, awslambda=awslambda, apigateway=gateway)
    awslambda.add_permission(
        FunctionName=dev.base_name,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{bare}/*",
    )
    assert find_apis(dev, awslambda=awslambda, apigateway=gateway) == known | {bare}


def test_a_record_of_another_stage_is_refused(session: Session, dev: Stage, stage: Stage) -> None:
    place = check_account(session)
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    s3: Any = session.create_client("s3")
    record = json.dumps({"resources": describe(stage, place, api_id="a1")})
    s3.put_object(Bucket=f"passel-dev-assets-{ACCOUNT}", Key="deployments/chalice.json", Body=record)
    chalice = FakeChalice(session)
    with pytest.raises(DeployError, match="'dev' tells of the function passel-prod, which is another stage's"):
        deploy(dev, session=session, run_chalice=chalice)
    assert chalice.place is None


def test_a_queue_mapping_that_is_being_made_is_removed_as_soon_as_it_is(
    dev: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.leftovers._MAPPING_SECONDS", 0)
    ours, function = f"{1:036}", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:passel-dev-plan_bulk_update"
    with stubbed("lambda") as (awslambda, stubber):
        found = [{"UUID": ours, "FunctionArn": function}, {"UUID": f"{2:036}", "FunctionArn": function + "2"}]
        stubber.add_response("list_event_source_mappings", {"EventSourceMappings": found}, {})
        stubber.add_client_error(
            "delete_event_source_mapping", "ResourceInUseException", expected_params={"UUID": ours}
        )
        stubber.add_response("delete_event_source_mapping", {}, {"UUID": ours})
        remove_mappings(dev, awslambda=awslambda)


@pytest.mark.parametrize("protected", [True, False])
def test_stacks_that_are_there_are_protected_with_the_stage(dev: Stage, protected: bool) -> None:
    """Only a person takes that away again."""
    with stubbed("cloudformation") as (cloudformation, stubber):
        for name, _ in list_stacks(dev):
            there = {"StackName": name, "StackStatus": "CREATE_COMPLETE", "CreationTime": datetime.now(UTC)}
            stubber.add_response("describe_stacks", {"Stacks": [there]})
            stubber.add_client_error("update_stack", "ValidationError", "No updates are to be performed.")
            if protected:
                expected = {"StackName": name, "EnableTerminationProtection": True}
                stubber.add_response("update_termination_protection", {}, expected)
        deploy_stacks(replace(dev, protected=protected), cloudformation=cloudformation)


def test_a_later_deployment_that_fails_takes_nothing_away(session: Session, dev: Stage) -> None:
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    before = (list_functions(session), list_apis(session))

    def fail(*_: object) -> str:
        raise DeployError("chalice deploy failed; its message is above")

    with pytest.raises(DeployError):
        deploy(dev, session=session, run_chalice=fail)
    assert (list_functions(session), list_apis(session)) == before


def test_the_gateway_gets_our_answers_and_limits_and_publishes_them(session: Session, dev: Stage) -> None:
    chalice = FakeChalice(session)
    deploy(dev, session=session, run_chalice=chalice)

    for kind, response in GATEWAY_RESPONSES.items():
        found = chalice.gateway.get_gateway_response(restApiId=chalice.api_id, responseType=kind)
        assert found["statusCode"] == str(response.status)
        assert found["responseTemplates"] == {"application/json": response.body}
    published = chalice.gateway.get_stage(restApiId=chalice.api_id, stageName="dev")
    assert published["deploymentId"]
    limits = {
        route: (settings["throttlingRateLimit"], settings["throttlingBurstLimit"])
        for route, settings in published["methodSettings"].items()
    }
    assert limits == {
        "*/*": (dev.requests_per_second, dev.burst),
        "~1p~1{distribution}/GET": (dev.visitors_per_second, dev.visitors_burst),
    }


def test_the_gateway_takes_every_body_as_bytes() -> None:
    with stubbed("apigateway") as (gateway, stubber):
        stubber.add_response("get_rest_api", {"binaryMediaTypes": ["image/png"]}, {"restApiId": "a1"})
        operation = {"op": "add", "path": "/binaryMediaTypes/*~1*"}
        stubber.add_response("update_rest_api", {}, {"restApiId": "a1", "patchOperations": [operation]})
        pass_bytes_through(api_id="a1", apigateway=gateway)


def test_a_gateway_that_takes_bytes_already_is_left_alone() -> None:
    with stubbed("apigateway") as (gateway, stubber):
        stubber.add_response("get_rest_api", {"binaryMediaTypes": ["image/png", "*/*"]}, {"restApiId": "a1"})
        pass_bytes_through(api_id="a1", apigateway=gateway)


def test_bytes_pass_before_the_api_is_published(session: Session, dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    chalice = FakeChalice(session)
    deploy(dev, session=session, run_chalice=chalice)
    calls: list[str] = []
    record = calls.append
    monkeypatch.setattr(deploying, "pass_bytes_through", lambda **_: record("bytes"))
    monkeypatch.setattr(deploying, "put_gateway_responses", lambda **_: record("answers"))
    chalice.gateway.meta.events.register("before-call.api-gateway", lambda model, **_: record(model.name))
    deploying.finish_api(dev, api_id=chalice.api_id, apigateway=chalice.gateway)
    assert calls == ["answers", "bytes", "CreateDeployment", "UpdateStage"]


def test_the_log_of_the_api_is_not_kept_for_ever(session: Session, dev: Stage) -> None:
    deploy(dev, session=session, run_chalice=FakeChalice(session))

    logs: Any = session.create_client("logs")
    group, _ = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/passel-dev")["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/lambda/passel-dev", 30)


def test_a_stack_that_cannot_be_updated_stops_the_deployment(session: Session, dev: Stage) -> None:
    cloudformation: Any = session.create_client("cloudformation")
    cloudformation.create_change_set(
        StackName="passel-dev-resources",
        ChangeSetName="unfinished",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}',
    )
    with pytest.raises(DeployError, match="stack passel-dev-resources is REVIEW_IN_PROGRESS"):
        deploy(dev, session=session, run_chalice=FakeChalice(session))


def test_a_deployed_api_that_does_not_answer_is_no_success(own_checkout: Path, dev: Stage) -> None:
    with (
        played_account(answer={"errorMessage": "Unable to import module 'app'"}) as session,
        pytest.raises(DeployError, match=r"does not answer: .*Unable to import.* log group /aws/lambda/passel-dev$"),
    ):
        deploy(dev, session=session, run_chalice=FakeChalice(session))


def test_an_account_without_room_for_what_is_reserved_is_refused_before_anything_is_made(dev: Stage) -> None:
    reserving = replace(dev, functions={"api_handler": {"reserved_concurrency": 400}})
    with stubbed("lambda") as (awslambda, stubber):
        limit = {"ConcurrentExecutions": 450, "UnreservedConcurrentExecutions": 450}
        stubber.add_response("get_account_settings", {"AccountLimit": limit}, {})
        stubber.add_response("get_function_concurrency", {}, {"FunctionName": "passel-dev"})
        with pytest.raises(AccountError, match="reserves a concurrency of 400, and 350 of the account's 450 are free"):
            check_concurrency(reserving, awslambda=awslambda)


def test_what_the_stage_holds_already_is_room(dev: Stage) -> None:
    reserving = replace(dev, functions={"api_handler": {"reserved_concurrency": 400}})
    with stubbed("lambda") as (awslambda, stubber):
        limit = {"ConcurrentExecutions": 500, "UnreservedConcurrentExecutions": 100}
        stubber.add_response("get_account_settings", {"AccountLimit": limit}, {})
        held = {"ReservedConcurrentExecutions": 400}
        stubber.add_response("get_function_concurrency", held, {"FunctionName": "passel-dev"})
        check_concurrency(reserving, awslambda=awslambda)


def test_without_credentials_nothing_is_touched(session: Session, dev: Stage) -> None:
    class Anonymous(Session):
        def create_client(self, service_name: str, *_: Any, **__: Any) -> Any:
            assert service_name == "sts"
            raise NoCredentialsError

    anonymous = Anonymous()
    with pytest.raises(DeployError, match="no usable AWS credentials: Unable to locate credentials"):
        deploy(dev, session=anonymous, run_chalice=FakeChalice(session))


def test_an_aws_that_cannot_be_reached_is_not_blamed_on_credentials(
    monkeypatch: pytest.MonkeyPatch, own_checkout: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with pytest.raises(AccountError, match=r"^AWS cannot be reached: Could not connect"):
        check_account(get_session())


def test_an_endpoint_without_scheme_is_named(monkeypatch: pytest.MonkeyPatch, own_checkout: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    with pytest.raises(AccountError, match=r"AWS_ENDPOINT_URL must be an address .*localhost:4566"):
        check_account(get_session())


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch, own_checkout: Path) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(AccountError, match="set AWS_DEFAULT_REGION"):
        check_account(get_session())


def test_the_command_fails_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stage", "moon"]) == 1
    expected = "deploy: no stage 'moon' in .chalice/config.json; it has: dev, prod, emulator\n"
    assert capsys.readouterr().err == expected
