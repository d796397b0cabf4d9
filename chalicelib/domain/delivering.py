"""Pushing to devices, once for each ticket, and doing what the answers ask for (wallets, section 2.5).

A delivery is claimed before it is made and noted as soon as its answer is known. So of two copies of a message one
pushes, a device whose passes lie in several segments is told once, and a worker that dies leaves unknown only what it
did not know itself.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.deliveries import Claims, Delivery, Pause, as_document
from chalicelib.domain.lost_devices import remove_token
from chalicelib.domain.ports import Platform
from chalicelib.domain.push_channels import Outcome, PushBatch, PushChannel, PushResult
from chalicelib.domain.recording import Recorder
from chalicelib.domain.reporting import Event

CLAIM_SECONDS = 75
"""a little longer than a worker lives (60 s): whoever has been silent for so long is dead"""

HANDFUL = 5
"""more unknown tokens than that, and nothing else, are a fault of the settings (wallets, section 2.5)"""

SLOW = timedelta(seconds=5)
"""a service that let a whole batch wait so long for nothing rests"""

MOST_DELAY_SECONDS = 900
"""SQS's limit; what must wait longer is asked for again"""

LONGEST_RETRY_AFTER_SECONDS = 3600
"""a service cannot put a push off for longer, whatever it asks for"""

_FIRST_DELAY_SECONDS = 2
_BUSY_SECONDS = 5
_REST_SECONDS = 60

_log = logging.getLogger("passel")


@dataclass(slots=True)
class DeliveryReport:
    """What became of one message, for metrics: pushes by outcome, and what was given up."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    abandoned: int = 0
    refusal: str | None = None
    """why the service refuses this project, if it does: an operator has to act"""


def deliver(platform: Platform, channel: PushChannel, delivery: Delivery) -> DeliveryReport:
    """Pushes to those devices of a delivery that were not told of its ticket yet.

    What the service has to be asked again for is queued with a growing delay, at least what it asks for, for as long
    as `Bounds.push_seconds`. Credentials that are refused pause the project's pushes to that service.

    Raises:
        Busy: try the message again.
    """
    now = platform.now()
    if now - delivery.asked_at > timedelta(seconds=platform.bounds.push_seconds):
        _log.error("gave up %d pushes of ticket %d to %s", len(delivery.tokens), delivery.ticket_id, delivery.wallet)
        return DeliveryReport(abandoned=len(delivery.tokens))
    waits_until = _waits_until(platform, delivery, now)
    if waits_until is not None:
        _ask_again(platform, delivery, delivery.tokens, not_before=waits_until)
        return DeliveryReport()
    names = {delivery.name_of(token): token for token in delivery.tokens}
    claims = platform.deliveries.claim(list(names), asked_at=delivery.asked_at, now=now, seconds=CLAIM_SECONDS)
    work = _Work(platform, delivery, names, started_at=now)
    work.push(channel, claims)
    work.settle(claims)
    return work.report


def _waits_until(platform: Platform, delivery: Delivery, now: datetime) -> datetime | None:
    """When the delivery may be tried, if that is not now."""
    if delivery.not_before is not None and delivery.not_before > now + timedelta(seconds=1):
        return delivery.not_before
    pause = platform.deliveries.get_pause(delivery.service, now=now)
    # spread, so that not everything that waited comes back at the same moment
    return None if pause is None else pause.until + timedelta(seconds=random.uniform(1, 30))


def _ask_again(
    platform: Platform, delivery: Delivery, tokens: Iterable[str], *, not_before: datetime, attempt: int | None = None
) -> None:
    left = tuple(tokens)
    if not left:
        return
    again = replace(
        delivery,
        tokens=left,
        not_before=not_before,
        attempt=delivery.attempt if attempt is None else attempt,
    )
    seconds = (not_before - platform.now()).total_seconds()
    platform.queues.send_documents(
        delivery.queue, [as_document(again)], delay_seconds=min(MOST_DELAY_SECONDS, max(0, round(seconds)))
    )


def backoff(attempt: int) -> timedelta:
    """How long to wait after that many tries: doubling, with full jitter, at most SQS's longest delay."""
    longest = min(MOST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** min(attempt, 20))
    return timedelta(seconds=random.uniform(1, longest))


@dataclass(slots=True)
class _Work:
    """One message's pushes. `results` are by token."""

    platform: Platform
    delivery: Delivery
    names: dict[str, str]
    """name of a delivery to token"""
    started_at: datetime
    results: dict[str, PushResult] = field(default_factory=dict)
    report: DeliveryReport = field(default_factory=DeliveryReport)

    def push(self, channel: PushChannel, claims: Claims) -> None:
        """Makes the deliveries that are ours; each answer is written down while others are still awaited."""
        tokens = tuple(token for name, token in self.names.items() if name in claims.mine)
        if not tokens:
            return
        batch = PushBatch(
            project_id=self.delivery.project_id,
            wallet=self.delivery.wallet,
            pass_type=self.delivery.pass_type,
            tokens=tokens,
            push_service_url=self.delivery.push_service_url,
        )
        with Recorder(self._record) as recorder:
            for result in channel.push(batch):
                self.results[result.token] = result
                recorder.add(result)
        self.report.outcomes.update(result.outcome for result in self.results.values())

    def _record(self, results: Sequence[PushResult]) -> None:
        final = (Outcome.SENT, Outcome.REFUSED)
        done = [self.delivery.name_of(each.token) for each in results if each.outcome in final]
        gone = {
            self.delivery.name_of(each.token): each.gone_since or self.started_at
            for each in results
            if each.outcome is Outcome.GONE
        }
        self.platform.deliveries.finish(done, pushed_at=self.started_at)
        self.platform.deliveries.note_gone(gone, now=self.started_at)

    def settle(self, claims: Claims) -> None:
        """Acts on the answers, and on what an earlier try left."""
        sent = len(self._tokens(Outcome.SENT))
        if sent:
            self.platform.counts.count_event(
                template_id=self.delivery.template_id, event=Event.PUSHES, at=self.started_at, times=sent
            )
        self._log_refusals()
        self._remove_gone(claims)
        self._remove_unknown()
        misconfigured = self._tokens(Outcome.MISCONFIGURED)
        # where others were taken the credentials are right after all, or were a moment ago
        self._retry([*self._tokens(Outcome.RETRY), *(misconfigured if sent else ())])
        if not sent:
            self._pause(misconfigured)
        busy = [self.names[name] for name in claims.busy]
        soon = self.platform.now() + timedelta(seconds=random.uniform(_BUSY_SECONDS, 2 * _BUSY_SECONDS))
        _ask_again(self.platform, self.delivery, busy, not_before=soon)

    def _tokens(self, outcome: Outcome) -> list[str]:
        return [token for token, result in self.results.items() if result.outcome is outcome]

    def _log_refusals(self) -> None:
        reasons = Counter(self.results[token].reason for token in self._tokens(Outcome.REFUSED))
        for reason, times in reasons.items():
            ticket_id = self.delivery.ticket_id
            _log.error("%s: %d pushes of ticket %d refused: %s", self.delivery.wallet, times, ticket_id, reason)

    def _remove_gone(self, claims: Claims) -> None:
        since = {self.names[name]: moment for name, moment in claims.gone.items()}
        for token in self._tokens(Outcome.GONE):
            since[token] = self.results[token].gone_since or self.started_at
        self._remove(since)

    def _remove(self, since: dict[str, datetime]) -> None:
        for token, moment in since.items():
            remove_token(self.platform, pass_type=self.delivery.pass_type, push_token=token, gone_since=moment)
        names = [self.delivery.name_of(token) for token in since]
        self.platform.deliveries.finish(names, pushed_at=self.started_at)

    def _remove_unknown(self) -> None:
        """Whoever holds a pass may register with any token, so a batch without a good one stops nobody else."""
        unknown = self._tokens(Outcome.UNKNOWN_TOKEN)
        if len(unknown) <= HANDFUL or len(unknown) < len(self.results):
            self._remove(dict.fromkeys(unknown, self.started_at))
            return
        _log.error("%s knows none of %d tokens: wrong address?", self.delivery.wallet, len(unknown))
        self.report.refusal = self.results[unknown[0]].reason or Outcome.UNKNOWN_TOKEN
        names = [self.delivery.name_of(token) for token in unknown]
        self.platform.deliveries.finish(names, pushed_at=self.started_at)

    def _pause(self, tokens: list[str]) -> None:
        """Leaves the service alone until an operator may have mended what it refuses."""
        if not tokens:
            return
        reason = self.results[tokens[0]].reason or self.results[tokens[0]].outcome
        _log.error("%s refuses project %d: %s; its pushes rest", self.delivery.wallet, self.delivery.project_id, reason)
        self.report.refusal = reason
        until = self.platform.now() + timedelta(seconds=self.platform.bounds.push_pause_seconds)
        self.platform.deliveries.pause(Pause(service=self.delivery.service, until=until, reason=reason))
        self._release(tokens)
        _ask_again(self.platform, self.delivery, tokens, not_before=until)

    def _retry(self, tokens: Sequence[str]) -> None:
        """Asks again, each for itself after the time that the service wants."""
        if not tokens:
            return
        now = self.platform.now()
        if len(tokens) == len(self.results) and now - self.started_at > SLOW:
            rest = Pause(service=self.delivery.service, until=now + timedelta(seconds=_REST_SECONDS), reason="silent")
            self.platform.deliveries.pause(rest)
        self._release(tokens)
        by_wait: dict[float, list[str]] = {}
        for token in tokens:
            asked = self.results[token].retry_after_seconds or 0
            by_wait.setdefault(min(asked, LONGEST_RETRY_AFTER_SECONDS), []).append(token)
        for asked, own in by_wait.items():
            delay = max(backoff(self.delivery.attempt), timedelta(seconds=asked))
            _ask_again(self.platform, self.delivery, own, not_before=now + delay, attempt=self.delivery.attempt + 1)

    def _release(self, tokens: Iterable[str]) -> None:
        self.platform.deliveries.release([self.delivery.name_of(token) for token in tokens])
