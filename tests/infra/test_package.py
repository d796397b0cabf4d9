"""What `infra.package` refuses, and what it says then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.chalice_project import Place, chalice_environment, chalice_project
from infra.package import PACKAGES, Package, PackageError, finish_template, main
from infra.resources import render_resources
from infra.stages import CONFIG, Stage, StageError, check_runtime, read_stage

DEV = read_stage("dev")


def packaged_by_chalice(queue: str) -> dict[str, Any]:
    """The parts of Chalice's template that are finished afterwards."""
    arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
    event = {"Type": "SQS", "Properties": {"Queue": {"Fn::Sub": arn + queue}}}
    return {
        "Resources": {
            "PlanQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "passel-dev-plan"}},
            "FailPlan": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {"Source": event}}},
            "FailPlanLogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
            "APIHandler": {"Type": "AWS::Serverless::Function", "Properties": {"Tracing": "Active"}},
            "ApiHandlerLogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
            "RestAPI": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionBody": {}}},
        }
    }


def test_an_unknown_stage_is_named() -> None:
    with pytest.raises(StageError, match=r"no stage 'moon'.*it has: dev, prod"):
        read_stage("moon")


def a_config(folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]) -> None:
    """Puts another config.json in the place of ours, with a policy file for each function."""
    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    change(config)
    for file in CONFIG.parent.glob("policy-*.json"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr("infra.stages.CONFIG", folder / "config.json")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda config: config["stages"]["dev"].pop("passel"), "stage 'dev'.* sets no passel"),
        (lambda config: config["stages"]["dev"]["passel"].pop("burst"), "stage 'dev'.* sets no passel.burst"),
        (
            lambda config: config["stages"]["dev"]["environment_variables"].update(
                PASSEL_PUBLIC_BASE_URL="passel.example"
            ),
            "PASSEL_PUBLIC_BASE_URL: ",
        ),
    ],
)
def test_a_stage_that_cannot_work_is_refused_before_anything_is_made(
    change: Callable[[Any], None], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_config(tmp_path, monkeypatch, change)
    with pytest.raises(StageError, match=complaint):
        read_stage("dev")


def test_a_stage_decides_over_the_file_and_its_function_over_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(config: Any) -> None:
        config["stages"]["dev"]["lambda_timeout"] = 28
        config["stages"]["dev"]["lambda_functions"] = {"fail_plan": {"lambda_timeout": 20}}

    a_config(tmp_path, monkeypatch, change)
    functions = read_stage("dev").functions
    assert functions["fail_segment"]["lambda_timeout"] == 28
    assert functions["fail_plan"]["lambda_timeout"] == 20


@pytest.mark.parametrize("version", [(3, 10), (3, 12), (3, 14)])
def test_lambda_runs_no_python_that_the_tests_do_not_run(version: tuple[int, int]) -> None:
    with pytest.raises(StageError, match=rf"this is Python {version[0]}\.{version[1]}; .* tested with 3\.11 or 3\.13"):
        check_runtime(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 13)])
def test_lambda_runs_the_pythons_that_the_tests_run(version: tuple[int, int]) -> None:
    check_runtime(version)


def test_the_command_fails_with_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--stage", "moon", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "package: no stage 'moon' in .chalice/config.json; it has: dev, prod, emulator\n"


def test_a_queue_is_referred_to_so_that_it_is_created_first() -> None:
    template = finish_template(packaged_by_chalice("passel-dev-plan"), stage=DEV)
    event = template["Resources"]["FailPlan"]["Properties"]["Events"]["Source"]
    assert event["Properties"]["Queue"] == {"Fn::GetAtt": ["PlanQueue", "Arn"]}


def test_a_worker_of_an_unknown_queue_is_refused() -> None:
    with pytest.raises(PackageError, match="FailPlan reads the queue 'passel-dev-moon'"):
        finish_template(packaged_by_chalice("passel-dev-moon"), stage=DEV)


def test_a_function_that_no_stage_knows_is_refused() -> None:
    """It would have neither a name that alarms know nor a policy of its own."""
    template = packaged_by_chalice("passel-dev-plan")
    template["Resources"]["Stranger"] = {"Type": "AWS::Serverless::Function", "Properties": {}}
    with pytest.raises(PackageError, match="the function Stranger is not among lambda_functions"):
        finish_template(template, stage=DEV)


def test_a_stage_is_not_built_where_another_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a pipeline that packaged production would go on with what somebody deployed meanwhile."""
    built: list[Path] = []

    def build(*, stage: Stage, out: Path) -> Package:
        built.append(out)
        return Package(template=CONFIG, code=CONFIG, layer=CONFIG)

    monkeypatch.setattr("infra.package.build_package", build)
    for arguments in (["--stage", "dev"], ["--stage", "prod"], ["--stage", "prod", "--out", str(tmp_path)]):
        assert main(arguments) == 0
    assert built == [PACKAGES / "dev", PACKAGES / "prod", tmp_path]


def test_names_are_written_out() -> None:
    resources = render_resources(replace(DEV, prefix="mine-"))["Resources"]
    assert resources["PassesTable"]["Properties"]["TableName"] == "mine-passes"
    assert resources["PlanQueue"]["Properties"]["QueueName"] == "mine-plan"


def test_a_name_that_holds_the_account_is_left_to_cloudformation() -> None:
    bucket = render_resources(replace(DEV, prefix="mine-"))["Resources"]["AssetsBucket"]["Properties"]
    assert bucket["BucketName"] == {"Fn::Sub": "mine-assets-${AWS::AccountId}"}


def test_what_names_the_account_is_filled_in_by_cloudformation() -> None:
    template = packaged_by_chalice("passel-dev-plan")
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"Resource": ["a:${AWS::AccountId}", "b"]}]}}
    template["Resources"]["Role"] = role
    resources = finish_template(template, stage=DEV)["Resources"]
    assert resources["Role"]["Properties"] == {"Policies": [{"Resource": [{"Fn::Sub": "a:${AWS::AccountId}"}, "b"]}]}


def test_the_chalice_cli_finds_stage_and_place_written_out() -> None:
    with chalice_project(DEV, place=Place(account="123456789012", region="eu-west-1", partition="aws")) as project:
        texts = [file.read_text(encoding="utf-8") for file in (project / ".chalice").glob("*.json")]
    assert not any("${" in text for text in texts)
    assert any("s3:passel-dev-assets-123456789012" in text for text in texts)
    assert any("arn:aws:s3:::passel-dev-assets-123456789012/assets/*" in text for text in texts)
    assert any("arn:aws:dynamodb:eu-west-1:123456789012:table/passel-dev-passes" in text for text in texts)
    assert any("parameter/passel-dev/certificates/*" in text for text in texts)
    assert "123456789012" not in CONFIG.read_text(encoding="utf-8")


def test_where_a_template_goes_is_left_open() -> None:
    with chalice_project(DEV) as project:
        policy = (project / ".chalice" / "policy-api.json").read_text(encoding="utf-8")
    assert "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/passel-dev-passes" in policy


def test_the_settings_of_the_shell_stay_out_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PASSEL_PREFIX": "other-", "PYTHONPATH": "/elsewhere", "HOME": "/home/ada"}.items():
        monkeypatch.setenv(name, value)
    environment = chalice_environment()
    assert environment["HOME"] == "/home/ada"
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert not {"PASSEL_PREFIX", "PYTHONPATH"} & environment.keys()
