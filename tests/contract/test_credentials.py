"""Who may call, and in which forms the credentials may come (section 2)."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, urlencode

import pytest

from tests.contract.expectations import check_error, check_no_fault, find_error_fault
from tests.contract.raw_http import RawAnswer, basic, send
from tests.contract.samples import all_tags, new_pass
from tests.support.stack import Stack, Tenant

FORM = "application/x-www-form-urlencoded"


def encode(text: str | bytes) -> bytes:
    return b"Basic " + base64.b64encode(text.encode() if isinstance(text, str) else text)


def get_tags(tenant: Tenant, authorization: bytes | str | None, query: str = "") -> RawAnswer:
    headers = {} if authorization is None else {"Authorization": authorization}
    return send(tenant, "GET", f"/v1/tag{query}", headers=headers)


WRONG: dict[str, bytes] = {
    "unknown pair": encode("nobody:nothing"),
    "empty pair": encode(":"),
    "no colon": encode("nobody"),
    "empty": encode(""),
    "no value": b"Basic",
    "no base64": b"Basic !!!!",
    "cut base64": b"Basic bm9ib2R5Om5vdGhpb",
    "no UTF-8": encode(b"\xff\xfe:\xff"),
    "bytes that are no ASCII": "Basic é".encode("latin-1"),
    "UTF-8 in the header": "Basic żółć".encode(),
    "NUL": encode("a\x00:b\x00"),
    "long": encode("x" * 3000 + ":" + "y" * 3000),
    "empty header": b"",
    "Bearer": b"Bearer abcdef",
    "Digest": b'Digest username="x"',
    "scheme only in part": b"Basically bm9ib2R5Om5vdGhpbmc=",
}


def test_wrong_or_malformed_credentials_are_401(tenant: Tenant) -> None:
    check_no_fault({name: find_error_fault(get_tags(tenant, sent), 401) for name, sent in WRONG.items()})


def test_half_right_credentials_are_401(tenant: Tenant) -> None:
    key, secret = tenant.key, tenant.secret
    pairs = [
        f"{key}:",
        key,
        f":{secret}",
        f"{secret}:{key}",
        f"{key}:{secret}x",
        f"{key}x:{secret}",
        f"{key}: {secret}",
    ]
    check_no_fault({pair: find_error_fault(get_tags(tenant, encode(pair)), 401) for pair in pairs})


def test_the_secret_of_another_project_is_401(stack: Stack, tenant: Tenant) -> None:
    check_error(get_tags(tenant, encode(f"{tenant.key}:{stack.tenant().secret}")), 401)


def test_a_revoked_key_is_401(stack: Stack) -> None:
    from chalicelib import operations

    tenant = stack.tenant()
    operations.revoke_key(key=tenant.key)
    check_error(get_tags(tenant, basic(tenant)), 401)
    check_error(get_tags(tenant, None, f"?api_key={tenant.secret}"), 401)


def test_a_refused_key_is_not_taken_for_right_afterwards(tenant: Tenant) -> None:
    for _ in range(3):
        check_error(get_tags(tenant, encode(f"{tenant.key}:wrong")), 401)
    assert get_tags(tenant, basic(tenant)).status_code == 200
    check_error(get_tags(tenant, encode(f"{tenant.key}:wrong")), 401)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_scheme_is_read_in_any_case(tenant: Tenant, scheme: str) -> None:
    assert get_tags(tenant, basic(tenant).replace("Basic", scheme)).status_code == 200


def test_a_pair_of_a_mail_address_and_an_api_key_is_the_classic_form(stack: Stack, tenant: Tenant) -> None:
    from chalicelib import operations

    login, secret = f"{tenant.project_id}@example.com", f"classic:key with ümlaut {tenant.project_id}"
    operations.issue_key(project_id=tenant.project_id, key=login, secret=secret)
    new_pass(tenant, tag="gold")
    assert get_tags(tenant, encode(f"{login}:{secret}")).json()["count"] == 1
    assert get_tags(tenant, None, f"?api_key={quote(secret)}").json()["count"] == 1


# api_key


def test_api_key_in_the_query_stands_for_the_secret_on_any_method(tenant: Tenant) -> None:
    pass_id, query = new_pass(tenant, tag="gold"), f"?api_key={tenant.secret}"
    assert get_tags(tenant, None, query + "&pageSize=1").json()["count"] == 1
    body, headers = '{"tags": ["vip"]}', {"Content-Type": "application/json"}
    assert send(tenant, "PUT", f"/v1/pass/{pass_id}/tags{query}", headers=headers, body=body).json()["mappings"] == 1
    assert send(tenant, "DELETE", f"/v1/tag/vip{query}").json()["count"] == 1
    assert send(tenant, "POST", f"/v1/template/duplicate/{_template(tenant)}{query}").status_code == 200


def _template(tenant: Tenant) -> str:
    return str(tenant.call("GET", "/v1/template/headers")["templateHeaders"][0]["id"])


@pytest.mark.parametrize("value", ["", "wrong", "{key}", "%FF", "%00", "%ED%A0%80", "x" * 5000])
def test_a_wrong_api_key_is_401(tenant: Tenant, value: str) -> None:
    check_error(get_tags(tenant, None, f"?api_key={value.format(key=tenant.key)}"), 401)


def test_a_wrong_header_is_not_saved_by_a_right_api_key(tenant: Tenant) -> None:
    check_error(get_tags(tenant, encode("nobody:nothing"), f"?api_key={tenant.secret}"), 401)


def test_the_secret_is_in_no_answer(tenant: Tenant) -> None:
    query = f"?api_key={tenant.secret}"
    new_pass(tenant, tag="gold")
    for path in ("/v1/tag", "/v1/pass", "/v1/tag/gold/passes", "/v1/tag/nothing/passes", "/v1/pass?page=x"):
        answer = send(tenant, "GET", path + query)
        assert tenant.secret not in answer.text
        assert tenant.secret not in str(answer.headers)


# Forms


def test_a_form_with_json_and_api_key_writes_on_put_and_post(tenant: Tenant) -> None:
    pass_id, headers = new_pass(tenant), {"Content-Type": FORM}
    body = urlencode({"api_key": tenant.secret, "json": json.dumps({"tags": ["two words & żółć"]})})
    answer = send(tenant, "PUT", f"/v1/pass/{pass_id}/tags", headers=headers, body=body)
    assert answer.json() == {"newTags": ["two words & żółć"], "mappings": 1}
    body = urlencode({"json": '{"externalId": "from a form"}', "api_key": tenant.secret, "more": "ignored"})
    created = send(tenant, "POST", f"/v1/pass/{_template(tenant)}", headers=headers, body=body)
    assert tenant.call("GET", "/v1/pass/id/from%20a%20form")["id"] == created.json()["id"]


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", "Application/X-WWW-Form-UrlEncoded"])
def test_a_form_is_recognised_by_its_content_type(tenant: Tenant, content_type: str) -> None:
    body = urlencode({"json": '{"tags": ["gold"]}'})
    headers = {"Authorization": basic(tenant), "Content-Type": content_type}
    answer = send(tenant, "PUT", f"/v1/pass/{new_pass(tenant)}/tags", headers=headers, body=body)
    assert answer.json() == {"newTags": ["gold"], "mappings": 1}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"json": '{"tags": ["gold"]}'}, 401),
        ({"json": '{"tags": ["gold"]}', "api_key": ""}, 401),
        ({"json": '{"tags": ["gold"]}', "api_key": "wrong"}, 401),
        ({"json": "", "api_key": "{secret}"}, 406),
        ({"api_key": "{secret}"}, 406),
        ({"json": "{tags", "api_key": "{secret}"}, 406),
        ({"json": "null", "api_key": "{secret}"}, 400),
        ({"json": "[]", "api_key": "{secret}"}, 400),
        ({"JSON": '{"tags": ["gold"]}', "api_key": "{secret}"}, 406),
    ],
    ids=str,
)
def test_a_form_without_key_or_json_is_refused(tenant: Tenant, fields: dict[str, str], status: int) -> None:
    pass_id = new_pass(tenant)
    body = urlencode({name: tenant.secret if value == "{secret}" else value for name, value in fields.items()})
    answer = send(tenant, "PUT", f"/v1/pass/{pass_id}/tags", headers={"Content-Type": FORM}, body=body)
    check_error(answer, status)
    assert all_tags(tenant) == {}
