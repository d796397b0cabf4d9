"""When the bench says that a figure is beyond its bar, and that it then fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as bench
from benchmarks.reporting import BarsMissed, Section, report_sections
from benchmarks.scale_bars import BAR, Depth, RequestCost, find_growth, find_slow_pages

SMALL = RequestCost(
    request="GET /tag",
    passes=1000,
    calls=4,
    read_units=7.5,
    of_them_counters=1,
    write_units=2,
    bytes_sent=1,
    bytes_received=1,
    cpu_milliseconds=1,
    milliseconds=1,
    milliseconds_p95=1,
)
DEEP = Depth(
    status="installed",
    direction="ASC",
    page=10_000,
    place="end",
    read_units=1,
    deep_read_units=1,
    cpu_milliseconds=1,
    deep_cpu_milliseconds=1,
    milliseconds=10,
    deep_milliseconds=15,
    ratio=BAR,
    cpu_ratio=1,
)


def large(**figures: Any) -> RequestCost:
    return replace(SMALL, passes=1_000_000, **figures)


def test_reading_more_counters_is_no_growth() -> None:
    assert find_growth([large(read_units=28.5, of_them_counters=22), SMALL]) == []


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"calls": 5}, "GET /tag: calls 5 at 1000000 passes, 4 at 1000; the formula allows 4"),
        ({"read_units": 9}, "GET /tag: read units 9 at 1000000 passes, 7.5 at 1000; the formula allows 8.5"),
        ({"write_units": 3}, "GET /tag: write units 3 at 1000000 passes, 2 at 1000; the formula allows 2"),
    ],
)
def test_growth_names_the_request_and_the_figure(figures: dict[str, Any], said: str) -> None:
    assert find_growth([SMALL, large(**figures)]) == [said]


def test_sizes_that_cannot_be_compared_are_left_out() -> None:
    partly_full = replace(SMALL, read_units=3, compared=False)

    assert find_growth([partly_full, replace(SMALL, passes=10_000), large()]) == []


def test_a_deep_page_may_cost_what_the_bar_allows_and_no_more() -> None:
    slow = replace(DEEP, ratio=BAR + 0.01)

    assert find_slow_pages([DEEP, slow]) == [
        "page 10000 (installed, ASC, end of a segment): 1.51 times page 1, at most 1.5"
    ]


def test_the_bench_ends_with_1_and_says_what_is_beyond_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "PARTS", {"scale": f"{__name__}:run_badly", "bulk": f"{__name__}:run_well"})

    everything = CliRunner().invoke(bench.main, ["scale", "bulk"])

    assert everything.exit_code == 1
    assert "scale: GET /tag grows" in everything.stderr
    assert "ran at 100000" in everything.stdout  # the other part all the same


def run_badly(*, scale: int) -> None:
    """A part of a bench that misses its bar."""
    raise BarsMissed(["GET /tag grows"])


def run_well(*, scale: int) -> None:
    """A part that does not."""
    print(f"ran at {scale}")


@pytest.mark.parametrize("part", list(bench.PARTS))
def test_every_part_can_be_found_by_its_name(part: str) -> None:
    assert callable(bench.find_part(part))


def test_sections_are_tables_under_headings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("benchmarks.reporting.RESULTS", tmp_path)

    report_sections([Section("Scale", "How.", [{"a_b": 1}]), Section("Depth", "Why.", [{"c": 2}])], name="x")

    text = (tmp_path / "x.md").read_text()
    assert text == "# Scale\n\nHow.\n\n| a b |\n|---|\n| 1 |\n\n## Depth\n\nWhy.\n\n| c |\n|---|\n| 2 |\n"
