"""The command line on the embedded stack: what an operator types, reads and gets as an exit code."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from chalicelib import operations
from chalicelib.cli import command
from chalicelib.domain import bulk_updates
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_credential_cache, get_platform
from chalicelib.workers.handlers import HANDLERS
from local.environment import PREFIX, build_environment
from local.pump import pump_once
from tests.support.stack import Stack, Tenant

ROOT = Path(__file__).resolve().parents[2]
PASSES = 3


def run(*arguments: object, exit_code: int = 0) -> Result:
    """One command in this process, whose environment leads to the stack."""
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [str(each) for each in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def run_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def run_process(
    *arguments: str, environment: Mapping[str, str], folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own, with nothing of AWS or Passel but `environment`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PASSEL_"))}
    alone = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [sys.executable, "-m", "chalicelib.cli", *arguments],
        cwd=folder,
        env=inherited | alone | dict(environment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def assert_one_line(text: str, *parts: str) -> None:
    assert text.startswith("Error: "), text
    assert text.count("\n") == 1, text
    assert all(part in text for part in parts), text


# Projects and keys


def test_a_created_project_is_listed(stack: Stack) -> None:
    created = run_json("projects", "create", "  Café Noir  ")
    assert created["name"] == "Café Noir"
    assert created in run_json("projects", "list")
    assert f"{created['id']} " in run("projects", "list").stdout
    assert "Created project" in run("projects", "create", "Another").stdout


def test_a_name_from_before_there_were_rules_moves_no_cursor(stack: Stack) -> None:
    platform = get_platform()
    platform.projects.create_project(name="old\x1b[2J\x9b\nname", now=platform.now())

    shown = run("projects", "list").stdout
    assert "old\\x1b[2J\\x9b\\nname" in shown
    text = run("projects", "list", "--json").stdout
    assert text.replace("\n", "").isprintable()
    assert "old\x1b[2J\x9b\nname" in [each["name"] for each in json.loads(text)]


def test_an_issued_key_opens_its_project_until_it_is_revoked(stack: Stack) -> None:
    project = run_json("projects", "create", "Keys")
    result = run("keys", "issue", project["id"])
    key, secret = (line.split()[1] for line in result.stdout.splitlines())
    assert result.stdout.count(secret) == 1
    assert "cannot be shown again" in result.stderr

    assert httpx.get(f"{stack.url}/v1/tag", auth=(key, secret)).status_code == 200
    assert run("keys", "revoke", key).stdout.startswith(f"Revoked {key}.")
    get_credential_cache.cache_clear()  # as after its minute
    assert httpx.get(f"{stack.url}/v1/tag", auth=(key, secret)).status_code == 401

    (listed,) = run_json("keys", "list", project["id"])
    assert listed["key"] == key
    assert listed["revoked_at"] >= listed["created_at"]
    assert secret not in run("keys", "list", project["id"]).stdout


def test_a_pair_from_elsewhere_keeps_working(stack: Stack) -> None:
    project = run_json("projects", "create", "Moved")
    key, secret = f"moved-{project['id']}", "a secret of 16+ characters"
    issued = run_json("keys", "issue", project["id"], "--key", key, "--secret", secret)
    assert issued == {"key": key, "secret": None, "project_id": project["id"]}
    assert httpx.get(f"{stack.url}/v1/tag", auth=(key, secret)).status_code == 200
    taken = run("keys", "issue", project["id"], "--key", key, "--secret", secret, exit_code=1)
    assert_one_line(taken.stderr, "already in use")


def test_a_secret_can_be_typed_unseen(stack: Stack) -> None:
    project = run_json("projects", "create", "Typed")
    arguments = ["keys", "issue", str(project["id"]), "--key", f"typed-{project['id']}", "--secret"]
    result = CliRunner().invoke(command, arguments, input="a secret of 16+ characters\n")
    assert result.exit_code == 0
    assert f"Key:    typed-{project['id']}\n" in result.stdout
    assert "a secret of 16+ characters" not in result.output


def test_an_empty_list_says_so(stack: Stack) -> None:
    project = run_json("projects", "create", "No keys")
    assert run("keys", "list", project["id"]).stdout == "None.\n"
    assert run_json("keys", "list", project["id"]) == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("projects", "create", " "), "name: must not be empty"),
        (("projects", "create", "x" * 201), "name: has 201 characters, the limit is 200"),
        (("projects", "create", "a\x1b[31mb"), "name: must be one line without control characters"),
        (("projects", "rename", "1", "a\nb"), "name: must be one line without control characters"),
        (("pushes", "resume", "987654321"), "project 987654321 was not found"),
        (("keys", "issue", "987654321"), "project 987654321 was not found"),
        (("keys", "issue", "987654321", "--key", "alone"), "987654321"),
        (("keys", "list", "987654321"), "project 987654321 was not found"),
        (("keys", "revoke", "nobody"), "key nobody was not found"),
        (("ticket", "987654321"), "ticket 987654321 was not found"),
        (("ticket", "987654321", "--watch"), "ticket 987654321 was not found"),
        (("redrive", "987654321"), "bulk update 987654321 was not found"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(stack: Stack, arguments: tuple[str, ...], part: str) -> None:
    result = run(*arguments, exit_code=1)
    assert result.stdout == ""
    assert_one_line(result.stderr, part)


# Tickets


def start_update(stack: Stack, tenant: Tenant, *, points: str) -> int:
    """A bulk update of three passes whose plan waits in its queue; every other queue is empty."""
    stack.drain()
    template = {"name": "Card", "fields": {"Points": {"fieldType": "primary", "label": "Points", "value": "0"}}}
    template_id = tenant.call("POST", "/v1/template", json=template)["templateId"]
    for _ in range(PASSES):
        tenant.call("POST", f"/v1/pass/{template_id}", json={"tag": "gold"})
    update = {"fields": {"Points": {"value": points}}}
    return int(tenant.call("PUT", "/v1/tag/gold/passes", json=update)["ticketId"])


def lose_messages(stack: Stack, *, queue: str) -> None:
    """Takes every message out of a queue, unhandled."""
    url = stack.queues.get_queue_url(QueueName=PREFIX + queue)["QueueUrl"]
    while messages := stack.queues.receive_message(QueueUrl=url).get("Messages"):
        for message in messages:
            stack.queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def fail_update(stack: Stack, tenant: Tenant, *, points: str) -> int:
    """A planned bulk update whose segment message was tried too often and is gone."""
    ticket_id = start_update(stack, tenant, points=points)
    assert pump_once(stack.queues, PREFIX, HANDLERS, "plan") == 1
    lose_messages(stack, queue="segment")
    collection = operations.get_ticket(ticket_id=ticket_id).collection
    assert collection is not None
    (count,) = get_platform().counts.read_counts(collection)
    bulk_updates.fail_segment(get_platform(), ticket_id=ticket_id, segment=count.segment)
    return ticket_id


def read_points(tenant: Tenant) -> set[str]:
    ids = [each["id"] for each in tenant.call("GET", "/v1/tag/gold/passes")["passes"]]
    assert len(ids) == PASSES
    return {tenant.call("GET", f"/v1/pass/{id_}")["fields"]["Points"]["value"] for id_ in ids}


def test_a_ticket_shows_its_status_and_progress(stack: Stack, tenant: Tenant) -> None:
    ticket_id = start_update(stack, tenant, points="1")
    shown = run_json("ticket", ticket_id)
    assert shown["status"] == "PREQUED"
    assert shown["progress"] == {"total": PASSES, "processed": 0, "changed": 0, "failed": 0}
    stack.drain()
    text = run("ticket", ticket_id, "--watch").stdout
    assert f"Ticket {ticket_id} of project {tenant.project_id}" in text
    assert text.endswith(": COMPLETED\nPasses: total 3, processed 3, changed 3, failed 0\n")


def test_the_ticket_of_a_single_pass_is_not_for_redriving(stack: Stack, tenant: Tenant) -> None:
    start_update(stack, tenant, points="1")
    pass_id = tenant.call("GET", "/v1/tag/gold/passes")["passes"][0]["id"]
    ticket_id = tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {"Points": {"value": "2"}}})["ticketId"]
    assert run_json("ticket", ticket_id)["status"] == "COMPLETED"
    assert_one_line(run("redrive", ticket_id, exit_code=1).stderr, f"bulk update {ticket_id} was not found")


def test_a_redrive_finishes_a_failed_ticket(stack: Stack, tenant: Tenant) -> None:
    ticket_id = fail_update(stack, tenant, points="7")
    assert run_json("ticket", ticket_id)["progress"]["failed"] == PASSES
    assert ": FAILED\n" in run("ticket", ticket_id, "--watch", exit_code=1).stdout
    stack.drain()
    assert read_points(tenant) == {"0"}

    assert run("redrive", ticket_id).stdout == f"Ticket {ticket_id} was FAILED; what is left of it was sent again.\n"
    stack.drain()
    shown = run_json("ticket", ticket_id, "--watch")
    assert shown["status"] == "COMPLETED"
    assert shown["progress"] == {"total": PASSES, "processed": PASSES, "changed": PASSES, "failed": 0}
    assert read_points(tenant) == {"7"}
    assert "nothing to send" in run("redrive", ticket_id).stdout


def test_a_watched_redrive_ends_with_the_ticket(stack: Stack, tenant: Tenant) -> None:
    ticket_id = fail_update(stack, tenant, points="8")

    def work() -> None:
        deadline = time.monotonic() + 20
        # the ticket is opened before its message is sent: who drains once may come between the two
        while (
            operations.get_ticket(ticket_id=ticket_id).status is not TicketStatus.COMPLETED
            and time.monotonic() < deadline
        ):
            time.sleep(0.02)
            stack.drain()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        text = run("redrive", ticket_id, "--watch").stdout
    finally:
        worker.join()
    assert text.endswith(": COMPLETED\nPasses: total 3, processed 3, changed 3, failed 0\n")
    assert read_points(tenant) == {"8"}


def test_an_aborted_ticket_cannot_be_redriven(stack: Stack, tenant: Tenant) -> None:
    ticket_id = start_update(stack, tenant, points="1")
    get_platform().tickets.abort_ticket(ticket_id=ticket_id)
    assert_one_line(run("redrive", ticket_id, exit_code=1).stderr, "is ABORTED and cannot go on")


def test_resume_sends_again_what_was_lost(stack: Stack, tenant: Tenant) -> None:
    ticket_id = start_update(stack, tenant, points="9")
    lose_messages(stack, queue="plan")
    run("resume", "--minimum-age", 3600)
    stack.drain()
    assert run_json("ticket", ticket_id)["status"] == "PREQUED"
    assert "sent." in run("resume", "--minimum-age", 0).stdout
    stack.drain()
    assert run_json("ticket", ticket_id)["status"] == "COMPLETED"


def test_resume_with_lost_queues_sends_planned_updates_too(stack: Stack, tenant: Tenant) -> None:
    ticket_id = start_update(stack, tenant, points="9")
    pump_once(stack.queues, PREFIX, HANDLERS, "plan")
    lose_messages(stack, queue="segment")
    run("resume", "--minimum-age", 0)
    stack.drain()
    assert run_json("ticket", ticket_id)["status"] == "QUEUED"
    run("resume", "--minimum-age", 0, "--queues-lost")
    stack.drain()
    assert run_json("ticket", ticket_id)["status"] == "COMPLETED"


# Which deployment


@pytest.fixture
def stack_variables(stack: Stack) -> dict[str, str]:
    """What a local run writes to stack.json."""
    return build_environment(
        dynamodb_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"], sqs_url=os.environ["AWS_ENDPOINT_URL_SQS"]
    )


@pytest.mark.parametrize("arguments", [("--local",), ("--local", "named"), ("--local=named",)])
def test_local_uses_the_running_stack_and_nothing_else(
    stack_variables: dict[str, str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    project = operations.create_project(name="Found")
    data = tmp_path / (".local" if arguments == ("--local",) else "named")
    data.mkdir()
    (data / "stack.json").write_text(json.dumps(stack_variables))
    elsewhere = {
        "PASSEL_PREFIX": "elsewhere-",
        "PASSEL_DYNAMODB_ENDPOINT": "http://127.0.0.1:1",
        "AWS_PROFILE": "nobody",
        "AWS_SESSION_TOKEN": "foreign",
    }
    result = run_process(*arguments, "projects", "list", "--json", environment=elsewhere, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert project.project_id in [each["id"] for each in json.loads(result.stdout)]


def test_the_local_stack_can_be_named_in_the_environment(stack_variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps(stack_variables))
    result = run_process("projects", "list", environment={"PASSEL_LOCAL": str(tmp_path)})
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:%d"}'])
def test_local_without_a_running_stack_is_exit_code_2(tmp_path: Path, content: str | None) -> None:
    with socket.socket() as bound_only:  # its port is taken, and nobody listens there
        bound_only.bind(("127.0.0.1", 0))
        if content is not None:
            (tmp_path / "stack.json").write_text(content.replace("%d", str(bound_only.getsockname()[1])))
        result = run("--local", tmp_path, "projects", "list", exit_code=2)
    assert_one_line(result.stderr, str(tmp_path), "make run")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"PASSEL_PREFIX": "elsewhere-"}, "named elsewhere-... in us-east-1"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials were found"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "nobody"}, "nobody"),
        ({"PASSEL_PREFIX": "/"}, "PASSEL_PREFIX: "),
    ],
)
@pytest.mark.parametrize("arguments", [("projects", "list"), ("projects", "create", "x")])
def test_a_deployment_that_cannot_be_used_is_one_line(
    stack_variables: dict[str, str], tmp_path: Path, changes: dict[str, str], part: str, arguments: tuple[str, ...]
) -> None:
    result = run_process(*arguments, environment=stack_variables | changes, folder=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert_one_line(result.stderr, part)


def test_a_queue_that_cannot_be_used_is_one_line(
    stack: Stack, tenant: Tenant, stack_variables: dict[str, str], tmp_path: Path
) -> None:
    ticket_id = start_update(stack, tenant, points="1")
    variables = stack_variables | {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9"}
    result = run_process("redrive", str(ticket_id), environment=variables, folder=tmp_path)
    assert result.returncode == 1
    assert_one_line(result.stderr, "the queue cannot be reached", "http://127.0.0.1:9")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from chalicelib.cli import command; command(['keys', 'issue', '--help'], standalone_mode=False);"
        " sys.exit(sum(name in sys.modules for name in ('botocore', 'pydantic', 'pynamodb', 'chalice')))"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "PROJECT_ID" in result.stdout


def test_certificates_that_can_sign_are_shown(stack: Stack) -> None:
    (certificate,) = run_json("certificates")

    assert certificate["scope"] == "shared"
    assert certificate["pass_type"] == "pass.local.passel"


def test_a_certificate_that_cannot_sign_is_named_with_what_is_wrong(stack: Stack, tenant: Tenant) -> None:
    folder = Path(os.environ["PASSEL_CERTIFICATES"].removeprefix("file:")) / str(tenant.project_id) / "default"
    folder.mkdir(parents=True)
    for name in ("certificate", "key", "wwdr"):
        (folder / f"{name}.pem").write_text("no certificate")
    try:
        result = run("certificates", exit_code=1)
    finally:
        shutil.rmtree(folder.parent)

    assert f"{tenant.project_id}/default" in result.stderr
    assert "pass.local.passel" in result.stdout
