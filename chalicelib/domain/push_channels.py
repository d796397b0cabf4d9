"""What a wallet's push service is asked, and what its answers mean here (wallets, sections 2.5 and 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chalicelib.domain.registrations import Wallet


class Outcome(StrEnum):
    """What became of one push. The first four are final for its ticket."""

    SENT = "sent"
    """taken by the service, which is all that one can know"""
    GONE = "gone"
    """nobody is there any more: the device's registrations go, unless it registered again since"""
    UNKNOWN_TOKEN = "unknown_token"
    """the service never gave out such a token: as GONE, unless too many are so at once"""
    REFUSED = "refused"
    """this one push is wrong; no repeat mends it, and the registration stays"""
    RETRY = "retry"
    """the service is busy, down or silent: again later"""
    MISCONFIGURED = "misconfigured"
    """credentials or settings of the project are wrong: an operator has to mend them, then again"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBatch:
    """Devices of one wallet that are to ask what has changed. No token stands twice."""

    project_id: int
    wallet: Wallet
    pass_type: str
    """the pass type identifier, which is the topic"""
    tokens: tuple[str, ...]
    push_service_url: str | None = None
    """what the device named when it registered, for wallets that do; never called without a check"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """The outcome for one token. `reason` is for logs and metrics: a short word of the service, never a token."""

    token: str
    outcome: Outcome
    reason: str = ""
    retry_after_seconds: float | None = None
    """with RETRY, what the service asked for"""
    gone_since: datetime | None = None
    """with GONE, when the service learnt of it; None if it does not say"""


class PushChannel(Protocol):
    """A wallet's push service."""

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """Pushes to every token and yields one result for each, in any order, each as soon as it is known.

        Never raises for anything that the service or the network does: that is a result. Bounded in time.
        """
