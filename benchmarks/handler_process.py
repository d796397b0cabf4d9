"""Measures routes against bare functions, in a process of its own, so that its processor time is theirs alone.

`python -m benchmarks.handler_process`, with the environment of the application: a JSON object on standard input with
`rounds` and `scenes`, each the `name` and the `event` of a request. The last line of what it prints is JSON.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chalice import Chalice

from benchmarks.bare_calls import Recording, Rows, make_bare, make_client, record

WARM_ROUNDS = 5

Act = Callable[[], object]

_CONTEXT = SimpleNamespace(aws_request_id="8f7e6d5c-4b3a-4918-a7b6-c5d4e3f2a1b0")


@dataclass(frozen=True)
class Sides:
    """What is measured for one route, in turns."""

    ours: Act
    bare: Act
    empty: Act
    """Chalice alone, with a view that returns an empty object"""


def main() -> None:
    """Reads, measures, prints."""
    task = json.load(sys.stdin)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # where the log goes
        rows = [measure_scene(scene, rounds=task["rounds"]) for scene in task["scenes"]]
    print(json.dumps(rows))


def measure_scene(scene: Mapping[str, Any], *, rounds: int) -> dict[str, Any]:
    """One row of the table: medians of the processor's milliseconds."""
    from app import app
    from chalicelib.settings import get_settings
    from chalicelib.wiring import get_database

    settings = get_settings()
    addresses = {"dynamodb": settings.dynamodb_endpoint, "sqs": settings.sqs_endpoint}
    clients = {name: make_client(name, region=settings.region, endpoint=str(url)) for name, url in addresses.items()}
    rows = Rows(make_client("dynamodb", region=settings.region, endpoint=str(settings.dynamodb_endpoint)))
    own_clients = {"dynamodb": get_database().connection.client, "sqs": get_database().sqs}
    event = scene["event"]

    def call() -> None:
        answer = app(event, _CONTEXT)
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{scene['name']}: {answer}")

    _forget(call, own_clients, rows)  # credentials, certificates and connections are there after that
    recording = _forget(call, own_clients, rows)
    empty_app = make_empty_app(event)
    sides = Sides(call, make_bare(recording.calls, clients), lambda: empty_app(event, _CONTEXT))
    figures = _measure(sides, lambda: rows.restore(recording), rounds=rounds)
    again = _forget(call, own_clients, rows)
    if [each.operation for each in again.calls] != [each.operation for each in recording.calls]:
        raise RuntimeError(f"{scene['name']} does not make the same calls each time")
    operations = [
        f"{each.service}:{each.operation}" if each.service != "dynamodb" else each.operation for each in again.calls
    ]
    return {"name": scene["name"], "operations": operations, **figures}


def _forget(call: Act, clients: Mapping[str, Any], rows: Rows) -> Recording:
    """One call, written down and undone."""
    with record(clients, rows) as recording:
        call()
    rows.restore(recording)
    return recording


def make_empty_app(event: Mapping[str, Any]) -> Any:
    """A Chalice application with the route of an event and nothing behind it."""
    app = Chalice(app_name="empty")

    def view(**_: str) -> dict[str, str]:
        return {}

    app.route(event["resource"], methods=[event["httpMethod"]])(view)
    return app


def _measure(sides: Sides, restore: Act, *, rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in vars(sides)}
    names = list(taken)
    gc.collect()
    for number in range(rounds + WARM_ROUNDS):
        for name in names[number % 3 :] + names[: number % 3]:
            milliseconds = _take_time(getattr(sides, name))
            if name != "empty":
                restore()
            if number >= WARM_ROUNDS:
                taken[name].append(milliseconds)
    return {name: statistics.median(figures) for name, figures in taken.items()}


def _take_time(act: Act) -> float:
    began = time.process_time_ns()
    act()
    return (time.process_time_ns() - began) / 1e6


if __name__ == "__main__":
    main()
