"""The same listing as DynamoDB tutorials do it, beside ours: query the index from the start, and skip.

The index is that of a table of its own in the loaded file: tag and pass id, the tag alone as its key. There are no
counters, so the total that the contract asks for is the whole index, counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from benchmarks.population import PLAIN_TABLE
from benchmarks.scale_meter import Cost, Times, count, summarise_times, take_time
from benchmarks.scale_subjects import PAGE_SIZE, Subject
from chalicelib.domain.listing import list_passes_of_tag
from chalicelib.domain.paging import PageRequest
from chalicelib.wiring import get_database
from local.environment import PREFIX

PAGES = (1, 100, 1000, 10_000, 100_000)
ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Way:
    """One page by one way."""

    page: int
    way: str
    calls: int
    read_units: float
    bytes_received: int
    cpu_milliseconds: float
    milliseconds: float


def measure_ways(subject: Subject, *, rounds: int = ROUNDS) -> list[Way]:
    """Each page by our way, by the plain one, and by the plain one with the total; in turns.

    Raises:
        RuntimeError: the ways do not list the same passes.
    """
    pages = [page for page in PAGES if page * PAGE_SIZE <= subject.size]
    with click.progressbar(pages, label=f"the plain way at {subject.size} passes") as progress:
        return [way for page in progress for way in _measure_page(subject, page, rounds)]


def _measure_page(subject: Subject, page: int, rounds: int) -> list[Way]:
    ways: dict[str, Callable[[], Any]] = {
        "ours": lambda: _list_our_way(subject, page),
        "plain": lambda: _list_plainly(subject, page),
        "plain, with the total": lambda: (_count_plainly(subject), _list_plainly(subject, page))[1],
    }
    if len({tuple(way()) for way in ways.values()}) != 1:
        raise RuntimeError(f"the two ways list different passes on page {page}")
    costs: dict[str, Cost] = {name: count(way) for name, way in ways.items()}
    tries: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            tries[name].append(take_time(way))
    return [_make_row(page, name, costs[name], summarise_times(tries[name])) for name in ways]


def _make_row(page: int, name: str, cost: Cost, times: Times) -> Way:
    return Way(
        page=page,
        way=name,
        calls=cost.calls,
        read_units=cost.reads,
        bytes_received=cost.bytes_received,
        cpu_milliseconds=times.cpu,
        milliseconds=times.wall,
    )


def _list_our_way(subject: Subject, page: int) -> list[int]:
    request = PageRequest(page=page, size=PAGE_SIZE)
    found = list_passes_of_tag(
        subject.platform,
        project_id=subject.population.project_id,
        segment=subject.tag.name,
        facets=None,
        request=request,
    )
    return [pass_.pass_id for pass_ in found.items]


def _list_plainly(subject: Subject, page: int) -> list[int]:
    """Tag, then index queries of 1 MB until the page is reached, then the passes."""
    tag = subject.platform.tags.find_tag(
        project_id=subject.population.project_id, names=[subject.tag.name], tag_id=None
    )
    assert tag is not None
    wanted = page * PAGE_SIZE
    found: list[int] = []
    arguments = _query(subject)
    while len(found) < wanted:
        answer = get_database().call("Query", Limit=wanted - len(found), **arguments)
        found += [int(item["pass_id"]["N"]) for item in answer["Items"]]
        if not answer.get("LastEvaluatedKey"):
            break
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    summaries = subject.platform.passes.get_summaries(found[wanted - PAGE_SIZE : wanted])
    return [summary.pass_id for summary in summaries]


def _count_plainly(subject: Subject) -> int:
    arguments, total = _query(subject), 0
    while True:
        answer = get_database().call("Query", **{**arguments, "Select": "COUNT"})
        total += int(answer["Count"])
        if not answer.get("LastEvaluatedKey"):
            return total
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _query(subject: Subject) -> dict[str, Any]:
    """Arguments that fit the passes of one project: all projects of the file have a tag of that name."""
    first, last = subject.population.bounds
    return {
        "TableName": PREFIX + PLAIN_TABLE,
        "IndexName": "by_tag",
        "KeyConditionExpression": "#tag = :tag AND pass_id BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#tag": "tag"},
        "ExpressionAttributeValues": {
            ":tag": {"S": subject.tag.name},
            ":first": {"N": str(first)},
            ":last": {"N": str(last)},
        },
        "ScanIndexForward": False,
    }


def widest(rows: Sequence[Way]) -> str:
    """A sentence about the deepest page."""
    deepest = max(row.page for row in rows)
    ours, plain, counted = [row for row in rows if row.page == deepest]
    figures = [f"{row.read_units:g} read units and {row.milliseconds:g} ms {row.way}" for row in (ours, plain, counted)]
    return f"page {deepest}: {', '.join(figures)}"
