"""The client for addresses that strangers name, against real servers on this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.registrations import Wallet
from chalicelib.outbound.guarded import MOST_BODY_BYTES, AddressRefused, Answer, GuardedClient, Resolve, Unreachable
from local.server_certificates import ServerCertificate, make_server_certificate
from local.wallet_servers import PushAnswer, PushServices, ReceivedRequest

LOOPBACK = ("127.0.0.0/8",)
DEADLINE_SECONDS = 0.5
"""short where it is to be met"""
MOST_DRIPS = 200
DRIP_SECONDS = 0.05
GIVE_UP_SECONDS = 10.0
"""when a server that holds somebody lets go, so that a test fails in place of hanging"""
NEVER_SECONDS = 1_000.0

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Speak = Callable[[socket.socket], None]


class Resolver:
    """Answers as `socket.getaddrinfo` would: one list of addresses after the other, the last for good."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(0, 0, 0, "", (address, port)) for address in addresses]


class Server:
    """Reads one request from each connection, and then does what it is told to; the connection is closed after it."""

    def __init__(self, speak: Speak, *, host: str = "127.0.0.1", port: int = 0, reads: bool = True) -> None:
        self._speak = speak
        self._reads = reads
        self._listener = socket.create_server((host, port))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(GIVE_UP_SECONDS)
        self._listener.close()
        for thread in self._threads:
            thread.join(GIVE_UP_SECONDS)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._reads:
                self.requests.append(_read_request(connection))
            self._speak(connection)


def _read_request(connection: socket.socket) -> bytes:
    connection.settimeout(GIVE_UP_SECONDS)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or _hung_up()
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536) or _hung_up()
    return head + b"\r\n\r\n" + body


def _hung_up() -> bytes:
    raise ConnectionError


@contextmanager
def serving(speak: Speak | bytes = OK, **options: Any) -> Iterator[Server]:
    """A server that speaks so, or sends these bytes."""

    def send(connection: socket.socket) -> None:
        assert isinstance(speak, bytes)
        connection.sendall(speak)

    server = Server(send if isinstance(speak, bytes) else speak, **options)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def silent() -> Iterator[Server]:
    """A server that takes connections, and neither reads nor says anything."""
    is_over = threading.Event()

    def wait(_: socket.socket) -> None:
        is_over.wait(GIVE_UP_SECONDS)

    with serving(wait, reads=False) as server:
        try:
            yield server
        finally:
            is_over.set()


def make_client(
    *answers: Sequence[str],
    allowed: Sequence[str] = LOOPBACK,
    ca_file: Path | None = None,
    deadline_seconds: float = NEVER_SECONDS,
    timeout_seconds: float = NEVER_SECONDS,
    resolve: Resolve | None = None,
) -> GuardedClient:
    """A client for which every host has these addresses, or those that it really has."""
    return GuardedClient(
        allowed_networks=allowed,
        ca_file=str(ca_file) if ca_file else None,
        timeout_seconds=timeout_seconds,
        deadline_seconds=deadline_seconds,
        resolve=resolve or (Resolver(*answers) if answers else socket.getaddrinfo),
    )


def post(
    client: GuardedClient, url: str, *, content: bytes = b"{}", headers: Mapping[str, str] | None = None
) -> Answer:
    """One call, to http as well, after which the client is closed."""
    with closing(client):
        return client.post(url, headers=headers or {}, content=content, https_only=False)


def test_a_request_goes_out_as_it_was_asked_for() -> None:
    answer = b"HTTP/1.1 418 Teapot\r\nX-One: a\r\nX-ONE: b\r\nContent-Length: 5\r\n\r\nshort"
    with serving(answer) as server:
        got = post(
            make_client(["127.0.0.1"]),
            f"http://Receiver.Example.:{server.port}/p\u00e4th/%2e?q=%20\u00e4#gone",
            headers={"X-Two": "2", "Content-Type": "application/json"},
            content=b'{"a":1}',
        )

    assert got == Answer(status=418, headers={"x-one": "a, b", "content-length": "5"}, body=b"short")
    lines = [
        "POST /p%C3%A4th/%2e?q=%20%C3%A4 HTTP/1.1",
        f"Host: receiver.example:{server.port}",
        "User-Agent: Passel",
        "X-Two: 2",
        "Content-Type: application/json",
        "Content-Length: 7",
        "",
        '{"a":1}',
    ]
    assert server.requests == ["\r\n".join(lines).encode()]


@pytest.mark.parametrize(
    ("host", "asked", "named"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example", b"xn--bcher-kva.example:%d"),
        ("b\u00fccher\u3002example", "xn--bcher-kva.example", b"xn--bcher-kva.example:%d"),
        ("[::1]", "::1", b"[::1]:%d"),
        ("under_score.example.", "under_score.example", b"under_score.example:%d"),
    ],
)
def test_the_host_that_is_named_is_the_host_that_is_resolved(host: str, asked: str, named: bytes) -> None:
    resolver = Resolver(["127.0.0.1"])
    with serving() as server:
        post(make_client(resolve=resolver), f"http://{host}:{server.port}/")

    assert resolver.asked == [asked]
    assert b"\r\nHost: " + named % server.port + b"\r\n" in server.requests[0]


HOSTS_OF_THIS_MACHINE = ["127.0.0.1", "127.0.0.1.", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001"]
HOSTS_OF_THIS_MACHINE += ["0177.0.0.1", "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]"]
HOSTS_OF_THIS_MACHINE += ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127\u30020\u30020\u30021"]


@pytest.mark.parametrize("host", HOSTS_OF_THIS_MACHINE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_refused_in_every_spelling(host: str, scheme: str) -> None:
    with serving() as server:
        with pytest.raises(AddressRefused, match=r"loopback|unspecified"):
            post(make_client(allowed=()), f"{scheme}://{host}:{server.port}/")

        assert server.connections == 0


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fd00:ec2::254]", "[fe80::1]"],
)
def test_metadata_and_private_networks_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match=r"private|link-local|carrier"):
        post(make_client(allowed=()), f"https://{address}/latest/meta-data")


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "fd00::1", "::ffff:127.0.0.1"])
def test_a_name_that_resolves_there_is_refused_with_name_and_address(address: str) -> None:
    with serving() as server:
        with pytest.raises(AddressRefused) as refusal:
            post(make_client([address], allowed=()), f"https://receiver.example:{server.port}/")

        assert refusal.value.reason.startswith(f"receiver.example is at {address}, which is ")
        assert server.connections == 0


def test_an_address_with_a_zone_is_refused_where_the_resolver_says_so_apart() -> None:
    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [(0, 0, 0, "", ("2606:4700::1111", 443, 0, 3))]

    with pytest.raises(AddressRefused, match=r"2606:4700::1111%3, which has a zone"):
        post(make_client(resolve=resolve), "https://receiver.example/")


@pytest.mark.parametrize("addresses", [["8.8.8.8", "10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]])
def test_a_name_with_one_private_address_among_others_is_not_called_at_all(addresses: list[str]) -> None:
    with serving() as server:
        with pytest.raises(AddressRefused, match=r"10\.0\.0\.1, which is private"):
            post(make_client(addresses), f"http://receiver.example:{server.port}/")

        assert server.connections == 0


def test_a_name_is_resolved_once_so_that_another_answer_right_after_changes_nothing() -> None:
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    with serving() as server, serving(host="127.0.0.2", port=server.port) as trap:
        answer = post(make_client(resolve=resolver), f"http://rebinding.example:{server.port}/")

        assert answer.body == b"ok"
        assert (len(resolver.asked), server.connections, trap.connections) == (1, 1, 0)


def test_each_new_connection_is_checked_anew() -> None:
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with serving(last) as server, serving(host="127.0.0.2", port=server.port) as trap:
        url = f"http://rebinding.example:{server.port}/"
        with closing(make_client(resolve=resolver, allowed=("127.0.0.1/32",))) as client:
            client.post(url, headers={}, content=b"", https_only=False)
            with pytest.raises(AddressRefused, match=r"127\.0\.0\.2"):
                client.post(url, headers={}, content=b"", https_only=False)

        assert (len(resolver.asked), len(server.requests), trap.connections) == (2, 1, 0)


def test_an_address_that_is_down_leaves_the_call_to_the_next() -> None:
    with serving() as server:
        answer = post(make_client(["127.0.0.2", "127.0.0.1"]), f"http://receiver.example:{server.port}/")

    assert answer.status == 200


def test_an_address_that_is_silent_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    connect = socket.create_connection

    def connect_or_wait(address: tuple[str, int], timeout: float, **options: Any) -> socket.socket:
        if address[0] == "127.0.0.1":
            return connect(address, timeout, **options)
        waits.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", connect_or_wait)
    with serving() as server:
        client = make_client(["127.0.0.2", "127.0.0.1"], deadline_seconds=GIVE_UP_SECONDS)
        answer = post(client, f"http://receiver.example:{server.port}/")

    assert answer.status == 200
    assert [wait <= GIVE_UP_SECONDS / 2 for wait in waits] == [True]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "//127.0.0.1:{port}", "/x"])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int, place: str) -> None:
    with serving() as trap:
        location = place.format(port=trap.port)
        redirect = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(redirect) as server:
            answer = post(make_client(["127.0.0.1"]), f"http://receiver.example:{server.port}/")

        assert (answer.status, answer.headers["location"]) == (status, location)
        assert (server.connections, trap.connections) == (1, 0)


def test_a_redirect_to_the_metadata_service_is_not_followed() -> None:
    resolver = Resolver(["127.0.0.1"])
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
    with serving(redirect) as server:
        assert post(make_client(resolve=resolver), f"http://receiver.example:{server.port}/").status == 302

    assert resolver.asked == ["receiver.example"]


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as trap, serving() as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")

        assert post(make_client(["127.0.0.1"]), f"http://receiver.example:{server.port}/").status == 200
        assert trap.connections == 0


@pytest.mark.parametrize("length", [b"Content-Length: 100000000", b"X-Length: until the end"])
def test_of_a_large_answer_only_the_beginning_is_read(length: bytes) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")
        for _ in range(1_000):
            connection.sendall(b"x" * 100_000)

    with serving(speak) as server:
        answer = post(make_client(["127.0.0.1"]), f"http://receiver.example:{server.port}/")

    assert answer.body == b"x" * MOST_BODY_BYTES


def _drip(connection: socket.socket, beginning: bytes, drop: bytes, end: bytes) -> None:
    """An answer that is complete only long after the deadline."""
    connection.sendall(beginning)
    for _ in range(MOST_DRIPS):
        connection.sendall(drop)
        threading.Event().wait(DRIP_SECONDS)
    connection.sendall(end)


DRIPS = {
    "in the headers": (b"HTTP/1.1 200 OK\r\nX-One: ", b"a", b"\r\nContent-Length: 0\r\n\r\n"),
    "in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MOST_DRIPS, b"a", b""),
    "in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"0\r\n\r\n"),
    "interim answers": (b"", b"HTTP/1.1 102 Processing\r\n\r\n", OK),
}


@pytest.mark.parametrize(("beginning", "drop", "end"), DRIPS.values(), ids=DRIPS.keys())
def test_a_server_that_drips_bytes_holds_nobody_beyond_the_deadline(beginning: bytes, drop: bytes, end: bytes) -> None:
    with serving(lambda connection: _drip(connection, beginning, drop, end)) as server:
        client = make_client(["127.0.0.1"], deadline_seconds=DEADLINE_SECONDS)
        with pytest.raises(Unreachable, match=r"receiver\.example: ReadTimeout"):
            post(client, f"http://receiver.example:{server.port}/")


def test_a_server_that_floods_interim_answers_holds_nobody_beyond_the_deadline() -> None:
    def speak(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)

    with serving(speak) as server:
        client = make_client(["127.0.0.1"], deadline_seconds=DEADLINE_SECONDS)
        with pytest.raises(Unreachable):
            post(client, f"http://receiver.example:{server.port}/")


def test_a_server_that_reads_nothing_holds_nobody_beyond_the_deadline() -> None:
    with silent() as server:
        client = make_client(["127.0.0.1"], deadline_seconds=DEADLINE_SECONDS)
        with pytest.raises(Unreachable, match="WriteTimeout"):
            post(client, f"http://receiver.example:{server.port}/", content=b"x" * 20_000_000)


@pytest.mark.parametrize("bound", ["deadline_seconds", "timeout_seconds"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_unreachable(bound: str, scheme: str) -> None:
    with silent() as server:
        client = make_client(["127.0.0.1"], **{bound: DEADLINE_SECONDS})  # type: ignore[arg-type]
        with pytest.raises(Unreachable, match="Timeout"):
            post(client, f"{scheme}://receiver.example:{server.port}/")


def test_a_resolver_that_hangs_holds_nobody_beyond_the_deadline() -> None:
    released = threading.Event()

    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        released.wait(GIVE_UP_SECONDS)
        return []

    with pytest.raises(Unreachable, match="resolving the host took too long"):
        post(make_client(resolve=resolve, deadline_seconds=DEADLINE_SECONDS), "https://receiver.example/")
    released.set()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_a_name_that_cannot_be_resolved_is_unreachable(error: Exception) -> None:
    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise error

    with pytest.raises(Unreachable, match=r"receiver\.example.*cannot be resolved"):
        post(make_client(resolve=resolve), "https://receiver.example/")


def test_a_name_without_addresses_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="no address"):
        post(make_client([]), "https://receiver.example/")


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(Unreachable, match="ConnectError"):
        post(make_client(["127.0.0.1"]), f"http://receiver.example:{port}/")


NO_ANSWERS = {
    "nothing": b"",
    "a TLS alert": b"\x15\x03\x01",
    "SSH": b"SSH-2.0\r\n\r\n",
    "a body cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    "another protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "huge headers": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_whole_answer_is_unreachable(answer: bytes) -> None:
    with serving(answer) as server, pytest.raises(Unreachable):
        post(make_client(["127.0.0.1"]), f"http://receiver.example:{server.port}/")


@pytest.fixture
def services() -> Iterator[PushServices]:
    """A server that keeps connections open and answers with the body that it got."""
    running = PushServices(answer=lambda request: PushAnswer(body=request.body))
    running.start()
    yield running
    running.stop()


def test_a_connection_serves_one_call_after_the_other(services: PushServices) -> None:
    with closing(make_client()) as client:
        for number in range(3):
            client.post(
                f"{services.base_url(Wallet.WALLET_PASSES)}/api/v1/push",
                headers={},
                content=str(number).encode(),
                https_only=False,
            )

    assert len({request.client_port for request in services.requests}) == 1


def test_many_threads_share_a_client_and_each_gets_its_own_answer(services: PushServices) -> None:
    url = f"{services.base_url(Wallet.WALLET_PASSES)}/api/v1/push"
    with closing(make_client()) as client, ThreadPoolExecutor(8) as threads:

        def ask(number: int) -> int:
            answer = client.post(url, headers={}, content=str(number).encode(), https_only=False)
            return int(json.loads(answer.body))

        assert list(threads.map(ask, range(100))) == list(range(100))
    ports = {request.client_port for request in services.requests}
    assert len(ports) <= 16, "connections are kept"


def test_one_call_that_is_late_takes_nothing_from_those_beside_it(services: PushServices) -> None:
    services.answer = lambda request: PushAnswer(body=request.body, hangs=request.body == "late")
    url = f"{services.base_url(Wallet.WALLET_PASSES)}/api/v1/push"
    with closing(make_client(timeout_seconds=DEADLINE_SECONDS)) as client, ThreadPoolExecutor(1) as threads:
        late = threads.submit(client.post, url, headers={}, content=b'"late"', https_only=False)
        services.await_requests(1)
        answers = [client.post(url, headers={}, content=b"1", https_only=False).status for _ in range(5)]
        failure = late.exception(GIVE_UP_SECONDS)

    assert answers == [200] * 5
    assert isinstance(failure, Unreachable)


@pytest.fixture
def authority(tmp_path: Path) -> ServerCertificate:
    """An authority and a certificate of it for the hosts of a server."""
    return make_server_certificate(tmp_path, hosts=["receiver.example", "xn--bcher-kva.example", "127.0.0.1"])


@pytest.fixture
def secured(authority: ServerCertificate) -> Iterator[PushServices]:
    """The same over TLS."""
    running = PushServices(certificate_file=authority.certificate_file, key_file=authority.key_file)
    running.start()
    yield running
    running.stop()


def _push(client: GuardedClient, secured: PushServices, host: str) -> Answer:
    url = f"{secured.base_url(Wallet.WALLET_PASSES)}/api/v1/push".replace("127.0.0.1", host)
    with closing(client):
        return client.post(url, headers={}, content=b"{}")


@pytest.mark.parametrize("host", ["receiver.example", "RECEIVER.example.", "b\u00fccher.example", "127.0.0.1"])
def test_tls_is_verified_against_the_host_that_was_named(
    secured: PushServices, authority: ServerCertificate, host: str
) -> None:
    assert _push(make_client(["127.0.0.1"], ca_file=authority.ca_file), secured, host).status == 200


@pytest.mark.parametrize("host", ["other.example", "a.receiver.example", "example"])
def test_a_certificate_for_another_host_is_not_trusted(
    secured: PushServices, authority: ServerCertificate, host: str
) -> None:
    with pytest.raises(Unreachable, match="certificate is not valid for"):
        _push(make_client(["127.0.0.1"], ca_file=authority.ca_file), secured, host)

    assert secured.requests == []


def test_an_authority_that_nobody_named_is_not_trusted(secured: PushServices) -> None:
    with pytest.raises(Unreachable, match="certificate verify failed"):
        _push(make_client(["127.0.0.1"]), secured, "receiver.example")

    assert secured.requests == []


def test_a_file_of_authorities_that_is_missing_is_noticed_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        make_client(ca_file=tmp_path / "missing.pem")


def test_the_received_request_is_what_was_sent(services: PushServices) -> None:
    url = f"{services.base_url(Wallet.PASS2U)}/v2/registrations/pass.a.b/push"
    post(make_client(), url, headers={"x-api-key": "k"}, content=b'{"registrationIds":["a","b"]}')

    (request,) = services.requests
    assert isinstance(request, ReceivedRequest)
    assert (request.wallet, request.path, request.tokens) == (Wallet.PASS2U, url[len(services.url) + 7 :], ("a", "b"))
    assert request.headers["x-api-key"] == "k"
