"""What a rate limit adds to a request: write units, time, and this process's share of it; writes `results/limits`.

Requests with and without a limit take turns, so that a busy machine slows both. The engine is on the same machine: on
AWS the call takes what a call to DynamoDB takes there.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from benchmarks.gateway import basic, gateway_event
from benchmarks.reporting import report
from chalicelib import operations, wiring
from chalicelib.domain.rate_limits import Bucket, RateLimit
from chalicelib.store.rate_limits import DynamoRateLimitStore
from local.embedded import run_embedded

REQUESTS = 500
_AMPLE = RateLimit(per_second=10_000, burst=1_000_000)
_CONTEXT = type("Context", (), {"aws_request_id": "limits", "get_remaining_time_in_millis": lambda _: 60_000})()


def run(*, scale: int) -> None:
    """See the module; `scale` has no meaning here."""
    with run_embedded():
        free, limited = _make_caller(limit=None), _make_caller(limit=_AMPLE)
        rows = []
        first = _time(limited)
        for call in (free, limited):
            for _ in range(50):
                call()
        taken: dict[Callable[[], None], list[tuple[float, float]]] = {free: [], limited: []}
        for _ in range(REQUESTS):
            for call, times in taken.items():
                times.append(_time(call))
        rows.append(_row("no limit", taken[free], units="0"))
        rows.append(
            _row("a limit, in a process so busy that it takes several tokens at once", taken[limited], units="-")
        )
        units, times = _ask_alone()
        rows.append(_row("what a limit adds, one token at a time", times, units=f"{units:g}"))
        rows.append(_row("the first limited request of a process", [first], units="1"))
        report(rows, name="limits")


def _row(name: str, times: Sequence[tuple[float, float]], *, units: str) -> dict[str, str]:
    wall, cpu = (statistics.median(each[place] for each in times) for place in (0, 1))
    return {"request": name, "write_units": units, "milliseconds": f"{wall:.2f}", "cpu_milliseconds": f"{cpu:.2f}"}


def _make_caller(*, limit: RateLimit | None) -> Callable[[], None]:
    """A request of a project with that limit."""
    from app import app

    project_id = operations.create_project(name="limits").project_id
    operations.limit_project(project_id=project_id, limit=limit)
    issued = operations.issue_key(project_id=project_id)
    event = gateway_event("GET", "/v1/tag", headers={"Api-Revision": "1.2", **basic(issued.key, issued.secret)})

    def call() -> None:
        answer = app(event, _CONTEXT)
        if answer["statusCode"] != 200:
            raise RuntimeError(answer)

    return call


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the clock and of this thread's processor time."""
    wall, cpu = time.perf_counter(), time.thread_time()
    call()
    return (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000


def _ask_alone() -> tuple[float, list[tuple[float, float]]]:
    """Write units of one token, and the milliseconds of each."""
    from chalicelib.domain.rate_limiting import RateLimiter

    store, moment, units = DynamoRateLimitStore(wiring.get_database()), [time.time()], [0.0]
    limiter = RateLimiter(store, now=lambda: moment[0])
    bucket = Bucket(name="project:0", policy="project", limit=_AMPLE)
    events = store.client.meta.events
    events.register("provide-client-params.dynamodb", lambda params, **_: params.update(ReturnConsumedCapacity="TOTAL"))

    def note(parsed: dict[str, dict[str, float]], **_: object) -> None:
        units[0] += parsed["ConsumedCapacity"]["CapacityUnits"]

    events.register("after-call.dynamodb", note)
    times = []
    for _ in range(REQUESTS):
        times.append(_time(lambda: limiter.take(bucket)))
        moment[0] += 0.1
    return units[0] / REQUESTS, times
