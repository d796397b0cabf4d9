"""`infra.destroy` against moto: everything of one stage goes, and nothing of a protected one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from infra.deploy import deploy
from infra.destroy import DestroyError, destroy, main
from infra.stages import Stage, read_stage
from tests.infra.cloud import (
    ACCOUNT,
    FakeChalice,
    list_buckets,
    list_chalice_made,
    list_functions,
    list_tables,
    played_account,
)

BUCKET = f"passel-dev-assets-{ACCOUNT}"


pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse .* not supported by moto:UserWarning")


@pytest.fixture
def session(own_checkout: Path, dev: Stage) -> Iterator[Session]:
    """An account with a deployed stage that holds an image."""
    with played_account() as session:
        deploy(dev, session=session, run_chalice=FakeChalice(session))
        s3: Any = session.create_client("s3")
        s3.put_object(Bucket=BUCKET, Key="assets/one/original", Body=b"image")
        yield session


def test_a_stage_goes_with_all_its_data(session: Session, dev: Stage, own_checkout: Path) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "dev\n"

    destroy(dev, session=session, ask=ask)
    (question,) = asked
    assert "the stage dev in account 123456789012, region eu-west-1" in question
    assert list_tables(session) == set()
    assert list_buckets(session) == []
    assert not any(list_chalice_made(session).values())
    sqs: Any = session.create_client("sqs")
    assert "QueueUrls" not in sqs.list_queues()
    assert not (own_checkout / "dev.json").exists()


def test_it_can_be_made_again_afterwards(session: Session, dev: Stage) -> None:
    destroy(dev, session=session, ask=lambda _: "dev")
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    assert list_buckets(session) == [BUCKET]


STEPS = (
    "lambda.DeleteFunction",
    "iam.DeleteRole",
    "cloudformation.DeleteStack",
    "dynamodb.DeleteTable",
    "s3.DeleteBucket",
)


@pytest.mark.parametrize("step", STEPS)
def test_what_was_stopped_midway_goes_on(session: Session, dev: Stage, own_checkout: Path, step: str) -> None:
    """Ctrl-C at the second call of a kind, if there is one, and the repeat from another checkout."""
    service, _, operation = step.partition(".")
    calls = iter(range(99))

    def stop(**_: object) -> None:
        if next(calls) == (operation != "DeleteBucket"):
            raise KeyboardInterrupt

    session.register(f"before-call.{service}.{operation}", stop)
    with pytest.raises(DestroyError, match="stopped midway: a part of dev is gone; run it again for the rest"):
        destroy(dev, session=session, ask=lambda _: "dev")
    session.unregister(f"before-call.{service}.{operation}", stop)
    (own_checkout / "dev.json").unlink(missing_ok=True)

    assert destroy(dev, session=session, ask=lambda _: "dev")
    assert not any(list_chalice_made(session).values())
    assert (list_tables(session), list_buckets(session)) == (set(), [])
    assert not destroy(dev, session=session, ask=lambda _: "nobody is asked")


def test_what_another_release_made_goes_too(session: Session, dev: Stage) -> None:
    older = replace(dev, functions={name: dev.functions[name] for name in ("api_handler", "fail_plan")})
    destroy(older, session=session, ask=lambda _: "dev")
    assert not any(list_chalice_made(session).values())


def test_no_other_stage_is_touched(session: Session, dev: Stage) -> None:
    other = replace(dev, name="devil", prefix="passel-devil-")
    deploy(other, session=session, run_chalice=FakeChalice(session))
    destroy(dev, session=session, ask=lambda _: "dev")
    assert list_functions(session) == set(other.deployed_functions)
    made = list_chalice_made(session)
    assert all(len(made[kind]) == 1 for kind in ("apis", "mappings", "layers", "rules"))
    assert list_buckets(session) == [f"passel-devil-assets-{ACCOUNT}"]


def test_the_record_of_another_stage_stops_it(session: Session, dev: Stage) -> None:
    """As when a stage was copied with the prefix of the other."""
    copied = replace(dev, name="staging")
    with pytest.raises(DestroyError, match="'staging' tells of the function passel-dev, which is another stage's"):
        destroy(copied, session=session, ask=lambda _: "staging")
    assert list_functions(session) == set(dev.deployed_functions)


def test_a_protected_table_stops_it_before_anything_is_removed(session: Session, dev: Stage) -> None:
    dynamodb: Any = session.create_client("dynamodb")
    dynamodb.update_table(TableName="passel-dev-tags", DeletionProtectionEnabled=True)
    before = list_chalice_made(session)
    with pytest.raises(DestroyError, match="nothing was removed: the table passel-dev-tags is protected"):
        destroy(dev, session=session, ask=lambda _: "dev")
    assert list_chalice_made(session) == before


def test_a_protected_stack_stops_it_before_anything_is_removed(own_checkout: Path, dev: Stage) -> None:
    with played_account() as session:
        cloudformation: Any = session.create_client("cloudformation")
        template = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'
        name = "passel-dev-alarms"
        cloudformation.create_stack(StackName=name, TemplateBody=template, EnableTerminationProtection=True)
        with pytest.raises(DestroyError, match="nothing was removed: the stack passel-dev-alarms has termination"):
            destroy(dev, session=session, ask=lambda _: "dev")


def test_a_stage_that_was_never_deployed_is_not_asked_for(
    own_checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with played_account():
        assert main(["--stage", "dev"]) == 0
    assert capsys.readouterr().out == "nothing of dev is there\n"


def test_a_closed_input_is_no_answer(
    session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["--stage", "dev"]) == 1
    assert capsys.readouterr().err == "\ndestroy: nothing was removed\n"
    assert list_tables(session) != set()


@pytest.mark.parametrize("answer", ["", "yes", "prod", "dev-"])
def test_another_answer_removes_nothing(session: Session, dev: Stage, answer: str) -> None:
    before = list_chalice_made(session)
    with pytest.raises(DestroyError, match="nothing was removed"):
        destroy(dev, session=session, ask=lambda _: answer)
    assert list_chalice_made(session) == before
    assert list_tables(session) != set()


def test_a_protected_stage_is_not_even_asked_for(session: Session) -> None:
    def ask(_: str) -> str:
        raise AssertionError("asked")

    with pytest.raises(DestroyError, match="stage 'prod' is protected"):
        destroy(read_stage("prod"), session=session, ask=ask)


def test_the_command_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stage", "prod"]) == 1
    assert capsys.readouterr().err.startswith("destroy: stage 'prod' is protected; ")
