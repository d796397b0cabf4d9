"""One batch of pushes on its way to Apple (wallets, section 2.5)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import httpx

from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.wallets.apple.push_answers import Answer, read_answer
from chalicelib.wallets.apple.push_connections import (
    MOST_STREAMS,
    Connection,
    NotProcessedError,
    SilentError,
    UnansweredError,
    UnreachableError,
    UntrustedError,
)
from chalicelib.wallets.apple.push_destinations import Destination

_TRIES = 3
_PAUSE_SECONDS = 0.05
_SILENT_DEADLINES = 1.5
"""after so many deadlines without any answer, the rest of the batch is not tried"""
_BODY = b"{}"

_log = logging.getLogger("passel")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What all pushes get that have not begun."""

    outcome: Outcome
    reason: str


class Run:
    """A batch on its way, in the event loop of its destination."""

    def __init__(
        self,
        batch: PushBatch,
        destination: Destination,
        *,
        report: Callable[[PushResult], None],
        is_wanted: Callable[[], bool],
        now: Callable[[], datetime],
        deadline_seconds: float,
    ) -> None:
        """No push begins once `is_wanted` says no; those on their way are let come to their end."""
        self._batch = batch
        self._destination = destination
        self._report = report
        self._is_wanted = is_wanted
        self._now = now
        self._deadline_seconds = deadline_seconds
        self._tokens = iter(batch.tokens)
        self._verdict: _Verdict | None = None
        self._heard_at = -math.inf
        self._failures = 0
        """of new connections, in a row"""

    async def finish(self) -> None:
        """Reports a result for each token, in the order in which they come."""
        self._heard_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(MOST_STREAMS, len(self._batch.tokens))):
                    group.create_task(self._work())
        finally:
            self._destination.settle()

    async def _work(self) -> None:
        for token in self._tokens:
            if not self._is_wanted():
                return
            self._report(await self._push(token))

    async def _push(self, token: str) -> PushResult:
        """One push, repeated while the service has surely not acted on it."""
        loop = asyncio.get_running_loop()
        ends_at = math.inf
        for number in range(_TRIES):
            connection = await self._destination.reserve()
            try:
                if self._verdict is not None:
                    return PushResult(token=token, outcome=self._verdict.outcome, reason=self._verdict.reason)
                ends_at = min(ends_at, loop.time() + self._deadline_seconds)
                return await self._try(token, connection, ends_at=ends_at)
            except UnreachableError:
                self._failures += 1
                if self._failures >= _TRIES or loop.time() >= ends_at:
                    return self._give_up(token, Outcome.RETRY, "unreachable")
                # before the stream is given back: nobody else shall connect meanwhile
                await asyncio.sleep(_PAUSE_SECONDS * (number + 1))
            except NotProcessedError:
                if loop.time() >= ends_at:
                    break
            finally:
                connection.release()
        return PushResult(token=token, outcome=Outcome.RETRY, reason="refused")

    async def _try(self, token: str, connection: Connection, *, ends_at: float) -> PushResult:
        """Raises:
        NotProcessedError: the push may be sent again.
        """
        try:
            answer = await self._exchange(token, connection, ends_at=ends_at)
        except UnansweredError as error:
            if self._is_hopeless(error):
                return self._give_up(token, Outcome.RETRY, str(error))
            return PushResult(token=token, outcome=Outcome.RETRY, reason=str(error))
        except UntrustedError as error:
            result = self._give_up(token, Outcome.MISCONFIGURED, str(error))
            connection.retire()
            return result
        return read_answer(token, answer, now=self._now())

    async def _exchange(self, token: str, connection: Connection, *, ends_at: float) -> Answer:
        """The answer to one push. A provider token that has expired is renewed, once."""
        loop = asyncio.get_running_loop()
        provider_token = self._destination.provider_token
        bearer = provider_token.get() if provider_token is not None else None
        answer = await connection.exchange(self._make_request(token, bearer), seconds=ends_at - loop.time())
        self._heard_at, self._failures = loop.time(), 0
        if provider_token is None or bearer is None or not answer.is_expired_token:
            return answer
        renewed = provider_token.renew(bearer)
        if renewed is None:
            return answer
        return await connection.exchange(self._make_request(token, renewed), seconds=ends_at - loop.time())

    def _make_request(self, token: str, bearer: str | None) -> httpx.Request:
        # dots stay as they are in `quote`, but a segment of dots alone would climb the path
        segment = quote(token, safe="", errors="replace").replace(".", "%2E")
        headers = {"apns-topic": self._batch.pass_type}
        if bearer is not None:
            headers["authorization"] = f"bearer {bearer}"
        return httpx.Request("POST", f"{self._destination.base_url}/3/device/{segment}", headers=headers, content=_BODY)

    def _is_hopeless(self, error: UnansweredError) -> bool:
        """Whether more pushes would fare no better: nothing was heard for long, or never on new connections."""
        if not error.was_open:
            self._failures += 1
        silence = asyncio.get_running_loop().time() - self._heard_at
        is_over = silence >= _SILENT_DEADLINES * self._deadline_seconds
        return is_over or self._failures >= _TRIES or (isinstance(error, SilentError) and not error.was_open)

    def _give_up(self, token: str, outcome: Outcome, reason: str) -> PushResult:
        """The result of a push, and of all that have not begun."""
        if self._verdict is None:
            self._verdict = _Verdict(outcome, reason)
            _log.warning("%s: no more pushes for %s: %s", self._destination.name, self._batch.pass_type, reason)
        return PushResult(token=token, outcome=outcome, reason=reason)
