"""Connections to Apple's push service over real sockets: kept, lost, and made anew."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.domain.push_channels import Outcome, PushResult
from local.apns import Action, Answer, ApnsServer, Close, GoAway, Hang, ReceivedPush, Reset
from tests.support.apple_push import (
    Pusher,
    make_credentials,
    make_key,
    make_tokens,
    outcomes,
    times_received,
    wait_until,
)
from tests.support.apple_servers import StartPusher, StartServer, certificate, start_pusher, start_server

TOKEN = "ab" * 32
SHORT_SECONDS = 1.5
"""a deadline for tests that must see it pass"""

__all__ = ["certificate", "start_pusher", "start_server"]


def first_time(action: Action, *, token: str = TOKEN) -> Callable[[ReceivedPush], Action]:
    """An action for the first push to a token; everything else is accepted."""
    actions = iter([action])

    def answer(push: ReceivedPush) -> Action:
        return next(actions, Answer()) if push.token == token else Answer()

    return answer


def assert_nothing_lost_or_doubled(server: ApnsServer, results: dict[str, PushResult]) -> None:
    """What is said to be sent came once; what is to be tried again came once at most."""
    received = times_received(server)
    assert max(received.values()) == 1
    assert {result.outcome for result in results.values()} <= {Outcome.SENT, Outcome.RETRY}
    assert all(received[result.token] for result in results.values() if result.outcome == Outcome.SENT)


def push_again(pusher: Pusher, results: dict[str, PushResult]) -> None:
    """What is to be tried again works the next time."""
    again = [token for token, result in results.items() if result.outcome == Outcome.RETRY]
    assert outcomes(pusher.push(*again)) == Counter({Outcome.SENT: len(again)})


def test_calls_one_after_another_use_the_same_connection(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url)

    for number in range(5):
        pusher.clock.ahead += timedelta(minutes=3)
        assert outcomes(pusher.push(*make_tokens(10, prefix=f"{number}"))) == {Outcome.SENT: 10}

    assert server.connections_taken == 1


def test_threads_that_push_at_once_share_a_connection(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    barrier = threading.Barrier(2)

    def push(prefix: str) -> dict[str, PushResult]:
        barrier.wait()
        return pusher.push(*make_tokens(300, prefix=prefix))

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(push, "ab"))

    assert [outcomes(results) for results in both] == [{Outcome.SENT: 300}] * 2
    assert set(times_received(server).values()) == {1}
    assert server.connections_taken == 1


def test_the_number_of_streams_is_the_servers_to_say(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server(max_concurrent_streams=10)
    pusher = start_pusher(server.url)
    server.answer = lambda _: Answer(delay_seconds=0.002)

    results = pusher.push(*make_tokens(300))

    assert outcomes(results) == {Outcome.SENT: 300}
    assert server.most_streams_at_once == 10
    assert server.connections_taken == 1


def test_projects_with_one_certificate_share_a_connection(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    pusher.push(TOKEN)
    pusher.project_id += 1

    pusher.push(TOKEN)

    assert server.connections_taken == 1


@pytest.mark.parametrize("by_key", [False, True], ids=["certificate", "key"])
def test_renewed_credentials_get_a_connection_and_the_old_one_is_closed(
    start_server: StartServer, start_pusher: StartPusher, *, by_key: bool
) -> None:
    server = start_server()
    pusher = start_pusher(server.url, key=make_key() if by_key else None)
    pusher.push(TOKEN)

    pusher.key, pusher.credentials = make_key("NEWKEYID12") if by_key else None, make_credentials()

    assert pusher.push_one(TOKEN).outcome == Outcome.SENT
    assert [push.connection for push in server.received] == [1, 2]
    wait_until(lambda: server.open_connections == 1, what="the end of the old connection")


def test_only_some_connections_are_kept(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    for number in range(40):
        pusher.project_id, pusher.key = number, make_key(f"KEY{number}")
        assert pusher.push_one(TOKEN).outcome == Outcome.SENT

    wait_until(lambda: server.open_connections <= 32, what="the end of the oldest connections")
    assert server.open_connections == 32


def test_a_closed_channel_leaves_nothing_behind_and_can_be_used_again(
    start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    before = set(threading.enumerate())
    pusher.push(TOKEN)
    (own,) = (thread for thread in set(threading.enumerate()) - before if thread.name == "apple-push")

    pusher.channel.close()

    wait_until(lambda: server.open_connections == 0, what="the end of the connection")
    assert not own.is_alive()
    assert pusher.push_one(TOKEN).outcome == Outcome.SENT


# Connections that end.


@pytest.mark.parametrize("ending", [ApnsServer.close_connections, ApnsServer.go_away], ids=["closed", "goaway"])
def test_a_connection_that_ended_between_calls_costs_nothing(
    start_server: StartServer, start_pusher: StartPusher, ending: Callable[[ApnsServer], None]
) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    pusher.push(*make_tokens(10, prefix="before"))

    ending(server)
    results = pusher.push(*make_tokens(200))

    assert outcomes(results) == {Outcome.SENT: 200}
    assert set(times_received(server).values()) == {1}
    assert server.connections_taken == 2


def test_a_connection_that_died_in_silence_costs_one_push(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url, deadline_seconds=SHORT_SECONDS)
    pusher.push(*make_tokens(10, prefix="before"))

    server.answer = lambda push: Hang() if push.connection == 1 else Answer()
    pusher.clock.ahead = timedelta(minutes=1)
    results = pusher.push(*make_tokens(60))

    assert outcomes(results) == {Outcome.SENT: 59, Outcome.RETRY: 1}
    assert set(times_received(server).values()) == {1}


def test_a_connection_that_lay_idle_for_long_is_not_used_again(
    start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    pusher.push(TOKEN)

    pusher.clock.ahead = timedelta(minutes=5)
    pusher.push(TOKEN)

    assert [push.connection for push in server.received] == [1, 2]
    wait_until(lambda: server.open_connections == 1, what="the end of the old connection")


def test_a_connection_that_closes_takes_with_it_only_what_was_on_it(
    start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    tokens = make_tokens(500)
    server.answer = first_time(Close(), token=tokens[250])

    results = pusher.push(*tokens)

    assert_nothing_lost_or_doubled(server, results)
    assert results[tokens[250]].outcome == Outcome.RETRY
    assert outcomes(results)[Outcome.SENT] >= 400
    assert server.connections_taken == 2
    push_again(pusher, results)


def test_a_server_that_goes_away_is_connected_to_again(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    tokens = make_tokens(500)
    server.answer = first_time(GoAway(), token=tokens[250])

    results = pusher.push(*tokens)

    assert_nothing_lost_or_doubled(server, results)
    assert results[tokens[250]].outcome == Outcome.SENT
    assert outcomes(results)[Outcome.SENT] >= 400
    assert server.connections_taken == 2
    push_again(pusher, results)


@pytest.mark.parametrize("number", [0, 10], ids=["first", "later"])
@pytest.mark.parametrize("last", [None, Answer()], ids=["unprocessed", "answered"])
def test_every_push_gets_through_once_when_the_server_goes_away(
    start_server: StartServer, start_pusher: StartPusher, number: int, last: Answer | None
) -> None:
    server = start_server(max_concurrent_streams=1)
    pusher = start_pusher(server.url)
    tokens = make_tokens(20)
    server.answer = first_time(GoAway(answer=last), token=tokens[number])

    results = pusher.push(*tokens)

    assert_nothing_lost_or_doubled(server, results)
    assert results[tokens[number]].outcome == Outcome.SENT
    assert server.connections_taken == 2


def test_a_refused_stream_is_tried_again_at_once(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    server.answer = first_time(Reset())

    results = pusher.push(*make_tokens(50), TOKEN)

    assert outcomes(results) == {Outcome.SENT: 51}
    assert set(times_received(server).values()) == {1}
    assert server.connections_taken == 1


def test_a_stream_that_is_always_refused_is_tried_three_times(
    start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    seen: list[str] = []

    def answer(push: ReceivedPush) -> Action:
        seen.append(push.token)
        return Reset() if push.token == TOKEN else Answer()

    server.answer = answer
    results = pusher.push(*make_tokens(50), TOKEN)

    assert results.pop(TOKEN) == PushResult(token=TOKEN, outcome=Outcome.RETRY, reason="refused")
    assert outcomes(results) == {Outcome.SENT: 50}
    assert seen.count(TOKEN) == 3
