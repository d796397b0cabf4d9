"""What wallets and those who list registrations cost: calls, units and time, over HTTP; and building a .pkpass."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpx

from benchmarks.load import create_passes
from benchmarks.requests import Measurement, summarise
from chalicelib import operations
from chalicelib.api.passkit.delivery import build_pkpass
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from local.embedded import Embedded

THREADS = 8
REPEATS = 30
PASSES = 200
PASS_TYPE = "pass.local.passel"


@dataclass(frozen=True)
class FileMeasurement:
    """One way to get the file of a pass."""

    building: str
    milliseconds: float
    """median"""
    bytes: int


@dataclass(frozen=True)
class Rate:
    """Registrations through the HTTP server."""

    registrations: int
    threads: int
    per_second: float


class Devices:
    """Devices that register passes of one project, each request with a device id of its own."""

    def __init__(self, stack: Embedded, passes: list[Pass]) -> None:
        self._passes = passes
        self._numbers = itertools.count()
        self.http = httpx.Client(base_url=stack.url, timeout=120, trust_env=False, verify=False)

    def register(self, _: object = None) -> None:
        """A new device takes the next pass."""
        number = next(self._numbers)
        pass_ = self._passes[number % len(self._passes)]
        self.call("POST", self.path(f"device-{number}", pass_), pass_, 201)

    def path(self, device: str, pass_: Pass) -> str:
        """Of one pass on one device."""
        return f"/v1/devices/{device}/registrations/{PASS_TYPE}/{pass_.serial_number}"

    def call(self, method: str, path: str, pass_: Pass, status: int) -> None:
        """One request with the token of the pass, which must have this answer."""
        body = {"pushToken": "f" * 64} if method == "POST" else None
        headers = {"Authorization": f"ApplePass {pass_.authentication_token}"}
        answer = self.http.request(method, path, json=body, headers=headers)
        if answer.status_code != status:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")


def measure_wallets(
    stack: Embedded, platform: Platform, *, counts: tuple[int, ...]
) -> tuple[list[Measurement], list[Rate], list[FileMeasurement]]:
    """Requests at several numbers of registrations, the rate of registering, and the file."""
    project_id, pass_ids = create_passes(platform, count=PASSES, tags=1, advance=lambda _: None)
    passes = list(platform.passes.get_passes(pass_ids).values())
    issued = operations.issue_key(project_id=project_id)
    template = platform.templates.get_template(project_id=project_id, template_id=passes[0].template_id)
    assert template is not None
    listing = f"/v2/{template.campaign_type}/{template.campaign_id}/registrations"
    devices = Devices(stack, passes)
    measured, rates, registered = [], [], 0
    for count in counts:
        begin = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(devices.register, range(count - registered)))
        rate = round((count - registered) / (time.perf_counter() - begin), 1)
        rates.append(Rate(count - registered, THREADS, rate))
        registered = count
        measured += _measure_requests(stack, devices, passes, count, listing, (issued.key, issued.secret))
    devices.http.close()
    return measured, rates, _measure_files(passes[0])


def _measure_requests(
    stack: Embedded, devices: Devices, passes: list[Pass], count: int, listing: str, pair: tuple[str, str]
) -> list[Measurement]:
    pass_ = passes[0]
    page = f"{listing}?per_page=50&page="
    http = devices.http

    def get(path: str, *, with_key: bool) -> Callable[[], object]:
        return lambda: http.get(path, auth=pair if with_key else None).raise_for_status()

    latest = f"/v1/passes/{PASS_TYPE}/{pass_.serial_number}"
    known = devices.path("device-0", pass_)
    requests: list[tuple[str, Callable[[], object]]] = [
        ("register, a further device", devices.register),
        ("register again", lambda: devices.call("POST", known, pass_, 200)),
        ("list changed passes", get(known.rpartition("/")[0], with_key=False)),
        ("latest pass", lambda: devices.call("GET", latest, pass_, 200)),
        ("GET /v2/.../registrations, first page", get(f"{page}1", with_key=True)),
        ("the same, last page", get(f"{page}{count // 50}", with_key=True)),
        ("the same, q[wallet_eq]=passbook", get(f"{page}1&q[wallet_eq]=passbook", with_key=True)),
    ]
    return [_measure(stack, name, count, send) for name, send in requests]


def _measure(stack: Embedded, name: str, count: int, send: Callable[[], object]) -> Measurement:
    send()
    with stack.count_calls() as calls:
        send()
    return summarise(name, count, calls.total, calls.units, [_time(send) for _ in range(REPEATS)])


def _time(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


def _measure_files(pass_: Pass) -> list[FileMeasurement]:
    """The first file of a version is built and signed; the same again comes from memory."""
    addresses = [f"http://bench-{number}.example.com" for number in range(REPEATS + 1)]
    size = len(build_pkpass(pass_, base_url=addresses.pop()))
    first, again = (
        [_time(partial(build_pkpass, pass_, base_url=address)) for address in addresses] for _ in ("first", "again")
    )
    return [
        FileMeasurement("first", round(statistics.median(first), 2), size),
        FileMeasurement("cached", round(statistics.median(again), 3), size),
    ]
