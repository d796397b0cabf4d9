"""The same story with both clients: a campaign, passes, lists, redeems, updates, states, deletes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.campaigns import add_image
from tests.drills.passworks_clients import Failed, PassworksClient, PhpClient, RubyClient
from tests.support.phones import read_pass_file
from tests.support.stack import Stack, Tenant

PASSES = 27
"""more than a page of the usual size"""

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(params=[RubyClient, PhpClient], ids=lambda client: client.__name__)
def client(request: pytest.FixtureRequest, tenant: Tenant) -> Any:
    """Each client in turn, with an account of its own."""
    return request.param(tenant)


def open_campaign(client: PassworksClient, **more: Any) -> dict[str, Any]:
    """A coupon that anybody could make."""
    field = {"key": "offer", "value": "20% off", "label": "Any premium dog food"}
    body = {
        "name": "Paw Planet",
        "icon_id": add_image(client.tenant),
        "primary_fields": [field],
        "foreground_color": "red",
        **more,
    }
    campaign: dict[str, Any] = client.send("POST", "/v2/coupons", {"coupon": body})
    assert UUID.fullmatch(campaign["id"])
    assert SECONDS.fullmatch(campaign["created_at"])
    return campaign


def path_of(row: dict[str, Any]) -> str:
    """The path of a pass, from the pass alone, as the Ruby client builds it (section 8)."""
    return f"/v2/coupons/{row['campaign_id']}/passes/{row['id']}"


def add_passes(client: PassworksClient, campaign: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Passes that override nothing, in the words of the client's language."""
    path = f"/v2/coupons/{campaign['id']}/passes"
    return [client.send("POST", path, {"pass": client.empty_object}) for _ in range(count)]


def test_every_page_of_every_list_is_found_and_the_end_is_noticed(client: PassworksClient) -> None:
    campaign = open_campaign(client)
    created = add_passes(client, campaign, PASSES)
    pages = list(client.walk(f"/v2/coupons/{campaign['id']}/passes", per_page=25))
    assert [len(page) for page in pages] == [25, 2]
    assert [row["id"] for page in pages for row in page] == [row["id"] for row in created]
    assert all(row["campaign_id"] == campaign["id"] for page in pages for row in page)
    lists = ["/v2/coupons", "/v2/assets", "/v2/templates", "/v2/certificates"]
    lists += [f"/v2/coupons/{campaign['id']}/{name}" for name in ("registrations", "redeems")]
    lists += [f"{path_of(created[0])}/{name}" for name in ("registrations", "redeems")]
    assert {path: len(list(client.walk(path, per_page=25))) for path in lists} == dict.fromkeys(lists, 1)


def test_a_page_past_the_end_is_empty_and_names_no_next_one(client: PassworksClient) -> None:
    campaign = open_campaign(client)
    add_passes(client, campaign, 1)
    assert client.get(f"/v2/coupons/{campaign['id']}/passes?page=2") == []


@pytest.mark.parametrize("document", [None, {}, {"pass": {}}, {"pass": []}, {"pass": None}, [], "null"])
def test_a_pass_needs_no_body_however_that_is_written(client: PassworksClient, document: Any) -> None:
    campaign = open_campaign(client)
    sent = None if document is None else {} if document == "null" else document
    made = client.send("POST", f"/v2/coupons/{campaign['id']}/passes", sent)
    assert made["primary_fields"][0]["value"] == "20% off"
    assert made["barcode"]["message"] == made["redeem_code"] == "00000001"


def test_an_update_shows_on_the_phone(client: PassworksClient, stack: Stack) -> None:
    campaign = open_campaign(client)
    (made,) = add_passes(client, campaign, 1)
    inside = {"pass": {"primary_fields": [{"key": "offer", "value": "30% off"}], "merge": True, "push": False}}
    changed = client.send("PATCH", path_of(made), inside)
    assert (changed["primary_fields"][0]["value"], changed["id"]) == ("30% off", made["id"])
    beside = {"pass": {"primary_fields": [{"key": "offer", "value": "40% off"}]}, "merge": True}
    client.send("POST", path_of(made), beside)
    stack.drain()
    file = client.tenant.request("GET", urlsplit(made["pkpass_url"]).path)
    shown = read_pass_file(file).document
    assert shown["coupon"]["primaryFields"][0]["value"] == "40% off"
    assert shown["serialNumber"] == made["id"]


def test_a_merge_reaches_every_pass(client: PassworksClient, stack: Stack) -> None:
    campaign = open_campaign(client)
    made = add_passes(client, campaign, 3)
    changed = {"coupon": {"primary_fields": [{"key": "offer", "value": "half", "label": "Today"}]}}
    client.send("PATCH", f"/v2/coupons/{campaign['id']}", changed)
    client.send("POST", f"/v2/coupons/{campaign['id']}/merge", client.empty_object)
    stack.drain()
    assert [client.get(path_of(row))["primary_fields"][0]["value"] for row in made] == ["half"] * 3


def test_a_pass_is_redeemed_once(client: PassworksClient) -> None:
    campaign = open_campaign(client)
    (made,) = add_passes(client, campaign, 1)
    code = {"pass": {"redeem_code": made["redeem_code"], "comment": "at the till"}}
    redeemed = client.send("POST", f"/v2/coupons/{campaign['id']}/redeem", code)
    assert (redeemed["id"], redeemed["voided"], redeemed["redeemed_count"]) == (made["id"], True, 1)
    refused = _try(client, "POST", f"{path_of(made)}/redeem")
    assert (refused["status_code"], refused["error_code"]) == (412, 10105)
    assert client.send("POST", f"{path_of(made)}/reset_redeem", client.empty_object)["voided"] is False
    (row,) = client.get(f"{path_of(made)}/redeems")
    assert (row["redeem_code"], row["comment"]) == (made["redeem_code"], "at the till")


def _try(client: PassworksClient, method: str, path: str) -> Any:
    """The body of a 412, which the one client throws and the other hands on as a result (section 3)."""
    if not client.throws_at_412:
        return client.send(method, path)
    with pytest.raises(Failed) as caught:
        client.send(method, path)
    return caught.value.document


def test_states_are_refused_with_an_object_of_errors(client: PassworksClient) -> None:
    campaign = open_campaign(client)
    path = f"/v2/coupons/{campaign['id']}"
    assert client.send("POST", f"{path}/archive", client.empty_object)["state"] == "archived"
    refused = _try(client, "POST", f"{path}/resume")
    assert (refused["status_code"], refused["error_code"], set(refused["errors"])) == (412, 10102, {"state"})


def test_what_is_invalid_is_an_error_to_both(client: PassworksClient) -> None:
    with pytest.raises(Failed) as caught:
        client.send("POST", "/v2/coupons", {"coupon": {"name": ""}})
    assert caught.value.status == 422
    assert caught.value.document["errors"]
    with pytest.raises(Failed) as missing:
        client.get("/v2/coupons/4e0551fb-1127-4a96-a2b1-8a73adb4b2db")
    assert missing.value.status == 404


def test_deletes_answer_once_and_are_refused_then(client: PassworksClient) -> None:
    campaign = open_campaign(client)
    (made,) = add_passes(client, campaign, 1)
    for path, name in ((path_of(made), "pass"), (f"/v2/coupons/{campaign['id']}", "campaign")):
        assert client.send("DELETE", path) == {"errors": []}
        assert set(_try(client, "DELETE", path)["errors"]) == {name}
    assert list(client.walk("/v2/coupons", per_page=25)) == [[]]
