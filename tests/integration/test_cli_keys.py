"""`projects` and `keys` on the command line: rotation with an overlap, and what lists say of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from chalicelib import operations
from chalicelib.cli import command
from chalicelib.commands.durations import Duration
from chalicelib.domain import authenticating
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.projects import hash_secret
from chalicelib.wiring import get_credential_cache, get_platform
from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 20.0


def run(*arguments: object, exit_code: int = 0, typed: str | None = None) -> Result:
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [str(each) for each in arguments], input=typed)
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def run_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def new_project(name: str = "Keys") -> int:
    return operations.create_project(name=name).project_id


def status(stack: Stack, key: str | None, secret: str) -> int:
    """What the API answers; without a key as a client that sends the secret alone."""
    get_credential_cache.cache_clear()  # as after its minute
    headers = {} if key is not None else {"Authorization": secret}
    auth = None if key is None else (key, secret)
    path = "/v1/tag" if key is not None else "/v2/ping"
    return httpx.get(f"{stack.url}{path}", auth=auth, headers=headers).status_code


def states(project_id: int) -> dict[str, str]:
    return {each["key"]: each["state"] for each in run_json("keys", "list", project_id)}


def test_a_project_is_renamed_and_its_keys_go_on(stack: Stack) -> None:
    project_id = new_project("Before")
    issued = operations.issue_key(project_id=project_id)

    assert run("projects", "rename", project_id, " After ").stdout == f"Project {project_id} is called After now.\n"
    assert [each["name"] for each in run_json("projects", "list") if each["id"] == project_id] == ["After"]
    assert status(stack, issued.key, issued.secret) == 200
    assert "must not be empty" in run("projects", "rename", project_id, " ", exit_code=1).stderr
    assert "project 987654321 was not found" in run("projects", "rename", 987654321, "x", exit_code=1).stderr


def test_after_a_rotation_both_pairs_open_and_the_old_one_ends(stack: Stack) -> None:
    project_id = new_project()
    old = operations.issue_key(project_id=project_id)
    result = run("keys", "rotate", project_id, "--overlap", "12h")
    key, secret = (line.split()[1] for line in result.stdout.splitlines()[:2])

    assert f"The old key {old.key} ends at " in result.stdout
    assert "cannot be shown again" in result.stderr
    assert [status(stack, *pair) for pair in ((old.key, old.secret), (key, secret))] == [200, 200]
    assert states(project_id) == {old.key: "ending", key: "in force"}
    assert secret not in run("keys", "list", project_id).stdout


def test_the_old_pair_is_refused_after_its_end(stack: Stack) -> None:
    project_id = new_project()
    old = operations.issue_key(project_id=project_id)
    rotated = run_json("keys", "rotate", old.key, "--overlap", "1s")

    deadline = time.monotonic() + DEADLINE_SECONDS
    while status(stack, old.key, old.secret) == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status(stack, old.key, old.secret) == 401
    assert status(stack, rotated["key"], rotated["secret"]) == 200
    assert states(project_id) == {old.key: "expired", rotated["key"]: "in force"}
    assert rotated["old_key"] == old.key


def test_without_overlap_the_old_pair_ends_at_once(stack: Stack) -> None:
    project_id = new_project()
    old = operations.issue_key(project_id=project_id)
    run("keys", "rotate", project_id, "--overlap", "0")

    assert status(stack, old.key, old.secret) == 401
    assert "is not in force any more" in run("keys", "rotate", old.key, exit_code=1).stderr


def test_an_ending_key_is_not_rotated_again_but_can_be_revoked(stack: Stack) -> None:
    project_id = new_project()
    old = operations.issue_key(project_id=project_id)
    run("keys", "rotate", project_id)

    assert "revoke ends it now" in run("keys", "rotate", old.key, exit_code=1).stderr
    run("keys", "revoke", old.key)
    assert status(stack, old.key, old.secret) == 401
    assert states(project_id)[old.key] == "revoked"


def test_whoever_revokes_the_last_key_is_told(stack: Stack) -> None:
    project_id = new_project()
    first, second = (operations.issue_key(project_id=project_id) for _ in range(2))

    assert run("keys", "revoke", first.key).stderr == ""
    assert f"Project {project_id} has no key now" in run("keys", "revoke", second.key).stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("issue",), ("rotate",)])
def test_a_secret_that_could_not_be_shown_leaves_the_key_to_be_revoked(
    stack: Stack, arguments: tuple[str, ...]
) -> None:
    project_id = new_project()
    operations.issue_key(project_id=project_id)
    before = states(project_id)
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "chalicelib.cli", "keys", *arguments, str(project_id)],
            env={name: value for name, value in os.environ.items() if name != "PASSEL_LOCAL"},
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )

    (key,) = states(project_id).keys() - before.keys()
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"key {key} was issued" in result.stderr
    assert f"`keys revoke {key}`" in result.stderr


@pytest.mark.parametrize("meanwhile", [("keys", "rotate"), ("keys", "revoke")])
def test_a_key_that_was_changed_since_it_was_looked_at_is_not_rotated(stack: Stack, meanwhile: tuple[str, str]) -> None:
    project_id = new_project()
    old = operations.issue_key(project_id=project_id)
    seen = get_platform().projects.get_credential(key=old.key)
    assert seen is not None
    run(*meanwhile, old.key)
    before = run_json("keys", "list", project_id)

    with pytest.raises(InvalidRequest, match="changed by somebody else"):
        authenticating.rotate_key(get_platform(), old=seen, overlap=timedelta(days=1))
    assert run_json("keys", "list", project_id) == before


def test_of_several_keys_one_must_be_named(stack: Stack) -> None:
    project_id = new_project()
    assert "no key to rotate; issue one" in run("keys", "rotate", project_id, exit_code=1).stderr
    first, second = (operations.issue_key(project_id=project_id) for _ in range(2))

    refused = run("keys", "rotate", project_id, exit_code=1)
    assert f"2 keys without an end: {first.key}, {second.key}; name one" in refused.stderr
    run("keys", "rotate", first.key)
    assert states(project_id)[second.key] == "in force"
    # what ends already needs no successor
    run("keys", "revoke", next(key for key, state in states(project_id).items() if key not in (first.key, second.key)))
    run("keys", "rotate", project_id)
    assert states(project_id)[second.key] == "ending"


def test_a_number_that_names_both_must_be_told_apart(stack: Stack) -> None:
    project_id, other = new_project(), new_project()
    own = operations.issue_key(project_id=project_id)
    namesake = operations.issue_key(project_id=other, key=str(project_id), secret="a secret of 16+ characters")

    refused = run("keys", "rotate", project_id, exit_code=1)
    assert f"is a project and also a key of project {other}; say which with --as" in refused.stderr
    assert run_json("keys", "rotate", project_id, "--as", "key")["old_key"] == namesake.key
    assert run_json("keys", "rotate", project_id, "--as", "project")["old_key"] == own.key


def test_an_unknown_name_is_refused(stack: Stack) -> None:
    assert "key or project nobody was not found" in run("keys", "rotate", "nobody", exit_code=1).stderr
    assert "key 987654321 was not found" in run("keys", "rotate", 987654321, "--as", "key", exit_code=1).stderr


def test_a_team_may_bring_the_new_pair_along(stack: Stack) -> None:
    project_id = new_project()
    operations.issue_key(project_id=project_id)
    secret = "a secret of 16+ characters"
    result = run("keys", "rotate", project_id, "--key", f"own-{project_id}", "--secret", typed=secret + "\n")

    assert secret not in result.output
    assert status(stack, f"own-{project_id}", secret) == 200
    taken = run("keys", "rotate", project_id, "--key", f"own-{project_id}", "--secret", secret, exit_code=1)
    assert "already in use" in taken.stderr


def test_a_secret_under_several_keys_opens_with_the_one_that_ends_last(stack: Stack) -> None:
    """As when a rotation gives the same secret another key, for clients that send the secret alone."""
    project_id = new_project()
    secret = "the same secret of 16+ characters"
    keys = [f"{name}-{project_id}" for name in ("a", "b", "c")]
    for key in keys:
        operations.issue_key(project_id=project_id, key=key, secret=secret)
    run("keys", "rotate", keys[0], "--overlap", "0")
    run("keys", "rotate", keys[1], "--overlap", "1d")

    def opened() -> str | None:
        credential = get_platform().projects.get_credential_by_secret(secret_hash=hash_secret(secret))
        return None if credential is None else credential.key

    assert opened() == keys[2]
    run("keys", "revoke", keys[2])
    assert opened() == keys[1]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), (" 7D ", 604800)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "7 d", "1w", "99999999d", "٣d"])
def test_other_durations_are_wrong_usage(stack: Stack, text: str) -> None:
    result = run("keys", "rotate", "1", f"--overlap={text}", exit_code=2)
    assert "--overlap" in result.stderr
