"""Connections to Apple's push service: HTTP/2, shared by all pushes with one credential (wallets, section 2.5).

httpcore ends the whole connection if a stream is cancelled while it writes, and lets go of a cancelled stream that the
server still counts. So no stream is ever cancelled here: one that takes too long is left to itself, its connection
takes no more pushes, and is closed when the others are answered. Everything in this module runs in one event loop.

The transport is used without `httpx.AsyncClient`, which logs every URL, and so the tokens.
"""

from __future__ import annotations

import asyncio
import logging
import select
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import httpcore
import httpx

from chalicelib.wallets.apple.push_answers import Answer
from chalicelib.wallets.apple.push_ticks import TickingBackend

MOST_STREAMS = 100
"""at once on a connection, which httpcore itself has as its limit"""

_TRUSTED_IDLE = timedelta(minutes=4)
"""a connection unused for longer is not used again: what lies between forgets silent ones, often after 350 s"""
_PROVEN_IDLE = timedelta(seconds=1)
"""after a longer pause one push goes alone, so that a connection that died meanwhile costs no more than that one"""
_MOST_CONNECTIONS = 2
"""one is used; the second takes over while the answers of a connection that the server ends still come"""

_HUNG_UP = select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE")
"""in the names of OpenSSL's errors when the other side refuses us"""

_log = logging.getLogger("passel")


class NotProcessedError(Exception):
    """The service has surely not acted on the push: it may be sent again at once."""


class UnreachableError(NotProcessedError):
    """There is no connection, and none could be made."""


class UnansweredError(Exception):
    """The push may have been acted on, or not; the message says in a word what happened."""

    def __init__(self, reason: str, *, was_open: bool = True) -> None:
        super().__init__(reason)
        self.was_open = was_open
        """whether the server had spoken HTTP/2 on that connection"""


class SilentError(UnansweredError):
    """Time is over."""


class UntrustedError(Exception):
    """One side does not accept the other's certificate; the message says in a word which."""


class Connection:
    """One HTTP/2 connection, made when it is first used and made again when the server ends it."""

    def __init__(self, context: ssl.SSLContext, *, name: str, now: Callable[[], datetime]) -> None:
        """`name` is for logs."""
        self.is_retired = False
        """it takes no more pushes"""
        self.is_open = False
        """whether the server has spoken HTTP/2 on it"""
        self._name = name
        self._now = now
        self._transport = _make_transport(context)
        self._allowed = 1
        self._is_proven = False
        self._in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._used_at = now()
        self._network_stream: Any = None
        self._exchanges: set[asyncio.Task[Answer]] = set()
        self._closing: asyncio.Task[None] | None = None

    def is_stale(self) -> bool:
        """Whether it lies idle and is better not used again: the other side has hung up, or may have unheard."""
        if self._in_use or not self.is_open:
            return False
        return self._now() - self._used_at > _TRUSTED_IDLE or _has_hung_up(self._network_stream)

    async def acquire(self) -> bool:
        """Waits for a free stream and takes it; False if the connection was retired meanwhile."""
        if self._in_use == 0 and self._now() - self._used_at > _PROVEN_IDLE:
            self._is_proven = False
        while not self.is_retired and self._in_use >= self._limit:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._wake()  # this one may have been woken for nothing
                raise
        if not self.is_retired:
            self._in_use += 1
        return not self.is_retired

    def release(self) -> None:
        """Gives back what `acquire` took."""
        self._in_use -= 1
        self._used_at = self._now()
        self._wake()
        self._close_if_done()

    async def exchange(self, request: httpx.Request, *, seconds: float) -> Answer:
        """The answer to a request, which is used once. To be called between `acquire` and `release`.

        Raises:
            NotProcessedError: see there; the same push may be sent again.
            UnansweredError: the connection broke, or time is over (SilentError).
            UntrustedError: see there.
        """
        stream = _Stream(self)
        request.extensions["trace"] = stream.trace
        request.extensions["timeout"] = httpx.Timeout(None, connect=seconds / 2, pool=seconds / 2).as_dict()
        task = asyncio.create_task(self._send(request, stream))
        self._exchanges.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait((task,), timeout=seconds)
        if task.done() and not task.cancelled():
            return task.result()
        self.retire()
        if stream.was_begun:
            raise SilentError("silent", was_open=stream.was_open)
        task.cancel()
        raise NotProcessedError if self.is_open else UnreachableError

    def retire(self) -> None:
        """Takes no more pushes and closes when those at work are answered."""
        if not self.is_retired:
            self.is_retired = True
            self._wake()
            self._close_if_done()

    async def close(self) -> None:
        """Ends it now, with everything on it."""
        self.is_retired = True
        self._wake()
        await self._transport.aclose()
        for task in self._exchanges:
            task.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)

    # What streams tell of the connection they share.

    def connecting(self) -> None:
        """A new connection is being made."""
        self.is_open = self._is_proven = False
        self._allowed = 1

    def hear_settings(self, most_streams: int | None) -> None:
        """The server spoke, and may have said how many streams it takes; until it does, httpcore opens one."""
        self.is_open = self._is_proven = True
        if most_streams:
            self._allowed = min(most_streams, MOST_STREAMS)
        self._wake()

    def lose(self) -> None:
        """It broke; the next push goes alone until the new one is made."""
        self._is_proven = False

    @property
    def _limit(self) -> int:
        return self._allowed if self._is_proven else 1

    async def _send(self, request: httpx.Request, stream: _Stream) -> Answer:
        try:
            response = await self._transport.handle_async_request(request)
            body = await response.aread()
        except (httpx.HTTPError, h2.exceptions.H2Error, OSError) as error:
            raise stream.explain(error) from error
        self._network_stream = response.extensions.get("network_stream")
        if not self._is_proven:
            self._is_proven = True
            self._wake()
        return Answer(status=response.status_code, headers=response.headers, body=body)

    def _wake(self) -> None:
        """Lets waiters go on: all of a retired connection, else as many as there are free streams."""
        free = len(self._waiting) if self.is_retired else self._limit - self._in_use
        while self._waiting and free > 0:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1

    def _close_if_done(self) -> None:
        if self.is_retired and not self._in_use and self._closing is None:
            _log.info("the connection to %s is closed", self._name)
            self._closing = asyncio.create_task(self.close())

    def _forget(self, task: asyncio.Task[Answer]) -> None:
        self._exchanges.discard(task)
        if not task.cancelled():
            task.exception()  # nobody asks for that of a stream left to itself


def _make_transport(context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    """httpx has no argument for what connects, so its pool is replaced by the same one that ticks."""
    transport = httpx.AsyncHTTPTransport(verify=context, http1=False, http2=True, trust_env=False)
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=context,
        http1=False,
        http2=True,
        max_connections=_MOST_CONNECTIONS,
        max_keepalive_connections=_MOST_CONNECTIONS,
        network_backend=TickingBackend(httpcore.AnyIOBackend()),
    )
    return transport


class _Stream:
    """What httpcore tells of one request on its way; see its "trace" extension."""

    def __init__(self, connection: Connection) -> None:
        self.was_begun = False
        """some of it may have reached the server"""
        self.was_open = False
        """the server had spoken HTTP/2 by then"""
        self._connection = connection
        self._may_be_whole = False
        self._id = 0

    async def trace(self, event: str, information: dict[str, Any]) -> None:
        """httpcore came to a step of this request, or of the connection on its behalf."""
        match event:
            case "connection.connect_tcp.started":
                self._connection.connecting()
            case "http2.receive_remote_settings.complete":
                changed = information["return_value"].changed_settings
                limit = changed.get(h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS)
                self._connection.hear_settings(limit.new_value if limit else None)
                self.was_open = True
            case "http2.send_request_headers.started":
                self._id = information["stream_id"]
                self.was_begun, self._may_be_whole = True, False
                self.was_open = self._connection.is_open
            case "http2.send_request_body.started":
                self._may_be_whole = True

    def explain(self, error: Exception) -> Exception:
        """What a failure means for the push."""
        causes = list(_causes(error))
        told = next((part for cause in causes for part in cause.args if isinstance(part, h2.events.Event)), None)
        if isinstance(told, h2.events.StreamReset):
            is_refused = told.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
            return NotProcessedError() if is_refused else UnansweredError("reset")
        self._connection.lose()
        if isinstance(error, httpx.PoolTimeout):
            self._connection.retire()
        refusal = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
        if refusal is not None and (reason := _read_refusal(refusal)):
            return UntrustedError(reason)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return UnreachableError()
        if isinstance(told, h2.events.ConnectionTerminated) and self._id > (told.last_stream_id or 0):
            return NotProcessedError()
        return UnansweredError("disconnected", was_open=self.was_open) if self._may_be_whole else NotProcessedError()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _read_refusal(error: ssl.SSLError) -> str:
    """A word for a refused certificate, the server's or ours; empty for other faults of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "server certificate not trusted"
    name = error.reason or ""
    return "certificate refused" if any(part in name for part in _CERTIFICATE_ALERTS) else ""


def _has_hung_up(network_stream: Any) -> bool:
    """Whether the other side has closed, of which a connection takes no notice while nobody reads."""
    socket = network_stream.get_extra_info("socket") if network_stream is not None else None
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), _HUNG_UP)
    return bool(poll.poll(0))
