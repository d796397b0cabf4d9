"""Forbids the network to unit tests: whoever opens a socket fails at once."""

from __future__ import annotations

import socket

import pytest


class SocketOpenedError(AssertionError):
    """A unit test reached for the network."""


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket can be made while a test runs."""

    def refuse(*_: object, **__: object) -> None:
        raise SocketOpenedError("unit tests use no network")

    monkeypatch.setattr(socket, "socket", refuse)
