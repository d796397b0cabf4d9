"""The push services of Android's wallets on a laptop, with the answers that the vendors document (wallets, section 3).

Two services have one path in common, so each has its own base: the first segment of the path names the wallet.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chalicelib.domain.registrations import Wallet

HOST = "127.0.0.1"

_PATHS = {
    Wallet.WALLET_PASSES: re.compile(r"/api/v1/push"),
    Wallet.PASS2U: re.compile(r"/v2/registrations/[^/]+/push"),
    # a device may name a path before the vendor's
    Wallet.PASSWALLET: re.compile(r"(?:/[^?]*)?/v1/pushUpdates?"),
    Wallet.PASSWORKS_WALLET: re.compile(r"/v1/pushUpdate"),
}
_TOKEN_KEYS = ("pushTokens", "registrationIds", "pushToken")
_IDLE_SECONDS = 75
_LONGEST_HANG_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """One request as it arrived. `path` is without the segment that names the wallet, `headers` are in lower case."""

    wallet: Wallet
    path: str
    headers: Mapping[str, str]
    body: Any
    """decoded; None if it is not JSON"""
    tokens: tuple[str, ...]
    """the devices named in the way that the wallet wants; a bare string in place of an array names none"""
    client_port: int
    """the same for all requests of one connection"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAnswer:
    """What a service does about a request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """sent as JSON"""
    delay_seconds: float = 0.0
    hangs: bool = False
    """says nothing until `PushServices.release`"""
    closes: bool = False
    """hangs up without an answer"""


class PushServices:
    """All services on one address, from `start` to `stop`. `answer` may be replaced at any time."""

    def __init__(
        self,
        *,
        port: int = 0,
        certificate_file: Path | None = None,
        key_file: Path | None = None,
        answer: Callable[[ReceivedRequest], PushAnswer] | None = None,
    ) -> None:
        """Bind the address; port 0 takes a free one. With a certificate and its key the services speak TLS.

        Raises:
            OSError: the address cannot be had, or a file cannot be read.
        """
        self.answer = answer or answer_as_documented
        self._changed = threading.Condition()
        self._requests: list[ReceivedRequest] = []
        self._released = threading.Event()
        self._server = _Server((HOST, port), type("Handler", (_Handler,), {"services": self}))
        if certificate_file is not None:
            self._server.speak_tls(certificate_file, key_file)
        scheme = "http" if certificate_file is None else "https"
        self.url = f"{scheme}://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="push services", daemon=True
        )

    def base_url(self, wallet: Wallet) -> str:
        """What the setting of a wallet's push service is to say."""
        return f"{self.url}/{wallet}"

    @property
    def requests(self) -> list[ReceivedRequest]:
        """All that have arrived, in order."""
        with self._changed:
            return list(self._requests)

    def await_requests(self, count: int, *, timeout_seconds: float = 10.0) -> list[ReceivedRequest]:
        """The requests, once there are so many.

        Raises:
            TimeoutError: there were not.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, timeout_seconds):
                raise TimeoutError(f"{len(self._requests)} of {count} requests have arrived")
            return list(self._requests)

    def start(self) -> None:
        """Accept connections."""
        self._thread.start()

    def release(self) -> None:
        """Let all answers that hang go on, now and later."""
        self._released.set()

    def stop(self) -> None:
        """Accept no more, and hang up on those who are connected."""
        self.release()
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.hang_up()

    def receive(self, request: ReceivedRequest) -> PushAnswer:
        """Records a request and waits as its answer wants; the answer."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        answer = self.answer(request)
        if answer.hangs:
            self._released.wait(_LONGEST_HANG_SECONDS)
        if answer.delay_seconds:
            time.sleep(answer.delay_seconds)
        return answer


def answer_as_documented(request: ReceivedRequest) -> PushAnswer:
    """A vendor's answer to a request that it takes; 400 if it names no device."""
    if request.wallet is Wallet.WALLET_PASSES:
        return PushAnswer(body={})
    if not request.tokens:
        return PushAnswer(status=400, body={"status": "error", "details": "no devices"})
    if request.wallet is Wallet.PASSWALLET:
        return PushAnswer(body={"status": "OK"})
    if request.wallet is Wallet.PASSWORKS_WALLET:
        count = len(request.tokens)
        results = [{"message_id": f"0:{number}"} for number in range(count)]
        return PushAnswer(
            body={"multicast_id": 1, "success": count, "failure": 0, "canonical_ids": 0, "results": results}
        )
    return PushAnswer(body={})


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def speak_tls(self, certificate_file: Path, key_file: Path | None) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate_file, key_file)
        # the handshake happens in the connection's own thread, when it first reads
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients that hang up or do not trust the certificate are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    services: PushServices
    protocol_version = "HTTP/1.1"
    # one segment an answer: a second small one would wait for the client's delayed acknowledgement
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = self._read_request(content)
        if request is None:
            self._send(PushAnswer(status=404, body={"error": "not found"}))
            return
        answer = self.services.receive(request)
        if answer.closes:
            self.close_connection = True
        else:
            self._send(answer)

    def _read_request(self, content: bytes) -> ReceivedRequest | None:
        """The request, if it is at a path of a wallet."""
        name, _, rest = self.path.removeprefix("/").partition("/")
        path = f"/{rest}"
        if name not in set(Wallet) or Wallet(name) not in _PATHS or not _PATHS[Wallet(name)].fullmatch(path):
            return None
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        return ReceivedRequest(
            wallet=Wallet(name),
            path=path,
            headers={header.lower(): value for header, value in self.headers.items()},
            body=body,
            tokens=_read_tokens(body),
            client_port=self.client_address[1],
        )

    def _send(self, answer: PushAnswer) -> None:
        data = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing: the requests are recorded."""


def _read_tokens(body: Any) -> tuple[str, ...]:
    if not isinstance(body, dict):
        return ()
    key = next((key for key in _TOKEN_KEYS if key in body), None)
    value = body.get(key) if key is not None else None
    if key == "pushToken":
        return (value,) if isinstance(value, str) else ()
    return tuple(value) if isinstance(value, list) else ()
