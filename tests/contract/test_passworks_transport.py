"""The Passworks dialect on the wire: ping, credentials, routes, methods, slashes, bodies, letter case of headers.

What needs a route of its own is tried on a small app that is served beside the real one, with the same stack behind it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.api.middleware import speak_the_dialect
from chalicelib.api.passworks.entry import PassworksRequest, Reply, route
from chalicelib.api.passworks.filters import filters, read_query
from chalicelib.api.passworks.paging import paging_headers, read_paging
from chalicelib.domain.filtering import Kind
from local.server import HttpServer
from tests.contract.expectations import GATEWAY_ERROR_KEYS
from tests.contract.raw_http import RawAnswer, basic, send
from tests.support.stack import Tenant

KEYS = ["status_code", "error_code", "message", "errors"]


def check_refusal(answer: RawAnswer, status: int, error_code: int) -> None:
    """Asserts the common error body (section 3)."""
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert list(body) == KEYS
    assert (body["status_code"], body["error_code"]) == (status, error_code)
    assert type(body["error_code"]) is int
    assert type(body["message"]) is str
    assert type(body["errors"]) is dict


def check_gateway_refusal(answer: RawAnswer, status: int) -> None:
    """Asserts the one body that clients of both dialects read."""
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert set(body) == GATEWAY_ERROR_KEYS
    assert (body["status_code"], body["error_code"], body["errors"]) == (status, status, {})
    assert body["message"] == body["details"] != ""


def names_on_the_wire(answer: RawAnswer) -> set[str]:
    """The header names in the letter case in which they came."""
    return {name.decode() for name, _ in answer.headers.raw}


# The real app


@pytest.mark.parametrize("target", ["/v2/ping", "/v2/ping/", "/v2/ping?x=1", "/v2/ping/?x=1"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic bm9ib2R5Om5vdGhpbmc="},
        {"Authorization": "nonsense"},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
    ],
)
def test_ping_answers_anybody(tenant: Tenant, target: str, headers: dict[str, str]) -> None:
    answer = send(tenant, "GET", target, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {"message": "pong"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", "QUERY"])
@pytest.mark.parametrize("target", ["/v2/ping", "/v2/ping/"])
def test_a_wrong_method_is_405(tenant: Tenant, method: str, target: str) -> None:
    answer = send(tenant, method, target, headers={"Authorization": basic(tenant)})

    if method == "HEAD":
        assert (answer.status_code, answer.content) == (405, b"")
    else:
        check_refusal(answer, 405, 10005)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("target", ["/v2", "/v2/", "/V2/ping", "/v3/ping", "/v2/a/b/c/d/e/f"])
def test_an_unknown_route_is_404_and_no_redirect(tenant: Tenant, method: str, target: str) -> None:
    check_gateway_refusal(send(tenant, method, target, headers={"Authorization": basic(tenant)}), 404)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("target", ["/v2/ping/pong", "/v2//ping", "/v2/coupon/1", "/v2/organizations/1"])
def test_what_is_no_campaign_type_is_404(tenant: Tenant, method: str, target: str) -> None:
    answer = send(tenant, method, target, headers={"Authorization": basic(tenant)})

    check_refusal(answer, 404, 10004)


def test_an_unknown_method_is_the_gateways_404(tenant: Tenant) -> None:
    check_gateway_refusal(send(tenant, "BREW", "/v2/ping"), 404)


def test_a_request_that_is_no_http_is_400_for_clients_of_both_dialects(tenant: Tenant) -> None:
    check_gateway_refusal(send(tenant, "GET", "/v2/ping", headers={"X": "x" * 100_000}), 400)


# A small app


@pytest.fixture
def probe(tenant: Tenant) -> Iterator[Tenant]:
    """A client of an app with the routes below, which opens to the tenant's credentials."""
    blueprint = Blueprint(__name__)

    @route(blueprint, "/v2/probes", methods=["GET"], query=(filters({"name": Kind.TEXT}),))
    def list_probes(request: PassworksRequest) -> Any:
        paging = read_paging(request)
        query = read_query(request)
        names = [condition.value for condition in query.conditions]
        return Reply(document=names, headers=paging_headers(paging, 58))

    @route(blueprint, "/v2/probes", methods=["POST"], status=201)
    def create_probe(request: PassworksRequest) -> Any:
        return {"project": request.project_id, "probe": request.root("probe")}

    @route(blueprint, "/v2/probes/{probe_id}", methods=["DELETE"])
    def delete_probe(_request: PassworksRequest, probe_id: str) -> Any:
        return {"errors": [], "id": probe_id}

    app = Chalice("probes")
    app.register_middleware(speak_the_dialect, "http")
    app.register_blueprint(blueprint)
    server = HttpServer(app, host="127.0.0.1", port=0)
    server.start()
    try:
        with httpx.Client(base_url=server.url, auth=(tenant.key, tenant.secret), trust_env=False) as http:
            yield dataclasses.replace(tenant, http=http)
    finally:
        server.stop(timeout_seconds=5)


def signed(probe: Tenant, **more: str) -> dict[str, str]:
    """Headers with credentials; `_` in a name stands for `-`."""
    return {"Authorization": basic(probe)} | {name.replace("_", "-"): value for name, value in more.items()}


@pytest.mark.parametrize(
    "authorization", [None, "", "Basic", "Basic !!!!", "Basic bm9ib2R5Om5vdGhpbmc=", "Bearer abc", "AndroidPass abc"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_right_credentials_is_401_with_its_header(
    probe: Tenant, authorization: str | None, method: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = send(probe, method, f"/v2/probes?api_key={probe.secret}", headers=headers)

    check_refusal(answer, 401, 10001)
    assert answer.headers["www-authenticate"] == 'Basic realm="Passworks"'
    assert "WWW-Authenticate" in names_on_the_wire(answer)


def test_a_key_issued_for_the_other_dialect_opens_this_one(probe: Tenant) -> None:
    answer = send(probe, "POST", "/v2/probes", headers=signed(probe), body='{"probe":{}}')

    assert (answer.status_code, answer.json()["project"]) == (201, probe.project_id)


def test_no_revision_is_looked_at(probe: Tenant) -> None:
    assert send(probe, "GET", "/v2/probes", headers=signed(probe, Api_Revision="9.9")).status_code == 200


def test_the_paging_headers_come_in_their_exact_letter_case(probe: Tenant) -> None:
    answer = send(probe, "GET", "/v2/probes?page=2", headers=signed(probe))

    found = {name: answer.headers[name] for name in names_on_the_wire(answer) if name.lower().startswith("x-")}
    assert found == {
        "X-Total": "58",
        "X-Total-Pages": "3",
        "X-Page": "2",
        "X-Per-Page": "25",
        "X-Next-Page": "3",
        "X-Prev-Page": "1",
        "X-Offset": "0",
    }


@pytest.mark.parametrize("target", ["/v2/probes?page=3", "/v2/probes?page=9", "/v2/probes?per_page=50&page=2"])
def test_there_is_no_next_page_header_at_the_end(probe: Tenant, target: str) -> None:
    answer = send(probe, "GET", target, headers=signed(probe))

    assert "x-next-page" not in answer.headers
    assert "" not in answer.headers.values()


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("target", ["/v2/probes", "/v2/probes/"])
def test_a_json_body_is_read_with_any_type_and_any_slash(probe: Tenant, content_type: str | None, target: str) -> None:
    headers = signed(probe) if content_type is None else signed(probe, Content_Type=content_type)
    answer = send(probe, "POST", target, headers=headers, body=json.dumps({"probe": {"name": "é"}}).encode())

    assert (answer.status_code, answer.json()["probe"]) == (201, {"name": "é"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "status", "error_code", "problems"),
    [
        (b'{"probe":', 400, 10000, {}),
        (b"probe=1", 400, 10000, {}),
        (b"", 422, 10100, {"probe": ["is missing"]}),
        (b"null", 422, 10100, {"probe": ["is missing"]}),
        (b'{"name":"x"}', 422, 10100, {"probe": ["is missing"]}),
        (b'"probe"', 422, 10100, {"body": ["must be an object"]}),
        (b'{"probe":5}', 422, 10100, {"probe": ["must be an object"]}),
    ],
)
def test_a_bad_body_is_400_or_422(
    probe: Tenant, body: bytes, status: int, error_code: int, problems: dict[str, object]
) -> None:
    answer = send(probe, "POST", "/v2/probes", headers=signed(probe, Content_Type="application/json"), body=body)

    check_refusal(answer, status, error_code)
    assert answer.json()["errors"] == problems


@pytest.mark.parametrize("body", [None, "{}", "null", '{"pass":[]}', "no JSON"])
def test_a_delete_may_carry_a_body(probe: Tenant, body: str | None) -> None:
    answer = send(probe, "DELETE", "/v2/probes/7/", headers=signed(probe, Content_Type="application/json"), body=body)

    assert (answer.status_code, answer.json()) == (200, {"errors": [], "id": "7"})


def test_a_get_may_claim_a_type_without_a_body(probe: Tenant) -> None:
    assert send(probe, "GET", "/v2/probes", headers=signed(probe, Content_Type="application/json")).json() == []


def test_filters_arrive_with_brackets_plain_or_encoded_and_repeated(probe: Tenant) -> None:
    target = "/v2/probes/?q[name_eq]=Una%20Salus&q%5Bname_not_eq%5D=b&page=1&q[name_eq]=c+d&q[s]=name+desc"

    assert sorted(send(probe, "GET", target, headers=signed(probe)).json()) == ["Una Salus", "b", "c d"]


def test_an_unknown_filter_is_422_in_the_contracts_shape(probe: Tenant) -> None:
    answer = send(probe, "GET", "/v2/probes?q[nam_eq]=a", headers=signed(probe))

    check_refusal(answer, 422, 10101)
    assert answer.json()["errors"] == {"q": "Unknown filter 'nam_eq'"}


def test_no_interim_answer_is_sent(probe: Tenant) -> None:
    answer = send(probe, "POST", "/v2/probes", headers=signed(probe, Expect="100-continue"), body='{"probe":{"a":1}}')

    assert (answer.status_code, answer.json()["probe"]) == (201, {"a": 1})
