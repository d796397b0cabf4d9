"""What a worker's log says of a message: which one it was and what became of it, and nothing that it holds."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import CloudWatchEvent, SQSEvent

from chalicelib import logs, metrics
from chalicelib.domain.errors import Busy, StorageUnavailable
from chalicelib.schemas.messages import CallbackMessage, DeliveryMessage, SegmentMessage
from chalicelib.workers.entry import handle_records, run_schedule
from tests.support.log_lines import LogLines, metric_values, run_as_lambda

CONTEXT: Any = SimpleNamespace(aws_request_id="request 1")
NOW = datetime(2026, 1, 2, tzinfo=UTC).isoformat()
TOKENS = ["0123456789abcdef" * 4, "a short token"]
DELIVERY = {
    "ticket_id": 6,
    "project_id": 3,
    "template_id": 4,
    "wallet": "passbook",
    "pass_type": "pass.test",
    "tokens": TOKENS,
    "push_service_url": "https://push.example/?token=hidden",
    "attempt": 2,
    "asked_at": NOW,
}
PERSONAL = {"fullName": "Ada Lovelace", "emailAddress": "ada@example.com"}
CALLBACK = {
    "project_id": 3,
    "events": [
        {
            "event_id": "event 1",
            "dialect": "airship",
            "name": "personalize",
            "template_id": 4,
            "path": "/pass/5/personalize",
            "body": PERSONAL,
            "happened_at": NOW,
        }
    ],
}


@pytest.fixture
def lines() -> Iterator[LogLines]:
    with run_as_lambda() as written:
        yield written


def records(*bodies: str, tries: int = 1) -> SQSEvent:
    """What Chalice hands to a worker for these messages."""
    found = [
        {
            "messageId": f"message {number}",
            "receiptHandle": "handle",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(tries)},
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:passel-test-segment",
        }
        for number, body in enumerate(bodies)
    ]
    return SQSEvent({"Records": found}, CONTEXT)


def schedule() -> CloudWatchEvent:
    names = ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources")
    return CloudWatchEvent(dict.fromkeys(names, ""), CONTEXT)


def test_a_message_that_is_handled_is_one_line_with_its_ticket(lines: LogLines) -> None:
    def handle(message: SegmentMessage) -> None:
        logs.note(project_id=3)
        metrics.count("BulkSegments")

    handle_records(records('{"ticket_id": 6, "segment": 7}', tries=2), SegmentMessage, handle)

    (line,) = lines.all
    expected = {"level": "INFO", "ticket_id": 6, "segment": 7, "project_id": 3, "request_id": "request 1"}
    expected |= {"queue": "passel-test-segment", "message_id": "message 0", "tries": 2, "outcome": "done"}
    assert {name: line[name] for name in expected} == expected
    assert line["message"] == "SegmentMessage ticket_id=6 segment=7 is done"
    assert line["ms"] >= 0
    assert metric_values(line) == {"BulkSegments": 1}


@pytest.mark.parametrize(
    ("error", "level", "counted"),
    [
        (Busy("too many writers"), "WARNING", {}),
        (StorageUnavailable("storage is throttled"), "WARNING", {"StorageFailures": 1}),
        (KeyError("segment"), "ERROR", {}),
    ],
)
def test_a_message_that_fails_is_one_line_with_the_error_and_comes_again(
    lines: LogLines, error: Exception, level: str, counted: dict[str, int]
) -> None:
    def handle(message: SegmentMessage) -> None:
        raise error

    with pytest.raises(type(error)):
        handle_records(records('{"ticket_id": 6, "segment": 7}'), SegmentMessage, handle)

    (line,) = lines.all
    assert (line["level"], line["outcome"], line["ticket_id"]) == (level, "failed", 6)
    assert "failed and will be tried again" in line["message"]
    assert line["exception"]["type"] == type(error).__name__
    assert line["exception"]["stack"][-1].endswith(" handle")
    assert metric_values(line) == counted


def test_a_body_that_is_none_of_ours_is_dropped_and_told_without_what_it_holds(lines: LogLines) -> None:
    handled: list[SegmentMessage] = []
    handle_records(
        records('{"ticket_id": "hunter2"}', "{hunter2", '{"ticket_id":1,"segment":1}'), SegmentMessage, handled.append
    )

    first, second, _ = lines.all
    assert first["message"] == (
        "dropped a SegmentMessage that cannot be read: ticket_id: int_parsing; segment: missing"
    )
    assert [(line["level"], line["outcome"]) for line in (first, second)] == [("ERROR", "dropped")] * 2
    assert metric_values(first) == {"MessagesDropped": 1}
    assert "hunter2" not in lines.text
    assert len(handled) == 1


def test_nothing_of_one_message_is_said_of_the_next(lines: LogLines) -> None:
    bodies = ['{"ticket_id": 6, "segment": 7}', "{"]
    handle_records(records(*bodies), SegmentMessage, lambda message: logs.note(project_id=3))

    assert not {"ticket_id", "segment", "project_id"} & lines.last.keys()


@pytest.mark.parametrize("fails", [False, True])
def test_push_tokens_and_addresses_are_not_told(lines: LogLines, fails: bool) -> None:
    def handle(message: DeliveryMessage) -> None:
        if fails:
            raise RuntimeError(f"no push to {message.tokens[0]}")

    with pytest.raises(RuntimeError) if fails else nullcontext():
        handle_records(records(json.dumps(DELIVERY)), DeliveryMessage, handle)

    (line,) = lines.all
    assert (line["ticket_id"], line["project_id"], line["wallet"], line["attempt"]) == (6, 3, "passbook", 2)
    for secret in (*TOKENS, "hidden"):
        assert secret not in lines.text


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_person_told_a_pass_is_not_told_to_the_log(lines: LogLines, fails: bool) -> None:
    def handle(message: CallbackMessage) -> None:
        if fails:
            raise RuntimeError("no answer")

    with pytest.raises(RuntimeError) if fails else nullcontext():
        handle_records(records(json.dumps(CALLBACK)), CallbackMessage, handle)

    assert lines.last["project_id"] == 3
    for personal in PERSONAL.values():
        assert personal not in lines.text


def test_a_schedule_is_one_line(lines: LogLines) -> None:
    run_schedule(schedule(), "resume_unfinished", lambda: logs.note(messages=2))

    (line,) = lines.all
    assert (line["schedule"], line["messages"], line["message"]) == (
        "resume_unfinished",
        2,
        "resume_unfinished is done",
    )


def test_a_schedule_that_fails_raises_so_that_lambda_tries_again(lines: LogLines) -> None:
    def act() -> None:
        raise StorageUnavailable("storage cannot be reached")

    with pytest.raises(StorageUnavailable):
        run_schedule(schedule(), "resume_unfinished", act)

    assert (lines.last["level"], lines.last["outcome"]) == ("WARNING", "failed")


def test_elsewhere_a_line_can_be_read_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="passel"):
        handle_records(records('{"ticket_id": 6, "segment": 7}'), SegmentMessage, lambda message: None)

    assert [record.getMessage() for record in caplog.records] == ["SegmentMessage ticket_id=6 segment=7 is done"]
