"""What `infra.package` refuses, and what it says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.package import (
    PROJECT,
    PackageError,
    chalice_environment,
    chalice_project,
    finish_template,
    main,
    read_stage,
    render_resources,
)


def packaged_by_chalice(queue: str) -> dict[str, Any]:
    """The parts of Chalice's template that are finished afterwards."""
    arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
    event = {"Type": "SQS", "Properties": {"Queue": {"Fn::Sub": arn + queue}}}
    return {
        "Resources": {
            "PlanQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "passel-dev-plan"}},
            "Worker": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {"Source": event}}},
            "APIHandler": {"Type": "AWS::Serverless::Function", "Properties": {"Tracing": "Active"}},
            "ApiHandlerLogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
            "RestAPI": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionBody": {}}},
        }
    }


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(PackageError, match=r"no stage 'moon'.*it has: dev"):
        read_stage("moon")


def test_the_command_fails_with_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--stage", "moon", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "package: no stage 'moon' in .chalice/config.json; it has: dev\n"


def test_a_queue_is_referred_to_so_that_it_is_created_first() -> None:
    template = finish_template(packaged_by_chalice("passel-dev-plan"))
    event = template["Resources"]["Worker"]["Properties"]["Events"]["Source"]
    assert event["Properties"]["Queue"] == {"Fn::GetAtt": ["PlanQueue", "Arn"]}


def test_a_worker_of_an_unknown_queue_is_refused() -> None:
    with pytest.raises(PackageError, match="Worker reads the queue 'passel-dev-moon'"):
        finish_template(packaged_by_chalice("passel-dev-moon"))


def test_names_are_written_out() -> None:
    resources = render_resources(prefix="mine-")["Resources"]
    assert resources["PassesTable"]["Properties"]["TableName"] == "mine-passes"
    assert resources["PlanQueue"]["Properties"]["QueueName"] == "mine-plan"


def test_a_name_that_holds_the_account_is_left_to_cloudformation() -> None:
    bucket = render_resources(prefix="mine-")["Resources"]["AssetsBucket"]["Properties"]
    assert bucket["BucketName"] == {"Fn::Sub": "mine-assets-${AWS::AccountId}"}


def test_what_names_the_account_is_filled_in_by_cloudformation() -> None:
    template = packaged_by_chalice("passel-dev-plan")
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"Resource": ["a:${AWS::AccountId}", "b"]}]}}
    template["Resources"]["Role"] = role
    resources = finish_template(template)["Resources"]
    assert resources["Role"]["Properties"] == {"Policies": [{"Resource": [{"Fn::Sub": "a:${AWS::AccountId}"}, "b"]}]}


def test_the_chalice_cli_finds_the_account_written_out() -> None:
    with chalice_project(account="123456789012") as project:
        texts = [file.read_text(encoding="utf-8") for file in (project / ".chalice").glob("*.json")]
    assert not any("${" in text for text in texts)
    assert any("s3:passel-dev-assets-123456789012" in text for text in texts)
    assert any("arn:aws:s3:::passel-dev-assets-123456789012/assets/*" in text for text in texts)
    assert "123456789012" not in (PROJECT / ".chalice" / "config.json").read_text(encoding="utf-8")


def test_the_settings_of_the_shell_stay_out_of_the_package() -> None:
    environment = chalice_environment({"PASSEL_PREFIX": "other-", "PYTHONPATH": "/elsewhere", "HOME": "/home/ada"})
    assert environment == {"HOME": "/home/ada", "PYTHONDONTWRITEBYTECODE": "1"}
