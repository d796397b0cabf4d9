"""Teams' own systems, on this machine: servers over TLS that note what they are told, and say what a test wants."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chalicelib.domain.callbacks import EVENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from chalicelib.wiring import get_callback_sender
from local.server_certificates import ServerCertificate, make_server_certificate
from tests.support.google_wallet import changed_settings

HOST = "127.0.0.1"
LOOPBACK = "127.0.0.0/8"

_LONGEST_HANG_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """One request as it came; `headers` have lower-case names."""

    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def document(self) -> Any:
        """The body."""
        return json.loads(self.content)

    @property
    def event_id(self) -> str:
        """By which a receiver knows what it has already."""
        return self.headers[EVENT_ID_HEADER.lower()]

    @property
    def signatures(self) -> list[str]:
        """As they stand in the header, without the version."""
        parts = self.headers[SIGNATURE_HEADER.lower()].split(",")
        assert all(part.startswith("v1=") for part in parts), parts
        return [part.removeprefix("v1=") for part in parts]

    def is_signed_with(self, secret: str, *, content: bytes | None = None) -> bool:
        """What a receiver checks, written as its manual would have it; of this body or of another."""
        body = self.content if content is None else content
        text = f"{self.headers[TIMESTAMP_HEADER.lower()]}.{self.event_id}.".encode() + body
        expected = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        return any(hmac.compare_digest(expected, signature) for signature in self.signatures)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver says."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    """says nothing, until the server is stopped"""


Answer = Callable[[Told], Reply]


def _accept(_: Told) -> Reply:
    return Reply()


class TeamServer:
    """One receiver. `answer` may be replaced at any time; `heard` is all that came, whatever was said to it."""

    def __init__(self, certificate: ServerCertificate, *, port: int = 0) -> None:
        self.answer: Answer = _accept
        self.heard: list[Told] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server((HOST, port), type("Handler", (_Handler,), {"team": self}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate_file, certificate.key_file)
        # the handshake happens in the connection's own thread, when it first reads
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self.url = f"https://{HOST}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="team", daemon=True
        )
        self._thread.start()

    @property
    def is_stopped(self) -> bool:
        """Whether it refuses connections."""
        return self._stopping.is_set()

    def receive(self, told: Told) -> Reply:
        """Notes a request; the reply to it."""
        with self._lock:
            self.heard.append(told)
        reply = self.answer(told)
        if reply.hangs:
            self._stopping.wait(_LONGEST_HANG_SECONDS)
        return reply

    def stop(self) -> None:
        """Refuses connections from now on."""
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends what clients keep open."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    team: TeamServer
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.team.receive(Told(self.path, headers, content))
        if reply.hangs:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Teams:
    """Makes receivers that the stack of this process may call."""

    def __init__(self, certificate: ServerCertificate) -> None:
        self.certificate = certificate
        self._servers: list[TeamServer] = []

    def start(self, *, port: int = 0) -> TeamServer:
        """A receiver, on a free port unless one is named."""
        server = TeamServer(self.certificate, port=port)
        self._servers.append(server)
        return server

    def stop(self) -> None:
        """Stops those that still run."""
        for server in self._servers:
            if not server.is_stopped:
                server.stop()


@contextmanager
def run_teams(*, trusted_networks: tuple[str, ...] = (LOOPBACK,)) -> Iterator[Teams]:
    """While the block runs, callbacks trust the certificate of these receivers, and networks of this machine."""
    with TemporaryDirectory(prefix="passel-teams-") as folder:
        certificate = make_server_certificate(Path(folder))
        authorities = Path(folder) / "authorities.pem"
        known = os.environ.get("PASSEL_CA_FILE")
        authorities.write_bytes(certificate.ca_file.read_bytes() + (Path(known).read_bytes() if known else b""))
        variables = {
            "PASSEL_CA_FILE": str(authorities),
            "PASSEL_TRUSTED_NETWORKS": json.dumps(trusted_networks),
        }
        teams = Teams(certificate)
        with changed_settings(variables):
            get_callback_sender.cache_clear()
            try:
                yield teams
            finally:
                teams.stop()
                get_callback_sender().close()
                get_callback_sender.cache_clear()
