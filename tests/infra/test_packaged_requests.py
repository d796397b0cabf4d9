"""The packaged API, called as API Gateway calls it where `*/*` is binary: every body arrives in base64."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.definition import create_queues, create_tables
from infra.package import Package
from infra.stages import PROJECT, Stage
from local.clients import ACCESS_KEY, REGION, create_client
from local.engine import start_queues
from tests.infra.archives import needs_their_platform, unpack_archives

SCRIPT = """
import base64, json, sys
sys.path[:0] = json.loads(sys.argv[1])
from importlib.util import module_from_spec, spec_from_file_location
from app import app
from chalice import Response

# what operators do is not in the archives
found = spec_from_file_location("operations", sys.argv[2])
operations = sys.modules["operations"] = module_from_spec(found)
found.loader.exec_module(operations)

@app.route("/v2/bytes")
def send_bytes():
    kind = app.current_request.query_params["type"]
    return Response(body=b"PK\\x03\\x04\\xff\\x00", headers={"Content-Type": kind})

issued = operations.issue_key(project_id=operations.create_project(name="Packaged").project_id)
credentials = base64.b64encode(f"{issued.key}:{issued.secret}".encode()).decode()
answers = []
for event in json.load(sys.stdin):
    event["headers"]["Authorization"] = f"Basic {credentials}"
    answers.append(app(event, None))
print(json.dumps(answers))
"""
OPERATIONS = PROJECT / "chalicelib" / "operations.py"
PKPASS = "application/vnd.apple.pkpass"


def proxy_event(method: str, path: str, **more: Any) -> dict[str, Any]:
    """What a function gets from API Gateway (developer guide, `set-up-lambda-proxy-integrations`)."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Api-Revision": "1.2", "Content-Type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"httpMethod": method, "resourcePath": path, "path": f"/api{path}"},
        "body": None,
        "isBase64Encoded": False,
        **more,
    }


def in_base64(document: object) -> dict[str, Any]:
    return {"body": base64.b64encode(json.dumps(document).encode()).decode(), "isBase64Encoded": True}


def asking_for(kind: str, *, accept: str | None) -> dict[str, Any]:
    event = proxy_event("GET", "/v2/bytes", multiValueQueryStringParameters={"type": [kind]})
    event["headers"] |= {"Accept": accept} if accept else {}
    return event


TEMPLATE = {"name": "Größe", "vendor": "Apple", "vendorId": 1, "type": "Store Card", "projectType": "loyalty"}
ACCEPTED = [(kind, accept) for kind in (PKPASS, "image/png") for accept in (None, "application/json", "text/html, */*")]
EVENTS = [
    proxy_event("POST", "/v1/template", **in_base64(TEMPLATE)),
    proxy_event("GET", "/v1/template/headers"),
    proxy_event("POST", "/v1/template", body=base64.b64encode(b"{").decode(), isBase64Encoded=True),
    *(asking_for(kind, accept=accept) for kind, accept in ACCEPTED),
]


@pytest.fixture(scope="module")
def variables(stage: Stage) -> Iterator[dict[str, str]]:
    """The environment of a function whose tables and queues are moto's."""
    engine = start_queues()
    try:
        create_tables(create_client("dynamodb", endpoint_url=engine.url), stage.prefix)
        create_queues(create_client("sqs", endpoint_url=engine.url), stage.prefix)
        yield {
            "AWS_LAMBDA_FUNCTION_NAME": "passel-api",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_ENDPOINT_URL_DYNAMODB": engine.url,
            "AWS_ENDPOINT_URL_SQS": engine.url,
            "NO_PROXY": "127.0.0.1",
            "PASSEL_PREFIX": stage.prefix,
            "PASSEL_BATCH_STATEMENTS": "false",
            "PASSEL_READ_TIMEOUT_SECONDS": "60",
            "PATH": os.environ["PATH"],
        }
    finally:
        engine.stop()


@pytest.fixture(scope="module")
def answers(package: Package, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the function in the archives returned for each of EVENTS."""
    paths = [str(path) for path in unpack_archives(package, tmp_path_factory.mktemp("lambda"))]
    return json.loads(run_script(paths, variables).splitlines()[-1])  # the log comes before it


def run_script(paths: list[str], variables: dict[str, str]) -> str:
    command = [sys.executable, "-I", "-S", "-B", "-c", SCRIPT, json.dumps(paths), str(OPERATIONS)]
    result = subprocess.run(
        command, input=json.dumps(EVENTS), env=variables, cwd=Path("/"), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@needs_their_platform
def test_a_json_body_in_base64_is_read_as_json(answers: Any) -> None:
    created, listed, *_ = answers
    assert created["statusCode"] == 200, created["body"]
    assert [template["name"] for template in json.loads(listed["body"])["templateHeaders"]] == ["Größe"]


@needs_their_platform
def test_a_json_answer_leaves_as_text(answers: Any) -> None:
    """API Gateway sends what is not marked as base64 as it stands, whatever its binary types are."""
    for answer in answers[:3]:
        assert answer.get("isBase64Encoded", False) is False
        assert isinstance(json.loads(answer["body"]), dict)


@needs_their_platform
def test_a_body_in_base64_that_is_no_json_is_refused(answers: Any) -> None:
    assert answers[2]["statusCode"] == 406
    assert "JSON" in answers[2]["body"]


@needs_their_platform
@pytest.mark.parametrize(("kind", "accept"), ACCEPTED)
def test_bytes_leave_as_bytes_whatever_the_client_accepts(answers: Any, kind: str, accept: str | None) -> None:
    answer = answers[3 + ACCEPTED.index((kind, accept))]
    assert answer["statusCode"] == 200, answer["body"]
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == b"PK\x03\x04\xff\x00"
