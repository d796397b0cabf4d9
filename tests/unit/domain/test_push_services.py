from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.push_services import (
    Nobody,
    PushService,
    is_acceptable_url,
    names_wallet_passes,
    resolve_push_service,
)
from chalicelib.domain.registrations import Wallet

LISTED = {"push.passwallet.net": "http://push.passwallet.net", "local.example": "http://127.0.0.1:9/base/"}

CARRIED_OFF = {
    "another host": "https://evil.example/v1",
    "a host below": "https://a.push.passwallet.net/",
    "a host above": "https://passwallet.net/",
    "the name as a prefix": "https://push.passwallet.net.evil.example/",
    "the name as a suffix": "https://evilpush.passwallet.net/",
    "the name as credentials": "https://push.passwallet.net@evil.example/",
    "the name as a password": "https://x:push.passwallet.net@evil.example/",
    "the name after a backslash": "https://evil.example\\@push.passwallet.net/",
    "the name after an encoded slash": "https://evil.example%2F@push.passwallet.net/",
    "the name in the path": "https://evil.example/push.passwallet.net",
    "the name in the query": "https://evil.example?push.passwallet.net",
    "the name in the fragment": "https://evil.example#@push.passwallet.net/",
    "a Cyrillic letter": "https://push.p\u0430sswallet.net/",
    "full-width letters": "https://\uff50ush.passwallet.net/",
    "a full-width dot": "https://push\uff0epasswallet.net/",
    "an ideographic dot": "https://push\u3002passwallet.net/",
    "an encoded dot": "https://push%2epasswallet.net/",
    "a soft hyphen": "https://push.pass\u00adwallet.net/",
    "two dots at the end": "https://push.passwallet.net../",
    "IPv4": "https://127.0.0.1/",
    "IPv4 as a number": "https://2130706433/",
    "IPv6": "https://[::1]/",
    "IPv6 around IPv4": "https://[::ffff:127.0.0.1]/",
    "a private network": "https://10.0.0.1/",
    "metadata": "https://169.254.169.254/latest/meta-data",
    "the name in brackets": "https://[push.passwallet.net]/",
    "a bracket": "https://[push.passwallet.net/",
}

NOT_ABSOLUTE_OR_NOT_HTTP = {
    "empty": "",
    "no scheme": "push.passwallet.net/v1",
    "no slashes": "http:evil",
    "no slashes but a listed name": "http:push.passwallet.net",
    "one slash": "http:/push.passwallet.net",
    "three slashes": "http:///push.passwallet.net",
    "scheme-relative": "//push.passwallet.net/",
    "backslashes": "http:\\\\push.passwallet.net",
    "ftp": "ftp://push.passwallet.net/",
    "file": "file://push.passwallet.net/etc/passwd",
    "gopher": "gopher://push.passwallet.net/",
    "javascript": "javascript://push.passwallet.net/%0aalert(1)",
    "only a port": "http://:80/",
    "port no number": "http://push.passwallet.net:x/",
    "port too large": "http://push.passwallet.net:65536/",
    "leading space": " http://push.passwallet.net/",
    "space inside": "http://push.passwallet.net/a b",
    "line break": "http://push.passwallet.net/\r\nHost: evil",
    "tab in the host": "http://push.pass\twallet.net/",
    "null": "http://push.passwallet.net/\x00",
    "delete": "http://push.passwallet.net/\x7f",
    "backslash in the path": "http://push.passwallet.net/\\evil",
    "user": "http://user@push.passwallet.net/",
    "user and password": "http://user:password@push.passwallet.net/",
    "empty user": "http://@push.passwallet.net/",
    "half a surrogate pair": "http://push.passwallet.net/\ud800",
    "right-to-left mark": "http://push.passwallet.net/\u202e",
}

MISLEADING_PATHS = ["/..", "/../x", "/a/../x", "/a/..", "/.", "/./x", "/%2e%2e/x", "/.%2E/x", "/..;a=b/x", "/.../x"]
MISLEADING_PATHS += [
    "/a%2f..%2fx",
    "/%5c..",
    "/%252e%252e/x",
    "/%00",
    "/%0d%0aHost:x",
    "/%",
    "/%zz",
    '/"',
    "/<x>",
    "/{x}",
]


def _resolve(url: str | None) -> PushService | Nobody:
    return resolve_push_service(url, allowed=LISTED)


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("https://push.passwallet.net", "http://push.passwallet.net"),
        ("https://push.passwallet.net/", "http://push.passwallet.net"),
        ("https://push.passwallet.net/a/b", "http://push.passwallet.net/a/b"),
        ("https://push.passwallet.net/a/b/", "http://push.passwallet.net/a/b"),
        ("https://push.passwallet.net//a//b", "http://push.passwallet.net/a/b"),
        ("https://push.passwallet.net/a%20b~c;d=1", "http://push.passwallet.net/a%20b~c;d=1"),
        ("https://push.passwallet.net/a..b/.c", "http://push.passwallet.net/a..b/.c"),
        ("https://local.example/a", "http://127.0.0.1:9/base/a"),
    ],
)
def test_a_listed_host_is_called_at_its_listed_base_with_the_path_of_the_client(url: str, base_url: str) -> None:
    assert _resolve(url) == PushService(wallet=Wallet.PASSWALLET, base_url=base_url)


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://push.passwallet.net/a",
        "https://PUSH.PassWallet.NET/a",
        "https://push.passwallet.net./a",
        "https://push.passwallet.net:22/a",
        "https://push.passwallet.net/a?b=c",
        "https://push.passwallet.net/a#/b",
    ],
)
def test_port_query_fragment_and_spelling_of_the_client_do_not_matter(url: str) -> None:
    assert _resolve(url) == PushService(wallet=Wallet.PASSWALLET, base_url="http://push.passwallet.net/a")


def test_the_hosts_of_the_list_are_compared_without_case() -> None:
    service = resolve_push_service("https://push.example/", allowed={"Push.Example": "http://x"})

    assert service == PushService(wallet=Wallet.PASSWALLET, base_url="http://x")


def test_a_letter_that_lower_case_turns_into_ascii_is_another_host() -> None:
    assert "\N{KELVIN SIGN}".lower() == "k"
    service = resolve_push_service("https://\N{KELVIN SIGN}iosk.example/", allowed={"kiosk.example": "http://x"})

    assert isinstance(service, Nobody)


@pytest.mark.parametrize("url", CARRIED_OFF.values(), ids=CARRIED_OFF.keys())
def test_a_host_off_the_list_is_never_called(url: str) -> None:
    assert isinstance(_resolve(url), Nobody)


@pytest.mark.parametrize("url", ["http://push.passwallet.net/a", "HTTP://push.passwallet.net:443/a"])
def test_a_listed_host_is_not_called_if_the_device_names_http_but_the_registration_keeps_it(url: str) -> None:
    assert _resolve(url) == Nobody(reason="not https", host="push.passwallet.net")
    assert is_acceptable_url(url, maximum_characters=1_000)


@pytest.mark.parametrize(
    ("url", "nobody"),
    [
        (None, Nobody(reason="no URL")),
        ("ftp://push.passwallet.net/", Nobody(reason="unusable URL")),
        ("https://user:secret@push.passwallet.net/", Nobody(reason="unusable URL")),
        ("https://169.254.169.254/latest", Nobody(reason="not listed", host="169.254.169.254")),
        ("https://Evil.Example.:8443/a?b=c", Nobody(reason="not listed", host="evil.example")),
        ("http://127.0.0.1/", Nobody(reason="not https", host="127.0.0.1")),
        ("https://push.passwallet.net/../x", Nobody(reason="misleading path", host="push.passwallet.net")),
    ],
)
def test_why_nobody_is_called_is_said_with_the_host_and_nothing_else_of_the_url(
    url: str | None, nobody: Nobody
) -> None:
    assert _resolve(url) == nobody


@pytest.mark.parametrize("url", NOT_ABSOLUTE_OR_NOT_HTTP.values(), ids=NOT_ABSOLUTE_OR_NOT_HTTP.keys())
def test_what_is_no_plain_http_url_is_neither_called_nor_stored(url: str) -> None:
    assert isinstance(_resolve(url), Nobody)
    assert not is_acceptable_url(url, maximum_characters=1_000)


@pytest.mark.parametrize("path", MISLEADING_PATHS)
def test_a_path_that_a_server_could_read_in_two_ways_is_not_called(path: str) -> None:
    assert isinstance(_resolve(f"https://push.passwallet.net{path}"), Nobody)


@pytest.mark.parametrize(
    "url", ["http://walletpasses.appspot.com/api/attido/", "https://WALLETPASSES.appspot.com.:8/%2e%2e?x"]
)
@pytest.mark.parametrize("allowed", [{}, {"walletpasses.appspot.com": "http://other"}])
def test_walletpasses_is_called_as_its_own_setting_says_even_if_listed(url: str, allowed: dict[str, str]) -> None:
    service = resolve_push_service(url, allowed=allowed)

    assert service == PushService(wallet=Wallet.WALLET_PASSES, base_url=None)
    assert names_wallet_passes(url)


@pytest.mark.parametrize("url", [None, *CARRIED_OFF.values(), *NOT_ABSOLUTE_OR_NOT_HTTP.values()])
def test_no_other_url_names_walletpasses(url: str | None) -> None:
    assert not names_wallet_passes(url and url.replace("push.passwallet.net", "walletpasses.appspot.com"))


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example",
        "https://push.example:8443/a?b=c#d",
        "HTTP://PUSH.EXAMPLE.",
        "https://[2001:db8::1]/",
        "https://127.0.0.1/",
        "https://b\u00fccher.example/\u00fc",
    ],
)
def test_any_other_http_url_may_be_stored(url: str) -> None:
    assert is_acceptable_url(url, maximum_characters=1_000)


def test_a_url_is_stored_up_to_the_limit() -> None:
    url = "https://push.example/abc"

    assert is_acceptable_url(url, maximum_characters=len(url))
    assert not is_acceptable_url(url, maximum_characters=len(url) - 1)


_texts = st.text() | st.text("htps:/@\\.?#[]%2e;push.passwallet.net \t\n", max_size=60)


@given(_texts, _texts, _texts)
def test_whatever_a_client_sends_only_listed_bases_are_called(before: str, between: str, after: str) -> None:
    for url in (f"https://{before}push.passwallet.net{between}/{after}", before + after):
        is_acceptable_url(url, maximum_characters=1_000)
        service = _resolve(url)
        if isinstance(service, PushService):
            assert service.base_url is not None
            parts = urlsplit(service.base_url)
            assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("http", "push.passwallet.net", "", "")
            assert ".." not in parts.path.split("/")
