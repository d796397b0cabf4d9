"""`callbacks` on the command line: what an operator types, reads and gets as an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.cli import command
from chalicelib.domain.callbacks import DEAD_QUEUE
from chalicelib.wiring import get_platform
from tests.support import devices
from tests.support.builders import make_passes
from tests.support.callback_line import CallbackLine
from tests.support.google_wallet import changed_settings
from tests.support.receivers import run_teams
from tests.support.stack import Stack, Tenant

URL = "https://callbacks.example/base"
HOOKS = "https://hooks.example/?account=7"


@pytest.fixture(autouse=True)
def _no_trusted_network() -> Iterator[None]:
    with changed_settings({"PASSEL_TRUSTED_NETWORKS": "[]"}):
        yield


def run(*arguments: object, exit_code: int = 0) -> Result:
    """One command in this process, whose environment leads to the stack."""
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, ["callbacks", *map(str, arguments)])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def run_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def secret_of(tenant: Tenant) -> str:
    return run("secret", tenant.project_id).stdout.strip()


def test_what_is_set_is_shown_but_for_what_is_secret(stack: Stack, tenant: Tenant) -> None:
    run("set", tenant.project_id, URL, "--header", "X-Team: b:l u e", "--header", "Authorization:Bearer hidden")
    run("passworks", tenant.project_id, "--url", HOOKS, "--authorization", "hidden too")

    assert run_json("show", tenant.project_id) == {
        "project_id": tenant.project_id,
        "airship": {"base_url": URL, "headers": ["Authorization", "X-Team"]},
        "passworks": {"url": HOOKS, "authorization": True},
        "rotated_at": None,
    }
    text = run("show", tenant.project_id).stdout
    assert text == (
        f"Airship callbacks: {URL}, headers: Authorization, X-Team\nPassworks webhooks: {HOOKS}, with Authorization\n"
    )
    shown = tenant.call("GET", f"/v1/project/{tenant.project_id}/settings/callback")
    assert shown == {"baseUrl": URL, "headers": {"X-Team": "b:l u e", "Authorization": "Bearer hidden"}}


def test_the_secret_is_told_when_it_is_made_and_shown_when_asked_for(stack: Stack, tenant: Tenant) -> None:
    first = run("passworks", tenant.project_id, "--url", HOOKS).stdout
    second = run("set", tenant.project_id, URL).stdout

    secret = secret_of(tenant)
    assert len(secret) >= 40
    assert first.count(secret) == 1
    assert secret not in second
    assert secret not in run("show", tenant.project_id).stdout


def test_a_rotation_makes_another_secret(stack: Stack, tenant: Tenant) -> None:
    run("set", tenant.project_id, URL)
    before = secret_of(tenant)
    after = run("secret", tenant.project_id, "--rotate").stdout.strip()

    assert before != after == secret_of(tenant)
    assert run_json("show", tenant.project_id)["rotated_at"]
    assert "Signing secret of 20" in run("show", tenant.project_id).stdout
    receiver = get_platform().receivers.get_receiver(tenant.project_id)
    assert receiver is not None
    assert receiver.secrets_at(get_platform().now()) == (after, before)


def test_the_key_of_webhooks_can_be_typed_unseen(stack: Stack, tenant: Tenant) -> None:
    arguments = ["callbacks", "passworks", str(tenant.project_id), "--url", HOOKS, "--authorization"]
    result = CliRunner().invoke(command, arguments, input="typed\n")
    assert result.exit_code == 0
    assert "typed" not in result.stdout
    receiver = get_platform().receivers.get_receiver(tenant.project_id)
    assert receiver is not None
    assert receiver.passworks is not None
    assert receiver.passworks.authorization == "typed"


def test_each_dialect_is_removed_by_itself(stack: Stack, tenant: Tenant) -> None:
    run("set", tenant.project_id, URL)
    run("passworks", tenant.project_id, "--url", HOOKS)
    secret = secret_of(tenant)

    assert "Airship" in run("remove", tenant.project_id, "airship").stdout
    assert run_json("show", tenant.project_id)["airship"] is None
    assert "Airship" not in run("show", tenant.project_id).stdout
    run("remove", tenant.project_id, "airship", exit_code=1)
    assert secret_of(tenant) == secret
    run("remove", tenant.project_id, "passworks")
    run("show", tenant.project_id, exit_code=1)
    run("set", tenant.project_id, URL)
    assert secret_of(tenant) != secret


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("show", "own"), "Error: callback of project"),
        (("show", 987654321), "Error: project 987654321 was not found"),
        (("secret", 987654321), "Error: project 987654321 was not found"),
        (("secret", 987654321, "--rotate"), "Error: project 987654321 was not found"),
        (("remove", 987654321, "airship"), "Error: project 987654321 was not found"),
        (("redrive", "--project", 987654321), "Error: project 987654321 was not found"),
        (("set", 987654321, URL), "project 987654321 was not found"),
        (("passworks", 987654321, "--url", HOOKS), "project 987654321 was not found"),
        (("set", "own", "http://callbacks.example"), "baseUrl: must be an https URL"),
        (("set", "own", "https://10.0.0.1"), "baseUrl: cannot be called"),
        (("set", "own", URL, "--header", "Host: a"), "headers.Host: is set by us"),
        (("passworks", "own", "--url", "https://localhost/"), "url: cannot be called"),
        (("passworks", "own", "--url", HOOKS, "--authorization", "a\nb"), "authorization: must be"),
    ],
    ids=lambda part: str(part)[:60],
)
def test_a_refusal_is_one_line_and_exit_code_1(
    stack: Stack, tenant: Tenant, arguments: tuple[object, ...], part: str
) -> None:
    own = [tenant.project_id if each == "own" else each for each in arguments]
    result = run(*own, exit_code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert part in result.stderr


def test_a_header_without_a_colon_is_a_wrong_call(stack: Stack, tenant: Tenant) -> None:
    assert "'NAME: VALUE'" in run("set", tenant.project_id, URL, "--header", "X-Team", exit_code=2).stderr


def test_what_was_given_up_is_sent_again(stack: Stack, tenant: Tenant) -> None:
    stack.drain()
    with run_teams() as teams:
        team = teams.start()
        run("set", tenant.project_id, team.url)
        for pass_ in make_passes(tenant.project_id, 2):
            devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id)
        documents = CallbackLine(lambda _: pytest.fail("nothing is sent here")).take_over(stack)
        get_platform().queues.send_documents(DEAD_QUEUE, documents)

        stranger = stack.tenant()
        assert run("redrive", "--project", stranger.project_id).stdout == "0 callbacks sent again, 2 left.\n"
        assert run("redrive").stdout == "2 callbacks sent again, 0 left.\n"
        assert run("redrive").stdout == "0 callbacks sent again, 0 left.\n"
        stack.drain()
    assert len({told.event_id for told in team.heard}) == 2
