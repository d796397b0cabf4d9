"""Connections on which no stream waits for another one's answer.

httpcore lets one stream at a time read from an HTTP/2 connection, for all of them. If that one is never answered while
nothing more arrives, the others wait behind it, though their answers have been read. So a connection that is silent for
a moment hands its reader an empty frame of a type that nobody knows, which HTTP/2 has everybody ignore (RFC 9113,
section 5.5), and the next stream has its turn.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

TICK_SECONDS = 0.2

_HEADER_BYTES = 9
_TICK = (0).to_bytes(3, "big") + bytes((0xFA, 0)) + (0).to_bytes(4, "big")
"""length 0, a type that is reserved for nothing, no flags, no stream"""


class TickingBackend(httpcore.AsyncNetworkBackend):
    """Connects as `backend` does."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See `httpcore.AsyncNetworkBackend`."""
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _TickingStream(stream)

    async def sleep(self, seconds: float) -> None:
        """See `httpcore.AsyncNetworkBackend`."""
        await self._backend.sleep(seconds)


class _TickingStream(httpcore.AsyncNetworkStream):
    """Passes everything on, and ticks where a frame has ended and no other begins."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._header = b""
        """of the frame that is being read, as far as it has come"""
        self._left_bytes = 0
        """of the frame's content"""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.AsyncNetworkStream`."""
        if timeout is not None or self._header or self._left_bytes:
            return self._follow(await self._stream.read(max_bytes, timeout))
        try:
            return self._follow(await self._stream.read(max_bytes, TICK_SECONDS))
        except httpcore.ReadTimeout:
            return _TICK

    def _follow(self, data: bytes) -> bytes:
        """Notes where in a frame the data ends."""
        position = 0
        while position < len(data):
            if self._left_bytes:
                step = min(self._left_bytes, len(data) - position)
                self._left_bytes -= step
            else:
                step = min(_HEADER_BYTES - len(self._header), len(data) - position)
                self._header += data[position : position + step]
                if len(self._header) == _HEADER_BYTES:
                    self._left_bytes, self._header = int.from_bytes(self._header[:3], "big"), b""
            position += step
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """See `httpcore.AsyncNetworkStream`."""
        return _TickingStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.AsyncNetworkStream`."""
        return self._stream.get_extra_info(info)
