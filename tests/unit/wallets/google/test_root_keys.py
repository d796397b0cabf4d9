from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chalicelib.domain.errors import Busy
from chalicelib.wallets.google.root_keys import RootKey, RootKeys, fetch_keys, read_moment, read_root_keys
from tests.unit.wallets.google.signing import NOW, encode_public, milliseconds, new_key, root_entry, root_list

URL = "https://keys.example/list"
FIRST, SECOND = new_key(), new_key()
DAY = 86_400
LARGEST = root_list(root_entry(FIRST)).ljust(100_000)


class _Server:
    """A key server and a clock."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.now = NOW
        self.urls: list[str] = []
        self.error: Exception | None = None
        self.body = root_list(*entries)

    @property
    def calls(self) -> int:
        return len(self.urls)

    def fetch(self, url: str) -> bytes:
        self.urls.append(url)
        if self.error is not None:
            raise self.error
        return self.body

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def keys(self, **options: Any) -> RootKeys:
        return RootKeys(URL, fetch=self.fetch, now=lambda: self.now, **options)


def _entry(key: Any, *, expires_in: float) -> dict[str, Any]:
    return root_entry(key, keyExpiration=str(milliseconds(after_now=expires_in)))


def _points(keys: list[RootKey]) -> list[Any]:
    return [key.public_key.public_numbers() for key in keys]


def _point(key: ec.EllipticCurvePrivateKey) -> Any:
    return key.public_key().public_numbers()


# the list


def test_the_keys_of_the_list_come_with_their_expiration() -> None:
    keys = read_root_keys(root_list(_entry(FIRST, expires_in=60), _entry(SECOND, expires_in=90)), now=NOW)

    assert _points(keys) == [_point(FIRST), _point(SECOND)]
    assert [key.expires_at for key in keys] == [NOW + timedelta(seconds=60), NOW + timedelta(seconds=90)]


def test_an_expiration_may_be_a_number() -> None:
    body = root_list(root_entry(FIRST, keyExpiration=milliseconds(after_now=60)))

    assert [key.expires_at for key in read_root_keys(body, now=NOW)] == [NOW + timedelta(seconds=60)]


IGNORED: dict[str, Callable[[], Any]] = {
    "another version": lambda: root_entry(FIRST, protocolVersion="ECv1"),
    "the version of payments": lambda: root_entry(FIRST, protocolVersion="ECv2"),
    "no version": lambda: root_entry(FIRST, protocolVersion=None),
    "no expiration": lambda: root_entry(FIRST, keyExpiration=None),
    "no number": lambda: root_entry(FIRST, keyExpiration="never"),
    "expired": lambda: _entry(FIRST, expires_in=-60),
    "expired now": lambda: _entry(FIRST, expires_in=0),
    "no key": lambda: root_entry(FIRST, keyValue=None),
    "no base64": lambda: root_entry(FIRST, keyValue="*"),
    "no DER": lambda: root_entry(FIRST, keyValue=base64.b64encode(b"no DER").decode()),
    "a list as key": lambda: root_entry(FIRST, keyValue=[encode_public(FIRST)]),
    "P-384": lambda: root_entry(ec.generate_private_key(ec.SECP384R1())),
    "RSA": lambda: root_entry(rsa.generate_private_key(65_537, 2_048)),
    "text": lambda: "text",
    "null": lambda: None,
}


@pytest.mark.parametrize("make", IGNORED.values(), ids=IGNORED.keys())
def test_unusable_keys_are_ignored_and_the_others_stay(make: Callable[[], Any]) -> None:
    assert _points(read_root_keys(root_list(make(), root_entry(SECOND)), now=NOW)) == [_point(SECOND)]


NO_LISTS = [
    b"",
    b"{",
    b"[]",
    b"7",
    b"null",
    b"{}",
    b'{"keys": {}}',
    b'{"keys": "x"}',
    b"<html>",
    b"\xff",
    b"[" * 90_000,
]


@pytest.mark.parametrize("body", NO_LISTS, ids=lambda body: repr(body[:12]))
def test_a_body_that_is_no_list_holds_no_keys(body: bytes) -> None:
    assert read_root_keys(body, now=NOW) == []


def test_a_list_may_have_100000_bytes() -> None:
    assert len(read_root_keys(LARGEST, now=NOW)) == 1
    assert read_root_keys(LARGEST + b" ", now=NOW) == []


@pytest.mark.parametrize(
    ("milliseconds", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("1", datetime(1970, 1, 1, microsecond=1000, tzinfo=UTC)),
        (1_700_000_000_000.0, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (2**63, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (10**400, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (float("inf"), None),
        (float("nan"), None),
        (False, None),
        ("\u00b2", None),
    ],
)
def test_moments_are_numbers_of_milliseconds(milliseconds: Any, moment: datetime | None) -> None:
    assert read_moment(milliseconds) == moment


# caching


def test_keys_are_fetched_when_first_needed_and_then_kept() -> None:
    server = _Server(_entry(FIRST, expires_in=DAY))
    root_keys = server.keys()
    assert server.calls == 0

    first = root_keys.get()
    server.wait(DAY / 2)

    assert _points(first) == [_point(FIRST)]
    assert root_keys.get() == first
    assert server.urls == [URL]


def test_keys_are_asked_for_again_shortly_before_the_first_of_them_expires() -> None:
    server = _Server(_entry(FIRST, expires_in=DAY), _entry(SECOND, expires_in=9 * DAY))
    root_keys = server.keys()
    root_keys.get()
    server.body = root_list(_entry(SECOND, expires_in=9 * DAY))

    server.wait(DAY - 3_601)
    assert _points(root_keys.get()) == [_point(FIRST), _point(SECOND)]
    server.wait(1)
    assert _points(root_keys.get()) == [_point(SECOND)]
    server.wait(7 * DAY)
    root_keys.get()
    assert server.calls == 2


def test_a_list_that_is_always_about_to_expire_is_asked_for_seldom() -> None:
    server = _Server(_entry(FIRST, expires_in=1_800))
    root_keys = server.keys()
    for _ in range(600):
        root_keys.get()
        server.wait(1)

    assert server.calls == 3, "at once, then every five minutes"


@pytest.mark.parametrize("error", [Busy("down"), OSError("down"), None])
def test_a_failed_refresh_does_no_harm_while_an_older_key_works(error: Exception | None) -> None:
    server = _Server(_entry(FIRST, expires_in=DAY), _entry(SECOND, expires_in=2 * DAY))
    root_keys = server.keys()
    root_keys.get()
    server.error, server.body = error, b"<html>"

    server.wait(DAY - 60)
    assert _points(root_keys.get()) == [_point(FIRST), _point(SECOND)]
    server.wait(60)
    assert _points(root_keys.get()) == [_point(SECOND)]
    assert server.calls == 2

    server.wait(DAY)
    with pytest.raises(Busy):
        root_keys.get()


@pytest.mark.parametrize("error", [Busy("down"), OSError("down"), TimeoutError()])
def test_without_an_answer_there_are_no_keys_until_there_is_one(error: Exception) -> None:
    server = _Server(_entry(FIRST, expires_in=DAY))
    server.error = error
    root_keys = server.keys()
    with pytest.raises(Busy):
        root_keys.get()

    server.error = None
    server.wait(1)

    assert _points(root_keys.get()) == [_point(FIRST)]


@pytest.mark.parametrize("body", [*NO_LISTS, root_list(), root_list(root_entry(FIRST, protocolVersion="ECv2"))])
def test_an_answer_without_usable_keys_is_as_good_as_none(body: bytes) -> None:
    server = _Server()
    server.body = body

    with pytest.raises(Busy):
        server.keys().get()


def test_a_failing_key_server_is_asked_once_a_second_at_most() -> None:
    server = _Server()
    server.error = Busy("down")
    root_keys = server.keys()
    for _ in range(10):
        with pytest.raises(Busy):
            root_keys.get()
        server.wait(0.2)

    assert server.calls == 2


def test_threads_that_come_together_share_one_fetch() -> None:
    server = _Server(_entry(FIRST, expires_in=DAY))
    inside = Barrier(2)

    def fetch(url: str) -> bytes:
        # a second thread in here would end the wait at once
        with suppress(BrokenBarrierError):
            inside.wait(timeout=0.2)
        return server.fetch(url)

    root_keys = RootKeys(URL, fetch=fetch, now=lambda: NOW)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: root_keys.get(), range(4)))

    assert all(_points(keys) == [_point(FIRST)] for keys in found)
    assert server.calls == 1


# after a signature that no key fits


def test_an_early_refetch_brings_new_keys() -> None:
    server = _Server(_entry(FIRST, expires_in=DAY))
    root_keys = server.keys()
    root_keys.get()
    server.body = root_list(_entry(SECOND, expires_in=DAY))

    root_keys.refetch_after_failure()

    assert _points(root_keys.get()) == [_point(SECOND)]


def test_early_refetches_keep_their_distance() -> None:
    server = _Server(_entry(FIRST, expires_in=DAY))
    root_keys = server.keys(minimum_seconds_between_fetches=100)
    root_keys.get()
    for _ in range(200):
        root_keys.refetch_after_failure()
        server.wait(1)

    assert server.calls == 1 + 2


def test_a_failed_refetch_counts_and_keeps_the_keys() -> None:
    server = _Server(_entry(FIRST, expires_in=DAY))
    root_keys = server.keys()
    root_keys.get()
    server.error = Busy("down")

    root_keys.refetch_after_failure()
    root_keys.refetch_after_failure()

    assert _points(root_keys.get()) == [_point(FIRST)]
    assert server.calls == 2


# the call


def _answer(respond: Callable[[httpx.Request], httpx.Response]) -> bytes:
    return fetch_keys(URL, transport=httpx.MockTransport(respond))


def test_the_body_of_the_answer_is_fetched() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("GET", URL)
        return httpx.Response(200, content=b"the list")

    assert _answer(respond) == b"the list"


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 404, 429, 500, 503])
def test_any_other_status_is_no_answer_and_redirects_are_not_followed(status: int) -> None:
    urls = []

    def respond(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(status, headers={"Location": "https://evil.example/"}, content=b"{}")

    with pytest.raises(Busy, match=str(status)):
        _answer(respond)
    assert urls == [URL]


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_broken_connection_is_no_answer(error: type[httpx.RequestError]) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        raise error("broken")

    with pytest.raises(Busy, match="reached"):
        _answer(respond)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 10_000

    with pytest.raises(Busy, match="too large"):
        _answer(lambda _: httpx.Response(200, content=endless()))
    assert read == 11


def test_nobody_waits_long_for_keys() -> None:
    waits = []

    def respond(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"])
        return httpx.Response(200)

    _answer(respond)

    assert waits == [{"connect": 5, "read": 5, "write": 5, "pool": 5}]
