"""What a process remembers of the buckets that it asks, so that it asks no more than it must and is never held up."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

import cachetools

from chalicelib.domain.rate_limits import (
    SLOTS_PER_SECOND,
    Asking,
    Bucket,
    Judgement,
    RateLimit,
    RateLimitStore,
    RateLimitUnknown,
    Tally,
    Verdict,
    judge,
    seconds_until,
)

MOST_BUCKETS: Final = 10_000
MOST_LEASED: Final = 16
"""tokens that are asked for at once"""
QUIET_REQUESTS: Final = 4
"""requests in the slot before, up to which each asks for itself: 32 a second in one process"""
REST_SECONDS: Final = 5.0
"""for which storage that did not answer is not asked: many requests would otherwise wait for it"""
GRACE_SLOTS: Final = 1
"""after which a slot is over for everybody: clocks of processes differ by less"""
KEPT_SECONDS: Final = 86_400
"""that a row outlives its use"""


class RateLimiter:
    """Lets requests through as their buckets say. One of these serves all threads of a process."""

    def __init__(self, store: RateLimitStore, *, now: Callable[[], float]) -> None:
        """`now` is in seconds since 1970."""
        self._store = store
        self._now = now
        self._lock = Lock()
        self._memories: cachetools.LRUCache[str, _Memory] = cachetools.LRUCache(MOST_BUCKETS)
        self._rests_until = 0.0

    def take(self, bucket: Bucket) -> Verdict:
        """Takes a token for one request. At most one write; none if one is leased, or the bucket known to be empty.

        Raises:
            RateLimitUnknown: storage did not say, or did not a moment ago.
        """
        now = self._now()
        with self._lock:
            if now < self._rests_until:
                raise RateLimitUnknown("storage is left alone for a moment")
            memory = self._memories.get(bucket.name)
            if memory is None or memory.limit != bucket.limit:
                memory = self._memories[bucket.name] = _Memory(bucket.limit)
            verdict = memory.decide(now)
            if verdict is not None:
                return verdict
            asking = memory.prepare(now)
        try:
            tally = self._store.ask(bucket.name, asking)
        except RateLimitUnknown:
            with self._lock:
                self._rests_until = now + REST_SECONDS
            raise
        with self._lock:
            return memory.learn(asking, tally, self._now())


class _Memory:
    """What one process knows of one bucket."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._tally = Tally()
        self._seen_at: int | None = None
        """the slot in which the row was seen"""
        self._empty_until = 0
        self._leased, self._lease_slot = 0, 0
        self._last: Judgement | None = None
        self._slot, self._requests, self._requests_before = 0, 0, 0

    def decide(self, now: float) -> Verdict | None:
        """What can be said without asking."""
        slot = int(now * SLOTS_PER_SECOND)
        self._count(slot)
        if self._leased and self._last is not None and slot == self._lease_slot:
            self._leased -= 1
            return self._answer(self._last, granted=True, now=now)
        if slot < self._empty_until:
            return Verdict(granted=False, remaining=0, wait_seconds=seconds_until(self._empty_until, now=now))
        return None

    def prepare(self, now: float) -> Asking:
        """What to ask for now."""
        slot, newest = int(now * SLOTS_PER_SECOND), self._tally.newest
        if newest is not None and slot < newest <= slot + SLOTS_PER_SECOND:
            slot = newest  # by another's clock it has begun
        level, obsolete = self._settle(slot)
        expires_at = int(now) + self.limit.window_seconds + KEPT_SECONDS
        tokens = 1 + self._choose_lease()
        return Asking(slot=slot, tokens=tokens, level=level, obsolete=obsolete, expires_at=expires_at)

    def learn(self, asking: Asking, tally: Tally, now: float) -> Verdict:
        """What the answer says, which may come after that to a later question."""
        judgement = judge(tally, slot=asking.slot, tokens=asking.tokens, limit=self.limit)
        if self._seen_at is None or asking.slot >= self._seen_at:
            self._tally, self._seen_at, self._last = tally, asking.slot, judgement
        if judgement.remaining == 0:
            self._empty_until = max(self._empty_until, judgement.more_at)
        if judgement.granted > 1:
            kept = self._leased if self._lease_slot == asking.slot else 0
            self._leased, self._lease_slot = kept + judgement.granted - 1, asking.slot
        return self._answer(judgement, granted=judgement.granted > 0, now=now)

    def _answer(self, judgement: Judgement, *, granted: bool, now: float) -> Verdict:
        remaining = judgement.remaining + (self._leased if granted else 0)
        return Verdict(granted=granted, remaining=remaining, wait_seconds=seconds_until(judgement.more_at, now=now))

    def _count(self, slot: int) -> None:
        if slot != self._slot:
            self._requests_before = self._requests if slot == self._slot + 1 else 0
            self._slot, self._requests = slot, 0
        self._requests += 1

    def _choose_lease(self) -> int:
        """Tokens beside the first: a quarter of what is to come if the slot is as busy as the one before.

        They are lost with the slot, so nobody takes them where there are few.
        """
        if self._last is None or self._requests_before <= QUIET_REQUESTS:
            return 0
        return min(self._requests_before // 4, self._last.remaining // 16, MOST_LEASED - 1)

    def _settle(self, asked_in: int) -> tuple[tuple[int, int] | None, Tally]:
        """A slot that is over and the level with which it began, unless the row has it; and what that replaces."""
        if self._seen_at is None:
            return None, Tally()
        slot = min(self._seen_at, asked_in) - GRACE_SLOTS
        settled = max(self._tally.levels, default=slot - 1)
        known = min(max(settled, slot), asked_in)
        obsolete = Tally(
            {each: asked for each, asked in self._tally.asked.items() if each < known},
            {each: level for each, level in self._tally.levels.items() if each < known},
        )
        if settled >= slot or not (obsolete.asked or obsolete.levels):
            return None, obsolete
        return (slot, self._tally.level_at(slot, self.limit)), obsolete
