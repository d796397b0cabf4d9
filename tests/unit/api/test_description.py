"""The description and its viewer below the gateway's stage, as Lambda is called."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import urljoin

import pytest

from chalicelib.api.description.routes import VERSION
from tests.unit.api.test_request_log import call

HOST = {"Host": "abc123.execute-api.eu-central-1.amazonaws.com", "X-Forwarded-Proto": "https"}


def get(route: str, *, path: str, parameters: dict[str, str] | None = None, **headers: str) -> dict[str, Any]:
    """The answer to an event of the stage `api`."""
    return call(route, path=f"/api{path}", parameters=parameters, headers=HOST | headers)


def test_the_server_is_the_stage() -> None:
    answer = get("/openapi.json", path="/openapi.json")
    assert answer["statusCode"] == 200
    assert answer.get("isBase64Encoded", False) is False
    assert json.loads(answer["body"])["servers"][0]["url"] == f"https://{HOST['Host']}/api"


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_page_leads_to_files_below_the_stage(path: str) -> None:
    answer = get("/docs", path=path)
    addresses = re.findall(r'(?:src|href|data-description)="([^"]+)"', answer["body"])
    found = {urljoin(f"https://host/api{path}", address) for address in addresses if not address.startswith("data:")}
    assert found == {
        "https://host/api/openapi.json",
        *(f"https://host/api/docs/{VERSION}/{name}" for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js")),
    }


def test_a_compressed_file_leaves_as_bytes() -> None:
    parameters = {"version": VERSION, "asset": "swagger-ui.css"}
    path = f"/docs/{VERSION}/swagger-ui.css"
    answer = get("/docs/{version}/{asset}", path=path, parameters=parameters, **{"Accept-Encoding": "gzip"})
    assert answer["isBase64Encoded"] is True
    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert base64.b64decode(answer["body"]).startswith(b"\x1f\x8b")
