"""The local gateway on a real socket: what it answers itself, and how it treats clients that misbehave."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from chalice.app import Chalice, Response

from infra.gateway_responses import GATEWAY_RESPONSES, NO_ROUTE
from local.request_body import MAX_BODY_BYTES
from local.server import HttpServer

HOST = "127.0.0.1"
JSON = b"Content-Type: application/json\r\n"


@dataclass
class Served:
    server: HttpServer
    entered: threading.Event
    release: threading.Event

    @property
    def url(self) -> str:
        return self.server.url

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, int(self.url.rsplit(":", 1)[1])), timeout=10)

    def exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to raw bytes; the connection is read to its end."""
        with self.connect() as connection:
            connection.sendall(request)
            received = b""
            while data := connection.recv(65536):
                received += data
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


@pytest.fixture
def served() -> Iterator[Served]:
    app = Chalice(app_name="tiny")
    entered, release = threading.Event(), threading.Event()

    @app.route("/hello", methods=["GET", "HEAD"])
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.route("/size", methods=["POST"])
    def size() -> dict[str, int]:
        request = app.current_request
        assert request is not None
        return {"size": len(request.raw_body)}

    @app.route("/nothing", methods=["DELETE"])
    def nothing() -> Response:
        return Response(body="", status_code=204)

    @app.route("/large")
    def large() -> dict[str, str]:
        return {"large": "x" * 1_000_000}

    @app.route("/slow")
    def slow() -> dict[str, str]:
        entered.set()
        release.wait(10)
        return {"slow": "done"}

    server = HttpServer(app, host=HOST, port=0)
    server.start()
    yield Served(server, entered, release)
    release.set()
    server.stop(timeout_seconds=5)


def assert_contract_error(body: bytes, *, code: int) -> None:
    content = json.loads(body)
    airship, passworks = {"code", "description", "details", "error"}, {"status_code", "message", "errors"}
    assert content.keys() == airship | passworks | {"error_code"}
    assert content["code"] == content["status_code"] == content["error_code"] == code
    assert content["errors"] == {}
    assert content["error"] == content["description"]


@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS", b"BREW"])
@pytest.mark.parametrize("header", [b"", b"Authorization: Basic eDp5\r\n", b"Authorization: \xff\r\n"])
def test_no_route_is_the_gateways_404(served: Served, method: bytes, header: bytes) -> None:
    status, headers, body = served.exchange(method + b" /nowhere HTTP/1.1\r\n" + header + b"Connection: close\r\n\r\n")
    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert body.decode() == GATEWAY_RESPONSES[NO_ROUTE].body


def test_an_answer_to_head_has_the_length_and_no_body(served: Served) -> None:
    for path, status in ((b"/hello", 200), (b"/nowhere", 404)):
        answer = served.exchange(b"HEAD " + path + b" HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert answer[0] == status
        assert int(answer[1]["Content-Length"]) > 0
        assert answer[2] == b""


def test_no_content_is_nothing_at_all(served: Served) -> None:
    status, headers, body = served.exchange(b"DELETE /nothing HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert (status, body) == (204, b"")
    assert "Content-Length" not in headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /size HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        b"POST /size HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /size HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /hello HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /hello HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /hello HTTP/x\r\n\r\n",
    ],
)
def test_a_malformed_request_is_400_and_the_connection_ends(served: Served, request_bytes: bytes) -> None:
    received = served.exchange(request_bytes) if not request_bytes.endswith(b"HTTP/x\r\n\r\n") else None
    if received is None:  # the answer to no known version has no headers
        with served.connect() as connection:
            connection.sendall(request_bytes)
            assert_contract_error(connection.recv(65536), code=400)
        return
    status, headers, body = received
    assert (status, headers["Connection"]) == (400, "close")
    assert_contract_error(body, code=400)


def test_a_body_at_the_limit_is_taken_and_above_it_refused(served: Served) -> None:
    headers = {"Content-Type": "application/json"}
    with httpx.Client() as client:
        answer = client.post(f"{served.url}/size", content=b" " * MAX_BODY_BYTES, headers=headers)
        assert answer.json() == {"size": MAX_BODY_BYTES}
        answer = client.post(f"{served.url}/size", content=b" " * (2 * MAX_BODY_BYTES), headers=headers)
        assert answer.status_code == 400
        assert_contract_error(answer.content, code=400)


def test_a_chunked_body_is_joined(served: Served) -> None:
    answer = httpx.post(
        f"{served.url}/size", content=iter([b"{", b"}" * 70_000]), headers={"Content-Type": "application/json"}
    )
    assert answer.json() == {"size": 70_001}


def test_no_interim_answer_is_sent(served: Served) -> None:
    status, _, body = served.exchange(
        b"POST /size HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n" + JSON + b"\r\n{}"
    )
    assert (status, body) == (200, b'{"size":2}')


def test_requests_on_one_connection_do_not_wait_for_acknowledgements(served: Served) -> None:
    with httpx.Client() as client:
        client.get(f"{served.url}/hello")
        started = time.perf_counter()
        for _ in range(50):
            client.post(f"{served.url}/size", content=b"{}", headers={"Content-Type": "application/json"})
        seconds = time.perf_counter() - started
    assert seconds < 50 * 0.030, "a delayed acknowledgement costs 40 ms a request"


def test_a_client_that_goes_away_leaves_no_trace(
    served: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for data in (b"GE", b"POST /size HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", b"GET /large HTTP/1.1\r\n\r\n"):
        connection = served.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset on close
        connection.sendall(data)
        connection.close()
    connection = served.connect()
    connection.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
    assert served.entered.wait(5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    served.release.set()

    assert httpx.get(f"{served.url}/hello").json() == {"hello": "world"}
    assert served.server.stop(timeout_seconds=5)
    assert [record for record in caplog.records if record.name.startswith("local")] == []
    assert "Traceback" not in capfd.readouterr().err


def test_stop_takes_nothing_new_and_waits_for_the_request_at_work(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        assert served.entered.wait(5)
        assert not served.server.stop(timeout_seconds=0.05)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{served.url}/hello")
        served.release.set()
        assert b'{"slow":"done"}' in connection.recv(65536)
    assert served.server.stop(timeout_seconds=5)


def test_the_verbose_log_shows_no_query_since_it_may_hold_a_secret(capfd: pytest.CaptureFixture[str]) -> None:
    app = Chalice("logged")
    server = HttpServer(app, host=HOST, port=0, verbose=True)
    server.start()
    try:
        with httpx.Client(verify=False, trust_env=False) as client:
            client.get(f"{server.url}/v1/tag?api_key=SECRET", headers={"Connection": "close"})
    finally:
        server.stop(timeout_seconds=5)

    logged = capfd.readouterr().err
    assert "/v1/tag" in logged
    assert "SECRET" not in logged
