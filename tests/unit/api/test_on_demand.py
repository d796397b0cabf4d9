"""Routes are found one by one as they are found all together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

WALK = """
import json
from app import app, routes
from chalicelib.api.on_demand import OWNERS

assert not routes, "nothing is imported before it is asked for"
paths, misplaced = {}, []
for owners in OWNERS.values():
    for blueprint in owners():
        before = {(path, method) for path, methods in routes.items() for method in methods}
        routes.register(blueprint)
        after = {(path, method) for path, methods in routes.items() for method in methods}
        for path, method in after - before:
            paths.setdefault(path, {})[method] = blueprint._import_name
            if blueprint not in routes.find_owners(path)():
                misplaced.append(path)
print(json.dumps({"paths": paths, "misplaced": misplaced, "unknown": routes["/v1/none"] or routes["/none"]}))
"""


def run(code: str, **environment: str) -> Any:
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def walked() -> Any:
    """Every path with the blueprint of each method, registered as on Lambda."""
    return run(WALK, AWS_LAMBDA_FUNCTION_NAME="passel-api")


def test_every_blueprint_is_found_by_how_its_paths_begin(walked: Any) -> None:
    assert walked["misplaced"] == []


def test_no_path_belongs_to_two_blueprints(walked: Any) -> None:
    """The search ends with the first that has the path."""
    assert {path: methods for path, methods in walked["paths"].items() if len(set(methods.values())) > 1} == {}


def test_what_begins_like_nothing_has_no_methods(walked: Any) -> None:
    assert walked["unknown"] == {}


def test_elsewhere_every_route_is_there_from_the_start(walked: Any) -> None:
    code = (
        "import json; from app import app; print(json.dumps({path: list(each) for path, each in app.routes.items()}))"
    )
    whole = run(code)
    assert {path: set(methods) for path, methods in whole.items()} == {
        path: set(methods) for path, methods in walked["paths"].items()
    }


def test_a_path_that_is_asked_for_first_has_all_its_methods() -> None:
    code = 'import json; from app import routes; print(json.dumps(list(routes["/v1/template/{identifier}/passes"])))'
    assert run(code, AWS_LAMBDA_FUNCTION_NAME="passel-api") == ["GET"]
