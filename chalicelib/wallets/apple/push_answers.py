"""What an answer of Apple's push service means for one push (wallets, section 2.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.http_dates import read_retry_after
from chalicelib.domain.passes import from_milliseconds
from chalicelib.domain.push_channels import Outcome, PushResult

EXPIRED_PROVIDER_TOKEN = "ExpiredProviderToken"

_BAD_REQUESTS = {
    "BadDeviceToken": Outcome.UNKNOWN_TOKEN,
    "DeviceTokenNotForTopic": Outcome.REFUSED,
    "TopicDisallowed": Outcome.MISCONFIGURED,
}
_REASON = re.compile(r"[A-Za-z]{1,60}")
_LATEST_MILLISECONDS = 253_402_300_799_000
"""the last second of the year 9999"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response. Header names are found without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_expired_token(self) -> bool:
        """Whether the provider token is to be renewed."""
        return self.status == 403 and _read_body(self.body).get("reason") == EXPIRED_PROVIDER_TOKEN


def read_answer(token: str, answer: Answer, *, now: datetime) -> PushResult:
    """The outcome of a push. Whatever the body holds, the reason is one word: Apple's, or the status."""
    body = _read_body(answer.body)
    reason = _read_reason(body.get("reason"), token=token)
    outcome = _decide(answer.status, reason)
    return PushResult(
        token=token,
        outcome=outcome,
        reason="" if outcome == Outcome.SENT else reason or str(answer.status),
        retry_after_seconds=read_retry_after(answer.headers.get("retry-after"), now=now)
        if outcome == Outcome.RETRY
        else None,
        gone_since=_read_moment(body.get("timestamp")) if outcome == Outcome.GONE else None,
    )


def _decide(status: int, reason: str) -> Outcome:
    if status == 200:
        return Outcome.SENT
    if status == 400:
        return _BAD_REQUESTS.get(reason, Outcome.REFUSED)
    if status == 410:
        return Outcome.GONE
    if status == 429 or status >= 500:
        return Outcome.RETRY
    # an answer below 400, such as a redirect, is not from APNs
    return Outcome.MISCONFIGURED if status == 403 or status < 400 else Outcome.REFUSED


def _read_body(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _read_reason(reason: Any, *, token: str) -> str:
    """Apple's reasons are words of letters; nothing else is let into logs, and least of all the token."""
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) and reason != token else ""


def _read_moment(milliseconds: Any) -> datetime | None:
    is_number = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)
    return from_milliseconds(milliseconds) if is_number and 0 <= milliseconds <= _LATEST_MILLISECONDS else None
