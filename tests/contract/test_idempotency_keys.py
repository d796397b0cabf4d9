"""Idempotency-Key: what is asked twice under one key is done once and answered alike, in both dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from chalicelib.domain.idempotency import claim_key
from chalicelib.operations import issue_key
from chalicelib.wiring import get_platform
from tests.contract.campaigns import add_image, check_refusal, create_campaign, create_pass, pass_path, path_of
from tests.contract.expectations import check_error
from tests.contract.samples import PLACE, TEMPLATE, new_pass, new_template, read_pass
from tests.support.stack import Stack, Tenant

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"


def _send(tenant: Tenant, method: str, path: str, *, key: str, **more: Any) -> httpx.Response:
    return tenant.request(method, path, headers={KEY: key}, **more)


@dataclass
class Case:
    """A request, and what counts what it makes."""

    method: str
    path: str
    json: Any
    count: Callable[[], object]
    files: Any = None
    data: Any = None


def _passes(tenant: Tenant) -> Callable[[], object]:
    return lambda: tenant.call("GET", "/v1/pass")["count"]


def _templates(tenant: Tenant) -> Callable[[], object]:
    return lambda: tenant.call("GET", "/v1/template/headers")["count"]


def _total(tenant: Tenant, path: str) -> Callable[[], object]:
    return lambda: tenant.request("GET", path).headers["X-Total"]


def _create_pass(tenant: Tenant) -> Case:
    body = {"externalId": "card", "tag": "gold"}
    return Case("POST", f"/v1/pass/{new_template(tenant)}", body, _passes(tenant))


def _create_pass_by_path(tenant: Tenant) -> Case:
    new_template(tenant, externalId="my card")
    return Case("POST", "/v1/pass/id/my%20card/id/p1", {}, _passes(tenant))


def _create_many(tenant: Tenant) -> Case:
    body = {"passes": [{"externalId": "a", "tag": "x"}, {"externalId": "a"}, {}]}
    return Case("POST", f"/v1/pass/{new_template(tenant)}/bulk", body, _passes(tenant))


def _update_pass(tenant: Tenant) -> Case:
    pass_id = new_pass(tenant)
    body = {"fields": {"Points": {"value": "3"}}}
    return Case("PUT", f"/v1/pass/{pass_id}", body, lambda: read_pass(tenant, pass_id)["updatedAt"])


def _add_locations(tenant: Tenant) -> Case:
    pass_id = new_pass(tenant)
    count = lambda: len(read_pass(tenant, pass_id)["locations"])  # noqa: E731
    return Case("POST", f"/v1/pass/{pass_id}/locations", {"locations": [PLACE]}, count)


def _update_tag(tenant: Tenant) -> Case:
    new_pass(tenant, tag="gold")
    return Case("PUT", "/v1/tag/gold/passes", {"fields": {"Points": {"value": "3"}}}, lambda: None)


def _create_template(tenant: Tenant) -> Case:
    return Case("POST", "/v1/template", TEMPLATE, _templates(tenant))


def _duplicate_template(tenant: Tenant) -> Case:
    return Case("POST", f"/v1/template/duplicate/{new_template(tenant)}", {}, _templates(tenant))


def _template_locations(tenant: Tenant) -> Case:
    template_id = new_template(tenant)
    count = lambda: len(tenant.call("GET", f"/v1/template/{template_id}")["userlocations"])  # noqa: E731
    return Case("POST", f"/v1/template/{template_id}/locations", {"locations": [PLACE]}, count)


def _create_campaign(tenant: Tenant) -> Case:
    body = {"coupon": {"name": "Helloworld", "icon_id": add_image(tenant)}}
    return Case("POST", "/v2/coupons", body, _total(tenant, "/v2/coupons"))


def _update_campaign(tenant: Tenant) -> Case:
    path = path_of(create_campaign(tenant))
    return Case("PATCH", path, {"coupon": {"background_color": "#010203"}}, _total(tenant, "/v2/templates"))


def _pause_campaign(tenant: Tenant) -> Case:
    path = path_of(create_campaign(tenant))
    return Case("POST", f"{path}/pause", None, lambda: tenant.call("GET", path)["state"])


def _create_pass_of_campaign(tenant: Tenant) -> Case:
    path = path_of(create_campaign(tenant))
    return Case("POST", f"{path}/passes", None, _total(tenant, f"{path}/passes"))


def _update_pass_of_campaign(tenant: Tenant) -> Case:
    campaign = create_campaign(tenant)
    path = pass_path(campaign, create_pass(tenant, campaign))
    return Case("PATCH", path, {"pass": {"user_info": {"seat": "2"}}}, lambda: tenant.call("GET", path))


def _merge(tenant: Tenant) -> Case:
    campaign = create_campaign(tenant)
    create_pass(tenant, campaign)
    return Case("POST", f"{path_of(campaign)}/merge", None, lambda: None)


def _push(tenant: Tenant) -> Case:
    campaign = create_campaign(tenant)
    create_pass(tenant, campaign)
    return Case("POST", f"{path_of(campaign)}/push", {"push_message": "Hello"}, lambda: None)


def _push_to_none(tenant: Tenant) -> Case:
    return Case("POST", f"{path_of(create_campaign(tenant))}/push", {}, lambda: None)


def _push_pass(tenant: Tenant) -> Case:
    campaign = create_campaign(tenant)
    path = pass_path(campaign, create_pass(tenant, campaign))
    return Case("POST", f"{path}/push", {"push_message": "Hello"}, lambda: tenant.call("GET", path))


def _redeem(tenant: Tenant) -> Case:
    campaign = create_campaign(tenant, allow_multiple_redeems=True)
    path = pass_path(campaign, create_pass(tenant, campaign))
    return Case("POST", f"{path}/redeem", {}, _total(tenant, f"{path}/redeems"))


def _redeem_by_code(tenant: Tenant) -> Case:
    campaign = create_campaign(tenant)
    made = create_pass(tenant, campaign)
    body = {"pass": {"redeem_code": made["redeem_code"], "comment": "till 4"}}
    return Case("POST", f"{path_of(campaign)}/redeem", body, _total(tenant, f"{path_of(campaign)}/redeems"))


def _create_look(tenant: Tenant) -> Case:
    body = {"template": {"name": "Look", "pass_type": "coupon", "icon_id": add_image(tenant)}}
    return Case("POST", "/v2/templates", body, _total(tenant, "/v2/templates"))


def _upload(tenant: Tenant) -> Case:
    """Each sending has a boundary of its own."""
    picture = BytesIO()
    Image.new("RGB", (118, 118)).save(picture, "PNG")
    files = {"asset[file]": ("icon.png", picture.getvalue(), "image/png")}
    case = Case("POST", "/v2/assets", None, _total(tenant, "/v2/assets"))
    case.files, case.data = files, {"asset[asset_type]": "icon"}
    return case


CASES = {
    case.__name__.strip("_"): case
    for case in (
        *(_create_pass, _create_pass_by_path, _create_many, _update_pass, _add_locations, _update_tag),
        *(_create_template, _duplicate_template, _template_locations, _create_campaign, _update_campaign),
        *(_pause_campaign, _create_pass_of_campaign, _update_pass_of_campaign, _merge, _push, _push_to_none),
        *(_push_pass, _redeem, _redeem_by_code, _create_look, _upload),
    )
}


@pytest.mark.parametrize("build", CASES.values(), ids=CASES)
def test_a_repeat_gets_the_same_answer_and_does_nothing(tenant: Tenant, build: Callable[[Tenant], Case]) -> None:
    case = build(tenant)

    def send(key: str) -> httpx.Response:
        body = {"json": case.json} if case.json is not None else {"files": case.files, "data": case.data}
        return _send(tenant, case.method, case.path, key=key, **body)

    first = send("order 66")
    assert first.status_code in (200, 201), first.text
    assert REPLAYED not in first.headers
    made = case.count()
    second = send("order 66")
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers[REPLAYED] == "true"
    assert second.headers["content-type"] == first.headers["content-type"]
    assert case.count() == made


def test_another_key_is_another_request(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    answers = [_send(tenant, "POST", f"/v1/pass/{template_id}", key=key, json={}) for key in ("a", "b", "A")]
    assert len({answer.json()["id"] for answer in answers}) == 3


def test_a_quoted_key_is_what_stands_in_the_quotes(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    keys = ('"a \\"b\\""', 'a "b"')
    answers = [_send(tenant, "POST", f"/v1/pass/{template_id}", key=key, json={}) for key in keys]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "tab\there", "ü"])
def test_a_key_of_no_use_is_refused_by_name(tenant: Tenant, key: str) -> None:
    template_id = new_template(tenant)
    headers = {KEY: key.encode("latin-1")}
    check_error(tenant.request("POST", f"/v1/pass/{template_id}", json={}, headers=headers), 400, mentions=KEY)
    refused = tenant.request("POST", "/v2/coupons", json={"coupon": {}}, headers=headers)
    check_refusal(refused, 422, 10100, KEY)
    assert tenant.call("GET", "/v1/pass")["count"] == 0


def test_the_longest_key_and_any_printable_character_are_taken(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    for key in ("x" * 255, "#/?&=\"'\\{}~!"):
        answers = [_send(tenant, "POST", f"/v1/pass/{template_id}", key=key, json={}) for _ in range(2)]
        assert answers[0].json() == answers[1].json()


def test_a_key_that_was_sent_with_another_request_is_refused(tenant: Tenant) -> None:
    template_id, other_id = new_template(tenant), new_template(tenant)
    path = f"/v1/pass/{template_id}"
    assert _send(tenant, "POST", path, key="k", json={"tag": "a"}).status_code == 200
    for other_path, body in (
        (path, {"tag": "b"}),
        (f"/v1/pass/{other_id}", {"tag": "a"}),
        (path + "?x=1", {"tag": "a"}),
    ):
        check_error(_send(tenant, "POST", other_path, key="k", json=body), 422, mentions=KEY)
    assert tenant.call("GET", "/v1/pass")["count"] == 1

    refused = _send(tenant, "POST", "/v2/coupons", key="k", json={"coupon": {"name": "x"}})
    check_refusal(refused, 422, 10107, KEY)


def test_a_key_is_the_projects_own(stack: Stack, tenant: Tenant) -> None:
    other = stack.tenant()
    made = [
        _send(owner, "POST", f"/v1/pass/{new_template(owner)}", key="k", json={}).json()["id"]
        for owner in (tenant, other)
    ]
    assert made[0] != made[1]


def test_credentials_are_no_part_of_what_is_asked(tenant: Tenant) -> None:
    """Nor is the way in which they are sent: a key may be replaced between two tries."""
    path = f"/v1/pass/{new_template(tenant)}"
    first = _send(tenant, "POST", path, key="k", json={})
    second = httpx.post(
        f"{tenant.http.base_url}{path}?api_key={tenant.secret}",
        json={},
        headers={KEY: "k"},
        verify=False,
        trust_env=False,
    )
    assert second.json() == first.json()


def test_credentials_in_a_form_are_none_either(tenant: Tenant) -> None:
    address = f"{tenant.http.base_url}/v1/pass/{new_template(tenant)}"
    again = issue_key(project_id=tenant.project_id)

    def send(form: dict[str, str]) -> httpx.Response:
        return httpx.post(address, data=form, headers={KEY: "k"}, verify=False, trust_env=False)

    first = send({"json": '{"tag": "gold"}', "api_key": tenant.secret})
    assert send({"api_key": again.secret, "json": '{"tag": "gold"}'}).json() == first.json()
    check_error(send({"json": '{"tag": "silver"}', "api_key": tenant.secret}), 422)


def test_a_refusal_is_not_kept(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    path = f"/v1/pass/{template_id}"
    check_error(_send(tenant, "POST", path, key="k", json={"fields": 7}), 400)
    check_error(_send(tenant, "POST", "/v1/pass/999999999", key="k", json={}), 404)
    made = _send(tenant, "POST", path, key="k", json={"fields": {}})
    assert made.status_code == 200
    assert REPLAYED not in made.headers


def test_a_redeem_that_was_refused_may_be_tried_again(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    path = pass_path(campaign, create_pass(tenant, campaign))
    assert _send(tenant, "POST", f"{path}/redeem", key="first", json={}).status_code == 200
    check_refusal(_send(tenant, "POST", f"{path}/redeem", key="second", json={}), 412, 10105)
    assert _send(tenant, "POST", f"{path}/redeem", key="first", json={}).headers[REPLAYED] == "true"
    tenant.call("POST", f"{path}/reset_redeem")
    assert _send(tenant, "POST", f"{path}/redeem", key="second", json={}).json()["redeemed_count"] == 2


@contextmanager
def _at_work(tenant: Tenant, method: str, path: str, body: bytes) -> Iterator[str]:
    """A key whose first request has not ended."""
    from chalicelib.domain import idempotency

    key = str(uuid4())
    route, parameters = ("/v1/pass/{identifier}", {"identifier": path.rpartition("/")[2]})
    if path.startswith("/v2"):
        route, parameters = "/v2/{campaign_type}", {"campaign_type": "coupons"}
    fingerprint = idempotency.make_fingerprint(
        method=method, route=route, parameters=parameters, query=[], body=body, content_type="application/json"
    )
    claim_key(get_platform(), project_id=tenant.project_id, key=key, fingerprint=fingerprint)
    yield key


def test_while_the_first_is_at_work_a_repeat_is_told_to_wait(tenant: Tenant) -> None:
    headers = {"Content-Type": "application/json"}
    path = f"/v1/pass/{new_template(tenant)}"
    with _at_work(tenant, "POST", path, b"{}") as key:
        waiting = tenant.request("POST", path, content=b"{}", headers={KEY: key, **headers})
        check_error(waiting, 409, mentions=KEY)
        assert int(waiting.headers["Retry-After"]) >= 1
    with _at_work(tenant, "POST", "/v2/coupons", b"{}") as key:
        waiting = tenant.request("POST", "/v2/coupons", content=b"{}", headers={KEY: key, **headers})
        check_refusal(waiting, 503, 10500)
        assert int(waiting.headers["Retry-After"]) >= 1


def test_where_a_repeat_has_no_other_effect_a_key_is_not_looked_at(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    for _ in range(2):
        assert REPLAYED not in _send(tenant, "GET", f"/v1/pass/{pass_id}", key="k").headers
    for _ in range(2):
        answer = _send(tenant, "PUT", f"/v1/pass/{pass_id}/tags", key="k", json={"tags": ["a"]})
        assert REPLAYED not in answer.headers
