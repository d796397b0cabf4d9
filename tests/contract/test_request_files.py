"""The requests in docs/requests work as they stand, one after another, and are answered as is said above each."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.contract.http_files import Sender, find_difference, read_requests
from tests.support.stack import Stack, Tenant

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "requests"
FILES = sorted(FOLDER.glob("*.http"))

LEFT_OUT = [
    "DELETE /v1/project/{identifier}/settings/callback",
    "GET /v1/project/{identifier}/settings/callback",
    "GET /v2/certificates/{certificate_id}",
    "POST /v1/project/{identifier}/settings/callback",
    "POST /v1/template/{identifier}",
    "POST /v2/{campaign_type}/{campaign_id}/passes/{pass_id}",
]
"""calls that need a project's number or a certificate, or that do what another one does"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_request_is_answered_as_it_says(file: Path, tenant: Tenant, stack: Stack) -> None:
    variables, requests = read_requests(file)
    settings = {"PASSEL_URL": stack.url, "PASSEL_KEY": tenant.key, "PASSEL_SECRET": tenant.secret}
    with httpx.Client(timeout=60, trust_env=False) as http:
        sender = Sender(http, variables, settings=settings, folder=FOLDER)
        for written in requests:
            response = sender.send(written)
            assert response.status_code == written.status, (written.title, response.text)
            if written.example is not None:
                difference = find_difference(written.example, response.json())
                assert difference is None, f"{written.title or written.text}: {difference}"
            stack.drain()


def test_there_is_a_file_for_each_dialect() -> None:
    assert [file.stem for file in FILES] == ["airship", "passworks"]


def list_routes() -> set[str]:
    """Routes that clients call, each in one of its forms: by ids, not by external ids."""
    from app import app

    wallets = ("/v1/devices", "/v1/passes", "/v1/log", "/v1/google")
    return {
        f"{method} {path}"
        for path, methods in app.routes.items()
        for method in methods
        if path.startswith(("/v1", "/v2")) and not path.startswith(wallets) and "/id/" not in path
    }


def is_sent(route: str, sent: set[str]) -> bool:
    """Whether a request is of that route."""
    pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)))
    return any(pattern.fullmatch(request) for request in sent)


def test_nearly_every_call_is_among_them(stack: Stack) -> None:
    sent = {
        written.text.splitlines()[0].replace("{{base}}", f"/{version}").split("?")[0]
        for version, file in zip(("v1", "v2"), FILES, strict=True)
        for written in read_requests(file)[1]
    }
    assert sorted(route for route in list_routes() if not is_sent(route, sent)) == LEFT_OUT


def test_the_comparison_notices_what_is_missing_or_of_another_type() -> None:
    assert find_difference({"id": "1", "tags": []}, {"id": "x", "tags": ["a"], "more": 1}) is None
    assert find_difference({"id": "1"}, {"id": 1}) == "the answer.id is 1, not like '1'"
    assert find_difference({"rows": [{"id": 1}]}, {"rows": [{}]}) == "the answer.rows[0] lacks ['id']"
    assert find_difference({"rows": [1]}, {"rows": []}) == "the answer.rows is empty"
    assert find_difference(True, 1) == "the answer is 1, not like True"
