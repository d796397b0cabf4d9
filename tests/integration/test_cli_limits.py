"""`projects limit` and `keys limit`: what is set, what lists say of it, who inherits it, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib import operations
from chalicelib.cli import command
from chalicelib.domain.rate_limits import UNLIMITED, RateLimit
from chalicelib.wiring import get_platform
from tests.support.stack import Stack

pytestmark = pytest.mark.usefixtures("stack")


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [str(each) for each in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def listed_project(project_id: int) -> Any:
    rows = json.loads(run("projects", "list", "--json").stdout)
    return next(row for row in rows if row["id"] == project_id)["limit"]


def listed_keys(project_id: int) -> dict[str, Any]:
    return {row["key"]: row["limit"] for row in json.loads(run("keys", "list", project_id, "--json").stdout)}


def limits_of(key: str) -> tuple[RateLimit | None, RateLimit | None]:
    """What a request with this key meets: its own, and that of its project."""
    credential = get_platform().projects.get_credential(key=key)
    assert credential
    return credential.limit, credential.project_limit


@pytest.fixture
def project_id(stack: Stack) -> int:
    """A project without keys."""
    return operations.create_project(name="Limits").project_id


def test_a_project_is_limited_with_all_its_keys(project_id: int) -> None:
    keys = [operations.issue_key(project_id=project_id).key for _ in range(2)]
    stranger = operations.issue_key(project_id=operations.create_project(name="Other").project_id).key
    result = run("projects", "limit", project_id, "--per-second", "20", "--burst", "40")

    assert result.stdout == (
        f"Project {project_id} may make 20 requests a second now, 40 at once."
        " Running processes notice within a minute.\n"
    )
    assert listed_project(project_id) == {"per_second": 20, "burst": 40}
    assert [limits_of(key) for key in keys] == [(None, RateLimit(per_second=20, burst=40))] * 2
    assert limits_of(stranger) == (None, None)
    table = run("projects", "list").stdout.splitlines()
    assert table[0].endswith("LIMIT")
    assert next(line for line in table if line.startswith(f"{project_id} ")).endswith("20/s, 40 at once")


def test_keys_that_are_made_later_have_the_limit_of_their_project(project_id: int) -> None:
    run("projects", "limit", project_id, "--per-second", "0.5")
    limit = RateLimit(per_second=0.5, burst=1)
    issued = operations.issue_key(project_id=project_id)
    assert limits_of(issued.key) == (None, limit)

    run("keys", "limit", issued.key, "--per-second", "3")
    rotated = json.loads(run("keys", "rotate", issued.key, "--json").stdout)
    assert limits_of(rotated["key"]) == (RateLimit(per_second=3, burst=3), limit)


def test_a_limit_is_lifted_or_given_back(project_id: int) -> None:
    key = operations.issue_key(project_id=project_id).key
    run("projects", "limit", project_id, "--per-second", "20")
    assert run("projects", "limit", project_id, "--none").stdout.startswith(f"Project {project_id} has no limit now. ")
    assert (listed_project(project_id), limits_of(key)) == ("none", (None, UNLIMITED))
    assert run("projects", "limit", project_id, "--default").stdout.startswith(
        f"Project {project_id} has the limit of all projects now. "
    )
    assert (listed_project(project_id), limits_of(key)) == (None, (None, None))


def test_a_key_has_a_limit_of_its_own(project_id: int) -> None:
    first, second = (operations.issue_key(project_id=project_id).key for _ in range(2))
    result = run("keys", "limit", first, "--per-second", "2.5", "--burst", "10")

    assert result.stdout.startswith(f"Key {first} may make 2.5 requests a second now, 10 at once. ")
    assert listed_keys(project_id) == {first: {"per_second": 2.5, "burst": 10}, second: None}
    assert "2.5/s, 10 at once" in run("keys", "list", project_id).stdout
    run("keys", "limit", first, "--none")
    assert listed_keys(project_id)[first] == "none"
    assert run("keys", "limit", first, "--default").stdout.startswith(f"Key {first} has the limit of its project now. ")
    assert listed_keys(project_id)[first] is None


@pytest.mark.parametrize(
    ("options", "exit_code", "problem"),
    [
        ((), 2, "Say one of --per-second, --none and --default."),
        (("--none", "--default"), 2, "Say one of --per-second, --none and --default."),
        (("--per-second", "1", "--none"), 2, "Say one of"),
        (("--none", "--burst", "3"), 2, "--burst goes with --per-second."),
        (("--per-second", "many"), 2, "'many' is not a valid float"),
        (("--per-second", "0"), 1, "per-second: must be between 0.01 and 10,000"),
        (("--per-second", "nan"), 1, "per-second: must be between 0.01 and 10,000"),
        (("--per-second", "20", "--burst", "19"), 1, "burst: must be at least 20, what a second brings"),
    ],
)
@pytest.mark.parametrize("kind", ["projects", "keys"])
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    project_id: int, kind: str, options: tuple[str, ...], exit_code: int, problem: str
) -> None:
    key = operations.issue_key(project_id=project_id).key
    name = project_id if kind == "projects" else key
    assert problem in run(kind, "limit", name, *options, exit_code=exit_code).stderr
    assert limits_of(key) == (None, None)
    assert listed_project(project_id) is None


def test_who_is_not_there_cannot_be_limited(stack: Stack) -> None:
    refused = run("projects", "limit", 987654321, "--none", exit_code=1).stderr
    assert "project 987654321 was not found" in refused
    assert "key nobody was not found" in run("keys", "limit", "nobody", "--none", exit_code=1).stderr
    assert get_platform().projects.get_credential(key="nobody") is None
