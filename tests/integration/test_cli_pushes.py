"""The command line on pushes: where they go, what rests, and another chance for what was given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.domain.deliveries import Delivery, Pause, as_document
from chalicelib.domain.registrations import Wallet
from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.integration.test_cli import run, run_json
from tests.support import devices
from tests.support.builders import make_passes, make_template
from tests.support.queues import purge
from tests.support.stack import Stack, Tenant


def _send(stack: Stack, queue: str, body: str) -> None:
    url = stack.queues.get_queue_url(QueueName=PREFIX + queue)["QueueUrl"]
    stack.queues.send_message(QueueUrl=url, MessageBody=body)


def test_the_services_of_a_project_are_shown_without_their_secrets(stack: Stack, tenant: Tenant) -> None:
    rows = {row["wallet"]: row for row in run_json("pushes", "services", tenant.project_id)}

    assert set(rows) == set(Wallet)
    assert rows["passbook"]["address"] == stack.vendors.apns.url
    assert devices.PASS_TYPE in rows["passbook"]["credentials"]
    assert rows["pass2u"]["credentials"] == "a key"
    assert {row["paused_until"] for row in rows.values()} == {None}
    assert "no such" not in run("pushes", "services", 999_999, exit_code=1).stderr


def test_a_pause_is_shown_and_ended(stack: Stack, tenant: Tenant) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)
    service = f"{tenant.project_id}#passbook"
    get_platform().deliveries.pause(Pause(service=service, until=until, reason="InvalidProviderToken"))

    shown = {"service": service, "until": until.strftime("%Y-%m-%dT%H:%M:%SZ"), "reason": "InvalidProviderToken"}
    assert shown in run_json("pushes", "pauses")
    row = next(row for row in run_json("pushes", "services", tenant.project_id) if row["wallet"] == "passbook")
    assert row["paused_until"] == shown["until"]
    assert run("pushes", "resume", tenant.project_id).stdout.startswith("1 pause ended.")
    assert shown not in run_json("pushes", "pauses")
    assert run("pushes", "resume", tenant.project_id).stdout.startswith("0 pauses ended.")


def test_pushes_that_were_given_up_get_another_day(stack: Stack, tenant: Tenant) -> None:
    template = make_template(tenant.project_id)
    (pass_,) = make_passes(tenant.project_id, 1, template_id=template.template_id)
    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device="of the dead")
    long_ago = datetime.now(UTC) - timedelta(days=3)
    delivery = Delivery(
        ticket_id=10**9 + tenant.project_id,
        project_id=tenant.project_id,
        template_id=template.template_id,
        wallet=Wallet.PASSBOOK,
        pass_type=devices.PASS_TYPE,
        tokens=("dead letter",),
        attempt=30,
        asked_at=long_ago,
    )
    push = {
        "ticket_id": delivery.ticket_id,
        "project_id": tenant.project_id,
        "pass_ids": [pass_.pass_id],
        "asked_at": long_ago.isoformat(),
    }
    platform = get_platform()
    platform.queues.send_documents("deliver-dead", [as_document(delivery)])
    platform.queues.send_documents("push-dead", [push])
    _send(stack, "deliver-dead", "not ours")
    try:
        assert run("pushes", "redrive").stdout == "2 messages sent again, 1 left.\n"
        stack.drain()
        pushed = [each.token for each in stack.vendors.apns.received]
        assert pushed.count("dead letter") == 1
        assert pushed.count("token of of the dead") == 1
    finally:
        purge(stack, "deliver-dead")
