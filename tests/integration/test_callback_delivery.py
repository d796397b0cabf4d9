"""Callbacks to receivers that are down, wrong, or somewhere they must not be; over real sockets, with time that jumps.

"A receiver that is down for an hour gets every callback afterwards, once by event id, in any order."
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import callback_operations
from chalicelib.domain import receiver_editing, sweeping
from chalicelib.domain.callbacks import DEAD_QUEUE, Outcome, deliver_callback
from chalicelib.domain.deliveries import Pause
from chalicelib.domain.passes import Pass
from chalicelib.domain.receivers import ROTATION
from chalicelib.outbound.callbacks import GuardedCallbackSender
from chalicelib.outbound.guarded import GuardedClient, Resolve
from chalicelib.schemas.messages import CallbackMessage
from chalicelib.wiring import get_callback_sender, get_platform
from local.environment import PREFIX
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes
from tests.support.callback_line import CallbackLine
from tests.support.faults import Killed, Unreachable, inject, kill_at
from tests.support.phones import Phone
from tests.support.receivers import LOOPBACK, Reply, Teams, TeamServer, Told, run_teams
from tests.support.stack import Stack, Tenant

HOUR_SECONDS = 3600
DEVICES = 6
SHORT_SECONDS = 0.2
"""for servers that hang"""
PATIENT_SECONDS = 30.0


@pytest.fixture
def teams(stack: Stack) -> Iterator[Teams]:
    """Receivers; what a test leaves untold is forgotten, since they are gone after it."""
    stack.drain()
    with run_teams() as running:
        yield running
    purge(stack, "callback")
    for key in outbox_keys():
        get_platform().outbox.remove(key)


def purge(stack: Stack, queue: str) -> None:
    """Message by message: a queue as a whole can be purged once a minute."""
    url = stack.queues.get_queue_url(QueueName=PREFIX + queue)["QueueUrl"]
    while messages := stack.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            stack.queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def team(teams: Teams, tenant: Tenant) -> TeamServer:
    server = teams.start()
    listen(tenant, server.url)
    return server


@pytest.fixture
def sender(teams: Teams) -> Iterator[GuardedCallbackSender]:
    """The real sender; it may call this machine."""
    sender = make_sender(teams)
    yield sender
    sender.close()


@pytest.fixture
def impatient(teams: Teams) -> Iterator[GuardedCallbackSender]:
    """The real sender, with times too short for a server that is to answer."""
    sender = make_sender(teams, timeout_seconds=SHORT_SECONDS)
    yield sender
    sender.close()


def make_sender(
    teams: Teams,
    *,
    networks: Sequence[str] = (LOOPBACK,),
    resolve: Resolve | None = None,
    timeout_seconds: float = PATIENT_SECONDS,
) -> GuardedCallbackSender:
    more: dict[str, Any] = {} if resolve is None else {"resolve": resolve}
    client = GuardedClient(
        allowed_networks=networks,
        ca_file=str(teams.certificate.ca_file),
        timeout_seconds=timeout_seconds,
        deadline_seconds=4 * timeout_seconds,
        **more,
    )
    return GuardedCallbackSender(client)


def listen(tenant: Tenant, url: str) -> str:
    """Both dialects at one server; the signing secret."""
    platform = get_platform()
    receiver_editing.set_airship_receiver(platform, project_id=tenant.project_id, base_url=url, headers={})
    receiver, _ = receiver_editing.set_passworks_receiver(
        platform, project_id=tenant.project_id, url=f"{url}/hooks", authorization="key"
    )
    return receiver.secret


def make_events(stack: Stack, tenant: Tenant, line: CallbackLine, *, count: int = DEVICES) -> set[str]:
    """Passes are created, taken by devices, and some given up again; the ids of all that is to be told."""
    passes = make_passes(tenant.project_id, count)
    for pass_ in passes:
        install(tenant, pass_)
    for pass_ in passes[: count // 3]:
        devices.remove(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id)
    documents = line.take_over(stack)
    ids = [event["event_id"] for document in documents for event in document["events"]]
    assert len(ids) == len(set(ids)) == count + 2 * count + 2 * (count // 3)
    return set(ids)


def install(tenant: Tenant, pass_: Pass) -> None:
    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id)


def outbox_keys() -> set[str]:
    waiting = get_platform().outbox.list_waiting(before=datetime.now(UTC) + timedelta(days=9))
    return {message.key for message in waiting if message.queue == "callback"}


def ids_of(heard: Sequence[Told]) -> Counter[str]:
    return Counter(told.event_id for told in heard)


# Down, and up again


def _hang(_: Told) -> Reply:
    return Reply(hangs=True)


def _status(status: int, **headers: str) -> Callable[[Told], Reply]:
    return lambda _: Reply(status, headers)


def _refuse_in_turn() -> Callable[[Told], Reply]:
    """Every status that is no delivery, one after another."""
    replies = itertools.cycle(
        Reply(status, {"Location": "https://127.0.0.1:9/"} if status == 301 else {})
        for status in (500, 503, 429, 404, 401, 301, 304)
    )
    return lambda _: next(replies)


WAYS_TO_BE_DOWN: dict[str, Callable[[], Callable[[Told], Reply]]] = {
    "any other status": _refuse_in_turn,
    "410, as if gone for good": lambda: _status(410),
    "hanging": lambda: _hang,
}


@pytest.mark.parametrize("way", [*WAYS_TO_BE_DOWN, "refusing connections"])
def test_who_was_down_for_an_hour_gets_everything_afterwards_once(
    stack: Stack,
    tenant: Tenant,
    teams: Teams,
    sender: GuardedCallbackSender,
    impatient: GuardedCallbackSender,
    way: str,
) -> None:
    team = teams.start()
    secret = listen(tenant, team.url)
    line = CallbackLine(impatient if way == "hanging" else sender)
    expected = make_events(stack, tenant, line)

    if way in WAYS_TO_BE_DOWN:
        team.answer = WAYS_TO_BE_DOWN[way]()
    else:
        team.stop()
    line.run(for_seconds=HOUR_SECONDS)
    tried = set(ids_of(team.heard))
    assert Outcome.DELIVERED not in line.outcomes
    if way == "hanging":
        team.stop()
    team = teams.start(port=team.port) if team.is_stopped else team
    team.heard.clear()
    team.answer = _status(200)
    line.send = sender
    line.run()

    assert ids_of(team.heard) == Counter(expected)
    assert line.dead == []
    assert all(told.is_signed_with(secret) for told in team.heard)
    assert tried <= expected
    assert not any(key.removeprefix("callback#") in expected for key in outbox_keys())


def test_the_first_to_meet_silence_spares_the_others(
    stack: Stack, tenant: Tenant, team: TeamServer, impatient: GuardedCallbackSender
) -> None:
    """An hour of silence costs a few timeouts, not one for each event and try."""
    line = CallbackLine(impatient)
    make_events(stack, tenant, line)
    team.answer = _hang
    line.run(for_seconds=HOUR_SECONDS)

    # two dialects: 5, 10, 20 ... 300 seconds, each with up to half a minute until somebody looks again
    assert len(team.heard) <= 2 * 20
    team.stop()


def test_a_pause_costs_no_try_and_ends_with_a_delivery(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    line = CallbackLine(sender)
    service = f"{tenant.project_id}#callback#airship"
    pass_ = make_passes(tenant.project_id, 1)[0]
    install(tenant, pass_)
    line.take_over(stack)
    until = line.now + timedelta(minutes=4)
    line.platform.deliveries.pause(Pause(service=service, until=until, reason="silent", failures=6))

    line.run(for_seconds=200)
    assert {told.path for told in team.heard} == {"/hooks"}, "the other dialect's receiver is not paused"
    line.run()

    assert [told.path for told in team.heard].count("/v1/pass/install") == 1
    assert line.now >= until
    assert Outcome.FAILED not in line.outcomes
    assert line.platform.deliveries.get_pause(service, now=until - timedelta(minutes=1)) is None


def test_retry_after_is_honoured_beyond_the_longest_delay_of_the_queue(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    line.take_over(stack)
    heard_at: list[datetime] = []

    def answer(told: Told) -> Reply:
        if told.path != "/hooks":
            heard_at.append(line.now)
        busy = told.path != "/hooks" and len(heard_at) == 1
        return Reply(503, {"Retry-After": "2700"}) if busy else Reply()

    team.answer = answer
    line.run()

    assert len(heard_at) == 2
    assert timedelta(seconds=2700) <= heard_at[1] - heard_at[0] <= timedelta(seconds=2800)


def test_nobody_is_put_off_for_longer_than_an_hour(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    line.take_over(stack)
    team.answer = _status(500, **{"Retry-After": "999999999"})
    line.run(for_seconds=HOUR_SECONDS + 300)
    assert set(ids_of(team.heard).values()) >= {2}


# Given up, and another chance


def test_what_nobody_takes_for_a_day_is_kept_and_can_be_sent_again(
    stack: Stack,
    tenant: Tenant,
    team: TeamServer,
    sender: GuardedCallbackSender,
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = CallbackLine(sender)
    began = line.now
    expected = make_events(stack, tenant, line, count=1)
    team.answer = _status(500)
    with caplog.at_level(logging.ERROR, logger="passel"):
        line.run()

    assert {event["event_id"] for dead in line.dead for event in dead["events"]} == expected
    assert len(line.dead) == len(expected)
    assert timedelta(hours=24) <= line.now - began <= timedelta(hours=24, minutes=20)
    assert min(ids_of(team.heard).values()) > 20
    assert sum("gave up" in record.message for record in caplog.records) == len(expected)

    get_platform().queues.send_documents(DEAD_QUEUE, line.dead)
    team.heard.clear()
    team.answer = _status(200)
    assert callback_operations.redrive(project_id=tenant.project_id) == (len(expected), 0)
    stack.drain()
    assert ids_of(team.heard) == Counter(expected)
    assert callback_operations.redrive(project_id=tenant.project_id) == (0, 0)


def test_a_second_chance_is_another_whole_day(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    (document, *_) = line.take_over(stack)
    old = {**document, "attempt": 190, "since": (line.now - timedelta(hours=1)).isoformat()}
    old["events"][0]["happened_at"] = (line.now - timedelta(days=3)).isoformat()
    again = CallbackLine(sender)
    team.answer = _status(500)
    again.put(old)
    again.run(for_seconds=22 * HOUR_SECONDS)

    assert again.dead == []
    again.run()
    assert len(again.dead) == 1


def test_redrive_leaves_other_projects_and_what_it_cannot_read(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    stranger = stack.tenant()
    queues = get_platform().queues
    event = {
        "event_id": "an id",
        "dialect": "airship",
        "name": "installed",
        "template_id": 1,
        "path": "/v1/pass/install",
        "body": {},
        "happened_at": datetime.now(UTC).isoformat(),
    }
    queues.send_documents(DEAD_QUEUE, [{"nothing": "known"}])
    queues.send_documents(
        DEAD_QUEUE, [{"project_id": each.project_id, "events": [event]} for each in (tenant, stranger)]
    )

    assert callback_operations.redrive(project_id=tenant.project_id) == (1, 2)
    stack.drain()
    assert [told.event_id for told in team.heard] == ["an id"]
    assert callback_operations.redrive() == (1, 1)
    stack.drain()
    purge(stack, DEAD_QUEUE)


# Once


def test_two_copies_of_a_message_are_one_event(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    line = CallbackLine(sender)
    expected = make_events(stack, tenant, line, count=3)
    documents = [document for _, _, document in line._waiting]
    line._waiting += [(line.now, 1_000 + number, document) for number, document in enumerate(documents)]
    line._waiting.sort()
    line.run()

    assert ids_of(team.heard) == Counter(dict.fromkeys(expected, 2))
    by_id = {told.event_id: told.content for told in team.heard}
    assert all(by_id[told.event_id] == told.content for told in team.heard)


def test_a_worker_that_dies_tells_again_under_the_same_id(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    """At every call to storage in turn; Lambda then hands the message out again."""
    number, dies = 0, True
    while dies:
        number += 1
        team.heard.clear()
        install(tenant, make_passes(tenant.project_id, 1)[0])
        line = CallbackLine(get_callback_sender())
        documents = [each for each in line.take_over(stack) if len(each["events"]) == 1]
        task = CallbackMessage.model_validate(documents[0]).as_task()
        dies = False
        try:
            with inject(kill_at(number, after=number % 2 == 0)):
                deliver_callback(get_platform(), get_callback_sender(), task)
        except Killed:
            dies = True
            deliver_callback(get_platform(), get_callback_sender(), task)
        assert set(ids_of(team.heard)) == {task.events[0].event_id}
        assert task.outbox not in outbox_keys()
        for each in documents[1:]:
            get_platform().outbox.remove(each["outbox"])
    assert number > 3


@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after a call"])
def test_what_was_done_is_told_also_if_the_process_dies_between(
    stack: Stack, tenant: Tenant, team: TeamServer, consistent: Consistent, after: bool
) -> None:
    """A device registers, and the process dies at each of its calls in turn: done and told, or not done."""
    told_after_death, number, dies = 0, 0, True
    while dies:
        number += 1
        pass_ = make_passes(tenant.project_id, 1)[0]
        stack.drain()
        team.heard.clear()
        dies = False
        try:
            with inject(kill_at(number, after=after)):
                install(tenant, pass_)
        except Killed:
            dies = True
        sweeping.resume_unfinished(get_platform(), minimum_age_seconds=0, queues_lost=False)
        stack.drain()
        found = get_platform().passes.get_pass(project_id=tenant.project_id, pass_id=pass_.pass_id)
        assert found is not None
        assert len(ids_of(team.heard)) == 2 * found.registrations
        told_after_death += dies and found.registrations
    assert told_after_death
    assert not outbox_keys()
    consistent(tenant.project_id)


def test_a_queue_that_is_away_keeps_nobody_from_his_pass(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    pass_ = make_passes(tenant.project_id, 1)[0]
    stack.drain()
    team.heard.clear()
    with inject(lambda call: Unreachable() if call.operation.startswith(("SendMessage", "GetQueue")) else None):
        install(tenant, pass_)
    stack.drain()
    assert team.heard == []

    sweeping.resume_unfinished(get_platform(), minimum_age_seconds=0, queues_lost=False)
    stack.drain()
    assert len(ids_of(team.heard)) == 2
    assert not outbox_keys()


# Signatures


def test_a_rotation_signs_with_both_secrets_for_a_week(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    before = listen(tenant, team.url)
    after = callback_operations.rotate_secret(project_id=tenant.project_id).secret
    line = CallbackLine(sender)
    make_events(stack, tenant, line, count=3)
    line.run()
    assert before != after
    assert all(told.is_signed_with(before) and told.is_signed_with(after) for told in team.heard)

    team.heard.clear()
    make_events(stack, tenant, line, count=3)
    line.now += ROTATION + timedelta(minutes=1)
    line.run()
    assert all(told.is_signed_with(after) and not told.is_signed_with(before) for told in team.heard)


def test_a_changed_body_time_or_id_does_not_verify(
    stack: Stack, tenant: Tenant, team: TeamServer, sender: GuardedCallbackSender
) -> None:
    secret = listen(tenant, team.url)
    line = CallbackLine(sender)
    make_events(stack, tenant, line, count=3)
    line.run()

    told = team.heard[0]
    assert told.is_signed_with(secret)
    assert not told.is_signed_with(secret, content=told.content[:-1])
    for name in ("passel-timestamp", "passel-event-id"):
        changed = dataclasses.replace(told, headers={**told.headers, name: "1"})
        assert not changed.is_signed_with(secret)


# Where we do not call


@pytest.mark.parametrize("address", ["169.254.169.254", "127.0.0.1", "10.0.0.7", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_inside_is_not_called(
    stack: Stack, tenant: Tenant, teams: Teams, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    team = teams.start()
    listen(tenant, f"https://inside.example:{team.port}")
    sender = make_sender(teams, networks=(), resolve=lambda host, port, **_: [(0, 0, 0, "", (address, port))])
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    line.take_over(stack)
    with caplog.at_level(logging.WARNING, logger="passel"):
        line.run(for_seconds=60)

    assert team.heard == []
    assert Outcome.FAILED in line.outcomes
    assert Outcome.DELIVERED not in line.outcomes
    assert any("inside.example" in record.message and address in record.message for record in caplog.records)
    sender.close()


def test_a_redirect_inside_is_not_followed(
    stack: Stack, tenant: Tenant, teams: Teams, sender: GuardedCallbackSender, caplog: pytest.LogCaptureFixture
) -> None:
    outside, inside = teams.start(), teams.start()
    listen(tenant, outside.url)
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    line.take_over(stack)
    for status in (301, 302, 303, 307, 308):
        outside.answer = _status(status, Location=f"{inside.url}/v1/pass/install")
        with caplog.at_level(logging.WARNING, logger="passel"):
            line.run(for_seconds=1000)

    assert inside.heard == []
    assert outside.heard
    assert any("redirects are not followed" in record.message for record in caplog.records)


def test_a_certificate_that_nobody_vouches_for_is_not_told(stack: Stack, tenant: Tenant, team: TeamServer) -> None:
    client = GuardedClient(allowed_networks=[LOOPBACK], timeout_seconds=PATIENT_SECONDS)
    sender = GuardedCallbackSender(client)
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    line.take_over(stack)
    line.run(for_seconds=60)

    assert team.heard == []
    assert Outcome.DELIVERED not in line.outcomes
    sender.close()


def test_what_is_logged_holds_no_secret(
    stack: Stack, tenant: Tenant, teams: Teams, sender: GuardedCallbackSender, caplog: pytest.LogCaptureFixture
) -> None:
    team = teams.start()
    secret = listen(tenant, f"{team.url}/a-secret-path")
    line = CallbackLine(sender)
    install(tenant, make_passes(tenant.project_id, 1)[0])
    line.take_over(stack)
    team.answer = _status(500)
    with caplog.at_level(logging.DEBUG, logger="passel"):
        line.run(for_seconds=600)

    assert caplog.records
    assert not any(part in record.message for record in caplog.records for part in (secret, "a-secret-path"))


# What it costs


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "cold"])
def test_requests_of_devices_cost_no_more_where_somebody_listens(
    stack: Stack, tenant: Tenant, team: TeamServer, remembered: bool
) -> None:
    """Who listens comes with a call that is made anyway."""
    pass_ = make_passes(tenant.project_id, 1, tags=["gold", "vip"])[0]
    shown = tenant.call("GET", f"/v1/pass/{pass_.pass_id}")
    phone = Phone()
    held = phone.add(shown["url"])
    costs = {}
    for name, ask in (("register", phone.register), ("fetch", phone.fetch), ("unregister", phone.unregister)):
        if not remembered:
            get_platform().receivers._known.clear()  # type: ignore[attr-defined]
        with stack.count_calls() as calls:
            assert ask(held).status_code in (200, 201)
        costs[name] = calls.total

    assert costs == {"register": 4, "fetch": 3, "unregister": 3}
    stack.drain()
    assert Counter(told.document.get("event", "airship") for told in team.heard) == {
        **{"created": 1, "downloaded": 1, "installed": 1, "fetched": 1, "uninstalled": 1},
        "airship": 2,
    }
