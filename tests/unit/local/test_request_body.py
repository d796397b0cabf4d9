"""Reading a request's body within bounds."""

from __future__ import annotations

from email.message import Message
from io import BytesIO

import pytest

from local.request_body import MAX_BODY_BYTES, BodyRefusedError, ClientGoneError, read_body


def headers(*pairs: tuple[str, str]) -> Message:
    message = Message()
    for name, value in pairs:
        message.add_header(name, value)
    return message


CHUNKED = headers(("Transfer-Encoding", "chunked"))


def test_no_length_means_no_body() -> None:
    assert read_body(headers(), BytesIO(b"next request")) is None
    assert read_body(headers(("Content-Length", "0")), BytesIO()) is None


def test_the_declared_length_is_read_and_no_more() -> None:
    stream = BytesIO(b"bodynext")
    assert read_body(headers(("Content-Length", "4")), stream) == b"body"
    assert stream.read() == b"next"


def test_chunks_are_joined_and_trailers_dropped() -> None:
    stream = BytesIO(b"5\r\nhello\r\n1;name=value\r\n!\r\n0\r\nTrailer: x\r\n\r\nnext")
    assert read_body(CHUNKED, stream) == b"hello!"
    assert stream.read() == b"next"


@pytest.mark.parametrize("length", ["", "abc", "-1", "+1", "1_0", "0x10", "1.5", "²", "9" * 5000])
def test_a_length_without_sense_is_refused(length: str) -> None:
    with pytest.raises(BodyRefusedError):
        read_body(headers(("Content-Length", length)), BytesIO(b"x" * 20))


@pytest.mark.parametrize(
    "pairs",
    [
        [("Content-Length", "1"), ("Content-Length", "2")],
        [("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "gzip, chunked")],
    ],
)
def test_headers_that_two_servers_could_read_differently_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BodyRefusedError):
        read_body(headers(*pairs), BytesIO(b"1\r\nx\r\n0\r\n\r\n"))


def test_a_body_above_the_limit_is_refused_unread() -> None:
    stream = BytesIO(b"x")
    with pytest.raises(BodyRefusedError, match="larger than"):
        read_body(headers(("Content-Length", str(MAX_BODY_BYTES + 1))), stream)
    assert stream.tell() == 0


def test_chunks_above_the_limit_are_refused_unread() -> None:
    stream = BytesIO(f"{MAX_BODY_BYTES + 1:x}\r\n".encode() + b"x" * 100)
    with pytest.raises(BodyRefusedError, match="larger than"):
        read_body(CHUNKED, stream)
    assert stream.read() == b"x" * 100


@pytest.mark.parametrize("data", [b"zz\r\n", b"\r\n", b"-1\r\nx\r\n", b"1\r\nxx\r\n", b"1" * 5000])
def test_a_malformed_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(BodyRefusedError):
        read_body(CHUNKED, BytesIO(data))


@pytest.mark.parametrize("data", [b"", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"0\r\n"])
def test_a_stream_that_ends_early_is_no_request(data: bytes) -> None:
    with pytest.raises(ClientGoneError):
        read_body(CHUNKED, BytesIO(data))
    with pytest.raises(ClientGoneError):
        read_body(headers(("Content-Length", "100")), BytesIO(data))
