"""DynamoDB calls, capacity units and time of each request, over HTTP."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

import httpx

from chalicelib import operations
from local.embedded import Embedded

REPEATS = 30
PAGE_SIZE = 10


@dataclass(frozen=True)
class Measurement:
    """One request at one size of tag, or of registrations."""

    request: str
    size: int
    calls: int
    units: float
    milliseconds: float
    """median"""
    milliseconds_p95: float


def measure_requests(stack: Embedded, *, project_id: int, pass_ids: list[int]) -> list[Measurement]:
    """Every measured request, on a project whose passes all have `tag-0`."""
    issued = operations.issue_key(project_id=project_id)
    count = len(pass_ids)
    last, middle = count // PAGE_SIZE, count // PAGE_SIZE // 2
    a_pass = pass_ids[count // 2]
    # the names that the pass gets are made beforehand, so that the request meets existing tags
    existing = [f"existing-{number}" for number in range(REPEATS + 3)]
    listing = f"/v1/tag/tag-0/passes?pageSize={PAGE_SIZE}"
    with httpx.Client(
        base_url=stack.url, auth=(issued.key, issued.secret), timeout=120, trust_env=False, verify=False
    ) as client:
        for start in range(0, len(existing), 10):
            other = f"/v1/pass/{pass_ids[0]}/tags"
            _send(client, "PUT", other, {"tags": existing[start : start + 10]})
            for name in existing[start : start + 10]:
                _send(client, "DELETE", f"/v1/tag/{name}/pass/{pass_ids[0]}", None)
        requests: list[tuple[str, str, str, Any]] = [
            ("GET /pass/{id}/tags", "GET", f"/v1/pass/{a_pass}/tags", None),
            ("GET /pass/{id}", "GET", f"/v1/pass/{a_pass}", None),
            ("PUT /pass/{id}", "PUT", f"/v1/pass/{a_pass}", {"fields": {"field1": {"value": "new"}}}),
            ("GET /tag", "GET", "/v1/tag", None),
            ("GET /tag/{tag}/passes, first page", "GET", listing, None),
            ("the same, middle page", "GET", f"{listing}&page={middle}", None),
            ("the same, last page", "GET", f"{listing}&page={last}", None),
            ("the same, first page, ascending", "GET", f"{listing}&direction=ASC", None),
            ("the same, status=not_been_installed", "GET", f"{listing}&status=not_been_installed", None),
            ("the same, that status, middle page", "GET", f"{listing}&status=not_been_installed&page={middle}", None),
            ("the same, order=updatedAt", "GET", f"{listing}&order=updatedAt", None),
            ("GET /pass", "GET", "/v1/pass", None),
            ("PUT /tag/{tag}/passes", "PUT", "/v1/tag/existing-0/passes", {"fields": {"field1": {"value": "x"}}}),
        ]
        measured = [_measure(stack, client, count, *request) for request in requests]
        measured.append(_measure_tagging(stack, client, count, pass_ids[count // 2 + 1], existing))
        measured.append(_measure_emptying(stack, client, count))
    return measured


def _send(client: httpx.Client, method: str, path: str, body: Any) -> None:
    response = client.request(method, path, json=body)
    if response.status_code != 200:
        raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")


def _measure(
    stack: Embedded, client: httpx.Client, passes: int, name: str, method: str, path: str, body: Any
) -> Measurement:
    _send(client, method, path, body)
    with stack.count_calls() as calls:
        _send(client, method, path, body)
    times = [_time(client, method, path, body) for _ in range(REPEATS)]
    return summarise(name, passes, calls.total, calls.units, times)


def _measure_tagging(stack: Embedded, client: httpx.Client, passes: int, pass_id: int, names: list[str]) -> Measurement:
    """Each time another existing tag, since adding one twice writes nothing; taken off again in between."""
    path = f"/v1/pass/{pass_id}/tags"
    with stack.count_calls() as calls:
        _send(client, "PUT", path, {"tags": names[:3]})
    times = []
    for name in names[3:]:
        times.append(_time(client, "PUT", path, {"tags": [name]}))
        _send(client, "DELETE", f"/v1/tag/{name}/pass/{pass_id}", None)
    return summarise("PUT /pass/{id}/tags, existing tags", passes, calls.total, calls.units, times)


def _measure_emptying(stack: Embedded, client: httpx.Client, passes: int) -> Measurement:
    with stack.count_calls() as calls:
        milliseconds = _time(client, "DELETE", "/v1/tag/tag-0/passes", None)
    return summarise("DELETE /tag/{tag}/passes", passes, calls.total, calls.units, [milliseconds])


def _time(client: httpx.Client, method: str, path: str, body: Any) -> float:
    start = time.perf_counter()
    _send(client, method, path, body)
    return (time.perf_counter() - start) * 1000


def summarise(name: str, passes: int, calls: int, units: float, times: list[float]) -> Measurement:
    """A row of the table, from the times of several requests in milliseconds."""
    times.sort()
    p95 = times[min(int(len(times) * 0.95), len(times) - 1)]
    return Measurement(
        request=name,
        size=passes,
        calls=calls,
        units=units,
        milliseconds=round(statistics.median(times), 1),
        milliseconds_p95=round(p95, 1),
    )
