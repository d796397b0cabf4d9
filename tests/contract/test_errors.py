"""Whatever is sent, the answer is a JSON error of the contract and the data stay as they were (sections 3, 9.7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.every_route import CALLS, Project, fill_in, furnish
from tests.contract.expectations import check_error, check_no_fault, find_error_fault
from tests.contract.raw_http import basic, send, send_signed
from tests.contract.samples import TEMPLATE
from tests.contract.snapshot import take_snapshot
from tests.support.stack import Tenant

WITH_BODY = [route for route, call in CALLS.items() if call.body is not None]

UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \n",
    "cut": b'{"tags": ["gold"',
    "two documents": b"{}{}",
    "trailing comma": b'{"tags": ["gold"],}',
    "single quotes": b"{'tags': ['gold']}",
    "a comment": b"{} // {}",
    "a bare word": b"tags",
    "NaN": b'{"tags": NaN, "fields": NaN, "name": NaN}',
    "Infinity": b'{"x": -Infinity}',
    "1e999": b'{"x": 1e999}',
    "-1e999": b'{"x": [-1e999]}',
    "deep arrays": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"x":' * 20_000 + b"1" + b"}" * 20_000,
    "nested to the limit of the reader": b'{"x":' + b"[" * 960 + b"]" * 960 + b"}",
    "a number of 5,000 digits": b'{"x": ' + b"9" * 5000 + b"}",
    "a raw NUL": b'{"x": "\x00"}',
    "a raw line feed in a string": b'{"x": "\n"}',
    "no UTF-8": b'{"x": "\xff\xfe"}',
    "an overlong form": b'{"x": "\xc0\x80"}',
    "a lone surrogate, escaped": b'{"x": "\\ud800"}',
    "a lone surrogate, in capitals": b'{"x": "\\uDFFF"}',
    "a lone surrogate as a key": b'{"\\udc00": 1}',
    "a form": b"json=%7B%7D",
    "XML": b"<pass/>",
}

NO_OBJECTS: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "a number": b"5",
    "a string": b'"gold"',
    "an array of numbers": b"[1, 2]",
    "an array of nulls": b"[null]",
}


@pytest.fixture
def project(tenant: Tenant) -> Project:
    """A furnished project."""
    return furnish(tenant)


def check_refused_everywhere(project: Project, bodies: Mapping[str, bytes], *statuses: int) -> None:
    """Every route that takes a body refuses each of these, and nothing changes."""
    before = take_snapshot(project.tenant)
    check_no_fault(
        {
            f"{name}, {route}": find_error_fault(
                send_signed(project.tenant, route.split(" ")[0], fill_in(route, project.names), body=body), *statuses
            )
            for name, body in bodies.items()
            for route in WITH_BODY
        }
    )
    assert take_snapshot(project.tenant) == before


# Bodies, on every route that takes one


def test_a_body_that_is_no_json_is_406_on_every_route(project: Project) -> None:
    check_refused_everywhere(project, UNREADABLE, 406)


def test_json_that_is_no_object_is_400_on_every_route(project: Project) -> None:
    check_refused_everywhere(project, NO_OBJECTS, 400)


def test_a_body_of_two_megabytes_is_400_on_every_route(project: Project) -> None:
    check_refused_everywhere(project, {"2 MB": b'{"x": "' + b"y" * 2_000_000 + b'"}'}, 400)


def test_a_lone_surrogate_as_raw_bytes_is_refused_wherever_text_is_stored(project: Project) -> None:
    """Python's own JSON reader lets these three bytes pass, although they are no UTF-8."""
    check_text_refused(project, b"\xed\xa0\x80", encoding="utf-8")


def test_a_lone_surrogate_in_utf_16_is_refused_wherever_text_is_stored(project: Project) -> None:
    check_text_refused(project, b"\\ud800", encoding="utf-16-le")


def check_text_refused(project: Project, text: bytes, *, encoding: str) -> None:
    before = take_snapshot(project.tenant)
    names = project.names
    faults = {}
    for name, method, target, body in (
        ("tag", "PUT", f"/v1/pass/{names['pass']}/tags", b'{"tags": ["%"]}'),
        ("value", "PUT", f"/v1/pass/{names['pass']}", b'{"fields": {"Points": {"value": "%"}}}'),
        ("field", "PUT", f"/v1/pass/{names['pass']}", b'{"fields": {"%": {"value": "1"}}}'),
        ("semantics", "PUT", f"/v1/pass/{names['pass']}", b'{"semantics": {"%": 1}}'),
        ("bulk value", "PUT", f"/v1/tag/{names['tag']}/passes", b'{"headers": {"logo": {"value": "%"}}}'),
        ("external id", "POST", f"/v1/pass/{names['template']}", b'{"externalId": "%"}'),
        ("location", "POST", f"/v1/pass/{names['pass']}/locations", b'[{"latitude": 1, "longitude": 1, "city": "%"}]'),
        ("name", "POST", "/v1/template", b'{"name": "%"}'),
        ("description", "POST", "/v1/template", b'{"name": "x", "description": "%"}'),
        ("template field", "POST", "/v1/template", b'{"name": "x", "fields": {"a": {"value": "%"}}}'),
        ("template external id", "POST", "/v1/template", b'{"name": "x", "externalId": "%"}'),
    ):
        content = body.replace(b"%", text)
        content = content if encoding == "utf-8" else content.decode().encode(encoding)
        faults[name] = find_error_fault(send_signed(project.tenant, method, target, body=content), 400, 406)
    check_no_fault(faults)
    assert take_snapshot(project.tenant) == before


def test_a_missing_body_is_406_on_every_route_that_needs_one(project: Project) -> None:
    before = take_snapshot(project.tenant)
    check_no_fault(
        {
            route: find_error_fault(
                send_signed(project.tenant, route.split(" ")[0], fill_in(route, project.names)), 406
            )
            for route in WITH_BODY
        }
    )
    assert take_snapshot(project.tenant) == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"])
def test_a_content_type_that_is_not_read_is_406(project: Project, content_type: str) -> None:
    before = take_snapshot(project.tenant)
    target = f"/v1/pass/{project.names['pass']}/tags"
    answer = send_signed(project.tenant, "PUT", target, body='{"tags": ["vip"]}', content_type=content_type)
    check_error(answer, 406)
    assert take_snapshot(project.tenant) == before


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/Json"]
)
def test_json_is_recognised_in_every_spelling_of_its_content_type(project: Project, content_type: str) -> None:
    target = f"/v1/pass/{project.names['pass']}/tags"
    answer = send_signed(project.tenant, "PUT", target, body='{"tags": ["vip"]}', content_type=content_type)
    assert answer.json() == {"newTags": ["vip"], "mappings": 1}


def test_a_call_that_needs_no_body_takes_none_with_length_zero_and_no_content_type(project: Project) -> None:
    names = project.names
    for method, target in (
        ("POST", f"/v1/template/duplicate/{names['template']}"),
        ("DELETE", f"/v1/tag/{names['tag']}/passes"),
        ("DELETE", f"/v1/pass/{names['pass']}"),
    ):
        assert send_signed(project.tenant, method, target).status_code == 200


# Values

BAD_WRITES: dict[str, tuple[str, Any]] = {
    "16 tags": ("PUT /v1/pass/{}/tags", {"tags": [str(number) for number in range(16)]}),
    "a tag of 256 characters": ("PUT /v1/pass/{}/tags", {"tags": ["x" * 256]}),
    "a NUL in a tag": ("PUT /v1/pass/{}/tags", {"tags": ["a\x00b"]}),
    "10,000 tags": ("PUT /v1/pass/{}/tags", {"tags": [str(number) for number in range(10_000)]}),
    "a tag as a number": ("PUT /v1/pass/{}/tags", {"tags": [7]}),
    "a huge number as a tag": ("PUT /v1/pass/{}/tags", {"tags": [10**300]}),
    "a huge latitude": ("POST /v1/pass/{}/locations", [{"latitude": 10**400, "longitude": 0}]),
    "a huge external id": ("POST /v1/pass/{}", {"externalId": 10**400}),
    "a huge vendor id": ("POST /v1/template", {"name": "x", "vendorId": 10**400}),
    "a fraction as vendor id": ("POST /v1/template", {"name": "x", "vendorId": 1.5}),
    "fields in an array": ("PUT /v1/tag/{}/passes", {"fields": [{"value": "1"}]}),
    "a bulk update larger than any pass": (
        "PUT /v1/tag/{}/passes",
        {"fields": {str(number): {"value": "x" * 8000} for number in range(60)}},
    ),
    "a template larger than its limit": (
        "POST /v1/template",
        TEMPLATE | {"fields": {str(number): {"value": "x" * 8000} for number in range(20)}},
    ),
    "a text of 100,000 characters": ("PUT /v1/pass/{}", {"fields": {"Points": {"value": "x" * 100_000}}}),
    "200 entries too many": ("PUT /v1/pass/{}", {"headers": {str(number): {} for number in range(401)}}),
}


def test_a_value_out_of_bounds_is_400_and_changes_nothing(project: Project) -> None:
    before, faults = take_snapshot(project.tenant), {}
    for name, (route, body) in BAD_WRITES.items():
        target = fill_in(route, project.names)
        answer = send_signed(project.tenant, route.split(" ")[0], target, body=json.dumps(body))
        faults[name] = find_error_fault(answer, 400)
    check_no_fault(faults)
    assert take_snapshot(project.tenant) == before


@pytest.mark.parametrize("digits", [20, 400, 4000])
def test_a_huge_whole_number_as_a_value_is_kept_or_refused(project: Project, digits: int) -> None:
    target = f"/v1/pass/{project.names['pass']}"
    body = '{"fields": {"Points": {"value": ' + "9" * digits + "}}}"
    answer = send_signed(project.tenant, "PUT", target, body=body)
    if answer.status_code != 200:
        check_error(answer, 400, 406)
    assert send_signed(project.tenant, "GET", target).status_code == 200
    assert send_signed(project.tenant, "GET", "/v1/pass").status_code == 200


@pytest.mark.parametrize("key", ["semantics", "universalLinks", "unknown"])
def test_nesting_is_kept_or_refused_but_never_a_fault(project: Project, key: str) -> None:
    target = f"/v1/pass/{project.names['pass']}"
    for depth in (10, 20, 100, 500, 900, *range(930, 980, 5)):
        body = '{"' + key + '": {"a": ' + "[" * depth + "]" * depth + "}}"
        answer = send_signed(project.tenant, "PUT", target, body=body)
        if answer.status_code != 200:
            check_error(answer, 400, 406)
        assert send_signed(project.tenant, "GET", target).status_code == 200


# Paths and methods

NO_ROUTES = [
    "/",
    "/v1",
    "/v1/",
    "/v1/nothing",
    "/v1/tags",
    "/v1/Tag",
    "/V1/tag",
    "/v1/tag/gold",
    "/v1/tag//passes",
    "/v1/tag/a/b/passes",
    "/v1/pass/1/nothing",
    "/v1/pass/template/1",
    "//v1/tag",
    "/v1/../v1/tag",
    "/%76%31/nothing",
    "/v1/" + "x/" * 500,
    "/v1/" + "x" * 20_000,
    "/v1/%",
    "/v1/%zz",
    "/v1/\x7f".replace("\x7f", "%7F"),
    "/v1/tag;x=1/a/passes",
    "/favicon.ico",
    "/wp-login.php?x=%00",
]


def test_an_unknown_path_is_a_json_4xx(project: Project) -> None:
    check_no_fault(
        {
            target[:60]: find_error_fault(send_signed(project.tenant, method, target), 404, 405)
            for target in NO_ROUTES
            for method in ("GET", "DELETE")
        }
    )


def test_a_path_too_long_for_the_server_is_a_json_4xx(tenant: Tenant) -> None:
    check_error(send_signed(tenant, "GET", "/v1/tag/" + "x" * 100_000 + "/passes"), 400, 404)


def test_a_wrong_method_is_a_json_4xx_on_every_path(project: Project) -> None:
    before = take_snapshot(project.tenant)
    faults = {}
    for path in sorted({route.split(" ")[1] for route in CALLS}):
        known = {route.split(" ")[0] for route in CALLS if route.split(" ")[1] == path}
        for method in sorted({"GET", "POST", "PUT", "DELETE", "PATCH"} - known):
            target = path.replace("{}", project.names["pass"])
            body = "{}" if method != "GET" else None
            faults[f"{method} {path}"] = find_error_fault(
                send_signed(project.tenant, method, target, body=body), 400, 404, 405
            )
    check_no_fault(faults)
    assert take_snapshot(project.tenant) == before


@pytest.mark.parametrize("method", ["BREW", "get", "TRACE", "CONNECT"])
def test_an_unknown_method_is_a_json_4xx(tenant: Tenant, method: str) -> None:
    check_error(send_signed(tenant, method, "/v1/tag"), 400, 404, 405)


SEGMENTS = ["%", "%2", "%zz", "%FF", "%C0%80", "%ED%A0%80", "%00", "%0A", "%0D%0A", "..", ".", "%2E%2E", "*", "~"]
SEGMENTS += [
    "x" * 256,
    "x" * 20_000,
    "%F0%9F%98%80" * 1000,
    "9" * 4500,
    "1" * 16,
    "1" * 17,
    "+",
    "%2B",
    "${x}",
    "'\"<>",
]


FORMS = [
    "GET /v1/tag/{}/passes",
    "DELETE /v1/tag/{}",
    "GET /v1/pass/{}",
    "GET /v1/pass/id/{}",
    "GET /v1/pass/id/{}/tags",
    "GET /v1/pass/template/{}/id/x",
    "DELETE /v1/tag/gold/pass/{}",
    "DELETE /v1/tag/gold/pass/id/{}",
    "DELETE /v1/pass/id/{}",
    "GET /v1/template/{}",
    "GET /v1/template/id/{}",
    "GET /v1/ticket/{}",
]


def test_any_odd_segment_is_404(project: Project) -> None:
    before = take_snapshot(project.tenant)
    check_no_fault(
        {
            f"{method} {path}: {segment[:40]}": find_error_fault(
                send_signed(project.tenant, method, path.replace("{}", segment)), 404
            )
            for method, path in (form.split(" ") for form in FORMS)
            for segment in SEGMENTS
        }
    )
    assert take_snapshot(project.tenant) == before


@pytest.mark.parametrize("name", ["x" * 256, "%F0%9F%98%80" * 256], ids=["256", "256 of four bytes"])
def test_a_new_external_id_in_the_path_that_is_too_long_is_400(project: Project, name: str) -> None:
    before = take_snapshot(project.tenant)
    for target, body in (
        (f"/v1/pass/{project.names['template']}/id/{name}", {}),
        (f"/v1/pass/id/{project.names['template_name']}/id/{name}", {}),
        (f"/v1/template/{project.names['project']}/id/{name}", TEMPLATE),
    ):
        check_error(send_signed(project.tenant, "POST", target, body=json.dumps(body)), 400)
    assert take_snapshot(project.tenant) == before


@pytest.mark.parametrize("name", ["%00", "%ED%A0%80", "%FF", "%zz", "a%0Ab", "%20", "+"])
def test_a_new_external_id_of_odd_characters_is_kept_or_refused(project: Project, name: str) -> None:
    target = f"/v1/pass/{project.names['template']}/id/{name}"
    answer = send_signed(project.tenant, "POST", target, body="{}")
    if answer.status_code != 200:
        check_error(answer, 400)
        return
    assert send_signed(project.tenant, "GET", f"/v1/pass/id/{name}").json()["id"] == answer.json()["id"]


@pytest.mark.parametrize(
    "query", ["page=%zz", "page=%FF", "order=%00", "status=%ED%A0%80", "page=1&page=x", "page=%31x"]
)
def test_an_odd_query_is_400(project: Project, query: str) -> None:
    check_error(send_signed(project.tenant, "GET", f"/v1/tag/{project.names['tag']}/passes?{query}"), 400)


@pytest.mark.parametrize("query", ["", "?", "?&&=", "?x", "?=1", "?%00=%00", "?x=" + "y" * 20_000, "?" + "a=1&" * 2000])
def test_an_unknown_query_is_ignored(project: Project, query: str) -> None:
    assert send_signed(project.tenant, "GET", f"/v1/tag{query}").json()["count"] == 1


def test_the_refusal_of_a_file_upload_names_no_internals(project: Project) -> None:
    headers = {"Authorization": basic(project.tenant), "Content-Type": "multipart/form-data; boundary=x"}
    answer = send(project.tenant, "POST", "/v1/template", headers=headers, body=b"--x--")
    check_error(answer, 406)
    assert "Traceback" not in answer.text
