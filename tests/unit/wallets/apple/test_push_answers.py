"""What Apple's answers mean, also those that Apple never gave."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.http_dates import format_http_date
from chalicelib.domain.passes import from_milliseconds
from chalicelib.domain.push_channels import Outcome, PushResult
from chalicelib.wallets.apple.push_answers import Answer, read_answer
from tests.support.certificates import NOW


def read(status: int, body: bytes = b"", *, token: str = "ab12", **headers: str) -> PushResult:
    """The result for an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(token, Answer(status=status, headers=named, body=body), now=NOW)


def encode(**members: Any) -> bytes:
    """A JSON body."""
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        (200, None, Outcome.SENT),
        (204, None, Outcome.MISCONFIGURED),
        (301, None, Outcome.MISCONFIGURED),
        (400, None, Outcome.REFUSED),
        (400, "BadDeviceToken", Outcome.UNKNOWN_TOKEN),
        (400, "DeviceTokenNotForTopic", Outcome.REFUSED),
        (400, "TopicDisallowed", Outcome.MISCONFIGURED),
        (400, "BadExpirationDate", Outcome.REFUSED),
        (403, "Forbidden", Outcome.MISCONFIGURED),
        (403, None, Outcome.MISCONFIGURED),
        (404, "BadPath", Outcome.REFUSED),
        (405, "MethodNotAllowed", Outcome.REFUSED),
        (410, "Unregistered", Outcome.GONE),
        (410, "ExpiredToken", Outcome.GONE),
        (410, None, Outcome.GONE),
        (413, "PayloadTooLarge", Outcome.REFUSED),
        (429, "TooManyProviderTokenUpdates", Outcome.RETRY),
        (500, "InternalServerError", Outcome.RETRY),
        (502, None, Outcome.RETRY),
        (503, "Shutdown", Outcome.RETRY),
        (504, None, Outcome.RETRY),
        (599, None, Outcome.RETRY),
    ],
)
def test_the_outcome_follows_status_and_reason(status: int, reason: str | None, outcome: Outcome) -> None:
    result = read(status, encode(reason=reason) if reason else b"")

    assert result.outcome == outcome
    assert result.reason == ("" if outcome == Outcome.SENT else reason or str(status))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff",
        b"null",
        b"[" * 100_000,
        encode(reason=None),
        encode(reason=7),
        encode(reason=["BadDeviceToken"]),
        encode(reason="x" * 100),
        encode(reason="bad\nword"),
        encode(reason="token ab12"),
        encode(reason="abcdef"),
    ],
)
def test_a_reason_is_a_short_word_that_is_not_the_token(body: bytes) -> None:
    assert read(400, body, token="abcdef") == PushResult(token="abcdef", outcome=Outcome.REFUSED, reason="400")


@pytest.mark.parametrize("timestamp", [None, "1700000000000", 1.5, True, -1, 10**40, [1], {}])
def test_a_bad_timestamp_is_none(timestamp: Any) -> None:
    assert read(410, encode(reason="Unregistered", timestamp=timestamp)).gone_since is None


def test_a_timestamp_is_in_milliseconds() -> None:
    assert read(410, encode(timestamp=1_700_000_000_123)).gone_since == from_milliseconds(1_700_000_000_123)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        (format_http_date(int((NOW + timedelta(seconds=90)).timestamp())), 90.0),
        (format_http_date(int((NOW - timedelta(seconds=90)).timestamp())), 0.0),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("9" * 30, None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert read(503, retry_after=header).retry_after_seconds == seconds


def test_only_a_retry_has_a_delay_and_only_a_loss_a_moment() -> None:
    result = read(400, encode(reason="BadTopic", timestamp=1), retry_after="5")

    assert (result.retry_after_seconds, result.gone_since) == (None, None)
