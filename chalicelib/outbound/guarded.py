"""HTTP to addresses that clients or teams name, so that nobody can make us call inside our own network.

A host is resolved once, every address that it has is checked, and one of the checked addresses is connected to: a name
whose second answer differs changes nothing. Redirects are answers like any other and are never followed. A proxy of the
environment is not used.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import ssl
import string
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import idna

from chalicelib.outbound.addresses import Network, check_address

MOST_BODY_BYTES = 64 * 1024
"""of an answer; the rest is not read"""

ANYWHERE = ("0.0.0.0/0", "::/0")
"""for `allowed_networks` where an operator, and nobody else, names the address"""

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""as `socket.getaddrinfo`"""

_KEPT_CONNECTIONS = 20
_KEEPALIVE_SECONDS = 30.0
_MOST_ATTEMPTS = 4
"""addresses of one host that are tried"""
_PIECE_BYTES = 16 * 1024
"""written at a time, so that a slow reader is noticed"""

_AGENT = b"Passel"
_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_LONGEST_HOST = 253
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_OWN_HEADERS = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect")
)
"""which say where a request goes and where it ends (RFC 9110, section 7; RFC 9112, section 6)"""


class CallRefused(Exception):
    """We do not make this call. `reason` is for logs: it names the host and the address, never credentials."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AddressRefused(CallRefused):
    """The URL is not one that we call, or its host is at an address that is not public."""


class HeaderRefused(CallRefused):
    """A header could end the headers early, or would decide where the request goes or ends."""


class Unreachable(Exception):
    """There is no whole answer: the network, TLS, HTTP or the time failed. `reason` is for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said. `headers` have lower-case names; `body` is at most `MOST_BODY_BYTES`, as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GuardedClient:
    """Posts to public addresses alone. One of these serves all threads and keeps connections open.

    `allowed_networks` are blocks that an operator trusts although they are not public: local runs, receivers in a VPC.
    `ca_file` holds authorities that are trusted besides the usual ones. `timeout_seconds` bounds each wait for the
    other side, `deadline_seconds` a whole call with resolving, however slowly the bytes come.

    Raises:
        ValueError: a network is none.
        OSError: the file cannot be read as certificates.
    """

    def __init__(
        self,
        *,
        allowed_networks: Sequence[str] = (),
        ca_file: str | None = None,
        timeout_seconds: float = 10.0,
        deadline_seconds: float = 15.0,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._deadline_seconds = deadline_seconds
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_make_context(ca_file),
            max_connections=None,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=_GuardedBackend(
                [ipaddress.ip_network(network) for network in allowed_networks],
                resolve=resolve,
                deadline=self._deadline,
            ),
        )

    def post(self, url: str, *, headers: Mapping[str, str], content: bytes, https_only: bool = True) -> Answer:
        """The answer of a server, whatever its status.

        `headers` may not be those that this client sets: Host, Content-Length and the like.

        Raises:
            AddressRefused: another scheme, credentials in the URL, or a host that is not at public addresses alone.
            HeaderRefused: a header is not fit to be sent.
            Unreachable: there is no whole answer in time.
        """
        target = _read_url(url, https_only=https_only)
        lines = [(b"Host", target.authority), *_encode_headers(headers)]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_seconds)
        self._deadline.start(self._deadline_seconds)
        try:
            with self._pool.stream(
                "POST", target.url, headers=lines, content=content, extensions={"timeout": timeouts}
            ) as response:
                return Answer(
                    status=response.status, headers=_decode_headers(response.headers), body=_read_start(response)
                )
        except _FAILURES as error:
            raise Unreachable(f"{target.host}: {type(error).__name__} {error}".rstrip()) from error

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()


@lru_cache(maxsize=4)
def _make_context(ca_file: str | None) -> ssl.SSLContext:
    """TLS that verifies; shared, as reading the usual authorities takes longer than many a call."""
    context = httpcore.default_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    url: httpcore.URL
    host: str
    authority: bytes
    """what the Host header says"""


def _read_url(url: str, *, https_only: bool) -> _Target:
    """Where a URL leads, read once and never again from its text.

    Raises:
        AddressRefused: it is not one that we call.
    """
    # urlsplit drops line breaks, and other readers take a backslash for a slash
    if any(character in " \\" or not character.isprintable() for character in url):
        raise AddressRefused("the URL holds a space, a backslash or something invisible")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("the URL cannot be read") from error
    host = _read_host(parts.hostname or "", is_literal="[" in parts.netloc)
    if parts.scheme not in _PORTS or (https_only and parts.scheme != "https"):
        raise AddressRefused(f"{host}: the scheme is {parts.scheme[:20] or 'missing'}, not https")
    if "@" in parts.netloc:
        raise AddressRefused(f"{host}: the URL holds credentials")
    name = f"[{host}]" if ":" in host else host
    is_usual = port is None or port == _PORTS[parts.scheme]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(
        url=httpcore.URL(
            scheme=parts.scheme.encode(),
            host=host.encode(),
            port=port,
            target=quote(path, safe=string.punctuation).encode(),
        ),
        host=host,
        authority=(name if is_usual else f"{name}:{port}").encode(),
    )


def _read_host(host: str, *, is_literal: bool) -> str:
    """A host name in ASCII and without a dot at its end, or an address."""
    if is_literal:
        try:
            return str(ipaddress.IPv6Address(host if "%" not in host else ""))
        except ValueError as error:
            raise AddressRefused(f"{host[:_LONGEST_HOST]!r} is not an IPv6 address without a zone") from error
    try:
        name = host if host.isascii() else idna.encode(host).decode("ascii")
    except UnicodeError as error:
        raise AddressRefused(f"{host[:_LONGEST_HOST]!r} is not a host name") from error
    name = name.removesuffix(".")
    if len(name) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, name.split("."))):
        raise AddressRefused(f"{host[:_LONGEST_HOST]!r} is not a host name")
    return name


def _encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS or name.lower().startswith("proxy-"):
            raise HeaderRefused(f"{name[:100]!r} is not a header that may be set")
        if not _HEADER_VALUE.fullmatch(value):
            raise HeaderRefused(f"the value of {name} holds what a header cannot")
    lines = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    names_agent = any(name.lower() == "user-agent" for name in headers)
    return lines if names_agent else [(b"User-Agent", _AGENT), *lines]


def _decode_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A header that stands several times is one with commas (RFC 9110, section 5.3)."""
    decoded: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        decoded[name] = f"{decoded[name]}, {value}" if name in decoded else value
    return decoded


def _read_start(response: httpcore.Response) -> bytes:
    body = b""
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= MOST_BODY_BYTES:
            break
    return body[:MOST_BODY_BYTES]


class _Deadline(threading.local):
    """When the call of this thread must be over. All that a call does to the network happens in its own thread."""

    ends_at = 0.0

    def start(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def cut(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
        """The seconds that one wait may take."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise error("the whole call took too long")
        return left if timeout is None else min(timeout, left)


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects where `check_address` lets it."""

    def __init__(self, allowed: Sequence[Network], *, resolve: Resolve, deadline: _Deadline) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address that takes it.

        Raises:
            AddressRefused: one of the addresses may not be called.
        """
        addresses = self._look_up(host, port, timeout)
        for address in addresses:
            reason = check_address(address, self._allowed)
            if reason is not None:
                raise AddressRefused(f"{host} is at {address}, which {reason}")
        failure: Exception = httpcore.ConnectError("the host has no address")
        tried = addresses[:_MOST_ATTEMPTS]
        for index, address in enumerate(tried):
            # a silent address leaves time for those after it
            share = self._deadline.cut(timeout, httpcore.ConnectTimeout) / (len(tried) - index)
            try:
                stream = self._sockets.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Never."""
        raise AddressRefused("a socket of this machine")

    def _look_up(self, host: str, port: int, timeout: float | None) -> list[str]:
        """All addresses of a host. Resolving cannot be interrupted, so a thread is left behind when time is up."""
        found: queue.SimpleQueue[Sequence[tuple[Any, ...]] | Exception] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                found.put(self._resolve(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                found.put(error)

        threading.Thread(target=look_up, name="resolve", daemon=True).start()
        try:
            answer = found.get(timeout=self._deadline.cut(timeout, httpcore.ConnectTimeout))
        except queue.Empty:
            raise httpcore.ConnectTimeout("resolving the host took too long") from None
        if isinstance(answer, Exception):
            raise httpcore.ConnectError(f"the host cannot be resolved: {answer}") from answer
        return list(dict.fromkeys(_write_address(entry[4]) for entry in answer))


def _write_address(place: tuple[Any, ...]) -> str:
    """The address in a socket address, with its zone if it has one."""
    text = str(place[0])
    zone = place[3] if len(place) > 3 else 0
    return f"{text}%{zone}" if zone and "%" not in text else text


class _TimedStream(httpcore.NetworkStream):
    """A connection on which no wait lasts beyond the deadline of the call."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._deadline.cut(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE_BYTES):
            piece = buffer[start : start + _PIECE_BYTES]
            self._stream.write(piece, timeout=self._deadline.cut(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            seconds = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        except httpcore.ConnectTimeout:
            self.close()
            raise
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
