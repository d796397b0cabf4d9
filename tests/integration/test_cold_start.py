"""What a new function of Lambda has loaded once its first request is answered: nothing that it does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from typing import Any

import pytest

from benchmarks import cold_process
from benchmarks.gateway import basic, gateway_event
from infra.stages import PROJECT
from tests.support.builders import make_passes
from tests.support.stack import Stack

NEVER = {
    "PIL",
    "asyncio",
    "boto3",
    "cryptography",
    "google.auth",
    "h2",
    "httpcore",
    "httpx",
    "jinja2",
    "pydantic",
    "python_multipart",
    "segno",
    "tenacity",
    "chalicelib.domain.bulk_updates",
    "chalicelib.domain.google_ports",
    "chalicelib.domain.registrations",
    "chalicelib.domain.templates",
    "chalicelib.store.queues",
    "chalicelib.store.registrations",
    "chalicelib.store.tickets",
}
"""what reading the tags of a pass has no use for"""
OTHERS = ("chalicelib.schemas", "chalicelib.wallets", "chalicelib.pages", "chalicelib.outbound", "chalicelib.workers")
ROUTES = {"chalicelib.api.airship.tags"}
"""the one module of routes that is loaded"""


@pytest.fixture(scope="module")
def loaded(stack: Stack) -> set[str]:
    """The modules of a process that has answered `GET /v1/pass/{identifier}/tags`."""
    tenant = stack.tenant()
    (pass_,) = make_passes(tenant.project_id, 1, tags=["gold"])
    event = gateway_event(
        "GET",
        "/v1/pass/{identifier}/tags",
        headers={"Api-Revision": "1.2", **basic(tenant.key, tenant.secret)},
        identifier=str(pass_.pass_id),
    )
    return set(start("app", event)["modules"])


def start(module: str, event: dict[str, Any]) -> Any:
    folders = [str(PROJECT), sysconfig.get_paths()["purelib"]]
    route = f"{event['httpMethod']} {event['resource']}"
    result = subprocess.run(
        [sys.executable, "-I", "-S", cold_process.__file__, *folders, module, route],
        env=os.environ | {"AWS_LAMBDA_FUNCTION_NAME": "passel-local-api"},
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_the_first_answer_loads_no_library_that_it_does_not_need(loaded: set[str]) -> None:
    assert loaded & NEVER == set()


def test_it_loads_nothing_of_other_layers(loaded: set[str]) -> None:
    assert [name for name in loaded if name.startswith(OTHERS)] == []


def test_it_loads_its_own_routes_alone(loaded: set[str]) -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in PROJECT.glob("chalicelib/api/**/*.py")}
    routes = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        for path, source in sources.items()
        if " = Blueprint(__name__)" in source
    }
    assert routes > ROUTES
    assert routes & loaded == ROUTES
