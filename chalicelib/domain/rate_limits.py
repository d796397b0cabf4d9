"""How many requests a project or a key may make: a token bucket that many processes share, with one write a request.

A bucket holds at most `burst` tokens and gets `per_second` of them each second; a request takes one. Its row does not
say how many there are, since to take one from such a number somebody would have to know it. It says how many were
*asked for* in each eighth of a second, a slot, and how many there were when one of the slots began. So whoever asks
adds to a number, which never fails and needs no knowledge, and gets the row as it is then: it tells everybody the same
about what went before, and each their place in their own slot. What was asked for and not there takes nothing away.

Tokens that a slot brings are there when it is over. So in any time no more requests are let through than the burst, and
the rate for that time and one slot; clocks that differ add what they differ by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from chalicelib.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from chalicelib.domain.projects import Credential

SLOTS_PER_SECOND: Final = 8
TOKEN: Final = 1_000_000
"""what a token is counted as, so that a slot of a slow bucket brings a whole number"""

LEAST_PER_SECOND, MOST_PER_SECOND = 0.01, 10_000
MOST_BURST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """So many requests a second, and so many at once after a pause; `per_second=0` is no limit."""

    per_second: float
    burst: int

    @property
    def window_seconds(self) -> int:
        """After so long an empty bucket is full."""
        return max(1, math.ceil(self.burst / self.per_second))

    @property
    def slot_brings(self) -> int:
        """What an eighth of a second brings, in parts of a token; rounded down, so that it is never more."""
        return max(1, int(self.per_second * TOKEN / SLOTS_PER_SECOND))


UNLIMITED: Final = RateLimit(per_second=0, burst=0)
"""stands where somebody said that there is no limit, as opposed to nobody having said anything"""


def make_rate_limit(*, per_second: float, burst: int | None = None) -> RateLimit:
    """A limit that can be kept; without `burst` it is what a second brings.

    Raises:
        InvalidRequest: a number is too small or too large, or a burst does not hold what a second brings.
    """
    if not LEAST_PER_SECOND <= per_second <= MOST_PER_SECOND:  # which nan is not either
        raise InvalidRequest(f"must be between {LEAST_PER_SECOND:g} and {MOST_PER_SECOND:,}", field="per-second")
    second = math.ceil(per_second)
    if burst is not None and not second <= burst <= MOST_BURST:
        problem = f"must be at least {second:,}, what a second brings, and at most {MOST_BURST:,}"
        raise InvalidRequest(problem, field="burst")
    return RateLimit(per_second=per_second, burst=burst or second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where a request takes its token."""

    name: str
    policy: str
    """`key` or `project`, as clients are told"""
    limit: RateLimit


def find_bucket(credential: Credential, *, per_second: float, burst: int) -> Bucket | None:
    """The bucket that requests with this key take from; None if nothing limits them.

    One bucket alone, so that a request costs one write: that of the key if it has a limit, else that of the project,
    else one of the project with what all projects may.
    """
    if credential.limit is not None:
        name, policy, limit = f"key:{credential.key}", "key", credential.limit
    else:
        common = RateLimit(per_second=per_second, burst=max(burst, math.ceil(per_second)))
        name, policy, limit = f"project:{credential.project_id}", "project", credential.project_limit or common
    return Bucket(name=name, policy=policy, limit=limit) if limit.per_second else None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the row of a bucket says, by the numbers of slots since 1970."""

    asked: Mapping[int, int] = field(default_factory=dict)
    """tokens that were asked for in a slot"""
    levels: Mapping[int, int] = field(default_factory=dict)
    """parts of tokens that there were when a slot began; what went before is then of no interest"""

    @property
    def newest(self) -> int | None:
        """The last slot that it knows of."""
        return max((*self.asked, *self.levels), default=None)

    def level_at(self, slot: int, limit: RateLimit) -> int:
        """Parts of tokens when `slot` begins. A bucket that nobody has asked yet is full."""
        full = limit.burst * TOKEN
        settled = max((each for each in self.levels if each <= slot), default=None)
        at, level = (slot, full) if settled is None else (settled, self.levels[settled])
        for each in sorted(self.asked):
            if each < slot and (settled is None or each >= settled):
                at, level = each, level if settled is None else min(full, level + (each - at) * limit.slot_brings)
                settled = each
                level -= min(self.asked[each], level // TOKEN) * TOKEN
        return min(full, level + (slot - at) * limit.slot_brings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One write: so many tokens are asked for in a slot; and what is settled by now is written down for all."""

    slot: int
    tokens: int
    level: tuple[int, int] | None = None
    """a slot that is over for everybody, and the parts of tokens that there were when it began"""
    obsolete: Tally = field(default_factory=Tally)
    """what nobody needs once that is written"""
    expires_at: int
    """in seconds since 1970: when nobody needs the row, since the bucket is full"""


class RateLimitUnknown(Exception):
    """Storage did not say in time; nobody is refused because of that."""


class RateLimitStore(Protocol):
    """Where processes meet."""

    def ask(self, bucket: str, asking: Asking) -> Tally:
        """Adds to the row of a bucket, and returns it as it is then. One plain write, which is never repeated.

        Raises RateLimitUnknown if that did not work out, for whatever reason, within a moment.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request may go on, and what its client is told."""

    granted: bool
    remaining: int
    """tokens that were left for all"""
    wait_seconds: int
    """after how long there is a token more, at least 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a row says to who has just asked for tokens."""

    granted: int
    remaining: int
    more_at: int
    """the first slot with a token more"""


def judge(tally: Tally, *, slot: int, tokens: int, limit: RateLimit) -> Judgement:
    """What became of tokens that were the last to be asked for in `slot`.

    By a clock that is behind, others may have settled a later slot: then that one says what there is.
    """
    place = max(slot, max(tally.levels, default=slot))
    level = tally.level_at(place, limit)
    there, asked = level // TOKEN, tally.asked.get(place, 0)
    before = asked - tokens if place == slot else asked
    granted = min(max(there - before, 0), tokens)
    remaining = max(there - before - granted, 0)
    slots = math.ceil((TOKEN - level % TOKEN) / limit.slot_brings)
    return Judgement(granted=granted, remaining=remaining, more_at=place + slots)


def seconds_until(slot: int, *, now: float) -> int:
    """Whole seconds after which a slot has begun, at least 1."""
    return max(1, math.ceil(slot / SLOTS_PER_SECOND - now))
