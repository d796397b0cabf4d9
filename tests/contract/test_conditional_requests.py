"""Tags of answers, reads that depend on them, and writes to a pass that depend on what its caller has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.campaigns import check_refusal, create_campaign, create_pass, pass_path, path_of
from tests.contract.expectations import check_error
from tests.contract.samples import PLACE, new_pass, new_template, read_pass
from tests.support.stack import Stack, Tenant

OTHER = '"0123456789abcdef0123456789abcdef"'


def _tag(tenant: Tenant, path: str) -> str:
    answer = tenant.request("GET", path)
    assert answer.status_code == 200
    return answer.headers["ETag"]


def _change(tenant: Tenant, pass_id: int, value: str) -> None:
    tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {"Points": {"value": value}}})


@pytest.fixture(scope="module")
def reader(stack: Stack) -> tuple[Tenant, dict[str, str]]:
    """A project with one of everything, and the reads of it by name."""
    tenant = stack.tenant()
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id, tag="gold", externalId="card")
    ticket = tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {}})["ticketId"]
    campaign = create_campaign(tenant)
    shown = create_pass(tenant, campaign)
    return tenant, {
        "pass": f"/v1/pass/{pass_id}",
        "by external id": "/v1/pass/id/card",
        "passes": "/v1/pass?pageSize=1",
        "tags of a pass": f"/v1/pass/{pass_id}/tags",
        "tags": "/v1/tag",
        "passes of a tag": "/v1/tag/gold/passes",
        "template": f"/v1/template/{template_id}",
        "ticket": f"/v1/ticket/{ticket}",
        "campaigns": "/v2/coupons?per_page=1",
        "campaign": path_of(campaign),
        "passes of a campaign": f"{path_of(campaign)}/passes",
        "pass of a campaign": pass_path(campaign, shown),
        "registrations": f"{path_of(campaign)}/registrations",
        "looks": "/v2/templates",
        "certificates": "/v2/certificates",
    }


# Reads


def test_every_read_has_a_strong_tag_of_its_bytes(reader: tuple[Tenant, dict[str, str]]) -> None:
    tenant, paths = reader
    for name, path in paths.items():
        first, second = tenant.request("GET", path), tenant.request("GET", path)
        assert first.headers["ETag"] == second.headers["ETag"], name
        assert first.content == second.content
        assert first.headers["ETag"].startswith('"'), name


def test_what_is_known_is_not_sent_again(reader: tuple[Tenant, dict[str, str]]) -> None:
    tenant, paths = reader
    for name, path in paths.items():
        whole = tenant.request("GET", path)
        answer = tenant.request("GET", path, headers={"If-None-Match": whole.headers["ETag"]})
        assert (answer.status_code, answer.content) == (304, b""), name
        own = {"date", "content-length", "x-request-id"}
        assert {key: value for key, value in answer.headers.items() if key not in own} == {
            key: value for key, value in whole.headers.items() if key not in own
        }, name


@pytest.mark.parametrize(
    "form",
    ["{tag}", "W/{tag}", "*", f"{OTHER}, {{tag}}", f"{OTHER},W/{{tag}}", ", {tag} ,", f'"",{OTHER} , {{tag}}'],
)
def test_a_list_of_tags_a_weak_one_or_a_star_matches(reader: tuple[Tenant, dict[str, str]], form: str) -> None:
    tenant, paths = reader
    known = form.format(tag=_tag(tenant, paths["pass"]))
    assert tenant.request("GET", paths["pass"], headers={"If-None-Match": known}).status_code == 304


@pytest.mark.parametrize("form", [OTHER, "{bare}", "{tag} {tag}", "w/{tag}", "{tag};", '"', "", "*, {tag}", "{upper}"])
def test_another_tag_or_a_header_that_cannot_be_read_matches_nothing(
    reader: tuple[Tenant, dict[str, str]], form: str
) -> None:
    tenant, paths = reader
    tag = _tag(tenant, paths["pass"])
    known = form.format(tag=tag, bare=tag.strip('"'), upper=tag.upper() if tag.upper() != tag else OTHER)
    assert tenant.request("GET", paths["pass"], headers={"If-None-Match": known}).status_code == 200


def test_a_change_changes_the_tag(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    before = _tag(tenant, f"/v1/pass/{pass_id}")
    _change(tenant, pass_id, "7")
    answer = tenant.request("GET", f"/v1/pass/{pass_id}", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer.json()["fields"]["Points"]["value"] == "7"


def test_refusals_writes_and_answers_to_anybody_have_no_tag(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    answers = [
        tenant.request("GET", "/v1/pass/999999999"),
        tenant.request("POST", f"/v1/pass/{template_id}", json={}),
        tenant.request("GET", "/v1/system/status"),
        tenant.request("GET", "/v2/ping"),
        tenant.request("GET", "/v1/pass", auth=("nobody", "nothing")),
    ]
    assert [answer.headers.get("ETag") for answer in answers] == [None] * 5


# Writes to a pass

AIRSHIP_WRITES: dict[str, Callable[[int], tuple[str, str, Any]]] = {
    "update": lambda pass_id: ("PUT", f"/v1/pass/{pass_id}", {"fields": {"Points": {"value": "9"}}}),
    "update by external id": lambda _: ("PUT", "/v1/pass/id/card", {"fields": {"Points": {"value": "9"}}}),
    "add locations": lambda pass_id: ("POST", f"/v1/pass/{pass_id}/locations", {"locations": [PLACE]}),
    "add tags": lambda pass_id: ("PUT", f"/v1/pass/{pass_id}/tags", {"tags": ["new"]}),
    "remove a tag": lambda pass_id: ("DELETE", f"/v1/tag/gold/pass/{pass_id}", None),
    "delete": lambda pass_id: ("DELETE", f"/v1/pass/{pass_id}", None),
}


@pytest.mark.parametrize("write", AIRSHIP_WRITES.values(), ids=AIRSHIP_WRITES)
def test_a_write_for_a_state_that_is_gone_is_refused_and_writes_nothing(
    tenant: Tenant, write: Callable[[int], tuple[str, str, Any]]
) -> None:
    pass_id = new_pass(tenant, tag="gold", externalId="card")
    seen = _tag(tenant, f"/v1/pass/{pass_id}")
    _change(tenant, pass_id, "8")
    present = read_pass(tenant, pass_id)
    method, path, body = write(pass_id)

    refused = tenant.request(method, path, json=body, headers={"If-Match": seen})
    check_error(refused, 412, mentions="If-Match")
    assert read_pass(tenant, pass_id) == present

    accepted = tenant.request(method, path, json=body, headers={"If-Match": _tag(tenant, f"/v1/pass/{pass_id}")})
    assert accepted.status_code == 200, accepted.text


def test_a_location_is_removed_from_what_was_seen_alone(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    added = tenant.call("POST", f"/v1/pass/{pass_id}/locations", json={"locations": [PLACE]})
    path = f"/v1/pass/{pass_id}/location/{added[0]['passLocationId']}"
    check_error(tenant.request("DELETE", path, headers={"If-Match": OTHER}), 412)
    assert len(read_pass(tenant, pass_id)["locations"]) == 1
    seen = _tag(tenant, f"/v1/pass/{pass_id}")
    assert tenant.request("DELETE", path, headers={"If-Match": seen}).status_code == 200


@pytest.mark.parametrize("form", ["W/{tag}", "{bare}", "", "{tag} {tag}", OTHER])
def test_a_weak_tag_and_what_cannot_be_read_match_no_write(tenant: Tenant, form: str) -> None:
    pass_id = new_pass(tenant)
    tag = _tag(tenant, f"/v1/pass/{pass_id}")
    wanted = form.format(tag=tag, bare=tag.strip('"'))
    check_error(tenant.request("PUT", f"/v1/pass/{pass_id}", json={"fields": {}}, headers={"If-Match": wanted}), 412)


def test_a_star_is_any_pass_that_exists(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    headers = {"If-Match": "*"}
    assert tenant.request("PUT", f"/v1/pass/{pass_id}", json={"fields": {}}, headers=headers).status_code == 200
    check_error(tenant.request("PUT", "/v1/pass/999999999", json={"fields": {}}, headers=headers), 404)


def test_a_tag_that_was_put_on_or_emptied_changes_what_was_seen(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    path = f"/v1/pass/{pass_id}"
    seen = [_tag(tenant, path)]
    tenant.call("PUT", f"{path}/tags", json={"tags": ["silver"]})
    seen.append(_tag(tenant, path))
    tenant.call("DELETE", "/v1/tag/gold/passes")
    for tag in seen:
        check_error(tenant.request("PUT", path, json={"fields": {}}, headers={"If-Match": tag}), 412)
    assert tenant.request("PUT", path, json={"fields": {}}, headers={"If-Match": _tag(tenant, path)}).status_code == 200


@pytest.mark.parametrize("by", ["pass", "code"])
def test_of_a_pass_that_was_redeemed_meanwhile_it_is_said_that_it_changed(tenant: Tenant, by: str) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    path = f"{pass_path(campaign, pass_) if by == 'pass' else path_of(campaign)}/redeem"
    body = {} if by == "pass" else {"pass": {"redeem_code": pass_["redeem_code"]}}
    seen = _tag(tenant, pass_path(campaign, pass_))

    assert tenant.request("POST", path, json=body, headers={"If-Match": seen}).status_code == 200
    check_refusal(tenant.request("POST", path, json=body, headers={"If-Match": seen}), 412, 10106, "base")
    check_refusal(tenant.request("POST", path, json=body), 412, 10105)


PASSWORKS_WRITES: dict[str, tuple[str, str, Any]] = {
    "PATCH": ("PATCH", "", {"pass": {"user_info": {"seat": "2"}}}),
    "POST": ("POST", "", {"pass": {"user_info": {"seat": "2"}}}),
    "redeem": ("POST", "/redeem", {}),
    "reset_redeem": ("POST", "/reset_redeem", {}),
    "push": ("POST", "/push", {}),
    "push with a message": ("POST", "/push", {"push_message": "Hello"}),
    "DELETE": ("DELETE", "", None),
}


@pytest.mark.parametrize("write", PASSWORKS_WRITES.values(), ids=PASSWORKS_WRITES)
def test_a_passworks_write_for_a_state_that_is_gone_is_refused(tenant: Tenant, write: tuple[str, str, Any]) -> None:
    campaign = create_campaign(tenant)
    path = pass_path(campaign, create_pass(tenant, campaign))
    seen = _tag(tenant, path)
    tenant.call("PATCH", path, json={"pass": {"user_info": {"seat": "1"}}})
    present = tenant.call("GET", path)
    method, suffix, body = write

    refused = tenant.request(method, path + suffix, json=body, headers={"If-Match": seen})
    check_refusal(refused, 412, 10106, "base")
    assert tenant.call("GET", path) == present

    accepted = tenant.request(method, path + suffix, json=body, headers={"If-Match": _tag(tenant, path)})
    assert accepted.status_code == 200, accepted.text


def test_a_redeemed_pass_that_has_changed_since_stays_redeemed(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    path = pass_path(campaign, create_pass(tenant, campaign))
    tenant.call("POST", f"{path}/redeem")
    seen = _tag(tenant, path)
    tenant.call("PATCH", path, json={"pass": {"user_info": {"seat": "1"}}})

    refused = tenant.request("POST", f"{path}/reset_redeem", headers={"If-Match": seen})
    check_refusal(refused, 412, 10106, "base")
    assert tenant.call("GET", path)["voided"] is True
    assert tenant.request("POST", f"{path}/reset_redeem", headers={"If-Match": _tag(tenant, path)}).status_code == 200
    assert tenant.call("GET", path)["voided"] is False
