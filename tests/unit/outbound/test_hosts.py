"""What the spelling of a host tells of it."""

from __future__ import annotations

import pytest

from chalicelib.outbound.hosts import judge_host


@pytest.mark.parametrize(
    "host",
    [
        "callbacks.example",
        "a.b-c.example.",
        "8.8.8.8",
        "2606:4700::1111",
        "localhost.example",
        "1.example",
        "xn--4ca.de",
    ],
)
def test_nothing_speaks_against_a_name_or_a_public_address(host: str) -> None:
    assert judge_host(host, allowed_networks=[]) is None


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost", "localhost.", "a.localhost", "localhost.localdomain"),
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0"),
        *("10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"),
    ],
)
def test_what_is_seen_not_to_be_public_is_refused(host: str) -> None:
    assert judge_host(host, allowed_networks=[])


@pytest.mark.parametrize(
    "host",
    [
        "a..com",
        "*.com",
        "-bad.com",
        "bad-.com",
        "127.0.0.1%00.com",
        f"{'a' * 64}.com",
        f"{'a.' * 130}com",
        "a b.com",
        "",
    ],
)
def test_what_is_no_name_can_never_be_called(host: str) -> None:
    assert judge_host(host, allowed_networks=["0.0.0.0/0", "::/0"]) == "is not a host name"


@pytest.mark.parametrize("host", ["\uff11\uff12\uff17.0.0.1", "\u2460\u2461\u2466.0.0.1", "127\u30020\u30020\u30021"])
def test_an_address_in_other_digits_is_an_address(host: str) -> None:
    assert "loopback" in str(judge_host(host, allowed_networks=[]))


def test_an_operator_may_trust_a_network() -> None:
    allowed = ["127.0.0.0/8", "10.20.0.0/16"]
    assert judge_host("localhost", allowed_networks=allowed) is None
    assert judge_host("10.20.1.1", allowed_networks=allowed) is None
    assert judge_host("10.21.1.1", allowed_networks=allowed)
