"""Lines of the log: one JSON object each, with what is known of the work at hand, and no secret."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError
from pynamodb.exceptions import PutError

from chalicelib import logs
from tests.support.log_lines import FUNCTION, LogLines, run_as_lambda

ROOT = Path(__file__).parents[2]
CONTEXT = SimpleNamespace(aws_request_id="request 1")
TRACE = "1-5759e988-bd862e3fe1be46a994272793"
UUID = "7f1f3c0e-8f0b-4c6e-9f3a-00000000002a"

_log = logging.getLogger("passel")


def _fail(message: str) -> Exception:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError(message) from inner
    except ValueError as error:
        return error


def test_a_line_says_who_wrote_it_and_when() -> None:
    with run_as_lambda() as lines:
        _log.warning("%d passes", 3)

    line = lines.last
    assert line["level"] == "WARNING"
    assert line["message"] == "3 passes"
    assert line["logger"] == line["service"] == "passel"
    assert line["function"] == FUNCTION
    assert line["deployment"] == "passel-local"
    assert line["location"].startswith("test_logs.test_a_line_says_who_wrote_it_and_when:")
    assert line["timestamp"].endswith("Z")
    assert line["timestamp"][10] == "T"
    assert "request_id" not in line


def test_a_line_carries_what_is_known_of_the_work_and_nothing_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")
    with run_as_lambda() as lines, logs.work(CONTEXT, route="/v1/tag", ticket_id=None):
        logs.note(project_id=3, pass_id=None)
        _log.info("a line", extra={"fields": {"status": 200}})

    line = lines.last
    assert (line["request_id"], line["trace_id"], line["route"]) == ("request 1", TRACE, "/v1/tag")
    assert (line["project_id"], line["status"]) == (3, 200)
    assert not {"ticket_id", "pass_id"} & line.keys()


def test_only_the_first_work_of_a_process_is_a_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs._Process, "is_warm", False)
    with run_as_lambda() as lines:
        for _ in range(2):
            with logs.work(CONTEXT):
                _log.info("a line")

    assert [line.get("cold_start") for line in lines.all] == [True, None]


def test_what_was_known_is_forgotten_at_the_end_of_the_work_also_of_one_that_failed() -> None:
    with run_as_lambda() as lines:
        with pytest.raises(ValueError, match="x"), logs.work(CONTEXT, ticket_id=6):
            raise ValueError("x")
        _log.info("after")
        logs.note(project_id=3)
        _log.info("outside of any work")

    assert not any({"ticket_id", "request_id", "project_id"} & line.keys() for line in lines.all)


def test_work_inside_work_hides_the_outer_one_and_gives_it_back() -> None:
    with run_as_lambda() as lines, logs.work(CONTEXT, ticket_id=1):
        with logs.work(CONTEXT, segment=7):
            _log.info("inner")
        _log.info("outer")

    inner, outer = lines.all
    assert (inner.get("ticket_id"), inner.get("segment")) == (None, 7)
    assert (outer.get("ticket_id"), outer.get("segment")) == (1, None)


def test_threads_do_not_see_each_others_work() -> None:
    def work(number: int) -> None:
        with logs.work(SimpleNamespace(aws_request_id=f"request {number}"), project_id=number):
            barrier.wait(10)
            _log.info("first")
            barrier.wait(10)
            logs.note(ticket_id=number)
            barrier.wait(10)
            _log.info("second")

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    with run_as_lambda() as lines:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert len(lines.all) == 8
    for line in lines.all:
        assert line["request_id"] == f"request {line['project_id']}"
        assert line.get("ticket_id") == (line["project_id"] if line["message"] == "second" else None)


def test_a_task_that_outlives_its_work_does_not_speak_of_it() -> None:
    import asyncio

    async def linger(gate: asyncio.Event) -> None:
        await gate.wait()
        _log.info("a connection is closed")

    async def play() -> None:
        gate = asyncio.Event()
        with logs.work(CONTEXT, ticket_id=6):
            task = asyncio.create_task(linger(gate))
            await asyncio.sleep(0)
        gate.set()
        await task

    with run_as_lambda() as lines:
        asyncio.run(play())

    assert lines.last["message"] == "a connection is closed"
    assert not {"ticket_id", "request_id"} & lines.last.keys()


def test_an_exception_is_one_field_with_its_cause_and_where_it_was_raised() -> None:
    with run_as_lambda() as lines:
        _log.error("it failed", exc_info=_fail("bad\nvalue"))

    exception = lines.last["exception"]
    assert (exception["type"], exception["message"]) == ("ValueError", "bad\nvalue")
    assert exception["stack"][-1].startswith("tests/unit/test_logs.py:")
    assert exception["stack"][-1].endswith(" _fail")
    assert exception["cause"]["type"] == "KeyError"
    assert len(lines.text.splitlines()) == 1


def test_a_chain_of_exceptions_has_an_end() -> None:
    error: Exception = ValueError("0")
    for number in range(1, 50):
        later = ValueError(str(number))
        later.__cause__ = error
        error = later
    described = logs.describe_error(error)

    depth = 0
    while "cause" in described:
        described, depth = described["cause"], depth + 1
    assert depth == 3


def test_whatever_a_field_holds_is_a_line() -> None:
    odd = {"set": {1}, "path": Path("x"), "bytes": b"\xff", "half": "\ud800", "line": "a\nb\u2028c"}
    with run_as_lambda() as lines:
        _log.info("odd", extra={"fields": odd})

    assert lines.text.count("\n") == 1
    assert lines.text.isascii()
    assert lines.last["line"] == "a\nb\u2028c"


SECRETS = {
    "push token": ("no answer for {} at last", "0123456789abcdef" * 4),
    "device id": ("task (for device {}, pass type pass.x)", "a1b2c3d4e5f60718293a4b5c6d7e8f90"),
    "API secret": ("secret {}.", "bGOF_t9MzoUB6YIb1GcjU46qXzXgQ6d_bselTgincwM"),
    "bearer": ("header Authorization: Bearer {}", "abc.def-ghi"),
    "basic": ("{{'Authorization': 'Basic {}'}}", "dXNlcjpwYXNz"),
    "pass token": ("ApplePass {}", "9f8e7d6c5b4a3f2e"),
    "query": ("GET https://passel.example/v1/pass/5/download?{} failed", "token=abc&api_key=x"),
    "user in address": ("https://{}@hooks.example/x", "user:word"),
    "private key": (
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----",
        "MHcCAQEEIBx/y+z\nabcdefgh",
    ),
    "private key, cut short": ("-----BEGIN PRIVATE KEY-----\n{}", "MHcCAQEEIBx"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_what_looks_like_a_secret_is_left_out_of_messages_and_errors(name: str) -> None:
    text, secret = SECRETS[name]
    text = text.format(secret)
    with run_as_lambda() as lines:
        _log.error(text, exc_info=_fail(text))

    assert secret not in json.dumps(lines.last)
    assert secret not in lines.text
    assert "..." in lines.last["message"]
    assert lines.last["exception"]["message"] == lines.last["message"]


@pytest.mark.parametrize(
    "text",
    [
        f"campaign {UUID} of project 3",
        "An error occurred (ProvisionedThroughputExceededException) when calling the UpdateItem operation",
        "arn:aws:sts::123456789012:assumed-role/passel-dev-deliver_passworks_wallet is not authorized",
        "the certificate bundle shared/default: the pass certificate expired on 2026-01-02T03:04:05+00:00",
        "chalicelib/store/connection.py in translated",
        "is it?",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert logs.without_secrets(text) == text


@pytest.mark.parametrize(
    "text", ["a-" * 5000, "x" * 20_000, "?" * 5000, "//" * 5000 + "@", "?a=" * 4000, "Basic " * 4000]
)
def test_no_text_is_looked_at_for_long(text: str) -> None:
    """A device may report anything: what grew with the square of the length would take minutes here."""
    for _ in range(20):
        assert len(logs.without_secrets(text)) <= 2 * len(text)


REFUSAL = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "PutItem")


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (REFUSAL, "ClientError AccessDeniedException"),
        (PutError(cause=REFUSAL), "PutError AccessDeniedException"),
        (ClientError({}, "PutItem"), "ClientError"),
        (OSError("no route"), "OSError"),
    ],
)
def test_a_refusal_of_aws_is_named_by_its_code(error: Exception, name: str) -> None:
    assert logs.name_error(error) == name


def test_a_validation_error_is_told_without_what_was_put_in() -> None:
    class Body(BaseModel):
        secret: int

    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"secret": "hunter2"})
    with run_as_lambda() as lines:
        _log.error("refused", exc_info=caught.value)

    assert lines.last["exception"]["message"] == "secret: int_parsing"
    assert "hunter2" not in lines.text


def _run(code: str, **environment: str) -> Any:
    """What a fresh process writes, line by line."""
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=own | {"PASSEL_PREFIX": "passel-dev-"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines(), result.stderr


PLAY = """
import logging, sys, warnings
root, log = logging.getLogger(), logging.getLogger("passel")
root.addHandler(logging.StreamHandler())  # as Lambda does
{app}
from chalicelib import logs
for _ in range(3):
    logs.set_up()
log.info("ours")
logging.getLogger("passel.devices").info("a device")
logging.getLogger("botocore").warning("theirs")
logging.getLogger("httpx").info("POST https://push.example/3/device/token")
warnings.warn("old")
"""


@pytest.mark.parametrize("app", ["", "import app"], ids=["a worker", "the API"])
def test_on_lambda_every_line_of_the_process_is_json_and_written_once(app: str) -> None:
    lines, errors = _run(PLAY.format(app=app), AWS_LAMBDA_FUNCTION_NAME="passel-dev")

    documents = [json.loads(line) for line in lines]
    assert [(line["logger"], line["level"]) for line in documents] == [
        ("passel", "INFO"),
        ("passel.devices", "INFO"),
        ("botocore", "WARNING"),
        ("py.warnings", "WARNING"),
    ]
    assert {(line["function"], line["deployment"]) for line in documents} == {("passel-dev", "passel-dev")}
    assert errors == ""


def test_the_level_is_a_setting() -> None:
    lines, _ = _run(PLAY.format(app=""), AWS_LAMBDA_FUNCTION_NAME="passel-dev", PASSEL_LOG_LEVEL="WARNING")

    assert [json.loads(line)["logger"] for line in lines] == ["botocore", "py.warnings"]


def test_elsewhere_lines_stay_text() -> None:
    lines, _ = _run(PLAY.format(app="import app"))

    assert lines == ["passel - INFO - ours", "passel.devices - INFO - a device"]


def test_lines_that_are_written_together_stay_whole() -> None:
    def write(number: int) -> None:
        for _ in range(50):
            _log.info("x" * 500, extra={"fields": {"number": number}})

    with run_as_lambda() as lines:
        threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert len(_whole(lines)) == 200


def _whole(lines: LogLines) -> list[dict[str, Any]]:
    return [line for line in lines.all if line["message"] == "x" * 500]
