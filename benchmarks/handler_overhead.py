"""Handler overhead: the processor time of each hot route beside a bare function that makes the same botocore calls.

A route is called as Lambda calls it, `app(event, context)`, and writes its line of the log as on Lambda, to nowhere.
The bare function gets the arguments that the route gave to botocore, and has a client of the same configuration. Both
run in one process, in turns, beside an empty route of an empty Chalice application with the same event. Engines and
queues are other processes, whose time does not count. Whatever a request wrote is put back, untimed, before the next
one, so that both sides write under the same conditions.

`python -m benchmarks.handler_overhead` measures this alone; ROUNDS is how often.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import reporting
from benchmarks.gateway import basic, gateway_event
from benchmarks.load import create_passes
from benchmarks.reporting import Row
from chalicelib import operations
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from local.certificates import PASS_TYPE
from local.embedded import run_embedded

ROUNDS = 150
PASSES = 2000
TAGS = 3
"""of each pass"""
HELD = 100
"""passes that are on a device"""
ON_ONE_DEVICE = 3
NEW_TAGS = ("gold", "silver", "bronze")
"""which the project has and the pass gets"""

_BAR = 1.5
_REVISION = {"Api-Revision": "1.2"}
_DEVICES = "/v1/devices/{device_id}/registrations/{pass_type}"

Event = dict[str, Any]


@dataclass(frozen=True)
class Tenant:
    """What requests need to know of the project that they are about."""

    headers: Mapping[str, str]
    passes: Sequence[Pass]
    campaign_type: str
    campaign_id: str

    def airship(self, method: str, route: str, **more: Any) -> Event:
        """A request with an API key."""
        return gateway_event(method, route, headers={**self.headers, **_REVISION}, **more)

    def register(self, pass_: Pass, device_id: str) -> Event:
        """A device's request to hold a pass."""
        return gateway_event(
            "POST",
            _DEVICES + "/{serial_number}",
            headers={"Authorization": f"ApplePass {pass_.authentication_token}"},
            body={"pushToken": "f" * 64},
            device_id=device_id,
            pass_type=PASS_TYPE,
            serial_number=pass_.serial_number,
        )


def measure(*, rounds: int | None = None) -> list[Row]:
    """One row for each route; starts a stack of its own."""
    task: dict[str, Any] = {"rounds": rounds or int(os.environ.get("ROUNDS", ROUNDS))}
    with (
        tempfile.TemporaryDirectory() as folder,
        run_embedded(database=Path(folder) / "overhead.db", variables={"PASSEL_LOG_LEVEL": "WARNING"}) as stack,
    ):
        if stack.engine_name != "dynoxide":
            raise SystemExit("benchmarks need dynoxide: on another engine the figures mean nothing")
        from chalicelib.wiring import get_platform

        tenant = _make_tenant(get_platform())
        task["scenes"] = [{"name": name, "event": event} for name, event in _list_scenes(tenant)]
        measured = _run(task)
    return [_make_row(figures) for figures in measured]


def report(rows: Sequence[Row]) -> None:
    """Writes benchmarks/results/overhead.md and .json."""
    reporting.report(rows, name="overhead")


def _make_tenant(platform: Platform) -> Tenant:
    project_id, pass_ids = create_passes(platform, count=PASSES, tags=TAGS, advance=lambda _: None)
    issued = operations.issue_key(project_id=project_id)
    passes = list(platform.passes.get_passes(pass_ids[:HELD] + pass_ids[-HELD:], consistent=True).values())
    passes.sort(key=lambda pass_: pass_.pass_id)
    template = platform.templates.get_template(project_id=project_id, template_id=passes[0].template_id)
    assert template is not None
    assert template.campaign_type is not None
    tenant = Tenant(basic(issued.key, issued.secret), passes, str(template.campaign_type), template.campaign_id)
    held = passes[:HELD]
    devices = ["family"] * ON_ONE_DEVICE + [f"device-{number}" for number in range(HELD - ON_ONE_DEVICE)]
    for pass_, device_id in zip(held, devices, strict=True):
        _send(tenant.register(pass_, device_id))
    _send(_tag(tenant, passes[0]))
    return tenant


def _send(event: Event) -> None:
    from app import app

    answer = app(event, None)
    if answer["statusCode"] >= 300:
        raise RuntimeError(f"{event['path']}: {answer}")


def _tag(tenant: Tenant, pass_: Pass) -> Event:
    route = "/v1/pass/{identifier}/tags"
    return tenant.airship("PUT", route, body={"tags": NEW_TAGS}, identifier=str(pass_.pass_id))


def _list_scenes(tenant: Tenant) -> Iterator[tuple[str, Event]]:
    """The hot routes; the last pass is on no device."""
    last = tenant.passes[-1]
    identifier, listing = {"identifier": str(last.pass_id)}, "/v1/tag/{tag}/passes"
    update = {"fields": {"field1": {"value": "new"}}}
    yield "GET /pass/{id}/tags", tenant.airship("GET", "/v1/pass/{identifier}/tags", **identifier)
    yield "GET /pass/{id}", tenant.airship("GET", "/v1/pass/{identifier}", **identifier)
    yield "PUT /pass/{id}", tenant.airship("PUT", "/v1/pass/{identifier}", body=update, **identifier)
    yield "PUT /pass/{id}/tags, 3 existing", _tag(tenant, last)
    for name, query in (
        ("10 a page", {}),
        ("10 a page, not_been_installed", {"status": "not_been_installed"}),
        ("100 a page", {"pageSize": "100"}),
    ):
        yield f"GET /tag/{{tag}}/passes, {name}", tenant.airship("GET", listing, query=query, tag="tag-0")
    yield "DELETE /tag/{tag}/passes", tenant.airship("DELETE", listing, tag="tag-2")
    yield "register a pass on a device", tenant.register(last, "new-device")
    yield "list changed passes", gateway_event("GET", _DEVICES, headers={}, device_id="family", pass_type=PASS_TYPE)
    yield (
        "GET /v2/.../registrations",
        gateway_event(
            "GET",
            "/v2/{campaign_type}/{campaign_id}/registrations",
            headers=tenant.headers,
            campaign_type=tenant.campaign_type,
            campaign_id=tenant.campaign_id,
        ),
    )


def _run(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Measures in a process that shares nothing with the engines, and takes itself for a function of Lambda."""
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "passel-local-api",
        "PASSEL_LOG_LEVEL": "INFO",
        # a request in a minute reads its credentials; these are the others
        "PASSEL_CREDENTIAL_CACHE_SECONDS": "3600",
        "PASSEL_CERTIFICATE_CACHE_SECONDS": "3600",
    }
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.handler_process"],
        cwd=Path(__file__).parents[1],
        env=os.environ | variables,
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: list[dict[str, Any]] = json.loads(result.stdout.splitlines()[-1])
    return measured


def _make_row(figures: Mapping[str, Any]) -> Row:
    ours, bare, empty = figures["ours"], figures["bare"], figures["empty"]
    calls = Counter(figures["operations"])
    return {
        "route": figures["name"],
        "calls": ", ".join(f"{count} {name}" if count > 1 else name for name, count in calls.items()),
        "bare_cpu_ms": round(bare, 3),
        "ours_cpu_ms": round(ours, 3),
        "ratio": round(ours / bare, 2),
        "empty_chalice_cpu_ms": round(empty, 3),
        "ratio_to_bare_and_chalice": round(ours / (bare + empty), 2),
        "within_1.5": "yes" if ours <= _BAR * bare else "no",
    }


if __name__ == "__main__":
    report(measure())
