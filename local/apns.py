"""A stand-in for Apple's push service: HTTP/2 over TLS, what came is kept, and every answer can be chosen.

For laptops and tests, so that nothing ever goes to the real service (wallets, sections 1 and 2.5).
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from cryptography import x509
from h2.errors import ErrorCodes
from hyperframe.frame import GoAwayFrame

from local.apns_pushes import Action, Answer, Close, GoAway, Hang, ReceivedPush, Reset
from local.server_certificates import ServerCertificate

__all__ = ["Action", "Answer", "ApnsServer", "Close", "GoAway", "Hang", "ReceivedPush", "Reset"]

HOST = "127.0.0.1"

_PATH = "/3/device/"
_TIMEOUT_SECONDS = 10.0
_LINGER_SECONDS = 2.0


def accept(_: ReceivedPush) -> Action:
    """The answer to every push unless told otherwise."""
    return Answer()


class ApnsServer:
    """One push service on a free port, in a thread of its own, from `start` to `stop`. Also a context manager.

    `answer` decides about each push; it runs in the server's thread, must not block, and may be replaced at any time.
    """

    def __init__(
        self,
        certificate: ServerCertificate,
        *,
        client_ca_file: Path | None = None,
        answer: Callable[[ReceivedPush], Action] = accept,
        port: int = 0,
        max_concurrent_streams: int = 1000,
        maximum_tls_version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:
        """Certificates of clients are asked for, but not insisted on, if `client_ca_file` says which are good.

        Raises:
            OSError: a file cannot be read, or holds no certificate (`ssl.SSLError`).
        """
        self.answer = answer
        self.max_concurrent_streams = max_concurrent_streams
        self.most_streams_at_once = 0
        """the most pushes that were open on one connection at a time"""
        self.connections_taken = 0
        self._port = port
        self._received: list[ReceivedPush] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.maximum_version = maximum_tls_version
        self._context.load_cert_chain(certificate.certificate_file, certificate.key_file)
        self._context.set_alpn_protocols(["h2"])
        if client_ca_file is not None:
            self._context.load_verify_locations(client_ca_file)
            self._context.verify_mode = ssl.CERT_OPTIONAL
        self._open: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="apns", daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, once started; it stays the same after the end."""
        return f"https://{HOST}:{self._port}"

    @property
    def open_connections(self) -> int:
        """How many there are now."""
        return len(self._open)

    @property
    def received(self) -> list[ReceivedPush]:
        """The pushes taken so far, in the order in which they came."""
        return list(self._received)

    def start(self) -> None:
        """Takes connections. A server starts once.

        Raises:
            OSError: the port cannot be had.
        """
        self._thread.start()
        try:
            self._run(self._listen())
        except OSError:
            self._end_loop()
            raise

    def stop(self) -> None:
        """Drops all connections and frees the port."""
        if not self._loop.is_closed():
            self._run(self._shut())
            self._end_loop()

    def close_connections(self) -> None:
        """Drops all connections, as a server does with idle ones; new ones are taken."""
        self._run(self._drop_all())

    def go_away(self) -> None:
        """Tells every client that its connection takes no more pushes; it ends when the open ones are answered."""
        self._run(self._send_away())

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_TIMEOUT_SECONDS)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TIMEOUT_SECONDS)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            lambda: _Connection(self), HOST, self._port, ssl=self._context, backlog=1000
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop_all()

    async def _drop_all(self) -> None:
        for connection in list(self._open):
            connection.drop()
        while self._open:
            await asyncio.sleep(0.001)

    async def _send_away(self) -> None:
        for connection in list(self._open):
            connection.go_away()

    # What connections tell.

    def take(self, connection: _Connection) -> int:
        """Counts a connection and returns its number."""
        self._open.add(connection)
        self.connections_taken += 1
        return self.connections_taken

    def forget(self, connection: _Connection) -> None:
        """A connection ended."""
        self._open.discard(connection)

    def decide(self, push: ReceivedPush, *, open_streams: int) -> Action:
        """What to do with a push, which is kept if it is processed."""
        self.most_streams_at_once = max(self.most_streams_at_once, open_streams)
        action = self.answer(push)
        is_refused = isinstance(action, Reset) and action.error_code == ErrorCodes.REFUSED_STREAM
        if not is_refused and not (isinstance(action, GoAway) and action.answer is None):
            self._received.append(push)
        return action


@dataclass(slots=True)
class _Request:
    """A request whose end has not come."""

    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


class _Connection(asyncio.Protocol):
    """One client. asyncio's TCP transports do not wait to fill packets (TCP_NODELAY)."""

    def __init__(self, server: ApnsServer) -> None:
        self._server = server
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
        )
        self._requests: dict[int, _Request] = {}
        self._unanswered: set[int] = set()
        self._unsent: dict[int, bytes] = {}
        """bodies that wait for the client to open its window"""
        self._last_stream: int | None = None
        """after GOAWAY: the last stream that is still answered"""
        self._newest_stream = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._number = self._server.take(self)
        self._client_subject = _read_subject(transport.get_extra_info("ssl_object"))
        limit = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self._server.max_concurrent_streams}
        self._h2.local_settings = h2.settings.Settings(client=False, initial_values=limit)
        self._h2.initiate_connection()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
        except h2.exceptions.ProtocolError:
            self._flush()
            self._transport.close()
            return
        self._flush()

    def drop(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()

    def go_away(self, last_stream: int | None = None) -> None:
        """Announces the end; streams up to `last_stream`, by default all that came, are still answered.

        h2 closes its side when it sends GOAWAY, and could then answer nothing more. So the frame is written beside it.
        """
        self._last_stream = self._newest_stream if last_stream is None else last_stream
        self._flush()
        self._transport.write(GoAwayFrame(0, last_stream_id=self._last_stream).serialize())
        self._unanswered = {stream for stream in self._unanswered if stream <= self._last_stream}
        self._requests = {stream: request for stream, request in self._requests.items() if stream <= self._last_stream}
        self._end_if_done()

    def _handle(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = cast("list[tuple[str, str]]", event.headers)
            self._newest_stream = max(self._newest_stream, event.stream_id)
            if self._last_stream is None or event.stream_id <= self._last_stream:
                self._requests[event.stream_id] = _Request(dict(headers))
                self._unanswered.add(event.stream_id)
        elif isinstance(event, h2.events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
            if event.stream_id in self._requests:
                self._requests[event.stream_id].body += event.data or b""
        elif isinstance(event, h2.events.StreamEnded) and event.stream_id in self._requests:
            self._finish(event.stream_id, self._requests.pop(event.stream_id))
        elif isinstance(event, h2.events.StreamReset):
            self._forget(event.stream_id)
        elif isinstance(event, h2.events.WindowUpdated):
            for stream in list(self._unsent):
                self._send_body(stream)

    def _finish(self, stream: int, request: _Request) -> None:
        """A whole request is there."""
        path = request.headers.get(":path", "")
        segment = path.removeprefix(_PATH)
        if not path.startswith(_PATH) or not segment or "/" in segment:
            self._send(stream, Answer(status=404, reason="BadPath"))
        elif request.headers.get(":method") != "POST":
            self._send(stream, Answer(status=405, reason="MethodNotAllowed"))
        else:
            push = ReceivedPush(
                token=unquote(segment),
                path=path,
                headers={name: value for name, value in request.headers.items() if not name.startswith(":")},
                body=bytes(request.body),
                connection=self._number,
                client_subject=self._client_subject,
                received_at=datetime.now(UTC),
            )
            self._act(stream, self._server.decide(push, open_streams=len(self._unanswered)))

    def _act(self, stream: int, action: Action) -> None:
        if isinstance(action, Answer):
            self._answer(stream, action)
        elif isinstance(action, Close):
            self.drop()
        elif isinstance(action, Reset):
            self._h2.reset_stream(stream, error_code=action.error_code)
            self._forget(stream)
        elif isinstance(action, GoAway):
            if action.answer is not None:
                self._answer(stream, action.answer)
            self.go_away(stream if action.answer is not None else max(0, stream - 2))

    def _answer(self, stream: int, answer: Answer) -> None:
        if answer.delay_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(answer.delay_seconds, self._answer_late, stream, answer)
        else:
            self._send(stream, answer)

    def _answer_late(self, stream: int, answer: Answer) -> None:
        if not self._transport.is_closing() and stream in self._unanswered:
            self._send(stream, answer)
            self._flush()

    def _send(self, stream: int, answer: Answer) -> None:
        body = answer.encode()
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        self._h2.send_headers(stream, headers, end_stream=not body)
        if body:
            self._unsent[stream] = body
            self._send_body(stream)
        else:
            self._forget(stream)

    def _send_body(self, stream: int) -> None:
        """As much as the client's window takes."""
        while body := self._unsent.get(stream):
            size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, len(body))
            if size <= 0:
                return
            self._unsent[stream] = body[size:]
            self._h2.send_data(stream, body[:size], end_stream=size == len(body))
        self._forget(stream)

    def _forget(self, stream: int) -> None:
        self._requests.pop(stream, None)
        self._unsent.pop(stream, None)
        self._unanswered.discard(stream)
        self._end_if_done()

    def _end_if_done(self) -> None:
        """After GOAWAY the client is let close, since closing here would cut off what it has not read yet."""
        if self._last_stream is not None and not self._unanswered:
            self._flush()
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.drop)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)


def _read_subject(tls: ssl.SSLObject | None) -> str | None:
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    if certificate is None:
        return None
    with suppress(ValueError):
        return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    return None
