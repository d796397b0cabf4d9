"""Fixtures: Apple's push service as local servers, and channels to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local.apns import ApnsServer
from local.server_certificates import ServerCertificate, make_server_certificate
from tests.support.apple_push import Pusher, make_credentials

__all__ = ["StartPusher", "StartServer", "certificate", "start_pusher", "start_server"]

StartServer = Callable[..., ApnsServer]
StartPusher = Callable[..., Pusher]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    """What the servers show."""
    return make_server_certificate(tmp_path_factory.mktemp("apns"))


@pytest.fixture
def start_server(certificate: ServerCertificate) -> Iterator[StartServer]:
    """Starts servers that end with the test."""
    started: list[ApnsServer] = []

    def start(**options: object) -> ApnsServer:
        server = ApnsServer(certificate, **options)  # type: ignore[arg-type]
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def start_pusher(certificate: ServerCertificate) -> Iterator[StartPusher]:
    """Makes channels that end with the test."""
    made: list[Pusher] = []

    def start(base_url: str, **options: object) -> Pusher:
        settings = {"ca_file": certificate.ca_file, "credentials": make_credentials(), **options}
        pusher = Pusher(base_url=base_url, **settings)  # type: ignore[arg-type]
        made.append(pusher)
        return pusher

    yield start
    for pusher in made:
        pusher.channel.close()
