"""The push services of a local run, and the feed that tells phones of their pushes, over sockets."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from chalicelib.settings import read_settings
from local.demo_client import Pushes
from local.vendors import Vendors

DEADLINE_SECONDS = 30.0
PASS_TYPE = "pass.test"


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    vendors = Vendors(tmp_path / "vendors")
    vendors.start()
    yield vendors
    vendors.stop()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=DEADLINE_SECONDS) as client:
        yield client


def test_a_push_to_each_service_is_told_to_the_phone(vendors: Vendors, http: httpx.Client) -> None:
    settings = read_settings(vendors.variables)
    pass_wallet = settings.passwallet_push_allow["push.passwallet.net"]
    apple = f"{settings.apns_base_url}/3/device/iphone"
    with httpx.Client(
        http2=True, trust_env=False, verify=ssl.create_default_context(cafile=settings.ca_file)
    ) as over_tls:
        assert over_tls.post(apple, content=b"{}", headers={"apns-topic": PASS_TYPE}).http_version == "HTTP/2"
    for url, body in {
        f"{settings.wallet_passes_base_url}/api/v1/push": {"passTypeIdentifier": PASS_TYPE, "pushTokens": ["wp"]},
        f"{settings.pass2u_base_url}/v2/registrations/{PASS_TYPE}/push": {"registrationIds": ["p2u"]},
        f"{settings.passworks_wallet_base_url}/v1/pushUpdate": {"pushTokens": ["pw1", "pw2"]},
        f"{pass_wallet}/v1/pushUpdate": {"passTypeID": PASS_TYPE, "pushToken": "pwlt"},
    }.items():
        assert http.post(url, json=body).status_code == 200, url
    feed = Pushes(http, vendors.feed_url)
    tokens = ("iphone", "wp", "p2u", "pw1", "pw2", "pwlt", "nobody")
    assert [feed.count(token) for token in tokens] == [1, 1, 1, 1, 1, 1, 0]


def test_many_phones_wait_at_once_and_each_hears_of_its_push(vendors: Vendors, http: httpx.Client) -> None:
    tokens = [f"phone {number}/\u00fc" for number in range(20)]
    feed = Pushes(http, vendors.feed_url)
    with ThreadPoolExecutor(len(tokens)) as threads:
        waiting = [threads.submit(feed.await_push, token, than=0, enough=threading.Event()) for token in tokens]
        vendors.feed.record(*tokens)
        assert all(future.result(DEADLINE_SECONDS) for future in waiting)


def test_a_phone_that_hangs_up_while_it_waits_disturbs_nobody(
    vendors: Vendors, http: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    host, port = vendors.feed_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE_SECONDS) as phone:
        phone.sendall(b"GET /gone?after=0 HTTP/1.0\r\n\r\n")
        # so that it ends with a reset
        phone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    vendors.feed.record("gone")
    assert Pushes(http, vendors.feed_url).count("gone") == 1
    deadline = time.monotonic() + DEADLINE_SECONDS
    while any("process_request" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert capfd.readouterr().err == ""
