"""Telling receivers what has happened: signed, for as long as it takes them to listen, once by event id.

A message waits in the queue with its attempts counted. While a receiver is down, nobody waits for it: whoever met the
silence leaves it alone for a while that grows, and what comes meanwhile waits for the end of that, which costs no
attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from chalicelib.domain.callback_events import CALLBACK_QUEUE, CallbackEvent, as_document
from chalicelib.domain.deliveries import Pause
from chalicelib.domain.errors import PasselError
from chalicelib.domain.http_dates import read_retry_after
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import Dialect, Receiver
from chalicelib.domain.reporting import Event

DEAD_QUEUE = "callback-dead"

EVENT_ID_HEADER = "Passel-Event-Id"
TIMESTAMP_HEADER = "Passel-Timestamp"
SIGNATURE_HEADER = "Passel-Signature"

MOST_DELAY_SECONDS = 900
"""SQS's limit; what must wait longer is asked for again"""

LONGEST_RETRY_AFTER = timedelta(hours=1)
"""a receiver cannot put us off for longer, whatever it asks for"""

LONGEST_PAUSE_SECONDS = 300
PAUSE_MEMORY = timedelta(minutes=15)
"""a failure so soon after a pause makes the next one longer"""

_FIRST_DELAY_SECONDS = 5
_FIRST_PAUSE_SECONDS = 5
_SPREAD_SECONDS = 30
"""over which events come back after a pause"""

_JSON_TYPES = {Dialect.AIRSHIP: "application/json", Dialect.PASSWORKS: "application/json; charset=utf-8"}

_log = logging.getLogger("passel")

Chance = Callable[[], float]
"""draws a number from 0 to 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTask:
    """One message: events to tell one project. Several are new, and are taken apart before anything is counted."""

    project_id: int
    events: Sequence[CallbackEvent]
    attempt: int = 0
    """tries before this one that failed"""
    since: datetime | None = None
    """when trying began, if not with the event: an operator gave it another chance"""
    not_before: datetime | None = None
    outbox: str | None = None
    """the row to take out of the outbox once the message is handled"""


def as_message(task: CallbackTask) -> dict[str, Any]:
    """JSON for a queue; `CallbackMessage` reads it."""
    return {
        "project_id": task.project_id,
        "events": [as_document(event) for event in task.events],
        "attempt": task.attempt,
        "since": task.since and task.since.isoformat(),
        "not_before": task.not_before and task.not_before.isoformat(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRequest:
    """What is posted to a receiver."""

    url: str
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswer:
    """What a receiver said. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class NoAnswer(Exception):
    """The receiver could not be reached, did not answer in time, or is at an address that we do not call.

    `reason` is for logs.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SendCallback(Protocol):
    """Posts to an address that a team named."""

    def __call__(self, request: CallbackRequest) -> CallbackAnswer:
        """The answer, whatever its status; redirects are not followed. Raises NoAnswer."""


class Outcome(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """and will be tried again"""
    WAITING = "waiting"
    """it was too early"""
    SPLIT = "split"
    """into one message for each event"""
    DROPPED = "dropped"
    """nobody is to be told any more"""
    ABANDONED = "abandoned"
    """for good: it is among the dead letters"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    reason: str
    retry_after_seconds: float = 0
    is_about_the_receiver: bool = False
    """the next event would fare no better now"""


def deliver_callback(
    platform: Platform, send: SendCallback, task: CallbackTask, *, chance: Chance = random.random
) -> Outcome:
    """Tells a receiver of one event, or sees to it that it is told later.

    The receiver is the one that is set up now, so that a corrected address helps what waits. Any 2xx is delivered;
    everything else is tried again, with growing delays and at least what Retry-After asks for, until
    `Bounds.callback_seconds` after the event. Then it is kept among the dead letters.

    Raises:
        Busy: try the message again.
    """
    outcome = _handle(platform, send, task, chance)
    if task.outbox is not None:
        platform.outbox.remove(task.outbox)
    return outcome


def _handle(platform: Platform, send: SendCallback, task: CallbackTask, chance: Chance) -> Outcome:
    if len(task.events) > 1:
        messages = [as_message(replace(task, events=[event])) for event in task.events]
        platform.queues.send_documents(CALLBACK_QUEUE, messages)
        return Outcome.SPLIT
    (event,) = task.events
    now = platform.now()
    if task.not_before is not None and task.not_before > now + timedelta(seconds=1):
        _ask_again(platform, task, not_before=task.not_before)
        return Outcome.WAITING
    receiver = platform.receivers.get_receiver(task.project_id)
    request = None if receiver is None else sign_request(receiver, event, now=now)
    if request is None:
        _log.info("dropped %s: nobody is told any more", _name(task))
        return Outcome.DROPPED
    # a pause that has just ended is of interest too
    pause = platform.deliveries.get_pause(_service(task), now=now - PAUSE_MEMORY)
    if pause is not None and pause.until > now:
        spread = timedelta(seconds=1 + chance() * _SPREAD_SECONDS)
        return _ask_again_or_give_up(platform, task, not_before=pause.until + spread) or Outcome.WAITING
    failure = _try(send, request, now=now)
    if failure is None:
        _note_delivery(platform, task, pause)
        return Outcome.DELIVERED
    return _note_failure(platform, task, failure, pause=pause, chance=chance)


def sign_request(receiver: Receiver, event: CallbackEvent, *, now: datetime) -> CallbackRequest | None:
    """The request that tells an event, with its id, the time and our signature; None if nobody listens.

    The signature is over the exact bytes of the body. During a rotation there is one with each secret, newest first.
    A header of the team's never takes the place of ours.
    """
    target = _find_target(receiver, event)
    if target is None:
        return None
    url, more = target
    content = json.dumps(event.body, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(now.timestamp())
    signatures = [
        f"v1={sign(secret, timestamp=timestamp, event_id=event.event_id, body=content)}"
        for secret in receiver.secrets_at(now)
    ]
    own = {
        "Content-Type": _JSON_TYPES[event.dialect],
        EVENT_ID_HEADER: event.event_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: ",".join(signatures),
    }
    names = {name.lower() for name in own}
    headers = {name: value for name, value in more.items() if name.lower() not in names}
    return CallbackRequest(url=url, headers=headers | own, content=content)


def sign(secret: str, *, timestamp: int, event_id: str, body: bytes) -> str:
    """HMAC-SHA256 in hex over time, event and body, so that none of them can be replaced."""
    return hmac.new(secret.encode(), f"{timestamp}.{event_id}.".encode() + body, hashlib.sha256).hexdigest()


def _find_target(receiver: Receiver, event: CallbackEvent) -> tuple[str, Mapping[str, str]] | None:
    """Address and headers of whoever listens in the event's dialect."""
    if event.dialect is Dialect.AIRSHIP:
        airship = receiver.airship
        return None if airship is None else (airship.base_url.rstrip("/") + event.path, airship.headers)
    passworks = receiver.passworks
    if passworks is None:
        return None
    return passworks.url, {} if passworks.authorization is None else {"Authorization": passworks.authorization}


def _try(send: SendCallback, request: CallbackRequest, *, now: datetime) -> _Failure | None:
    try:
        answer = send(request)
    except NoAnswer as error:
        return _Failure(reason=error.reason, is_about_the_receiver=True)
    if 200 <= answer.status < 300:
        return None
    reason = f"answered {answer.status}"
    if 300 <= answer.status < 400:
        place = answer.headers.get("location", "nowhere").partition("?")[0]  # a query may hold what nobody should read
        reason += f", and redirects are not followed: {place[:200]!r}"
    asked = read_retry_after(answer.headers.get("retry-after"), now=now) or 0
    return _Failure(
        reason=reason,
        retry_after_seconds=min(asked, LONGEST_RETRY_AFTER.total_seconds()),
        is_about_the_receiver=answer.status in (429, 503),
    )


def _note_delivery(platform: Platform, task: CallbackTask, pause: Pause | None) -> None:
    """What is only counted must not make anybody tell the event again."""
    (event,) = task.events
    try:
        if pause is not None:
            platform.deliveries.end_pause(pause.service)
        if event.dialect is Dialect.PASSWORKS:
            platform.counts.count_event(template_id=event.template_id, event=Event.WEBHOOKS, at=platform.now())
    except PasselError as error:
        _log.warning("%s was told, but not counted: %r", _name(task), error)


def _note_failure(
    platform: Platform, task: CallbackTask, failure: _Failure, *, pause: Pause | None, chance: Chance
) -> Outcome:
    now = platform.now()
    _log.warning("%s failed, try %d: %s", _name(task), task.attempt + 1, failure.reason)
    if failure.is_about_the_receiver:
        failures = 1 if pause is None else pause.failures + 1
        seconds = max(pause_seconds(failures), min(failure.retry_after_seconds, LONGEST_PAUSE_SECONDS))
        until = now + timedelta(seconds=seconds)
        platform.deliveries.pause(Pause(service=_service(task), until=until, reason=failure.reason, failures=failures))
    delay = max(backoff_seconds(task.attempt, chance()), failure.retry_after_seconds)
    again = replace(task, attempt=task.attempt + 1)
    return _ask_again_or_give_up(platform, again, not_before=now + timedelta(seconds=delay)) or Outcome.FAILED


def backoff_seconds(attempt: int, chance: float) -> float:
    """How long to wait after that many tries before: doubling, with full jitter, at most SQS's longest delay."""
    longest = min(MOST_DELAY_SECONDS, _FIRST_DELAY_SECONDS << min(attempt, 20))
    return max(1.0, chance * longest)


def pause_seconds(failures: int) -> float:
    """How long a receiver rests that has failed so often in a row."""
    return float(min(LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS << min(failures - 1, 20)))


def _ask_again_or_give_up(platform: Platform, task: CallbackTask, *, not_before: datetime) -> Outcome | None:
    """Has the message come again; ABANDONED if that has gone on for long enough."""
    now, since = platform.now(), task.since or task.events[0].happened_at
    if now - since <= timedelta(seconds=platform.bounds.callback_seconds):
        _ask_again(platform, task, not_before=not_before)
        return None
    _log.error("gave up %s after %d tries; it is in %s", _name(task), task.attempt, DEAD_QUEUE)
    platform.queues.send_documents(DEAD_QUEUE, [as_message(replace(task, not_before=None))])
    return Outcome.ABANDONED


def _ask_again(platform: Platform, task: CallbackTask, *, not_before: datetime) -> None:
    delay = min(MOST_DELAY_SECONDS, max(0, round((not_before - platform.now()).total_seconds())))
    again = as_message(replace(task, not_before=not_before))
    platform.queues.send_documents(CALLBACK_QUEUE, [again], delay_seconds=delay)


def _service(task: CallbackTask) -> str:
    """Whom a pause is for."""
    return f"{task.project_id}#callback#{task.events[0].dialect}"


def _name(task: CallbackTask) -> str:
    """One event, in logs."""
    event = task.events[0]
    return f"callback {event.event_id} ({event.name}, {event.dialect}) of project {task.project_id}"
