"""Pushes to the wallets of Android, which take many tokens in one request (wallets, sections 3.2 to 3.5)."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.http_dates import read_retry_after
from chalicelib.domain.push_channels import Outcome, PushResult
from chalicelib.domain.wallet_services import WalletServices
from chalicelib.outbound.guarded import Answer, CallRefused, GuardedClient, HeaderRefused, Unreachable

FindServices = Callable[[int], WalletServices]
"""a project's services by its id; raises Busy when they cannot be read"""

NO_KEY = "no key"

_log = logging.getLogger("passel")

MOST_HALVINGS = 24
"""of one batch: enough to find two tokens among 1,000, too few to keep a worker busy with a batch of nothing else"""

_LONGEST_EXCERPT = 300
_ABOUT_CONTENT = {400, 413, 422}
"""statuses that one token of many can be the reason of"""
_OUTCOMES = {401: Outcome.MISCONFIGURED, 403: Outcome.MISCONFIGURED, 429: Outcome.RETRY}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCall:
    """One request for all tokens of a batch."""

    service: str
    """the vendor's name, for logs"""
    url: str
    body: Mapping[str, Any]
    tokens: Sequence[str]
    headers: Mapping[str, str]
    """those beside Content-Type"""
    wrong_address: Outcome = Outcome.MISCONFIGURED
    """what a redirect or an address that we do not call means: the operator's mistake, or a refusal"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one answer means for every token that was in its request."""

    outcome: Outcome
    reason: str
    retry_after_seconds: float | None = None
    is_about_the_content: bool = False
    """whether fewer tokens may fare better"""

    @property
    def is_about_the_service(self) -> bool:
        """Whether the next request would fare no better now."""
        return self.outcome in (Outcome.RETRY, Outcome.MISCONFIGURED)

    def apply(self, tokens: Sequence[str]) -> Iterator[PushResult]:
        """The same result for each token."""
        for token in tokens:
            yield PushResult(
                token=token, outcome=self.outcome, reason=self.reason, retry_after_seconds=self.retry_after_seconds
            )


class BatchPoster:
    """Posts batches through one client, and reads and logs the answers. One of these serves all threads."""

    def __init__(self, client: GuardedClient, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    def push(
        self, tokens: Sequence[str], make_call: Callable[[Sequence[str]], BatchCall], *, most_tokens: int | None = None
    ) -> Iterator[PushResult]:
        """What became of each token, in their order, in requests of at most so many.

        A request that is refused for what it holds is made again with each half of its tokens, so that one which the
        vendor does not take keeps nobody else from being told. Once the service is busy or refuses us, the tokens left
        fare as those before them.
        """
        size = most_tokens or len(tokens)
        waiting = deque(tokens[start : start + size] for start in range(0, len(tokens), size))
        halvings = 0
        verdict: Verdict | None = None
        while waiting:
            part = waiting.popleft()
            if verdict is None or not verdict.is_about_the_service:
                verdict = self.post(make_call(part))
            if verdict.is_about_the_content and len(part) > 1 and halvings < MOST_HALVINGS:
                halvings += 1
                middle = len(part) // 2
                waiting.extendleft((part[middle:], part[:middle]))
            else:
                yield from verdict.apply(part)

    def post(self, call: BatchCall) -> Verdict:
        """What became of a batch. Logs it without the tokens, which are secrets of devices."""
        try:
            answer = self._client.post(
                call.url,
                headers={"Content-Type": "application/json", **call.headers},
                content=json.dumps(call.body, separators=(",", ":")).encode(),
                https_only=False,
            )
        except Unreachable as error:
            _log.warning("%s: no answer for %d tokens: %s", call.service, len(call.tokens), error.reason)
            return Verdict(outcome=Outcome.RETRY, reason="unreachable")
        except CallRefused as error:
            _log.error("%s: %d tokens not pushed: %s", call.service, len(call.tokens), error.reason)
            if isinstance(error, HeaderRefused):
                return Verdict(outcome=Outcome.MISCONFIGURED, reason="key")
            return Verdict(outcome=call.wrong_address, reason="address")
        verdict = self._judge(answer, call)
        _log.log(
            logging.INFO if verdict.outcome is Outcome.SENT else logging.WARNING,
            "%s: %s for %d tokens: %d %r",
            call.service,
            verdict.outcome,
            len(call.tokens),
            answer.status,
            _excerpt(answer, call.tokens),
        )
        return verdict

    def _judge(self, answer: Answer, call: BatchCall) -> Verdict:
        """Any 2xx is sent, 429 and 5xx are repeated, other 4xx are reported (wallets, sections 3.2 and 3.5)."""
        if 200 <= answer.status < 300:
            return Verdict(outcome=Outcome.SENT, reason=str(answer.status))
        if 300 <= answer.status < 400:
            return Verdict(outcome=call.wrong_address, reason="redirect")
        usual = Outcome.RETRY if answer.status >= 500 else Outcome.REFUSED
        outcome = _OUTCOMES.get(answer.status, usual)
        wait = read_retry_after(answer.headers.get("retry-after"), now=self._now())
        return Verdict(
            outcome=outcome,
            reason=str(answer.status),
            retry_after_seconds=wait if outcome is Outcome.RETRY else None,
            is_about_the_content=answer.status in _ABOUT_CONTENT,
        )


def _excerpt(answer: Answer, tokens: Sequence[str]) -> str:
    """The beginning of a body, without tokens that the vendor repeats in it, and where a redirect leads."""
    text = answer.body.decode("utf-8", "replace")
    for token in filter(None, tokens):
        text = text.replace(token, "...")
    location = answer.headers.get("location")
    place = f"to {location.partition('?')[0]}: " if location else ""
    return place[:_LONGEST_EXCERPT] + text[:_LONGEST_EXCERPT]
