"""Apple's service misbehaves for some devices, or the worker dies: all others are pushed, nobody twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import operations
from chalicelib.domain import updating
from chalicelib.domain.deliveries import Delivery, as_document
from chalicelib.domain.delivering import CLAIM_SECONDS, deliver
from chalicelib.domain.passes import Pass, PassReference, PassStatus
from chalicelib.domain.registrations import Wallet
from chalicelib.wiring import get_platform, get_push_channel
from infra.stages import PROJECT
from local.apns import Action, Answer, Close, GoAway, Hang, ReceivedPush
from local.environment import PREFIX
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, make_template, read_pass, write_field
from tests.support.faults import Killed, inject, kill_at
from tests.support.queues import purge
from tests.support.stack import Stack, Tenant

TAG = "sale"
LONGEST_SECONDS = 60


@dataclass
class Apple:
    """The played service. `odd` says what is done about the first push to a token; all else is taken."""

    stack: Stack
    odd: dict[str, Action] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    """pushes that arrived, by token"""

    def answer(self, push: ReceivedPush) -> Action:
        self.taken[push.token] += 1
        return self.odd.pop(push.token, None) or Answer()


@pytest.fixture
def apple(stack: Stack) -> Iterator[Apple]:
    stack.drain()  # what earlier tests left in the queues is not to be heard here
    apns = stack.vendors.apns
    before, streams = apns.answer, apns.max_concurrent_streams
    played = Apple(stack)
    apns.answer = played.answer
    yield played
    apns.answer, apns.max_concurrent_streams = before, streams


def _token(number: int) -> str:
    return f"token of device {number}"


def _install(tenant: Tenant, number: int) -> list[Pass]:
    """Tagged passes, each on a device of its own."""
    passes = make_passes(tenant.project_id, number, tags=[TAG])
    for position, pass_ in enumerate(passes):
        devices.install(
            get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device=f"device {position}"
        )
    return passes


def _update(tenant: Tenant, value: str = "7") -> None:
    tenant.call("PUT", f"/v1/tag/{TAG}/passes", json={"fields": {"Points": {"value": value}}})


@pytest.mark.parametrize(
    ("odd", "pushes"),
    [
        (Answer(status=429, reason="TooManyRequests", headers={"Retry-After": "1"}), 2),
        (Answer(status=503, reason="ServiceUnavailable"), 2),
        (Answer(status=500, reason="InternalServerError"), 2),
        (Answer(status=400, reason="DeviceTokenNotForTopic"), 1),
        (Answer(status=413, reason="PayloadTooLarge"), 1),
        (Hang(), 2),
    ],
    ids=["429", "503", "500", "not for topic", "413", "hang"],
)
def test_an_odd_answer_for_some_devices_delays_no_other(
    stack: Stack, tenant: Tenant, apple: Apple, odd: Action, pushes: int
) -> None:
    passes = _install(tenant, 12)
    apple.odd = dict.fromkeys((_token(3), _token(7)), odd)
    _update(tenant)
    stack.drain()

    assert apple.taken == {_token(number): pushes if number in (3, 7) else 1 for number in range(12)}
    assert {read_pass(pass_).status for pass_ in passes} == {PassStatus.INSTALLED}


@pytest.mark.parametrize("odd", [Close(), GoAway()], ids=["closed connection", "goaway"])
def test_a_connection_that_ends_loses_no_push(stack: Stack, tenant: Tenant, apple: Apple, odd: Action) -> None:
    _install(tenant, 12)
    apple.odd = {_token(5): odd}
    _update(tenant)
    stack.drain()

    # what was under way when the connection went has an answer that nobody knows
    assert set(apple.taken) == {_token(number) for number in range(12)}
    if isinstance(odd, GoAway):
        assert set(apple.taken.values()) <= {1, 2}


def _gone() -> Answer:
    milliseconds = round((datetime.now(UTC) + timedelta(seconds=5)).timestamp() * 1000)
    return Answer(status=410, reason="Unregistered", timestamp=milliseconds)


@pytest.mark.parametrize(
    "odd", [_gone, lambda: Answer(status=400, reason="BadDeviceToken")], ids=["410", "bad device token"]
)
def test_a_device_that_is_gone_is_removed_and_its_pass_is_uninstalled(
    stack: Stack, tenant: Tenant, apple: Apple, consistent: Consistent, odd: Callable[[], Action]
) -> None:
    passes = _install(tenant, 12)
    apple.odd = {_token(4): odd()}
    _update(tenant)
    stack.drain()
    _update(tenant, "8")
    stack.drain()

    assert apple.taken == {_token(number): 1 if number == 4 else 2 for number in range(12)}
    statuses = [read_pass(pass_).status for pass_ in passes]
    assert statuses == [PassStatus.UNINSTALLED if number == 4 else PassStatus.INSTALLED for number in range(12)]
    consistent(tenant.project_id)


def test_refused_credentials_rest_all_pushes_of_the_project_and_of_no_other(
    stack: Stack, tenant: Tenant, apple: Apple
) -> None:
    _install(tenant, 3)
    apple.odd = dict.fromkeys(map(_token, range(3)), Answer(status=403, reason="InvalidProviderToken"))
    _update(tenant)
    _drain_until(stack, lambda: sum(apple.taken.values()) == 3)
    service = f"{tenant.project_id}#passbook"
    _drain_until(stack, lambda: get_platform().deliveries.get_pause(service, now=datetime.now(UTC)) is not None)
    other = stack.tenant()
    (pass_,) = make_passes(other.project_id, 1)
    devices.install(get_platform(), project_id=other.project_id, pass_id=pass_.pass_id, device="of another project")
    other.call("PUT", f"/v1/pass/{pass_.pass_id}", json={"fields": {"Points": {"value": "1"}}})
    _drain_until(stack, lambda: apple.taken["token of of another project"] == 1)

    assert sum(apple.taken.values()) == 4
    assert get_platform().deliveries.end_pause(service)
    purge(stack, "deliver-passbook")


def _drain_until(stack: Stack, is_reached: Callable[[], bool]) -> None:
    """Handles what is visible until something is true; what waits for a pause stays in its queue."""
    deadline = datetime.now(UTC) + timedelta(seconds=LONGEST_SECONDS)
    while not is_reached():
        assert datetime.now(UTC) < deadline, "it did not come about"
        stack.pump.handle_visible()


WORKER = """
import sys
from chalicelib.workers.push import deliver_passbook
record = {"messageId": "1", "receiptHandle": "1", "body": sys.stdin.read(), "attributes": {}, "messageAttributes": {},
          "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q", "awsRegion": "x"}
deliver_passbook({"Records": [record]}, None)
"""


def test_a_worker_killed_between_send_and_acknowledgement_leaves_one_answer_unknown(
    stack: Stack, tenant: Tenant, apple: Apple
) -> None:
    """A process of its own is killed while one push hangs; whoever takes over pushes to that device alone."""
    template = make_template(tenant.project_id)
    tokens = [f"{tenant.project_id} {number}" for number in range(120)]
    delivery = Delivery(
        ticket_id=tenant.project_id,
        project_id=tenant.project_id,
        template_id=template.template_id,
        wallet=Wallet.PASSBOOK,
        pass_type=devices.PASS_TYPE,
        tokens=tuple(tokens),
        asked_at=datetime.now(UTC),
    )
    stack.vendors.apns.max_concurrent_streams = 8
    apple.odd = {tokens[40]: Hang()}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=PROJECT, env=dict(os.environ), stdin=subprocess.PIPE, text=True
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(as_document(delivery)))
    worker.stdin.close()
    _await(lambda: _count_done(stack, delivery) == len(tokens) - 1)
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait(LONGEST_SECONDS) == -signal.SIGKILL

    platform = get_platform()
    later = replace(platform, now=lambda: datetime.now(UTC) + timedelta(seconds=CLAIM_SECONDS + 1))
    deliver(later, get_push_channel(Wallet.PASSBOOK), delivery)

    assert apple.taken == {token: 2 if token == tokens[40] else 1 for token in tokens}


def _count_done(stack: Stack, delivery: Delivery) -> int:
    names = [delivery.name_of(token) for token in delivery.tokens]
    keys = [{"key": {"S": name}} for name in names]
    table = f"{PREFIX}deliveries"
    found = []
    for start in range(0, len(keys), 100):
        request = {table: {"Keys": keys[start : start + 100], "ConsistentRead": True}}
        found += stack.dynamodb.batch_get_item(RequestItems=request)["Responses"][table]
    return sum(item["state"]["S"] == "done" for item in found)


def _await(is_reached: Callable[[], bool]) -> None:
    woken = threading.Event()
    deadline = datetime.now(UTC) + timedelta(seconds=LONGEST_SECONDS)
    while not is_reached():
        assert datetime.now(UTC) < deadline, "it did not come about"
        woken.wait(0.02)


def test_a_worker_killed_after_its_update_but_before_it_asked_for_pushes_is_made_up_for(
    stack: Stack, tenant: Tenant, apple: Apple
) -> None:
    """The message was written with the update; the schedule sends it."""
    (pass_,) = _install(tenant, 1)
    reference = PassReference(pass_id=pass_.pass_id)
    update = write_field("Points", "9")
    with inject(kill_at(4, after=False)) as injection, pytest.raises(Killed):
        updating.update_pass(get_platform(), project_id=tenant.project_id, reference=reference, update=update)
    assert injection.calls[-2].operation == "TransactWriteItems"
    stack.drain()
    assert apple.taken == {}

    operations.resume_unfinished()
    stack.drain()
    assert apple.taken == {_token(0): 1}
    assert operations.resume_unfinished() == 0
