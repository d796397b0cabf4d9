"""The count of pushes that played phones are told of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from local.vendors import PushFeed

DEADLINE_SECONDS = 10.0


def test_pushes_are_counted_by_token_and_a_token_that_is_named_twice_twice() -> None:
    feed = PushFeed()
    feed.record("a", "b")
    feed.record("a", "a")
    assert [feed.count(token) for token in ("a", "b", "c")] == [3, 1, 0]


def test_no_push_is_lost_when_many_come_at_once() -> None:
    feed = PushFeed()
    start = threading.Barrier(8)

    def push(_: int) -> None:
        start.wait(DEADLINE_SECONDS)
        for _ in range(500):
            feed.record("a", "b")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(push, range(8)))
    assert (feed.count("a"), feed.count("b")) == (4000, 4000)


def test_a_phone_that_has_missed_a_push_is_told_at_once() -> None:
    feed = PushFeed()
    feed.record("a")
    assert feed.await_more("a", than=0, timeout_seconds=DEADLINE_SECONDS) == 1
    assert feed.await_more("b", than=-1, timeout_seconds=DEADLINE_SECONDS) == 0


def test_a_phone_that_waits_is_told_of_its_own_push_alone() -> None:
    feed = PushFeed()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(feed.await_more, "a", than=1, timeout_seconds=DEADLINE_SECONDS)
        second = threads.submit(feed.await_more, "b", than=0, timeout_seconds=DEADLINE_SECONDS)
        feed.record("a", "c")
        feed.record("b")
        assert second.result(DEADLINE_SECONDS) == 1
        assert not first.done()
        feed.record("a")
        assert first.result(DEADLINE_SECONDS) == 2


def test_without_a_push_the_count_is_told_in_the_end() -> None:
    feed = PushFeed()
    feed.record("b")
    assert feed.await_more("a", than=0, timeout_seconds=0.01) == 0
