"""What an answer carries besides what was asked for: nobody keeps it, nobody runs it, and a fault tells nothing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image, PngImagePlugin

from chalicelib.domain.page_addresses import distribution_code
from chalicelib.wiring import get_platform
from tests.contract.cards import Card, issue_card, look
from tests.contract.raw_http import RawAnswer, basic, send
from tests.contract.samples import new_pass, new_template
from tests.contract.test_passworks_assets import create, picture, upload
from tests.support.phones import shared_client
from tests.support.stack import Stack, Tenant

SECRET_OF_A_FAULT = "a-secret-of-the-fault"


OPEN_TO_ALL = ("/openapi.json", "/docs")
"""what is the same for everybody"""


def every_call() -> list[tuple[str, str]]:
    """Method and path of each route, with a parameter that names nothing."""
    from app import app

    filled = {path: re.sub("{[^}]*}", "1", path.replace("{campaign_type}", "coupons")) for path in app.routes}
    return [(method, filled[path]) for path, methods in app.routes.items() for method in methods]


def ask(tenant: Tenant, method: str, target: str, **headers: str) -> RawAnswer:
    own = {"Authorization": basic(tenant), "Content-Type": "application/json", "Api-Revision": "1.2"}
    return send(tenant, method, target, headers=own | headers, body=None if method == "GET" else "{}")


@pytest.fixture
def card(stack: Stack, tenant: Tenant) -> Card:
    return issue_card(tenant)


def page_path(card: Card) -> str:
    return f"/p/pass/{card.pass_id}-{card.url.partition('token=')[2]}"


def opened_by(card: Card) -> Mapping[str, httpx.Response]:
    """Everything that the address of a pass opens, and what its project reads of it."""
    tenant, page = card.tenant, page_path(card)
    paths = [page, *(page + suffix for suffix in (".png", ".qrcode", ".pkpass")), f"/v1/pass/{card.pass_id}"]
    paths += ["/v1/pass", f"/v1/pass/{card.pass_id}/viewJSONPass", f"/v1/pass/{card.pass_id}/download", "/v2/coupons"]
    return {path: tenant.request("GET", path) for path in paths}


def test_every_answer_is_kept_by_nobody_and_is_what_it_says(stack: Stack, tenant: Tenant) -> None:
    """Also errors, and what Chalice answers itself."""
    by_chalice = [("DELETE", "/v2/ping"), ("POST", "/v1/tag")]
    for method, target in [*every_call(), *by_chalice]:
        answer = ask(tenant, method, target)
        kept = "public, max-age=300" if target in OPEN_TO_ALL else "no-store"
        assert kept in answer.headers["cache-control"], (method, target)
        assert is_never_guessed(answer), (method, target)


def is_never_guessed(answer: httpx.Response | RawAnswer) -> bool:
    """Whether a browser takes the answer for what it says: JSON is taken for nothing else."""
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return bool(is_json or answer.headers.get("x-content-type-options") == "nosniff")


def test_what_holds_a_token_or_a_pass_is_in_no_shared_memory(card: Card) -> None:
    for path, answer in opened_by(card).items():
        assert answer.status_code == 200, path
        assert re.search("no-store|private", answer.headers["cache-control"]), path
        assert is_never_guessed(answer), path


def test_a_page_tells_no_other_site_where_it_was_opened_and_stands_in_no_frame(card: Card) -> None:
    """Its address holds the token."""
    answer = shared_client().get(f"{card.tenant.http.base_url}{page_path(card)}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    policy = dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_no_site_may_read_answers_with_the_credentials_of_a_browser(stack: Stack, tenant: Tenant) -> None:
    """No route speaks CORS; what a browser asks beforehand it is not allowed either."""
    beforehand = [("OPTIONS", target) for target in ("/v1/tag", "/v2/coupons", "/p/1")]
    for method, target in [*every_call(), *beforehand]:
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
        answer = ask(tenant, method, target, **asked)
        for name in ("origin", "credentials", "headers"):
            assert f"access-control-allow-{name}" not in answer.headers, (method, target)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_is_what_the_request_line_says(stack: Stack, card: Card, header: str) -> None:
    tenant = card.tenant
    before = look(stack, tenant)
    for target in (f"/v1/pass/{card.pass_id}", f"/v1/pass/{card.pass_id}?_method=DELETE"):
        assert ask(tenant, "GET", target, **{header: "DELETE"}).status_code == 200
    assert look(stack, tenant) == before


INJECTION = "%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a<script>alert(1)</script>"


def test_nothing_that_is_named_becomes_a_header_or_ends_them(stack: Stack, card: Card) -> None:
    """A fault of the kind would show as a header of ours, or as a body that begins earlier."""
    tenant = card.tenant
    targets = [re.sub("(?<=/)1(?=/|$)", INJECTION, target) for method, target in every_call() if method == "GET"]
    targets += [page_path(card) + INJECTION, f"/p/{INJECTION}.google"]
    targets += [f"/v1/pass?order={INJECTION}", f"/v2/coupons?q%5Bs%5D={INJECTION}&page={INJECTION}"]
    for target in targets:
        answer = ask(tenant, "GET", target)
        assert "set-cookie" not in answer.headers, target
        assert answer.status_code < 500, target


def test_names_with_line_ends_come_back_as_text(stack: Stack, tenant: Tenant) -> None:
    external_id = "a\r\nSet-Cookie: evil=1"
    new_pass(tenant, new_template(tenant), externalId=external_id)
    for path in ("", "/download", "/viewJSONPass"):
        answer = tenant.request("GET", f"/v1/pass/id/{quote(external_id, safe='')}{path}")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers


STRANGE = "a-strange-host"
HOSTS = tuple(form.format(STRANGE) for form in ('{}.example"><script>', "{}.example/p?", "{} b", "{}:99999999", "e@{}"))


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_is_in_no_address_of_ours(card: Card, host: str) -> None:
    """Addresses are made of the name that was asked, where no setting names one; passes are signed with them."""
    tenant, page = card.tenant, page_path(card)
    for path in (page, f"{page}.png", f"/v1/pass/{card.pass_id}", f"/v1/pass/{card.pass_id}/viewJSONPass"):
        assert STRANGE not in tenant.request("GET", path, headers={"Host": host}).text


def test_a_host_that_was_asked_is_in_our_addresses(card: Card) -> None:
    """Without which the test above would be worth nothing. API Gateway answers only to names of its own."""
    answer = card.tenant.request("GET", f"/v1/pass/{card.pass_id}", headers={"Host": "passes.example:8080"})
    assert answer.json()["url"].startswith("http://passes.example:8080/v1/pass/")


def test_another_host_in_a_forwarding_header_counts_for_nothing(card: Card) -> None:
    named = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Original-URL": "/v1/tag"}
    for target in (page_path(card), f"/v1/pass/{card.pass_id}", f"/v1/pass/{card.pass_id}/viewJSONPass"):
        assert "evil.example" not in ask(card.tenant, "GET", target, **named).text


def test_over_https_the_cookie_travels_over_nothing_else(stack: Stack, tenant: Tenant) -> None:
    template = get_platform().templates.get_template(project_id=tenant.project_id, template_id=new_template(tenant))
    assert template is not None
    url = f"{stack.url}/p/{distribution_code(tenant.project_id, template.campaign_id)}"
    shared_client().cookies.clear()
    answer = shared_client().get(url, headers={"X-Forwarded-Proto": "https", "User-Agent": "Firefox"})
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(answer.headers["set-cookie"].split("; "))


class Fault(Exception):
    """Nobody expects it."""


def fail() -> Any:
    raise Fault(f"{SECRET_OF_A_FAULT} in /var/task/chalicelib/store, table passel-prod-credentials")


def test_an_unexpected_fault_tells_nothing_on_any_route(
    stack: Stack, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(tenant, "GET", "/v1/tag").status_code == 200  # so that credentials are known
    monkeypatch.setattr("chalicelib.api.requests.get_platform", fail)
    monkeypatch.setattr("chalicelib.api.google.callbacks.get_wallet_services", fail)
    statuses = {}
    for method, target in every_call():
        answer = ask(tenant, method, target)
        statuses[method, target] = answer.status_code
        for told in (SECRET_OF_A_FAULT, "Fault", "Traceback", "chalicelib", "passel-", "/var/task"):
            assert told not in answer.text, (method, target)
    assert sum(status == 500 for status in statuses.values()) > len(statuses) / 2


HOSTILE_FILES = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>',
    "PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(/etc/passwd) (r) file",
    "ZIP": b"PK\x03\x04" + bytes(60),
    "WebP": picture("WEBP"),
    "TIFF": picture("TIFF"),
}


@pytest.mark.parametrize("kind", HOSTILE_FILES)
def test_a_file_of_another_kind_is_no_asset(stack: Stack, tenant: Tenant, kind: str) -> None:
    assert upload(tenant, HOSTILE_FILES[kind]).status_code == 422


def with_passengers() -> bytes:
    """A PNG with a page in its text, and another one behind its end."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert('in the text')</script>")
    text.add(b"teXt", zlib.compress(b"more"))
    file = BytesIO()
    Image.new("RGB", (40, 40), (1, 2, 3)).save(file, "PNG", pnginfo=text)
    return file.getvalue() + b"<html><script>alert('behind')</script></html>"


def test_an_image_is_drawn_anew_and_carries_nothing_else(stack: Stack, tenant: Tenant) -> None:
    asset = upload(tenant, with_passengers()).json()
    answer = shared_client().get(asset["asset_url"])
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"<" + b"script" not in answer.content
    assert answer.content.endswith(b"IEND\xaeB`\x82")


def test_an_image_says_nothing_of_where_it_was_taken(stack: Stack, tenant: Tenant) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (37.0, 46.0, 29.0)}
    exif[0x010F] = "the maker of a camera"
    file = BytesIO()
    Image.new("RGB", (40, 40)).save(file, "JPEG", exif=exif)
    assert b"the maker of a camera" in file.getvalue()
    served = shared_client().get(upload(tenant, file.getvalue()).json()["asset_url"]).content
    assert b"the maker" not in served
    assert not Image.open(BytesIO(served)).getexif()


@pytest.mark.parametrize(
    "path",
    [
        "{id}/..%2f..%2foriginal.png",
        "{id}%2f..%2f{id}/original.png",
        "..%2f{id}/original.png",
        "{id}/original.png%00.html",
        "{id}/original.html",
        "{id}/1x.png",
        "%2e%2e/original.png",
    ],
)
def test_no_path_leads_out_of_an_asset(stack: Stack, tenant: Tenant, path: str) -> None:
    asset_id = create(tenant)["id"]
    answer = send(tenant, "GET", f"/uploads/asset/{path.format(id=asset_id)}")
    assert answer.status_code == 404


def test_an_image_may_be_kept_since_it_never_changes(stack: Stack, tenant: Tenant) -> None:
    answer = shared_client().get(upload(tenant, picture()).json()["asset_url"])
    assert answer.headers["cache-control"].startswith("public")
