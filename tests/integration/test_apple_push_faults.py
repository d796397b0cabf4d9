"""Apple's push service silent, down or not to be trusted, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.domain.push_channels import Outcome
from local.apns import Answer, Hang
from local.server_certificates import ServerCertificate, make_server_certificate
from tests.support import certificates
from tests.support.apple_push import (
    make_tokens,
    outcomes,
    times_received,
    wait_until,
    write_authority,
)
from tests.support.apple_servers import StartPusher, StartServer, certificate, start_pusher, start_server

TOKEN = "ab" * 32
SHORT_SECONDS = 1.5
"""a deadline for tests that must see it pass"""

__all__ = ["certificate", "start_pusher", "start_server"]


def test_pushes_without_an_answer_hold_up_no_others(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server(max_concurrent_streams=30)
    pusher = start_pusher(server.url, deadline_seconds=SHORT_SECONDS)
    silent = set(make_tokens(5, prefix="silent"))
    # so slow that many are on the connection when the silent ones are given up
    server.answer = lambda push: Hang() if push.token in silent else Answer(delay_seconds=SHORT_SECONDS / 5)

    results = pusher.push(*silent, *make_tokens(160))

    assert {token for token, result in results.items() if result.outcome == Outcome.RETRY} == silent
    assert {results[token].reason for token in silent} == {"silent"}
    assert outcomes(results)[Outcome.SENT] == 160
    assert set(times_received(server).values()) == {1}
    assert server.connections_taken == 2
    wait_until(lambda: server.open_connections == 1, what="the end of the connection with the silent streams")


def test_a_silent_push_does_not_break_the_connection_of_those_that_came_later(
    start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url, deadline_seconds=SHORT_SECONDS)
    pusher.push("first")
    late = Answer(delay_seconds=SHORT_SECONDS * 0.75)
    server.answer = lambda push: Hang() if push.token == "silent" else late

    with ThreadPoolExecutor(1) as pool:
        silent = pool.submit(pusher.push_one, "silent")
        wait_until(lambda: len(server.received) == 2, what="the silent push")
        half = time.monotonic() + SHORT_SECONDS / 2
        wait_until(lambda: time.monotonic() > half, what="half the time of the silent push")
        result = pusher.push_one("late")

    assert silent.result().reason == "silent"
    assert result.outcome == Outcome.SENT
    assert times_received(server)["late"] == 1
    assert {push.connection for push in server.received} == {1}


def test_a_service_that_falls_silent_is_not_waited_for_long(
    start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url, deadline_seconds=SHORT_SECONDS)
    server.answer = lambda _: Hang()

    results = pusher.push(*make_tokens(1000))

    assert outcomes(results) == {Outcome.RETRY: 1000}
    assert len(server.received) <= 200
    assert max(times_received(server).values()) == 1


@contextmanager
def listening(meet: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[socket.socket]]]:
    """A TCP port, and the connections that came to it; each is handed to `meet`."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.settimeout(30)
                taken.append(connection)
                meet(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", taken
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


def test_a_server_that_is_down_is_not_tried_for_every_push(start_pusher: StartPusher) -> None:
    with listening(socket.socket.close) as (url, taken):
        results = start_pusher(url).push(*make_tokens(500))

        assert {(result.outcome, result.reason) for result in results.values()} == {(Outcome.RETRY, "unreachable")}
        assert len(taken) == 3


def test_a_server_that_hangs_up_on_every_push_is_not_tried_for_all(
    certificate: ServerCertificate, start_pusher: StartPusher
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)

    def hang_up(connection: socket.socket) -> None:
        with context.wrap_socket(connection.dup(), server_side=True) as tls:
            tls.recv(4096)
        connection.close()

    with listening(hang_up) as (url, taken):
        results = start_pusher(url).push(*make_tokens(500))

        assert outcomes(results) == {Outcome.RETRY: 500}
        assert len(taken) <= 9


def test_a_port_without_a_server_means_later(start_server: StartServer, start_pusher: StartPusher) -> None:
    server = start_server()
    server.stop()

    results = start_pusher(server.url).push(*make_tokens(500))

    assert outcomes(results) == {Outcome.RETRY: 500}


def test_a_server_that_never_shakes_hands_is_given_up(start_pusher: StartPusher) -> None:
    with listening(lambda _: None) as (url, taken):
        results = start_pusher(url, deadline_seconds=SHORT_SECONDS).push(*make_tokens(500))

        assert {(result.outcome, result.reason) for result in results.values()} == {(Outcome.RETRY, "unreachable")}
        assert len(taken) <= 3


def test_a_server_that_comes_back_is_used_again(
    certificate: ServerCertificate, start_server: StartServer, start_pusher: StartPusher
) -> None:
    server = start_server()
    pusher = start_pusher(server.url)
    pusher.push(TOKEN)
    server.stop()
    assert pusher.push_one(TOKEN).outcome == Outcome.RETRY

    start_server(port=int(server.url.rpartition(":")[2]))

    assert pusher.push_one(TOKEN).outcome == Outcome.SENT


# Certificates.


def test_a_server_that_nobody_vouches_for_gets_nothing(
    start_server: StartServer, start_pusher: StartPusher, tmp_path: Path
) -> None:
    server = start_server()
    other = make_server_certificate(tmp_path)

    results = start_pusher(server.url, ca_file=other.ca_file).push(*make_tokens(100))

    assert {(result.outcome, result.reason) for result in results.values()} == {
        (Outcome.MISCONFIGURED, "server certificate not trusted")
    }
    assert server.received == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_ours_that_is_refused_is_a_fault_of_the_settings(
    certificate: ServerCertificate, start_pusher: StartPusher, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    context.load_verify_locations(write_authority(tmp_path / "root.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version

    def refuse(connection: socket.socket) -> None:
        """asyncio's servers drop a connection without the alert that says why; OpenSSL by itself sends it."""
        with context.wrap_socket(connection.dup(), server_side=True, do_handshake_on_connect=False) as tls:
            with pytest.raises(ssl.SSLCertVerificationError):
                tls.do_handshake()
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    expired = certificates.make_credentials()
    with listening(refuse) as (url, taken):
        results = start_pusher(url, credentials=expired).push(*make_tokens(100))

        assert {(result.outcome, result.reason) for result in results.values()} == {
            (Outcome.MISCONFIGURED, "certificate refused")
        }
        assert len(taken) == 1


def test_authorities_that_cannot_be_read_are_a_fault_of_the_settings(start_pusher: StartPusher, tmp_path: Path) -> None:
    pusher = start_pusher("https://127.0.0.1:1", ca_file=tmp_path / "none.pem")

    result = pusher.push_one(TOKEN)

    assert (result.outcome, result.reason) == (Outcome.MISCONFIGURED, "unusable certificate")
