"""Rate limits: processes that share one row let through what one plain token bucket would, and never more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.projects import Credential
from chalicelib.domain.rate_limiting import KEPT_SECONDS, MOST_LEASED, QUIET_REQUESTS, REST_SECONDS, RateLimiter
from chalicelib.domain.rate_limits import (
    MOST_BURST,
    SLOTS_PER_SECOND,
    TOKEN,
    UNLIMITED,
    Asking,
    Bucket,
    Judgement,
    RateLimit,
    RateLimitUnknown,
    Tally,
    Verdict,
    find_bucket,
    judge,
    make_rate_limit,
    seconds_until,
)

START = 1_780_000_000.0
"""seconds since 1970, where a slot begins"""
SLOT = 1 / SLOTS_PER_SECOND


@dataclass
class Row:
    """One row and the clock. `before` and `after` are called once, around the next write; `lost` counts answers."""

    now: float = START
    asked: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    writes: int = 0
    tokens: int = 0
    lost: int = 0
    expires_at: int = 0
    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None

    def ask(self, bucket: str, asking: Asking) -> Tally:
        before, self.before = self.before, None
        if before:
            before()
        self.writes += 1
        self.tokens += asking.tokens
        self.expires_at = asking.expires_at
        self.asked[asking.slot] = self.asked.get(asking.slot, 0) + asking.tokens
        for slot in asking.obsolete.asked:
            assert slot != asking.slot
            self.asked.pop(slot, None)
        for slot in asking.obsolete.levels:
            assert asking.level is None or slot != asking.level[0]
            self.levels.pop(slot, None)
        if asking.level is not None:
            slot, level = asking.level
            self.levels[slot] = level
        tally = Tally(dict(self.asked), dict(self.levels))
        after, self.after = self.after, None
        if after:
            after()
        if self.lost:
            self.lost -= 1
            raise RateLimitUnknown("no answer")
        return tally

    def process(self) -> RateLimiter:
        return RateLimiter(self, now=lambda: self.now)


@dataclass
class PlainBucket:
    """The bucket of the textbook, whose owner nobody shares it with; it gets its tokens when a slot is over."""

    limit: RateLimit
    level: int = -1
    slot: int = 0

    def take(self, now: float) -> bool:
        full, slot = self.limit.burst * TOKEN, int(now * SLOTS_PER_SECOND)
        if self.level < 0:
            self.level, self.slot = full, slot
        self.level = min(full, self.level + (slot - self.slot) * self.limit.slot_brings)
        self.slot = slot
        if self.level < TOKEN:
            return False
        self.level -= TOKEN
        return True


def bucket_of(limit: RateLimit) -> Bucket:
    return Bucket(name="project:1", policy="project", limit=limit)


limits = st.builds(
    lambda per_second, more: RateLimit(per_second=per_second, burst=math.ceil(per_second) + more),
    st.sampled_from([0.01, 0.3, 0.5, 1, 2.5, 3, 8, 9.9, 25, 100]),
    st.integers(0, 20),
)
pauses = st.one_of(
    st.just(0.0), st.floats(0, 0.2), st.floats(0, 3), st.sampled_from([SLOT, 1.0, 60.0, 3600.0, 86_400.0])
)
moves = st.lists(st.tuples(pauses, st.integers(0, 3)), min_size=1, max_size=80)


@given(limits, moves)
def test_four_processes_let_through_exactly_what_one_plain_bucket_would(
    limit: RateLimit, moves: Sequence[tuple[float, int]]
) -> None:
    row, plain, bucket = Row(), PlainBucket(limit), bucket_of(limit)
    processes = [row.process() for _ in range(4)]
    for number, (pause, who) in enumerate(moves):
        row.now += pause
        verdict = processes[who].take(bucket)
        assert verdict.granted is plain.take(row.now)
        assert verdict.remaining <= plain.level // TOKEN
        assert row.writes <= number + 1
    assert row.tokens == row.writes, "so slowly nobody leases"


@given(limits, st.lists(st.tuples(pauses, st.integers(1, 40), st.integers(0, 2)), min_size=1, max_size=25))
def test_with_leases_and_requests_inside_each_other_no_window_has_more_than_burst_and_rate(
    limit: RateLimit, moves: Sequence[tuple[float, int, int]]
) -> None:
    row, bucket = Row(), bucket_of(limit)
    processes = [row.process() for _ in range(3)]
    granted: list[float] = []
    requests = 0

    def take(who: int) -> None:
        nonlocal requests
        requests += 1
        if processes[who].take(bucket).granted:
            granted.append(row.now)

    for pause, times, who in moves:
        row.now += pause
        for each in range(times):
            if each % 3 == 0:
                row.before = lambda who=who: take((who + 1) % 3)
            if each % 5 == 0:
                row.after = lambda who=who: take((who + 2) % 3)
            take(who)
    assert row.writes <= requests
    assert len(granted) <= row.tokens, "a lease is worth no more than what was written"
    check_windows(granted, limit)


def check_windows(granted: Sequence[float], limit: RateLimit) -> None:
    """In no window, each of which begins and ends with a request, is there more than there may be."""
    for first, begin in enumerate(granted):
        for last in range(first, len(granted)):
            most = limit.burst + limit.per_second * (granted[last] - begin + SLOT)
            assert last - first + 1 <= most + 1e-6


@given(limits, st.lists(st.tuples(pauses, st.booleans()), min_size=1, max_size=60))
def test_an_answer_that_is_lost_takes_its_token_and_lets_the_request_through(
    limit: RateLimit, moves: Sequence[tuple[float, bool]]
) -> None:
    row, bucket = Row(), bucket_of(limit)
    granted, lost = [], 0
    for pause, loses in moves:
        row.now += pause
        process = row.process()  # which knows nothing, and does not rest
        row.lost = int(loses)
        try:
            verdict = process.take(bucket)
        except RateLimitUnknown:
            lost += 1
            continue
        if verdict.granted:
            granted.append(row.now)
    assert row.writes == len(moves)
    assert lost == sum(loses for _, loses in moves)
    check_windows(granted, limit)


@given(limits, st.integers(1, 3))
def test_who_waits_as_told_gets_a_token(limit: RateLimit, processes: int) -> None:
    row, bucket = Row(), bucket_of(limit)
    takers = [row.process() for _ in range(processes)]
    for turn in range(limit.burst):
        assert takers[turn % processes].take(bucket).granted
    for turn in range(3):
        verdict = takers[turn % processes].take(bucket)
        assert not verdict.granted
        row.now += verdict.wait_seconds
        assert takers[turn % processes].take(bucket).granted
        drain(takers[0], bucket)


def drain(process: RateLimiter, bucket: Bucket) -> None:
    while process.take(bucket).granted:
        pass


def test_a_process_that_knows_the_bucket_to_be_empty_writes_nothing() -> None:
    row, bucket = Row(), bucket_of(RateLimit(per_second=1, burst=3))
    process = row.process()
    verdicts = [process.take(bucket) for _ in range(50)]

    assert [verdict.granted for verdict in verdicts] == [True] * 3 + [False] * 47
    assert [verdict.remaining for verdict in verdicts[:4]] == [2, 1, 0, 0]
    assert row.writes == 3
    assert verdicts[-1] == Verdict(granted=False, remaining=0, wait_seconds=1)
    row.now += 1
    assert process.take(bucket).granted


def test_what_is_asked_for_in_vain_takes_nothing_from_others() -> None:
    row, bucket = Row(), bucket_of(RateLimit(per_second=1, burst=2))
    for _ in range(100):
        row.process().take(bucket)  # processes that do not know that it is empty
    assert row.writes == 100

    row.now += 1
    assert row.process().take(bucket).granted
    assert not row.process().take(bucket).granted


def test_a_busy_process_takes_several_tokens_with_one_write_and_loses_few() -> None:
    row, bucket = Row(), bucket_of(RateLimit(per_second=1000, burst=10_000))
    process, granted, slots = row.process(), 0, 40
    for _ in range(slots):
        granted += sum(process.take(bucket).granted for _ in range(100))
        row.now += SLOT

    assert granted == 100 * slots
    assert row.writes < granted / 10
    assert row.tokens - granted <= slots * MOST_LEASED


def busy(row: Row, bucket: Bucket, *, requests: int = 20) -> RateLimiter:
    """A process that has just had so many requests in one slot, at the beginning of the next."""
    process = row.process()
    for _ in range(requests):
        assert process.take(bucket).granted
    row.now += SLOT
    return process


AMPLE = bucket_of(RateLimit(per_second=100, burst=1000))


def test_a_lease_is_a_quarter_of_the_slot_before_and_lasts_for_as_many_requests() -> None:
    row = Row()
    process = busy(row, AMPLE)
    assert (row.writes, row.tokens) == (20, 20)

    verdicts = [process.take(AMPLE) for _ in range(7)]
    assert all(verdict.granted for verdict in verdicts)
    assert (row.writes, row.tokens) == (22, 32)
    # 12 came with the slot; what is leased counts as left, since nobody else has had it
    assert [verdict.remaining for verdict in verdicts] == [991, 990, 989, 988, 987, 986, 985]


def test_a_lease_ends_with_its_slot() -> None:
    row = Row()
    process = busy(row, AMPLE)
    process.take(AMPLE)
    assert (row.writes, row.tokens) == (21, 26)
    row.now += SLOT
    process.take(AMPLE)
    assert (row.writes, row.tokens) == (22, 27)
    process.take(AMPLE)
    assert row.writes == 23, "what was left of the slot before is lost"


def test_a_lease_of_the_slot_before_adds_nothing_to_that_of_this_one() -> None:
    row = Row()
    process = busy(row, AMPLE)
    for _ in range(20):
        process.take(AMPLE)
    assert (row.writes, row.tokens) == (24, 44), "four are left"
    row.now += SLOT
    for _ in range(6):
        process.take(AMPLE)
    assert (row.writes, row.tokens) == (25, 50)
    process.take(AMPLE)
    assert row.writes == 26


def test_two_threads_that_lease_at_once_have_both_leases_and_no_more() -> None:
    row = Row()
    process = busy(row, AMPLE)
    row.before = lambda: process.take(AMPLE)
    process.take(AMPLE)
    assert (row.writes, row.tokens) == (22, 32)
    for _ in range(10):
        process.take(AMPLE)
    assert row.writes == 22
    process.take(AMPLE)
    assert row.writes == 23


def test_a_lease_takes_no_more_than_a_sixteenth_of_what_is_left_and_its_most() -> None:
    row, few = Row(), bucket_of(RateLimit(per_second=10, burst=70))
    busy(row, few).take(few)
    assert (row.writes, row.tokens) == (21, 20 + 1 + 50 // 16)
    row, many = Row(), bucket_of(RateLimit(per_second=1000, burst=10_000))
    busy(row, many, requests=200).take(many)
    assert row.tokens == 200 + MOST_LEASED


@pytest.mark.parametrize(
    ("requests", "slots", "tokens"), [(QUIET_REQUESTS, 1, 1), (QUIET_REQUESTS + 1, 1, 2), (20, 2, 1)]
)
def test_a_process_leases_only_right_after_a_busy_slot(requests: int, slots: int, tokens: int) -> None:
    row = Row()
    process = busy(row, AMPLE, requests=requests)
    row.now += (slots - 1) * SLOT
    process.take(AMPLE)
    assert row.tokens - requests == tokens


def test_the_level_of_a_slot_follows_from_what_is_settled_and_what_was_asked_for_since() -> None:
    limit = RateLimit(per_second=2, burst=5)
    assert limit.slot_brings == TOKEN // 4
    assert RateLimit(per_second=0.01, burst=1).slot_brings == 1250
    tally = Tally({10: 2, 12: 9, 14: 1}, {9: 4 * TOKEN, 13: TOKEN, 99: 0})

    assert tally.level_at(9, limit) == 4 * TOKEN
    assert tally.level_at(10, limit) == 4 * TOKEN + TOKEN // 4
    assert tally.level_at(11, limit) == 2 * TOKEN + TOKEN // 2
    assert tally.level_at(13, limit) == TOKEN, "which is settled, whatever was asked for before"
    assert tally.level_at(14, limit) == TOKEN + TOKEN // 4
    assert tally.level_at(15, limit) == TOKEN // 2
    assert tally.level_at(60, limit) == 5 * TOKEN
    assert tally.level_at(99, limit) == 0
    assert Tally({10: 3}).level_at(11, limit) == 2 * TOKEN + TOKEN // 4
    assert Tally({10: 3}).level_at(10, limit) == 5 * TOKEN
    assert Tally({}, {10: 9 * TOKEN}).level_at(10, limit) == 5 * TOKEN, "the limit was lowered since"
    assert Tally({9: 1, 10: 1, 18: 1}).level_at(19, limit) == 4 * TOKEN + TOKEN // 4
    assert (tally.newest, Tally().newest) == (99, None)


def test_a_judgement_is_about_the_tokens_that_came_last() -> None:
    limit = RateLimit(per_second=2, burst=5)
    assert judge(Tally({8: 2}), slot=8, tokens=2, limit=limit) == Judgement(granted=2, remaining=3, more_at=12)
    assert judge(Tally({8: 6}), slot=8, tokens=3, limit=limit) == Judgement(granted=2, remaining=0, more_at=12)
    assert judge(Tally({8: 9}), slot=8, tokens=1, limit=limit) == Judgement(granted=0, remaining=0, more_at=12)
    # half a token is there, and a quarter comes with each slot
    half = Tally({8: 1}, {8: 3 * TOKEN // 2})
    assert judge(half, slot=8, tokens=1, limit=limit) == Judgement(granted=1, remaining=0, more_at=10)
    odd = Tally({8: 1}, {8: TOKEN * 7 // 5})
    assert judge(odd, slot=8, tokens=1, limit=limit).more_at == 11
    # others are further by their clocks
    settled = Tally({8: 9, 9: 1}, {9: 2 * TOKEN})
    assert judge(settled, slot=8, tokens=1, limit=limit) == Judgement(granted=1, remaining=0, more_at=13)
    assert seconds_until(80, now=5.0) == 5
    assert seconds_until(80, now=5.1) == 5
    assert seconds_until(80, now=12.0) == 1


def test_a_process_writes_down_what_is_settled_and_removes_what_that_replaces() -> None:
    row = Row()
    process, first = row.process(), int(START * SLOTS_PER_SECOND)
    for _ in range(2):
        process.take(AMPLE)
    assert (row.asked, row.levels) == ({first: 2}, {})
    row.now += 4 * SLOT
    process.take(AMPLE)
    assert (row.asked, row.levels) == ({first: 2, first + 4: 1}, {})
    row.now += 2 * SLOT
    process.take(AMPLE)
    # the first tokens came back long ago
    assert (row.asked, row.levels) == ({first + 4: 1, first + 6: 1}, {first + 3: 1000 * TOKEN})
    assert row.expires_at == int(row.now) + 10 + KEPT_SECONDS


def test_an_answer_that_comes_late_does_not_hide_a_newer_one() -> None:
    row, first = Row(), int(START * SLOTS_PER_SECOND)
    process = row.process()
    process.take(AMPLE)
    row.now += SLOT

    def overtake() -> None:
        row.now += 8 * SLOT
        process.take(AMPLE)

    row.after = overtake
    process.take(AMPLE)
    row.now += SLOT
    process.take(AMPLE)
    assert max(row.levels) == first + 8


def test_a_clock_that_is_set_back_removes_nothing_that_it_asks_for() -> None:
    row = Row()
    process, other, first = row.process(), row.process(), int(START * SLOTS_PER_SECOND)
    for slot, who in ((20, process), (21, process), (22, process), (0, other), (23, process), (0, process), (0, other)):
        row.now = START + slot * SLOT
        assert who.take(AMPLE).granted
    assert row.asked[first] == 3


def test_a_clock_that_is_a_little_behind_asks_in_the_newest_slot() -> None:
    row = Row()
    process, first = row.process(), int(START * SLOTS_PER_SECOND)
    for slot in (8, 7, 0):
        row.now = START + slot * SLOT
        process.take(AMPLE)
    assert row.asked == {first + 8: 3}
    row.now = START - SLOT
    process.take(AMPLE)
    assert row.asked == {first + 8: 3, first - 1: 1}


def test_a_row_stays_small_however_many_ask_for_however_long() -> None:
    row, bucket = Row(), bucket_of(RateLimit(per_second=10, burst=10))
    processes = [row.process() for _ in range(20)]
    sizes = []
    for turn in range(2000):
        processes[turn * 7 % 20].take(bucket)
        row.now += 0.07
        sizes.append(len(row.asked) + len(row.levels))
    assert max(sizes) < 40


def test_the_clock_of_a_process_may_be_behind_or_ahead() -> None:
    row, bucket = Row(), bucket_of(RateLimit(per_second=8, burst=8))
    ahead, behind = (RateLimiter(row, now=lambda by=by: row.now + by) for by in (0.05, -0.05))  # type: ignore[misc]
    granted = []
    for _ in range(400):
        granted += [row.now for process in (ahead, behind) if process.take(bucket).granted]
        row.now += 0.03
    limit = bucket.limit
    for first, begin in enumerate(granted):
        for last in range(first, len(granted)):
            assert last - first + 1 <= limit.burst + limit.per_second * (granted[last] - begin + SLOT + 0.1) + 1e-6
    assert len(granted) >= 8 + 8 * 10


def test_storage_that_does_not_answer_is_left_alone_for_a_moment() -> None:
    row, bucket = Row(), bucket_of(RateLimit(per_second=1, burst=1))
    process = row.process()
    row.lost = 2
    for moment in (0.0, 0.1, REST_SECONDS, REST_SECONDS + 0.1):
        row.now = START + moment
        with pytest.raises(RateLimitUnknown):
            process.take(bucket)
    assert row.writes == 2
    row.now = START + 2 * REST_SECONDS
    assert process.take(bucket).granted


def test_a_limit_that_is_changed_holds_at_once() -> None:
    row = Row()
    process = row.process()
    drain(process, bucket_of(RateLimit(per_second=1, burst=1)))
    assert process.take(bucket_of(RateLimit(per_second=100, burst=100))).granted


@pytest.mark.parametrize(
    ("per_second", "burst", "problem"),
    [
        (0, None, "per-second: must be between 0.01 and 10,000"),
        (10_001, None, "per-second"),
        (float("nan"), None, "per-second"),
        (float("inf"), None, "per-second"),
        (-1, 5, "per-second"),
        (20, 19, "burst: must be at least 20, what a second brings"),
        (0.5, 0, "burst"),
        (1, MOST_BURST + 1, "burst"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(per_second: float, burst: int | None, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        make_rate_limit(per_second=per_second, burst=burst)


def test_without_a_burst_it_is_what_a_second_brings() -> None:
    assert make_rate_limit(per_second=2.5) == RateLimit(per_second=2.5, burst=3)
    assert make_rate_limit(per_second=0.01, burst=1).window_seconds == 100
    assert make_rate_limit(per_second=100, burst=100).window_seconds == 1


OWN, OF_PROJECT = RateLimit(per_second=1, burst=1), RateLimit(per_second=2, burst=2)


def found(limit: RateLimit | None, project_limit: RateLimit | None, per_second: float = 0, burst: int = 0) -> object:
    credential = Credential(
        key="k",
        secret_hash="",
        project_id=7,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        limit=limit,
        project_limit=project_limit,
    )
    bucket = find_bucket(credential, per_second=per_second, burst=burst)
    return None if bucket is None else (bucket.name, bucket.limit.per_second, bucket.limit.burst)


def cases() -> Iterator[tuple[object, object]]:
    yield found(None, None), None
    yield found(None, None, 2.5, 1), ("project:7", 2.5, 3)
    yield found(None, None, 2, 9), ("project:7", 2, 9)
    yield found(None, OF_PROJECT, 9), ("project:7", 2, 2)
    yield found(None, UNLIMITED, 9), None
    yield found(OWN, OF_PROJECT, 9), ("key:k", 1, 1)
    yield found(OWN, None), ("key:k", 1, 1)
    yield found(UNLIMITED, OF_PROJECT, 9), None


def test_a_request_takes_from_the_most_specific_bucket_alone() -> None:
    for answer, expected in cases():
        assert answer == expected
