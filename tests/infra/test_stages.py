"""What `infra.stages` refuses of `.chalice/config.json`, each by its key and before anything is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.destroy import main as destroy
from infra.stages import CONFIG, StageError, read_stage

Change = Callable[[Any], Any]


def write_config(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Puts another config.json in the place of ours, with the policies beside it."""
    for file in CONFIG.parent.glob("policy-*.json"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "config.json").write_text(text)
    monkeypatch.setattr("infra.stages.CONFIG", folder / "config.json")


def refusal(folder: Path, monkeypatch: pytest.MonkeyPatch, change: Change, stage: str = "dev") -> str:
    """What is said of a stage after `change` of the file, without what is said of every stage."""
    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    change(config)
    write_config(folder, monkeypatch, json.dumps(config))
    with pytest.raises(StageError) as caught:
        read_stage(stage)
    return str(caught.value).removeprefix(f"stage '{stage}' in .chalice/config.json cannot work: ")


def setting(**values: object) -> Change:
    """Changes the stage's own block."""
    return lambda config: config["stages"]["dev"]["passel"].update(values)


def variable(**values: str) -> Change:
    return lambda config: config["stages"]["dev"]["environment_variables"].update(values)


def of_stage(**values: object) -> Change:
    return lambda config: config["stages"]["dev"].update(values)


def of_function(name: str, **values: object) -> Change:
    return lambda config: config["lambda_functions"].setdefault(name, {}).update(values)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", ".chalice/config.json is no JSON: Expecting property name"),
        ("[]", ".chalice/config.json must hold an object, not []"),
        (
            "{}",
            ".chalice/config.json cannot be used: sets no app_name; sets no stages; sets no lambda_functions",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, monkeypatch, text)
    assert destroy(["--stage", "dev"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"destroy: {complaint}")
    assert error.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.stages.CONFIG", tmp_path / "config.json")
    with pytest.raises(StageError, match=r"^\.chalice/config\.json cannot be read: No such file"):
        read_stage("dev")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (setting(burst="many"), 'passel.burst is "many": input should be a valid integer'),
        (setting(burst=-1), "passel.burst is -1: input should be greater than or equal to 1"),
        (setting(requests_per_second=0), "passel.requests_per_second is 0: input should be greater than 0"),
        (setting(visitors_per_second=-1.5), "passel.visitors_per_second is -1.5: input should be greater than 0"),
        (setting(visitors_burst=0), "passel.visitors_burst is 0: input should be greater than or equal to 1"),
        (setting(protected="false"), 'passel.protected is "false": input should be a valid boolean'),
        (setting(alarm_email="me"), 'passel.alarm_email cannot be "me"'),
        (setting(bursts=1), "passel.bursts is unknown"),
        (of_stage(log_retention_in_days=31), "log_retention_in_days is 31: input should be 1, 3, 5"),
        (of_stage(api_gateway_stage="dev/1"), 'api_gateway_stage cannot be "dev/1"'),
        (of_stage(autogen_policy=True), "autogen_policy is true: input should be False"),
        (of_stage(lambda_architecture="arm"), 'lambda_architecture is "arm": input should be'),
        (of_stage(lambda_functions=[]), "lambda_functions must hold an object for each function"),
        (
            of_function("fail_plan", lambda_timeout="60"),
            'lambda_functions.fail_plan.lambda_timeout is "60": input should be a valid integer',
        ),
        (
            of_function("fail_plan", autogen_policy=True),
            "lambda_functions.fail_plan.autogen_policy is true: input should be False",
        ),
        (
            of_function("api_handler", lambda_timeout=30),
            "lambda_functions.api_handler.lambda_timeout is 30: input should be less than or equal to 29",
        ),
        (of_function("fail_plans"), "lambda_functions names 'fail_plans', which the application does not have"),
        (
            lambda config: config["stages"]["prod"]["lambda_functions"].update(moon={}),
            "lambda_functions names 'moon', which the application does not have",
        ),
        (
            lambda config: config["lambda_functions"].pop("fail_plan"),
            "lambda_functions does not name 'fail_plan' of the application",
        ),
        (of_function("fail_plan", iam_policy_file="p.json"), "fail_plan names a policy that is not there: p.json"),
        (variable(PASSEL_LOG_LEVLE="INFO"), "PASSEL_LOG_LEVLE is no setting; PASSEL_LOG_LEVEL is"),
        (
            of_function("fail_plan", lambda_timeout=61),
            "fail_plan may run 61 s, and its queue plan-dead hides messages for 360 s, less than 6 times as long:"
            " lower lambda_timeout of fail_plan, or raise VisibilityTimeout of plan-dead in infra/resources.yaml",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_named_once(
    change: Change, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = "prod" if "'moon'" in complaint else "dev"
    said = refusal(tmp_path, monkeypatch, change, stage)
    assert said.startswith(complaint)
    assert ";" not in said.removeprefix(complaint)


def test_a_policy_that_is_no_json_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path, monkeypatch, CONFIG.read_text(encoding="utf-8"))
    (tmp_path / "policy-fail-plan.json").write_text("{,}")
    with pytest.raises(StageError, match=r": policy-fail-plan\.json is no JSON: Expecting"):
        read_stage("dev")


def copy_stage(name: str, **variables: str) -> Change:
    """Copies dev as somebody would who forgets all variables but these."""

    def change(config: Any) -> None:
        copied = json.loads(json.dumps(config["stages"]["dev"]))
        copied["environment_variables"] |= variables
        config["stages"][name] = copied

    return change


def test_a_copied_stage_reaches_into_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(tmp_path, monkeypatch, copy_stage("staging", PASSEL_PREFIX="passel-prod-"), "staging").split("; ")
    another = "another name would be another stage's"
    assert said == [
        f"PASSEL_PREFIX must be passel-staging-: {another}",
        f"PASSEL_ASSETS must be s3:passel-staging-assets-${{AWS::AccountId}}: {another}",
        "PASSEL_CERTIFICATES must be ssm:/passel-staging/certificates or"
        f" secretsmanager:passel-staging/certificates: {another}",
        "api_gateway_stage is 'dev', as in stage 'dev'",
        "PASSEL_PREFIX is 'passel-prod-', as in stage 'prod'",
    ]


def test_a_copied_stage_with_all_its_names_is_a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = json.loads(CONFIG.read_text(encoding="utf-8").replace('"dev"', '"staging"').replace("-dev", "-staging"))
    write_config(tmp_path, monkeypatch, json.dumps(config))
    assert read_stage("staging").prefix == "passel-staging-"


def test_a_function_cannot_be_led_into_another_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = of_function("fail_plan", environment_variables={"PASSEL_PREFIX": "passel-prod-"})
    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    del config["stages"]["dev"]["environment_variables"]["PASSEL_PREFIX"]
    change(config)
    write_config(tmp_path, monkeypatch, json.dumps(config))
    with pytest.raises(StageError, match="PASSEL_PREFIX must be passel-dev-"):
        read_stage("dev")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Dev", "its name may hold small letters, digits and hyphens only"),
        ("d" * 33, "its name is 1 characters too long for the bucket and the function passel-ddd"),
    ],
)
def test_a_name_that_no_bucket_can_have_is_refused_first(
    name: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(config: Any) -> None:
        text = json.dumps(config["stages"].pop("dev")).replace("passel-dev", f"passel-{name}")
        config["stages"][name] = json.loads(text)

    assert refusal(tmp_path, monkeypatch, change, name).startswith(complaint)
