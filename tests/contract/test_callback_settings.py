"""Setting up Airship's callbacks (airship-wallet-v1, section 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.wiring import get_platform
from tests.contract.expectations import find_error_fault
from tests.support.google_wallet import changed_settings
from tests.support.stack import Stack, Tenant

CALLBACK = {"baseUrl": "https://callbacks.example", "headers": {"X-Team": "a secret", "Authorization": "Bearer b"}}
SECRET = "Passel-Signing-Secret"


@pytest.fixture(autouse=True)
def _no_trusted_network() -> Iterator[None]:
    """As on AWS: nobody may be called who is not public."""
    with changed_settings({"PASSEL_TRUSTED_NETWORKS": "[]"}):
        yield


def path_of(tenant: Tenant) -> str:
    return f"/v1/project/{tenant.project_id}/settings/callback"


def set_up(tenant: Tenant, **changes: Any) -> Any:
    return tenant.request("POST", path_of(tenant), json=CALLBACK | changes)


def test_the_reply_is_the_same_document(stack: Stack, tenant: Tenant) -> None:
    answer = set_up(tenant)

    assert answer.status_code == 200
    assert answer.json() == CALLBACK
    assert tenant.call("GET", path_of(tenant)) == CALLBACK


def test_the_first_reply_brings_the_signing_secret_and_no_later_one(stack: Stack, tenant: Tenant) -> None:
    first = set_up(tenant)
    again = set_up(tenant, baseUrl="https://others.example/base/")

    assert len(first.headers[SECRET]) >= 40
    assert first.headers["cache-control"] == "no-store"
    assert SECRET not in again.headers
    assert again.json()["baseUrl"] == "https://others.example/base/"
    receiver = get_platform().receivers.get_receiver(tenant.project_id)
    assert receiver is not None
    assert receiver.secret == first.headers[SECRET]


@pytest.mark.parametrize("body", [{"baseUrl": "https://a.example"}, {"baseUrl": "https://a.example", "headers": None}])
def test_headers_may_be_left_out(stack: Stack, tenant: Tenant, body: Any) -> None:
    answer = tenant.call("POST", path_of(tenant), json=body)
    assert answer == {"baseUrl": "https://a.example", "headers": {}}


def test_json_may_be_named_as_the_content_type(stack: Stack, tenant: Tenant) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert set_up(tenant, headers=headers).json()["headers"] == headers


@pytest.mark.parametrize(
    "url",
    [
        "http://callbacks.example",
        "ftp://callbacks.example",
        "callbacks.example",
        "//callbacks.example",
        "https://",
        "https:///path",
        "https://user:secret@callbacks.example",
        "https://callbacks.example?query=1",
        "https://callbacks.example#part",
        "https://callbacks.example:99999",
        "https://callbacks.example:0",
        "https://callbacks.example/a b",
        "https://callbacks.example\\@127.0.0.1/",
        "https://callbacks.example/\n",
        "https://[::1",
        "https://callbacks.example/" + "x" * 2048,
        "",
        None,
        7,
        ["https://callbacks.example"],
        # not public, as far as that can be seen
        "https://localhost",
        "https://LOCALHOST.:8443/x",
        "https://team.localhost",
        "https://127.0.0.1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.1",
        "https://0177.0.0.1",
        "https://10.1.2.3",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]",
        "https://[::ffff:10.0.0.1]",
        "https://[fe80::1%25eth0]",
        "https://[fd00:ec2::254]",
        "https://0.0.0.0",
    ],
    ids=lambda url: str(url)[:60],
)
def test_an_address_that_is_never_called_is_refused_by_name(stack: Stack, tenant: Tenant, url: Any) -> None:
    answer = set_up(tenant, baseUrl=url)

    assert find_error_fault(answer, 400) is None
    assert answer.json()["details"].startswith("baseUrl: "), answer.text
    assert find_error_fault(tenant.request("GET", path_of(tenant)), 404) is None


def test_a_missing_address_is_refused_by_name(stack: Stack, tenant: Tenant) -> None:
    answer = tenant.request("POST", path_of(tenant), json={"headers": {}})
    assert find_error_fault(answer, 400) is None
    assert answer.json()["details"].startswith("baseUrl: ")


def test_a_network_that_an_operator_trusts_may_be_named(stack: Stack, tenant: Tenant) -> None:
    with changed_settings({"PASSEL_TRUSTED_NETWORKS": '["10.20.0.0/16", "127.0.0.0/8"]'}):
        for url in ("https://10.20.30.40", "https://localhost:8443"):
            assert set_up(tenant, baseUrl=url).status_code == 200
        assert set_up(tenant, baseUrl="https://10.21.0.1").status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "a"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Proxy-Authorization", "a"),
        ("Passel-Signature", "v1=0"),
        ("passel-event-id", "mine"),
        ("PASSEL-TIMESTAMP", "1"),
        ("Content-Type", "text/plain"),
        ("X Team", "a"),
        ("X-Team:", "a"),
        ("", "a"),
        ("X-T\N{LATIN SMALL LETTER E WITH ACUTE}am", "a"),
        ("X" * 101, "a"),
        ("X-Team", "a\r\nHost: b"),
        ("X-Team", "a\nb"),
        ("X-Team", "a\x00"),
        ("X-Team", " a"),
        ("X-Team", "a "),
        ("X-Team", ""),
        ("X-Team", "x" * 2049),
        ("X-Team", "\N{SNOWMAN}"),
        ("X-Team", 7),
        ("X-Team", None),
        ("X-Team", ["a"]),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_a_header_that_is_not_the_teams_is_refused_by_name(stack: Stack, tenant: Tenant, name: str, value: Any) -> None:
    answer = set_up(tenant, headers={name: value})

    assert find_error_fault(answer, 400) is None
    assert answer.json()["details"].startswith(f"headers.{name[:100]}"), answer.text
    assert find_error_fault(tenant.request("GET", path_of(tenant)), 404) is None


@pytest.mark.parametrize(
    "headers", [[], "X-Team: a", 7, {f"X-{number}": "a" for number in range(21)}, {"X-Team": "a", "x-team": "b"}]
)
def test_headers_of_another_shape_are_refused(stack: Stack, tenant: Tenant, headers: Any) -> None:
    answer = set_up(tenant, headers=headers)
    assert find_error_fault(answer, 400) is None
    assert answer.json()["details"].startswith("headers")


def test_a_refusal_changes_nothing(stack: Stack, tenant: Tenant) -> None:
    set_up(tenant)
    assert set_up(tenant, baseUrl="http://other.example").status_code == 400
    assert tenant.call("GET", path_of(tenant)) == CALLBACK


def test_it_can_be_removed_once(stack: Stack, tenant: Tenant) -> None:
    set_up(tenant)

    assert tenant.call("DELETE", path_of(tenant)) == {"status": "success"}
    for method in ("GET", "DELETE"):
        assert find_error_fault(tenant.request(method, path_of(tenant)), 404) is None
    assert SECRET in set_up(tenant).headers


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_another_projects_settings_are_not_there(stack: Stack, tenant: Tenant, method: str) -> None:
    stranger = stack.tenant()
    set_up(stranger)

    assert find_error_fault(tenant.request(method, path_of(stranger), json=CALLBACK), 404) is None
    assert stranger.call("GET", path_of(stranger)) == CALLBACK


def test_a_form_is_read_too(stack: Stack, tenant: Tenant) -> None:
    answer = tenant.call("POST", path_of(tenant), data={"json": '{"baseUrl": "https://a.example"}'})
    assert answer == {"baseUrl": "https://a.example", "headers": {}}
