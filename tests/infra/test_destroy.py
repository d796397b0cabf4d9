"""`infra.destroy` against moto: everything of one stage goes, and nothing of a protected one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from infra.chalice_project import Place
from infra.deploy import deploy
from infra.destroy import DestroyError, destroy, main
from infra.stages import Stage, read_stage
from tests.infra.cloud import ACCOUNT, FakeChalice, list_buckets, list_functions, list_tables, played_account

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


class FakeDelete:
    """What `chalice delete` does to the functions."""

    def __init__(self, session: Session) -> None:
        self._lambda: Any = session.create_client("lambda")
        self.calls = 0

    def __call__(self, stage: Stage, place: Place) -> None:
        self.calls += 1
        for name in stage.functions:
            self._lambda.delete_function(FunctionName=stage.deployed_name(name))


def test_a_stage_goes_with_all_its_data(session: Session, dev: Stage, own_checkout: Path) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "dev\n"

    destroy(dev, session=session, run_chalice=FakeDelete(session), ask=ask)
    (question,) = asked
    assert "the stage dev in account 123456789012, region eu-west-1" in question
    assert list_tables(session) == set()
    assert list_buckets(session) == []
    assert list_functions(session) == set()
    sqs: Any = session.create_client("sqs")
    assert "QueueUrls" not in sqs.list_queues()
    assert not (own_checkout / "dev.json").exists()


def test_it_can_be_made_again_afterwards(session: Session, dev: Stage) -> None:
    destroy(dev, session=session, run_chalice=FakeDelete(session), ask=lambda _: "dev")
    iam: Any = session.create_client("iam")
    iam.delete_role(RoleName="passel-dev")
    deploy(dev, session=session, run_chalice=FakeChalice(session))
    assert list_buckets(session) == [BUCKET]


def test_what_was_stopped_midway_goes_on(session: Session, dev: Stage) -> None:
    def fail(stage: Stage, place: Place) -> None:
        raise DestroyError("chalice delete failed; its message is above")

    with pytest.raises(DestroyError, match="chalice delete failed"):
        destroy(dev, session=session, run_chalice=fail, ask=lambda _: "dev")
    assert list_tables(session) != set()
    destroy(dev, session=session, run_chalice=FakeDelete(session), ask=lambda _: "dev")
    assert list_tables(session) == set()


@pytest.mark.parametrize("answer", ["", "yes", "prod", "dev-"])
def test_another_answer_removes_nothing(session: Session, dev: Stage, answer: str) -> None:
    chalice = FakeDelete(session)
    with pytest.raises(DestroyError, match="nothing was removed"):
        destroy(dev, session=session, run_chalice=chalice, ask=lambda _: answer)
    assert chalice.calls == 0
    assert list_tables(session) != set()


def test_a_protected_stage_is_not_even_asked_for(session: Session) -> None:
    def ask(_: str) -> str:
        raise AssertionError("asked")

    with pytest.raises(DestroyError, match="stage 'prod' is protected"):
        destroy(read_stage("prod"), session=session, run_chalice=FakeDelete(session), ask=ask)


def test_the_command_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stage", "prod"]) == 1
    assert capsys.readouterr().err.startswith("destroy: stage 'prod' is protected; ")
