from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.outbound.addresses import check_address
from chalicelib.outbound.guarded import ANYWHERE, AddressRefused, GuardedClient, HeaderRefused

NOT_PUBLIC = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "100.64.0.1": "shared by a carrier",
    "100.127.255.255": "shared by a carrier",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "169.254.169.254": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "reserved",
    "192.0.2.1": "for documentation",
    "192.88.99.1": "a tunnel",
    "192.168.1.1": "private",
    "198.18.0.1": "reserved",
    "198.51.100.1": "for documentation",
    "203.0.113.1": "for documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "not public",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:a9fe:a9fe": "link-local",
    "::ffff:10.0.0.1": "private",
    "::ffff:100.64.0.1": "shared by a carrier",
    "::ffff:0:127.0.0.1": "not public",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::169.254.169.254": "link-local",
    "64:ff9b::10.1.2.3": "private",
    "64:ff9b:1::a00:1": "not public",
    "100::1": "not public",
    "2001::1": "a tunnel",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe": "a tunnel",
    "2001:2::1": "reserved",
    "2001:20::1": "reserved",
    "2001:db8::1": "for documentation",
    "2002:7f00:1::": "a tunnel",
    "2002:a9fe:a9fe::1": "a tunnel",
    "3fff::1": "for documentation",
    "4000::1": "not public",
    "5f00::1": "not public",
    "fc00::1": "private",
    "fd00:ec2::254": "private",
    "fe80::1": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "fe80::1%eth0": "has a zone",
    "2606:4700::1%1": "has a zone",
    "8.8.8.8%1": "has a zone",
    "0x7f.1": "not an IP address",
    "127.1": "not an IP address",
    "2130706433": "not an IP address",
    "0177.0.0.1": "not an IP address",
    "localhost": "not an IP address",
    "": "not an IP address",
}

PUBLIC = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.169.0.1"]
PUBLIC += ["223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860::8888", "::ffff:8.8.8.8"]
PUBLIC += ["64:ff9b::8.8.8.8"]

REFUSED_URLS = {
    "http": "http://receiver.example/",
    "another scheme": "ftp://receiver.example/",
    "a file": "file:///etc/passwd",
    "no scheme": "receiver.example/x",
    "scheme-relative": "//receiver.example/x",
    "empty": "",
    "no host": "https:///x",
    "only a port": "https://:443/",
    "a user": "https://user@receiver.example/",
    "an empty user": "https://@receiver.example/",
    "a user and a password": "https://user:secret@receiver.example/",
    "a port that is no number": "https://receiver.example:x/",
    "a port too large": "https://receiver.example:65536/",
    "a negative port": "https://receiver.example:-1/",
    "a line break": "https://receiver.example/\r\nHost: evil",
    "a tab in the host": "https://recei\tver.example/",
    "a space": "https://receiver.example/a b",
    "a leading space": " https://receiver.example/",
    "null": "https://receiver.example/\x00",
    "a backslash": "https://evil.example\\@receiver.example/",
    "half a surrogate pair": "https://receiver.example/\ud800",
    "an encoded dot in the host": "https://127%2e0.0.1/",
    "full-width digits": "https://\uff11\uff12\uff17.0.0.1/",
    "an empty label": "https://receiver..example/",
    "two dots at the end": "https://receiver.example../",
    "a dot alone": "https://./",
    "a label too long": f"https://{'a' * 64}.example/",
    "a name too long": f"https://{'a.' * 127}example/",
    "a zone": "https://[fe80::1%25eth0]/",
    "a zone of a public address": "https://[2606:4700::1%25eth0]/",
    "a name in brackets": "https://[receiver.example]/",
    "an open bracket": "https://[receiver.example/",
}

REFUSED_HEADERS = {
    "a line break in a value": ("X-One", "a\r\nX-Two: b"),
    "a line feed in a value": ("X-One", "a\nX-Two: b"),
    "a carriage return in a value": ("X-One", "a\rX-Two: b"),
    "null in a value": ("X-One", "a\x00b"),
    "delete in a value": ("X-One", "a\x7fb"),
    "a space before a value": ("X-One", " a"),
    "a line break after a value": ("X-One", "a\n"),
    "a value beyond Latin-1": ("X-One", "\u20ac"),
    "a letter that becomes a line break in Latin-1": ("X-One", "a\u010ab"),
    "a line break in a name": ("X-One\r\nX-Two", "a"),
    "a line break after a name": ("X-One\n", "a"),
    "a colon in a name": ("X-One:", "a"),
    "a space in a name": ("X One", "a"),
    "a space after a name": ("Host ", "a"),
    "an empty name": ("", "a"),
    "a name beyond ASCII": ("X-\u00e4", "a"),
    "another host": ("Host", "evil.example"),
    "another length": ("content-length", "0"),
    "another framing": ("Transfer-Encoding", "chunked"),
    "a hop's own header": ("Connection", "close"),
    "an upgrade": ("UPGRADE", "h2c"),
    "a proxy's header": ("Proxy-Authorization", "a"),
}


def _never_resolve(*arguments: Any, **_: Any) -> Sequence[tuple[Any, ...]]:
    raise AssertionError(f"{arguments} was to be resolved")


@pytest.fixture(scope="module")
def client() -> GuardedClient:
    return GuardedClient(resolve=_never_resolve)


@pytest.mark.parametrize(("address", "reason"), NOT_PUBLIC.items())
def test_what_is_not_public_unicast_is_refused_and_named(address: str, reason: str) -> None:
    assert reason in (check_address(address, []) or "")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(address: str) -> None:
    assert check_address(address, []) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "fd00::1"])
def test_an_allowed_network_may_be_called_in_any_spelling(address: str) -> None:
    allowed = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")]

    assert check_address(address, allowed) is None


@pytest.mark.parametrize("address", ["10.0.0.1", "::1", "fe80::1%lo", "127.0.0.1%1", "::ffff:10.0.0.1"])
def test_an_allowed_network_lets_no_other_address_pass(address: str) -> None:
    assert check_address(address, [ipaddress.ip_network("127.0.0.0/8")]) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_inside_ipv6(address: ipaddress.IPv4Address) -> None:
    alone = check_address(str(address), [])

    assert check_address(f"::ffff:{address}", []) == alone
    assert check_address(f"64:ff9b::{address}", []) == alone


@given(st.ip_addresses())
def test_nothing_that_the_standard_library_calls_special_is_called(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    is_special = address.is_private or address.is_multicast or address.is_link_local or address.is_unspecified

    assert not (is_special and check_address(str(address), []) is None)


@given(st.ip_addresses())
def test_anywhere_is_every_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert check_address(str(address), [ipaddress.ip_network(network) for network in ANYWHERE]) is None


@pytest.mark.parametrize("url", REFUSED_URLS.values(), ids=REFUSED_URLS.keys())
def test_a_url_that_we_do_not_call_is_refused_before_anything_is_resolved(client: GuardedClient, url: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        client.post(url, headers={}, content=b"")

    assert refusal.value.reason
    assert "secret" not in refusal.value.reason


def test_http_is_refused_by_name(client: GuardedClient) -> None:
    with pytest.raises(AddressRefused, match=r"^receiver\.example: the scheme is http, not https$"):
        client.post("http://receiver.example/", headers={}, content=b"")


@pytest.mark.parametrize(("name", "value"), REFUSED_HEADERS.values(), ids=REFUSED_HEADERS.keys())
def test_a_header_that_could_smuggle_is_refused_before_anything_is_resolved(
    client: GuardedClient, name: str, value: str
) -> None:
    with pytest.raises(HeaderRefused):
        client.post("https://receiver.example/", headers={name: value}, content=b"")


def test_a_network_that_is_none_is_noticed_at_once() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        GuardedClient(allowed_networks=["10.0.0.0/33"])
