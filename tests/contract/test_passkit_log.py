"""Devices report faults of ours (wallets, sections 2.2 and 2.3). Anyone may post there."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from chalicelib.api.passkit import logs
from tests.support.phones import shared_client
from tests.support.stack import Stack

LINE = "[2026-01-02 03:04:05 +0000] Get pass task (pass type pass.x, serial number 1): response did not provide"

BODIES = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"null",
    b"5",
    b"[]",
    b'"logs"',
    b"{}",
    b'{"logs": null}',
    b'{"logs": "one line"}',
    b'{"logs": {"0": "line"}}',
    b'{"logs": [1, null, [], {}]}',
    b'{"logs": ["\\ud800"]}',
    b"logs=a",
    b"[" * 100_000,
    json.dumps({"logs": ["x" * 100_000]}).encode(),
    json.dumps({"logs": ["x"] * 50_000}).encode(),
    b"x" * 3_000_000,
)


def post(stack: Stack, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return shared_client().post(f"{stack.url}/v1/log", content=body, headers=headers or {})


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture, clock: SimpleNamespace) -> Written:
    """What the log of devices holds; what other tests reported does not count against its rate."""
    caplog.set_level(logging.INFO, logger="passel.devices")
    return Written(caplog)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time stands still unless the test moves it."""
    clock = SimpleNamespace(seconds=60.0)
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    monkeypatch.setattr(logs, "_allowance", logs._Allowance())
    return clock


class Written:
    """The lines that were written about devices."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    @property
    def records(self) -> list[logging.LogRecord]:
        """As the logging library has them."""
        return [record for record in self._caplog.records if record.name == "passel.devices"]

    @property
    def entries(self) -> list[Any]:
        """What each says, in fields."""
        return [record.__dict__["fields"] for record in self.records]


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "multipart/form-data", "nonsense"])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_whatever_is_sent_is_200(stack: Stack, written: Written, body: bytes, content_type: str | None) -> None:
    answer = post(stack, body, {} if content_type is None else {"Content-Type": content_type})

    assert (answer.status_code, answer.content) == (200, b"")
    assert len(written.records) <= 100


def test_a_report_needs_no_credentials_and_is_written_to_the_log(stack: Stack, written: Written) -> None:
    post(stack, json.dumps({"logs": [LINE, "another"]}).encode(), {"Authorization": "ApplePass wrong"})

    assert written.entries == [{"event": "device_log", "line": LINE}, {"event": "device_log", "line": "another"}]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Server was asked for the pass, but the pass was unchanged", "UnchangedPass"),
        ("response did not provide a 'last-modified' header", "NoLastModified"),
        ("server ignored the 'if-modified-since' header", "IgnoredIfModifiedSince"),
        ("Received spurious push", "SpuriousPush"),
        ("Web service returned an unregistered serial number", "UnregisteredSerial"),
        ("Response omitted a lastUpdated tag", "NoTag"),
        ("lastUpdated tag (1) remained the same", "SameTag"),
        ("Too many pushes too fast", "PushRateLimited"),
        ("Wallet Passes for Android not supported", "WalletPassesRefused"),
    ],
)
def test_a_known_complaint_is_a_warning_with_a_name(stack: Stack, written: Written, line: str, complaint: str) -> None:
    post(stack, json.dumps({"logs": [line]}).encode())

    assert written.entries == [{"event": "device_log", "line": line, "complaint": complaint}]
    assert [record.levelname for record in written.records] == ["WARNING"]


def test_a_line_cannot_pretend_to_be_two(stack: Stack, written: Written) -> None:
    post(stack, json.dumps({"logs": ['a\nERROR {"event": "forged"}\r\x1b[2J\u2028']}).encode())

    (record,) = written.records
    assert record.getMessage().isprintable()
    assert record.__dict__["fields"]["line"].startswith("a ERROR")


def test_lines_and_characters_are_bounded(stack: Stack, written: Written) -> None:
    post(stack, json.dumps({"logs": ["x" * 3000, *["short"] * 200]}).encode())

    assert [len(entry["line"]) for entry in written.entries] == [2000, *[5] * 99]


def test_what_is_too_much_in_a_minute_is_dropped_and_still_200(
    stack: Stack, written: Written, clock: SimpleNamespace
) -> None:
    body = json.dumps({"logs": ["x"] * 100}).encode()

    assert [post(stack, body).status_code for _ in range(8)] == [200] * 8
    assert len(written.entries) == logs.LINES_PER_MINUTE == 600
    clock.seconds += 60
    post(stack, body)
    assert len(written.entries) == 700
