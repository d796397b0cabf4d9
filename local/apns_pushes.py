"""What comes to the stand-in for Apple's push service, and what it can be told to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from h2.errors import ErrorCodes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPush:
    """A push as it came. Times are aware UTC."""

    token: str
    """from the last path segment, decoded"""
    path: str
    """as it was sent"""
    headers: Mapping[str, str]
    """without the pseudo-headers"""
    body: bytes
    connection: int
    """1 for the first connection that the server took"""
    client_subject: str | None
    """of the TLS client certificate, as in RFC 4514"""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response; the body is `body`, else a JSON object of `reason` and `timestamp`, else empty."""

    status: int = 200
    reason: str | None = None
    timestamp: Any = None
    """milliseconds since 1970, with 410"""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay_seconds: float = 0.0

    def encode(self) -> bytes:
        """The body."""
        if self.body is not None:
            return self.body
        members = {"reason": self.reason, "timestamp": self.timestamp}
        present = {name: value for name, value in members.items() if value is not None}
        return json.dumps(present).encode() if present else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """No answer, ever; the connection goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The connection is dropped at once, without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """The stream alone is ended. With the default code the push counts as not processed, and is not kept."""

    error_code: ErrorCodes = ErrorCodes.REFUSED_STREAM


@dataclass(frozen=True, slots=True, kw_only=True)
class GoAway:
    """The connection takes no further streams and ends when those before are answered.

    This push is answered with `answer`; without one it and all later are not processed, and are not kept.
    """

    answer: Answer | None = None


Action = Answer | Hang | Close | Reset | GoAway
