"""`/openapi.json` and `/docs`, as the service serves them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest

from chalicelib.api.description.routes import BASE_URL, VERSION
from openapi.document import FILE
from tests.support.stack import Stack

FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "start.js")


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    """Somebody without an account."""
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=60) as client:
        yield client


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.found += [value for name, value in attrs if value and name in ("src", "href", "data-description")]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in attributes:
            self.inline.append(tag)


def read(page: str) -> _Addresses:
    parser = _Addresses()
    parser.feed(page)
    return parser


def test_it_is_the_committed_file_but_for_the_server(http: httpx.Client, stack: Stack) -> None:
    answer = http.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    expected = json.loads(FILE.read_text(encoding="utf-8"))
    assert expected["servers"][0]["url"] == BASE_URL
    expected["servers"][0]["url"] = stack.url
    assert answer.json() == expected


def test_the_server_is_the_one_that_the_client_named(http: httpx.Client) -> None:
    answer = http.get("/openapi.json", headers={"Host": "passes.example:8443", "X-Forwarded-Proto": "https"})
    assert answer.json()["servers"][0]["url"] == "https://passes.example:8443"


def test_what_has_not_changed_is_not_sent_again(http: httpx.Client) -> None:
    first = http.get("/openapi.json")
    assert first.headers["cache-control"] == "public, max-age=300"
    for known in (first.headers["etag"], f'"other", {first.headers["etag"]}', f"W/{first.headers['etag']}", "*"):
        again = http.get("/openapi.json", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert http.get("/openapi.json", headers={"If-None-Match": '"other"'}).status_code == 200
    elsewhere = http.get("/openapi.json", headers={"Host": "passes.example"})
    assert elsewhere.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_page_finds_its_files_beside_itself(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    addresses = read(answer.text)
    assert len(addresses.found) >= len(FILES) + 1
    for address in addresses.found:
        if not address.startswith("data:"):
            assert not re.match(r"[a-z]+:|/", address), "an address that is not relative"
            assert http.get(urljoin(path, address)).status_code == 200, address


def test_the_page_needs_no_other_host_and_runs_no_script_of_its_own(http: httpx.Client) -> None:
    answer = http.get("/docs")
    assert read(answer.text).inline == []
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "connect-src")} == {"'self'"}
    assert not re.search(r"https?:", answer.headers["content-security-policy"])


@pytest.mark.parametrize("name", FILES)
def test_files_are_kept_for_a_year_under_their_version(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/docs/{VERSION}/{name}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize("name", FILES[:2])
def test_files_are_sent_compressed_to_who_can_read_that(http: httpx.Client, name: str) -> None:
    path = f"/docs/{VERSION}/{name}"
    with http.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    plain = http.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed) == plain.content
    assert len(plain.content) * 4 / 3 < 6 * 1024 * 1024, "more than Lambda answers with"


@pytest.mark.parametrize(
    "path", [f"/docs/{VERSION}/README.md", "/docs/1.0/start.js", f"/docs/{VERSION}/..%2froutes.py"]
)
def test_nothing_else_is_a_file_of_the_viewer(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404
