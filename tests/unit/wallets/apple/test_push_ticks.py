"""A silent connection lets its next stream look, but never in the midst of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpcore
import pytest

from chalicelib.wallets.apple.push_ticks import TickingBackend


class Silence(httpcore.AsyncNetworkStream):
    """Gives the pieces one after the other, then is silent. `asked` are the times it was read for."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = list(pieces)
        self.asked: list[float | None] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append(timeout)
        if not self.pieces:
            raise httpcore.ReadTimeout
        return self.pieces.pop(0)


class Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, stream: Silence) -> None:
        self.stream = stream

    async def connect_tcp(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        return self.stream


def frame(content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes((0, 0)) + (1).to_bytes(4, "big") + content


def read_all(pieces: Sequence[bytes], *, timeout: float | None = None) -> tuple[list[bytes], list[float | None]]:
    """What is read of the pieces and of the first silence after them, and how it was asked for."""

    silence = Silence(pieces)

    async def read() -> list[bytes]:
        stream = await TickingBackend(Backend(silence)).connect_tcp("host", 1)
        return [await stream.read(65536, timeout) for _ in range(len(pieces) + 1)]

    # nothing in it waits, so it needs no event loop
    with pytest.raises(StopIteration) as end:
        read().send(None)
    data: list[bytes] = end.value.value
    return data, silence.asked


def test_a_silent_connection_ticks_with_a_frame_that_everybody_ignores() -> None:
    data, asked = read_all([frame(b"abc")])

    assert data[0] == frame(b"abc")
    assert None not in asked
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    (event,) = connection.receive_data(data[1])
    assert isinstance(event, h2.events.UnknownFrameReceived)


@pytest.mark.parametrize("cut", range(1, 12))
def test_in_the_midst_of_a_frame_it_waits(cut: int) -> None:
    with pytest.raises(httpcore.ReadTimeout):
        read_all([frame(b"") + frame(b"abc")[:cut]])


@pytest.mark.parametrize("cut", range(1, 24))
def test_frames_in_any_pieces_end_where_they_end(cut: int) -> None:
    whole = frame(b"abc") + frame(b"de") + frame(b"")
    data, _ = read_all([piece for piece in (whole[:cut], whole[cut:]) if piece])

    assert b"".join(data[:-1]) == whole


def test_a_reader_with_a_timeout_of_its_own_keeps_it() -> None:
    with pytest.raises(httpcore.ReadTimeout):
        read_all([frame(b"")], timeout=3.0)
