"""Tickets, bulk updates by tag and the system's status (sections 4.7, 7)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.expectations import TICKET_TIME, check_error
from tests.contract.raw_http import send
from tests.contract.samples import PLACE, add_tags, new_pass, new_passes, passes_of, read_pass
from tests.contract.strict_reader import find_faults
from tests.support.stack import Stack, Tenant

UPDATE: dict[str, Any] = {"fields": {"Points": {"value": "77"}}, "headers": {"logo_text": {"value": "New"}}}


def ticket_of(tenant: Tenant, ticket_id: int) -> Any:
    return tenant.call("GET", f"/v1/ticket/{ticket_id}")


def test_a_ticket_has_capital_status_and_id_and_its_own_date(tenant: Tenant) -> None:
    ticket_id = tenant.call("PUT", f"/v1/pass/{new_pass(tenant)}", json=UPDATE)["ticketId"]
    ticket = ticket_of(tenant, ticket_id)
    assert set(ticket) == {"Status", "createdAt", "ID", "children", "progress"}
    assert (ticket["Status"], ticket["ID"], type(ticket["ID"])) == ("COMPLETED", ticket_id, int)
    assert TICKET_TIME.fullmatch(ticket["createdAt"])
    assert type(ticket["children"]) is dict
    assert ticket["progress"] == {"total": 1, "processed": 1, "changed": 1, "failed": 0}


def test_a_later_write_has_a_higher_ticket(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    paths = [f"/v1/pass/{pass_id}", "/v1/tag/gold/passes", f"/v1/pass/{pass_id}"]
    tickets = [tenant.call("PUT", path, json=UPDATE)["ticketId"] for path in paths]
    assert tickets == sorted(set(tickets))


def test_an_update_that_changes_nothing_says_so(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    tenant.call("PUT", f"/v1/pass/{pass_id}", json=UPDATE)
    before = read_pass(tenant, pass_id)
    ticket_id = tenant.call("PUT", f"/v1/pass/{pass_id}", json=UPDATE)["ticketId"]
    assert ticket_of(tenant, ticket_id)["progress"]["changed"] == 0
    assert read_pass(tenant, pass_id) == before


def test_a_bulk_update_goes_from_waiting_to_completed(stack: Stack, tenant: Tenant) -> None:
    tagged, other = new_passes(tenant, 5, tag="gold"), new_pass(tenant)
    before = read_pass(tenant, tagged[0])
    time.sleep(0.002)
    answer = tenant.call("PUT", "/v1/tag/gold/passes", json=UPDATE | {"locations": [PLACE]})
    assert set(answer) == {"ticketId"}
    waiting = ticket_of(tenant, answer["ticketId"])
    assert waiting["Status"] in ("PREQUED", "QUEUED")
    assert waiting["progress"] == {"total": 5, "processed": 0, "changed": 0, "failed": 0}
    stack.drain()
    done = ticket_of(tenant, answer["ticketId"])
    assert done["Status"] == "COMPLETED"
    assert done["progress"] == {"total": 5, "processed": 5, "changed": 5, "failed": 0}
    assert (done["ID"], done["createdAt"]) == (waiting["ID"], waiting["createdAt"])
    for pass_id in tagged:
        whole = read_pass(tenant, pass_id)
        assert whole["fields"]["Points"] == before["fields"]["Points"] | {"value": "77"}
        assert whole["fields"]["Tier"] == before["fields"]["Tier"]
        assert whole["headers"]["logo_text"]["value"] == "New"
        assert len(whole["locations"]) == 1
        assert whole["updatedAt"] > whole["createdAt"]
        assert find_faults(whole) == []
    assert read_pass(tenant, other)["fields"]["Points"]["value"] == "0"


def test_a_tag_without_passes_still_gets_a_ticket(stack: Stack, tenant: Tenant) -> None:
    new_pass(tenant, tag="gold")
    tenant.call("DELETE", "/v1/tag/gold/passes")
    ticket_id = tenant.call("PUT", "/v1/tag/gold/passes", json=UPDATE)["ticketId"]
    stack.drain()
    ticket = ticket_of(tenant, ticket_id)
    assert (ticket["Status"], ticket["progress"]["total"]) == ("COMPLETED", 0)


def test_passes_that_lost_the_tag_before_the_work_are_left_alone(stack: Stack, tenant: Tenant) -> None:
    kept, removed = new_passes(tenant, 2, tag="gold")
    ticket_id = tenant.call("PUT", "/v1/tag/gold/passes", json=UPDATE)["ticketId"]
    tenant.call("DELETE", f"/v1/tag/gold/pass/{removed}")
    stack.drain()
    assert ticket_of(tenant, ticket_id)["Status"] == "COMPLETED"
    assert [read_pass(tenant, pass_id)["fields"]["Points"]["value"] for pass_id in (kept, removed)] == ["77", "0"]


@pytest.mark.parametrize("path", ["/v1/tag/gold/passes", "/v1/tag/gold"])
def test_a_tag_emptied_or_deleted_before_the_work_leaves_its_passes_alone(
    stack: Stack, tenant: Tenant, path: str
) -> None:
    pass_id = new_pass(tenant, tag="gold")
    ticket_id = tenant.call("PUT", "/v1/tag/gold/passes", json=UPDATE)["ticketId"]
    tenant.call("DELETE", path)
    stack.drain()
    assert ticket_of(tenant, ticket_id)["Status"] == "COMPLETED"
    assert read_pass(tenant, pass_id)["fields"]["Points"]["value"] == "0"


def test_the_later_of_two_bulk_updates_wins_field_by_field(stack: Stack, tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tags=["gold", "vip"])
    tenant.call("PUT", "/v1/tag/gold/passes", json={"fields": {"Points": {"value": "1"}, "Tier": {"value": "old"}}})
    tenant.call("PUT", "/v1/tag/vip/passes", json={"fields": {"Points": {"value": "2"}}})
    tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {"Tier": {"value": "new"}}})
    stack.drain()
    fields = read_pass(tenant, pass_id)["fields"]
    assert (fields["Points"]["value"], fields["Tier"]["value"]) == ("2", "new")


def test_a_bulk_update_keeps_status_tags_and_lists(stack: Stack, tenant: Tenant) -> None:
    passes = new_passes(tenant, 3, tag="gold")
    add_tags(tenant, passes[0], "vip")
    tenant.call("PUT", "/v1/tag/gold/passes", json=UPDATE)
    stack.drain()
    assert passes_of(tenant, "gold", direction="ASC") == passes
    assert passes_of(tenant, "vip") == [passes[0]]
    assert passes_of(tenant, "gold", order="updatedAt", pageSize=1, page=4) == []


@pytest.mark.parametrize("ticket", ["99999999", "0", "-1", "abc", "1.0", "9007199254740993", "%00", "9" * 400])
def test_an_unknown_ticket_is_404(tenant: Tenant, ticket: str) -> None:
    check_error(tenant.request("GET", f"/v1/ticket/{ticket}"), 404)


@pytest.mark.parametrize("revision", [None, "1.2", "1.1", "anything"])
def test_tickets_and_status_do_not_look_at_the_revision(tenant: Tenant, revision: str | None) -> None:
    ticket_id = tenant.call("PUT", f"/v1/pass/{new_pass(tenant)}", json=UPDATE)["ticketId"]
    tenant.http.headers.pop("Api-Revision")
    headers = {} if revision is None else {"Api-Revision": revision}
    assert tenant.call("GET", f"/v1/ticket/{ticket_id}", headers=headers)["ID"] == ticket_id
    assert tenant.call("GET", "/v1/system/status", headers=headers) == {"Hello": "World"}


@pytest.mark.parametrize("target", ["/v1/system/status", "/v1/system/status/"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic bm9ib2R5OndyaXRlcw=="}], ids=["bare", "wrong"])
def test_the_system_status_is_open_to_all(tenant: Tenant, target: str, headers: dict[str, str]) -> None:
    answer = send(tenant, "GET", target, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"Hello": "World"})
