"""Doing once what a client asks for several times under one key (draft-ietf-httpapi-idempotency-key-header-07).

A request claims its key before it works, and finishes it with its answer: in the transaction that does the work, where
there is one. So whoever repeats it, after whatever failure, gets that answer, or does what was not done. A claim ends
by itself after any request has ended; whatever its owner still tries to write then is refused together with its mark.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.domain.errors import Busy, ClaimLost, Conflict, InvalidRequest, KeyReused, Refused, StillAtWork
from chalicelib.domain.retrying import retry_conflicts

if TYPE_CHECKING:
    from chalicelib.domain.ports import Platform

HEADER = "Idempotency-Key"

KEPT = timedelta(days=1)
"""from the first request of a key"""

LONGEST_KEY_CHARACTERS = 255

_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_BOUNDARY = re.compile(rb'boundary="?([^";,\s]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client was told: a success, since nothing else is kept."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request's right to work for a key of a project."""

    project_id: int
    key: str
    fingerprint: str
    owner: str
    """a random name of this request alone"""
    until: datetime
    """from then on another request with the key may take over"""
    expires_at: datetime
    """from then on the key is new again; whole seconds"""
    notes: str | None = None
    """what an earlier request of the key has written down for its successor"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a transaction writes to a claim, which must still be its request's: the answer, or without one more time."""

    claim: Claim
    answer: Answer | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is stored of a key; with the answer once its work is done."""

    fingerprint: str
    owner: str
    until: datetime
    expires_at: datetime
    notes: str | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The claim of the request at work, and how the answer is made of what is written.

    Without `describe` the work takes several transactions: each prolongs the claim, the answer comes after the last.
    """

    claim: Claim
    next_end: Callable[[], datetime]
    """of a claim that is prolonged now"""
    describe: Callable[[Any], Answer] | None = None

    def make_receipt(self, written: Any) -> Receipt:
        """What goes into the transaction that writes something for the request."""
        answer = None if self.describe is None else self.describe(written)
        return Receipt(claim=self.claim, answer=answer, until=self.next_end())


class Decision(StrEnum):
    """What becomes of a request with a key."""

    WORK = "work"
    """the key is new"""
    REPEAT = "repeat"
    """the work is done: the same answer again"""
    TAKE_OVER = "take over"
    """the earlier request has ended, and nobody knows how"""
    WAIT = "wait"
    REFUSE = "refuse"
    """the key is another request's"""


def decide(record: Record | None, *, fingerprint: str, now: datetime) -> Decision:
    """What to do about a request, by what is stored of its key."""
    if record is None or record.expires_at <= now:
        return Decision.WORK
    if record.fingerprint != fingerprint:
        return Decision.REFUSE
    if record.answer is not None:
        return Decision.REPEAT
    return Decision.WAIT if record.until > now else Decision.TAKE_OVER


class IdempotencyStore(Protocol):
    """Keys and what was done for them. Any call raises `Busy` when storage cannot be reached, or `Conflict`."""

    def claim(self, claim: Claim, *, now: datetime) -> bool:
        """Claims a key that is new, or whose day is over; False if it is neither. One conditional write."""

    def get_record(self, *, project_id: int, key: str) -> Record | None:
        """What is stored of a key, read consistently."""

    def take_over(self, claim: Claim, *, former: str) -> None:
        """Claims a key whose unfinished claim has the owner `former`. Raises Conflict if it has not, or is finished."""

    def note(self, claim: Claim) -> None:
        """Writes down the notes of a claim. Raises ClaimLost."""

    def finish(self, receipt: Receipt) -> None:
        """Writes an answer, of any size. Raises ClaimLost."""

    def suspend(self, claim: Claim) -> None:
        """Lets the next request take over at once. Raises ClaimLost."""

    def release(self, claim: Claim, *, is_finished: bool = False) -> None:
        """Forgets a claim, or with `is_finished` what was finished under it. Raises ClaimLost."""


def parse_key(text: str) -> str:
    """The key that a header names: as it is, or as the quoted string of the draft (section 2.1).

    Raises:
        InvalidRequest: it has no character, too many, or others than printable ones of ASCII.
    """
    key = text.strip()
    quoted = _QUOTED.fullmatch(key)
    if quoted:
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    if len(key) > LONGEST_KEY_CHARACTERS or not _PRINTABLE.fullmatch(key):
        raise InvalidRequest(f"must have 1 to {LONGEST_KEY_CHARACTERS} printable characters", field=HEADER)
    return key


def make_fingerprint(
    *,
    method: str,
    route: str,
    parameters: Mapping[str, str],
    query: Iterable[tuple[str, str]],
    body: bytes,
    content_type: str,
) -> str:
    """What tells two requests apart (draft, section 2.4): all that they ask for, but not who asks.

    `body` holds no credentials. The boundary of a form is left out, since a client makes it anew when it sends the
    same form again.
    """
    boundary = _BOUNDARY.search(content_type.encode())
    asked = [method, route, sorted(parameters.items()), sorted(pair for pair in query if pair[0] != "api_key")]
    digest = hashlib.sha256(json.dumps(asked).encode() + b"\n")
    digest.update(body.replace(boundary[1], b"") if boundary else body)
    return digest.hexdigest()


def claim_key(platform: Platform, *, project_id: int, key: str, fingerprint: str) -> Claim | Answer:
    """The right to work for a key, or the answer to what was done for it. One call, a read more for a repeat.

    Raises:
        KeyReused: the key is another request's.
        StillAtWork: the first request with it has not ended.
        Busy
    """

    def attempt() -> Claim | Answer:
        now = platform.now()
        claim = Claim(
            project_id=project_id,
            key=key,
            fingerprint=fingerprint,
            owner=platform.new_token(),
            until=_end_of_claim(platform),
            expires_at=now.replace(microsecond=0) + KEPT,
        )
        if platform.idempotency.claim(claim, now=now):
            return claim
        record = platform.idempotency.get_record(project_id=project_id, key=key)
        decision = decide(record, fingerprint=fingerprint, now=now)
        if record is not None and record.owner == claim.owner:
            return claim  # its answer was lost, and it went again
        if record is None or decision is Decision.WORK:
            raise Conflict("the key was given up meanwhile")
        if record.answer is not None and decision is Decision.REPEAT:
            return record.answer
        if decision is not Decision.TAKE_OVER:
            raise _refusal(decision)
        successor = replace(claim, notes=record.notes, expires_at=record.expires_at)
        platform.idempotency.take_over(successor, former=record.owner)
        return successor

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _end_of_claim(platform: Platform) -> datetime:
    return platform.now() + timedelta(seconds=platform.bounds.claim_seconds)


def _refusal(decision: Decision) -> Refused | Busy:
    if decision is Decision.REFUSE:
        return KeyReused("was sent with another request before; each request needs a key of its own", field=HEADER)
    return StillAtWork("the first request with this Idempotency-Key is still at work")


def hold(platform: Platform, claim: Claim, *, describe: Callable[[Any], Answer] | None) -> Platform:
    """The platform for the work of a request with a key; see `Held`."""
    return replace(platform, held=Held(claim, partial(_end_of_claim, platform), describe))


def finish_key(platform: Platform, claim: Claim, answer: Answer) -> None:
    """Keeps the answer to work that is done.

    Raises:
        ClaimLost: the claim has ended, and another request has taken over.
        Busy
    """
    receipt = Receipt(claim=claim, answer=answer, until=claim.until)
    _write(platform, lambda: platform.idempotency.finish(receipt))


def note(platform: Platform, claim: Claim) -> None:
    """Writes down what a request that takes over has to know, before the work begins.

    Raises:
        ClaimLost, Busy
    """
    _write(platform, lambda: platform.idempotency.note(claim))


def withdraw(platform: Platform, held: Held) -> None:
    """Forgets what was finished with a transaction whose work is undone.

    Raises:
        Busy
    """
    if held.describe is None:
        return
    with suppress(ClaimLost):
        _write(platform, lambda: platform.idempotency.release(held.claim, is_finished=True))


def suspend(platform: Platform, claim: Claim) -> None:
    """Lets the next request with the key take over, and what was noted: the work has stopped on the way.

    Raises:
        ClaimLost, Busy
    """
    _write(platform, lambda: platform.idempotency.suspend(claim))


def abandon(platform: Platform, claim: Claim, *, is_refused: bool) -> Answer | None:
    """Gives a key up whose request has failed; the answer if the work turns out to be done, though nobody told us so.

    What was refused has written nothing: it is forgotten, so that the request may be mended. Any other failure can be
    repeated at once, and then nothing that still lingers takes effect.

    Raises:
        Busy: the claim ends by itself.
    """
    try:
        if is_refused:
            _write(platform, lambda: platform.idempotency.release(claim))
        else:
            suspend(platform, claim)
    except ClaimLost:
        return find_answer(platform, claim)
    return None


def find_answer(platform: Platform, claim: Claim) -> Answer | None:
    """The answer to the same request, if it is done.

    Raises:
        Busy
    """
    record = platform.idempotency.get_record(project_id=claim.project_id, key=claim.key)
    decision = decide(record, fingerprint=claim.fingerprint, now=platform.now())
    return record.answer if record is not None and decision is Decision.REPEAT else None


def _write(platform: Platform, write: Callable[[], None]) -> None:
    retry_conflicts(write, budget_seconds=platform.bounds.budget_seconds)
