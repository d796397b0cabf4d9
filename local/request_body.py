"""Reads the body of one HTTP/1.1 request, bounded in size whatever the client declares."""

from __future__ import annotations

from email.message import Message
from typing import BinaryIO

MAX_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's own limit, so that a laptop refuses what AWS would"""

_MAX_LINE_BYTES = 1024


class BodyRefusedError(Exception):
    """The request is malformed or too large; the message is for the client, and the connection must be closed."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


def read_body(headers: Message, stream: BinaryIO) -> bytes | None:
    """The body of a request whose headers were read from `stream`; None if it has none.

    Raises:
        BodyRefusedError: the length is missing sense or above the limit; nothing more than the limit was read.
        ClientGoneError: the stream ended early.
    """
    encodings = headers.get_all("Transfer-Encoding", [])
    lengths = set(headers.get_all("Content-Length", []))
    if encodings:
        # Both together is how one request is smuggled inside another.
        if lengths or [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
            raise BodyRefusedError("unusable Transfer-Encoding header")
        return _read_chunks(stream)
    if not lengths:
        return None
    length = lengths.pop().strip()
    if lengths or not (length.isascii() and length.isdigit()):
        raise BodyRefusedError("unusable Content-Length header")
    # By digits first: Python refuses to convert thousands of them.
    if len(length.lstrip("0")) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
        raise _too_large()
    return _read_exactly(stream, int(length)) or None


def _read_chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while size := _read_chunk_size(stream):
        if len(body) + size > MAX_BODY_BYTES:
            raise _too_large()
        body += _read_exactly(stream, size)
        if _read_line(stream):
            raise BodyRefusedError("malformed chunk")
    while _read_line(stream):  # trailers
        continue
    return bytes(body)


def _read_chunk_size(stream: BinaryIO) -> int:
    digits = _read_line(stream).partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise BodyRefusedError("malformed chunk")
    return int(digits, 16)


def _read_line(stream: BinaryIO) -> bytes:
    line = stream.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        if len(line) == _MAX_LINE_BYTES:
            raise BodyRefusedError("malformed chunk")
        raise ClientGoneError
    return line.rstrip(b"\r\n")


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ClientGoneError
    return data


def _too_large() -> BodyRefusedError:
    return BodyRefusedError(f"the request body is larger than {MAX_BODY_BYTES} bytes")
