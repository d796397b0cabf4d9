"""Bodies, addresses and answers of the Passworks dialect, without a server."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.api.middleware import speak_the_dialect
from chalicelib.api.passworks.entry import PassworksRequest, Reply, route
from chalicelib.domain.errors import Busy, InvalidRequest, Unauthorized, UnreadableBody
from tests.unit.api.passworks.requesting import make_event, make_request

EMPTY = [None, b"", b" \r\n", b"null", b"{}", b"[]"]


@pytest.mark.parametrize("body", [*EMPTY, b'{"pass":{}}', b'{"pass":[]}', b'{"pass":null}'])
def test_what_is_empty_in_any_spelling_is_an_empty_object(body: bytes | None) -> None:
    assert make_request(body=body).root("pass", optional=True) == {}


@pytest.mark.parametrize("body", EMPTY)
def test_a_root_key_that_must_be_there_is_missing_from_an_empty_body(body: bytes | None) -> None:
    with pytest.raises(InvalidRequest, match="coupon: is missing"):
        make_request(body=body).root("coupon", "pass")


@pytest.mark.parametrize("optional", [True, False])
def test_a_body_under_another_root_is_refused_even_where_it_may_be_empty(optional: bool) -> None:
    with pytest.raises(InvalidRequest) as refused:
        make_request(body=b'{"coupon":{"name":"x"}}').root("pass", optional=optional)

    assert refused.value.field == "pass"


def test_the_first_root_key_that_is_there_counts() -> None:
    body = b'{"pass":{"a":1},"coupon":{"b":2}}'

    assert make_request(body=body).root("coupon", "pass") == {"b": 2}
    assert make_request(body=body).root("generic", "pass") == {"a": 1}


def test_keys_beside_the_root_are_in_the_document() -> None:
    assert make_request(body=b'{"pass":{},"merge":false}').document["merge"] is False


@pytest.mark.parametrize("body", [b"5", b'"pass"', b"true", b"false", b"0", b"[1]", b'[{"pass":{}}]'])
def test_json_that_is_no_object_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="body: must be an object"):
        make_request(body=body).root("pass", optional=True)


@pytest.mark.parametrize("value", [b"5", b'"x"', b"false", b'""', b"[1]"])
def test_a_root_that_holds_no_object_is_invalid(value: bytes) -> None:
    with pytest.raises(InvalidRequest, match="pass: must be an object"):
        make_request(body=b'{"pass":' + value + b"}").root("pass", optional=True)


@pytest.mark.parametrize("body", [b"{", b"pass=1", b"<pass/>", b"--x\r\n", b"\xff"])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        make_request(body=body).root("pass", optional=True)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer abc", "Basic", "Basic !!!!", "Basic " + base64.b64encode(b"nobody").decode()]
)
def test_nothing_but_basic_credentials_is_taken(header: str | None) -> None:
    headers = {"host": "localhost"} | ({} if header is None else {"Authorization": header})

    with pytest.raises(Unauthorized):
        make_request("api_key=secret&key=a&secret=b", headers=headers).authenticate()


@pytest.mark.parametrize(
    ("route", "path", "stage"),
    [
        ("/v2/ping", "/v2/ping", ""),
        ("/v2/ping", "/v2/ping/", ""),
        ("/v2/ping", "/api/v2/ping", "/api"),
        ("/v2/{collection}/{campaign}", "/api/v2/coupons/v2", "/api"),
        ("/v1/devices/{device}", "/api/v1/devices/a%2Fv1", "/api"),
        ("/p/{campaign}/{token}", "/api/p/a/p", "/api"),
        ("/uploads/asset/{asset}/original.png", "/api/uploads/asset/x/original.png", "/api"),
        ("/healthy", "/api/healthy", "/api"),
        ("/", "/api/", "/api"),
        ("/", "/", ""),
        ("/v2/ping", "/a/b/v2/ping", "/a/b"),
        ("/v2/ping", "/elsewhere", ""),
        ("/v2/ping", "", ""),
    ],
)
def test_the_base_is_what_stands_before_the_route(route: str, path: str, stage: str) -> None:
    headers = {"host": "passes.example", "x-forwarded-proto": "https"}

    assert make_request(headers=headers, route=route, path=path).base_url == f"https://passes.example{stage}"


# Answers, through Chalice but without a socket


@pytest.fixture
def app() -> Chalice:
    blueprint = Blueprint(__name__)

    @route(blueprint, "/v2/probe", methods=["GET"], open_to_all=True)
    def get_probe(request: PassworksRequest) -> Any:
        if request.query("fault"):
            raise RuntimeError("secret of the house")
        if request.query("busy"):
            raise Busy
        return Reply(document=[{"id": 1}], headers={"X-Total": "1"})

    @route(blueprint, "/v2/probe", methods=["POST"], open_to_all=True, status=201, maximum_body_bytes=2_000_000)
    def create_probe(request: PassworksRequest) -> Any:
        if request.query("reply"):
            return Reply(document={}, status=202)
        return {"content_type": request.content_type, "size": len(request.body), "root": request.root("probe")}

    @route(blueprint, "/v2/private", methods=["GET", "PATCH"])
    def get_private(_request: PassworksRequest) -> Any:
        return {}

    made = Chalice("probe")
    made.register_middleware(speak_the_dialect, "http")
    made.register_blueprint(blueprint)
    return made


def call(
    app: Chalice,
    method: str,
    route: str = "/v2/probe",
    *,
    query: str = "",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any, dict[str, str]]:
    event = make_event(query=query, body=body, headers=headers, route=route, path=route, method=method)
    answer = app(event, None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_a_view_answers_with_a_document_and_its_routes_status(app: Chalice) -> None:
    status, document, headers = call(app, "POST", body=b'{"probe":{"a":1}}')

    assert (status, document["root"]) == (201, {"a": 1})
    assert headers == {"Content-Type": "application/json"}


def test_a_reply_adds_headers_and_may_change_the_status(app: Chalice) -> None:
    assert call(app, "GET") == (200, [{"id": 1}], {"Content-Type": "application/json", "X-Total": "1"})
    assert call(app, "POST", query="reply=1")[0] == 202


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json; charset=utf-8",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
        "",
    ],
)
def test_a_json_body_is_read_whatever_type_it_claims(app: Chalice, content_type: str | None) -> None:
    headers = {"host": "localhost"} | ({} if content_type is None else {"Content-Type": content_type})
    status, document, _ = call(app, "POST", body=b'{"probe":{"a":1}}', headers=headers)

    assert (status, document["root"]) == (201, {"a": 1})
    assert document["content_type"] == (content_type or "")


def test_a_route_may_take_larger_bodies_than_others(app: Chalice) -> None:
    large = b'{"probe":{"a":"' + b"x" * 1_500_000 + b'"}}'

    assert call(app, "POST", body=large)[0] == 201
    status, document, _ = call(app, "POST", body=large + b" " * 500_000)
    assert (status, list(document["errors"])) == (422, ["body"])


def test_without_credentials_there_is_no_body_too_bad_to_be_401(app: Chalice) -> None:
    status, document, headers = call(app, "PATCH", "/v2/private", body=b"{")

    assert (status, document["error_code"]) == (401, 10001)
    assert headers["WWW-Authenticate"] == 'Basic realm="Passworks"'


def test_a_fault_shows_nothing_and_is_logged_once(app: Chalice, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status, document, _ = call(app, "GET", query="fault=1")

    assert (status, document["error_code"]) == (500, 10500)
    assert "secret" not in str(document)
    assert [record.message for record in caplog.records] == ["get_probe failed"]


def test_a_busy_server_says_when_to_come_back(app: Chalice) -> None:
    status, document, headers = call(app, "GET", query="busy=1")

    assert (status, document["error_code"], headers["Retry-After"]) == (503, 10500, "1")


def test_a_wrong_method_is_405_in_the_dialects_words(app: Chalice) -> None:
    status, document, headers = call(app, "DELETE", body=b"{}")

    assert status == 405
    assert document == {
        "status_code": 405,
        "error_code": 10005,
        "message": "Unsupported method: DELETE",
        "errors": {},
    }
    assert headers["Allow"] == "GET, POST"
