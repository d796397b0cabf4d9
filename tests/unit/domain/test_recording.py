"""Answers are written while others are awaited, few writes for many, none lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from chalicelib.domain.recording import Recorder


def test_everything_is_written_once_and_in_order() -> None:
    written: list[int] = []
    with Recorder[int](written.extend) as recorder:
        for number in range(1000):
            recorder.add(number)

    assert written == list(range(1000))


def test_an_item_is_written_while_the_block_still_runs() -> None:
    is_written = threading.Event()
    with Recorder[int](lambda _: is_written.set()) as recorder:
        recorder.add(1)

        assert is_written.wait(10)


def test_what_comes_during_a_write_is_written_together() -> None:
    first, go_on, sizes = threading.Event(), threading.Event(), []

    def write(items: Sequence[int]) -> None:
        sizes.append(len(items))
        first.set()
        assert go_on.wait(10)

    with Recorder[int](write) as recorder:
        recorder.add(1)
        assert first.wait(10)
        for number in range(50):
            recorder.add(number)
        go_on.set()

    assert sizes == [1, 50]


def test_whoever_leaves_the_block_learns_of_a_failed_write() -> None:
    def fail(_: object) -> None:
        raise RuntimeError("storage is gone")

    with pytest.raises(RuntimeError, match="storage is gone"), Recorder[int](fail) as recorder:
        recorder.add(1)


def test_an_error_inside_the_block_is_not_replaced_and_its_items_are_written() -> None:
    written: list[int] = []

    def work() -> None:
        with Recorder[int](written.extend) as recorder:
            recorder.add(1)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert written == [1]
