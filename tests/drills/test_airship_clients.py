"""The same story with each client: a template, passes, tags, lists, a bulk update and its ticket, deletes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.samples import PLACE, TEMPLATE
from tests.contract.strict_reader import find_faults
from tests.drills.airship_clients import GAVE_UP, AirshipClient, EchoingClient, Failed, FormClient, OfficialClient
from tests.support.stack import Stack, Tenant

PASSES = 7
PAGE = 3
TAG = "early birds & friends"

CLIENTS = [OfficialClient, EchoingClient, FormClient]


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__)
def client(request: pytest.FixtureRequest, tenant: Tenant) -> Any:
    """Each client in turn, with a project of its own."""
    return request.param(tenant)


def gather(client: AirshipClient, path: str, key: str) -> list[Any]:
    """What a client sees of a list, page by page; none of it twice."""
    pages = list(client.walk(path, key, page_size=PAGE))
    assert all(len(page) == PAGE for page in pages[:-1])
    rows = [row for page in pages for row in page]
    assert len({row["id"] for row in rows}) == len(rows)
    return rows


def fill(client: AirshipClient) -> tuple[int, list[str]]:
    """A template with passes, all of one tag; a pass id is a string in the object of a pass (section 1)."""
    template_id = client.send("POST", "/v1/template", TEMPLATE)["templateId"]
    assert type(template_id) is int
    pass_ids = []
    for number in range(PASSES):
        body = {"externalId": f"member {number}", "tag": TAG, "id": "5", "publicURL": {"type": "multiple"}}
        created = client.send("POST", f"/v1/pass/{template_id}", body)
        assert type(created["id"]) is str
        assert urlsplit(created["url"]).path == f"/v1/pass/{created['id']}/download"
        pass_ids.append(created["id"])
    return template_id, pass_ids


def poll(client: AirshipClient, stack: Stack, ticket_id: Any) -> None:
    """Until the ticket is COMPLETED; a ticket's number must be one (section 7)."""
    assert type(ticket_id) is int
    for _ in range(10):
        ticket = client.get(f"/v1/ticket/{ticket_id}")
        assert ticket["ID"] == ticket_id
        assert ticket["Status"] not in GAVE_UP
        if ticket["Status"] == "COMPLETED":
            return
        stack.drain()
    raise AssertionError("the ticket is never completed")


def test_every_list_is_walked_to_its_end(client: AirshipClient) -> None:
    template_id, pass_ids = fill(client)
    tag = client.name(TAG)
    assert {row["id"] for row in gather(client, "/v1/pass", "passes")} == set(pass_ids)
    assert {row["id"] for row in gather(client, f"/v1/template/{template_id}/passes", "passes")} == set(pass_ids)
    tagged = gather(client, f"/v1/tag/{tag}/passes", "passes")
    assert {row["id"] for row in tagged} == set(map(int, pass_ids))
    assert [row["tag"] for row in gather(client, "/v1/tag", "tags")] == [TAG]
    assert [row["id"] for row in gather(client, "/v1/template/headers", "templateHeaders")] == [str(template_id)]


def test_what_a_strict_reader_reads_it_can_read(client: AirshipClient) -> None:
    template_id, pass_ids = fill(client)
    document = client.get(f"/v1/pass/{pass_ids[0]}")
    assert find_faults(document) == []
    assert (document["id"], document["templateId"]) == (pass_ids[0], str(template_id))
    assert document["externalId"] == "member 0"
    assert document["tags"] == [TAG]
    (tag,) = client.get(f"/v1/pass/{pass_ids[0]}/tags")["tags"]
    assert (type(tag["id"]), tag["name"]) == (int, TAG)


def test_a_bulk_update_reaches_every_pass_and_changes_nothing_else(client: AirshipClient, stack: Stack) -> None:
    _, pass_ids = fill(client)
    before = {pass_id: client.get(f"/v1/pass/{pass_id}") for pass_id in pass_ids}
    update = {"fields": {"Points": {"value": "41"}}}
    poll(client, stack, client.send("PUT", f"/v1/tag/{client.name(TAG)}/passes", update)["ticketId"])
    for pass_id in pass_ids:
        after = client.get(f"/v1/pass/{pass_id}")
        assert str(after["fields"]["Points"]["value"]) == "41"
        assert after["createdAt"] == before[pass_id]["createdAt"]
        assert after["fields"]["Tier"] == before[pass_id]["fields"]["Tier"]


def test_a_pass_is_updated_and_found_by_a_name_with_a_space(client: AirshipClient, stack: Stack) -> None:
    template_id, pass_ids = fill(client)
    name = client.name("member 3")
    update = {"fields": {"Points": {"value": "7"}}, "headers": {"expirationDate": {"label": "voided"}}}
    poll(client, stack, client.send("PUT", f"/v1/pass/id/{name}", update)["ticketId"])
    document = client.get(f"/v1/pass/template/{template_id}/id/{name}")
    assert document["id"] == pass_ids[3]
    assert str(document["fields"]["Points"]["value"]) == "7"


def test_tags_and_places_come_and_go(client: AirshipClient) -> None:
    template_id, pass_ids = fill(client)
    own, tag = pass_ids[0], client.name(TAG)
    assert client.send("PUT", f"/v1/pass/{own}/tags", {"tags": ["vip", TAG]}) == {"newTags": ["vip"], "mappings": 1}
    (place,) = client.send("POST", f"/v1/pass/{own}/locations", {"locations": [PLACE]})
    client.send("DELETE", f"/v1/pass/{own}/location/{place['passLocationId']}")
    client.send("POST", f"/v1/template/{template_id}/locations", {"locations": [PLACE]})
    removed = client.send("DELETE", f"/v1/tag/{tag}/pass/id/{client.name('member 0')}")
    assert (removed["passId"], removed["status"]) == (int(own), "success")
    assert [each["name"] for each in client.get(f"/v1/pass/{own}/tags")["tags"]] == ["vip"]
    emptied = client.send("DELETE", f"/v1/tag/{tag}/passes")
    assert (emptied["count"], emptied["tagId"]) == (PASSES - 1, removed["tagId"])
    assert client.get(f"/v1/tag/{tag}/passes")["passes"] == []
    assert client.send("DELETE", f"/v1/tag/{tag}")["count"] == 0


def test_what_is_deleted_is_gone_and_an_error_can_be_read(client: AirshipClient) -> None:
    template_id, pass_ids = fill(client)
    with pytest.raises(Failed, match=r"^400 Invalid Request Parameters\.:? ?.*"):
        client.send("DELETE", f"/v1/template/{template_id}")
    for pass_id in pass_ids:
        assert client.send("DELETE", f"/v1/pass/{pass_id}") == {"Status": "Deleted", "PassID": pass_id}
    with pytest.raises(Failed, match=r"^404 The resource is no longer at that location\.:? "):
        client.get(f"/v1/pass/{pass_ids[0]}")
    assert gather(client, "/v1/pass", "passes") == []
    client.send("DELETE", f"/v1/template/{template_id}")


def test_the_call_that_a_fault_of_a_client_sends_deletes_nothing(client: AirshipClient) -> None:
    """`DELETE /v1/pass`, where an external id was meant to follow (section 3)."""
    _, pass_ids = fill(client)
    with pytest.raises(Failed, match=r"^40[45] "):
        client.send("DELETE", "/v1/pass")
    assert {row["id"] for row in gather(client, "/v1/pass", "passes")} == set(pass_ids)
