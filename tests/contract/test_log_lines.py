"""What the log says of a change on its whole way: request, bulk update, push, the device's questions; and of failures.

The lines are those of Lambda; the requests and messages are real.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from chalicelib.domain import bulk_updates
from chalicelib.domain.errors import StorageUnavailable
from chalicelib.wiring import get_platform
from tests.contract.samples import add_tags, new_pass, new_template
from tests.support.builders import make_spread_passes
from tests.support.log_lines import LogLines, metric_values, run_as_lambda
from tests.support.phones import Phone, shared_client, token_of
from tests.support.stack import Stack, Tenant


@pytest.fixture(autouse=True)
def _quiet(stack: Stack) -> None:
    """What other tests left in the queues is not part of what is counted here."""
    stack.drain()


def total(lines: LogLines, metric: str) -> Any:
    """What a metric adds up to."""
    return sum(metric_values(line).get(metric, 0) for line in lines.all)


def by_route(lines: LogLines, route: str) -> list[dict[str, Any]]:
    return [line for line in lines.all if line.get("route") == route]


def test_an_update_of_a_pass_names_project_pass_and_ticket(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    with run_as_lambda() as lines:
        ticket_id = tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {"Points": {"value": "1"}}})["ticketId"]

    (line,) = lines.all
    assert (line["method"], line["route"], line["status"]) == ("PUT", "/v1/pass/{identifier}", 200)
    assert (line["project_id"], line["pass_id"], line["ticket_id"]) == (tenant.project_id, pass_id, ticket_id)
    assert line["ms"] > 0
    assert line["Dialect"] == "airship"


def test_a_bulk_update_can_be_followed_by_its_ticket(stack: Stack, tenant: Tenant) -> None:
    make_spread_passes(tenant.project_id, segments=2, per_segment=2, tags=["gold"])
    with run_as_lambda() as lines:
        body = {"fields": {"Points": {"value": "2"}}}
        ticket_id = tenant.call("PUT", "/v1/tag/gold/passes", json=body)["ticketId"]
        stack.drain()

    of_ticket = [line for line in lines.all if line.get("ticket_id") == ticket_id]
    assert {line["project_id"] for line in of_ticket} == {tenant.project_id}
    kinds = Counter(line["queue"].rpartition("-")[2] for line in of_ticket if "queue" in line)
    assert kinds == {"plan": 1, "segment": 2}
    segments = [line for line in of_ticket if "segment" in line]
    assert [(line["processed"], line["changed"], line["failed"]) for line in segments] == [(2, 2, 0)] * 2
    assert (total(lines, "BulkSegments"), total(lines, "BulkPassesProcessed")) == (2, 4)
    assert (total(lines, "BulkPassesChanged"), total(lines, "BulkPassesFailed")) == (4, 0)
    assert total(lines, "TicketsCompleted") == 1


def test_a_bulk_update_without_passes_is_completed_and_counted(stack: Stack, tenant: Tenant) -> None:
    add_tags(tenant, new_pass(tenant), "silver")
    tenant.call("DELETE", "/v1/tag/silver/passes")
    with run_as_lambda() as lines:
        tenant.call("PUT", "/v1/tag/silver/passes", json={"fields": {"Points": {"value": "2"}}})
        stack.drain()

    assert (total(lines, "TicketsCompleted"), total(lines, "BulkSegments")) == (1, 0)


def test_a_bulk_update_that_fails_is_counted_once_however_many_segments_fail(
    stack: Stack, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_spread_passes(tenant.project_id, segments=2, tags=["gold"])

    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable("storage is throttled")

    with run_as_lambda() as lines:
        ticket_id = tenant.call("PUT", "/v1/tag/gold/passes", json={"fields": {"Points": {"value": "2"}}})["ticketId"]
        monkeypatch.setattr(bulk_updates, "update_segment", fail)
        stack.drain()

    failures = [line for line in lines.all if line.get("outcome") == "failed"]
    assert {line["ticket_id"] for line in failures} == {ticket_id}
    assert [line["tries"] for line in failures].count(5) == 2
    assert all(line["exception"]["type"] == "StorageUnavailable" for line in failures)
    assert total(lines, "StorageFailures") == len(failures) == 10
    assert total(lines, "TicketsFailed") == 1
    monkeypatch.undo()
    bulk_updates.redrive(get_platform(), ticket_id=ticket_id)
    stack.drain()


def test_a_wallet_is_known_by_its_pass_and_not_by_its_device(stack: Stack, tenant: Tenant) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id)
    with run_as_lambda() as lines:
        phone = Phone()
        held = phone.install(tenant.call("GET", f"/v1/pass/{pass_id}")["url"])
        tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {"Points": {"value": "9"}}})
        stack.drain()
        phone.poll(pushed=True)
        phone.unregister(held)

    register = by_route(lines, "/v1/devices/{device_id}/registrations/{pass_type}/{serial_number}")
    assert [line["method"] for line in register] == ["POST", "DELETE"]
    assert {(line["project_id"], line["pass_id"]) for line in register} == {(tenant.project_id, pass_id)}
    fetched = by_route(lines, "/v1/passes/{pass_type}/{serial_number}")
    assert {(line["project_id"], line["pass_id"]) for line in fetched} == {(tenant.project_id, pass_id)}
    assert total(lines, "Pushes") == 1
    for secret in (phone.device_id, phone.push_token, token_of(held), tenant.secret, tenant.key):
        assert secret not in lines.text


def test_a_stranger_with_another_token_is_noted_with_no_project(tenant: Tenant) -> None:
    with run_as_lambda() as lines:
        phone = Phone()
        held = phone.install(tenant.call("GET", f"/v1/pass/{new_pass(tenant)}")["url"])
        before = len(lines.all)
        phone.unregister(held, headers={"Authorization": "ApplePass another"})

    (line,) = lines.all[before:]
    assert (line["status"], line.get("project_id")) == (401, None)


def test_what_devices_report_is_a_field_without_their_ids(stack: Stack) -> None:
    device = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
    said = f"Get serial #s task (for device {device}, pass type pass.x): lastUpdated tag (1) remained the same"
    with run_as_lambda() as lines:
        shared_client().post(f"{stack.url}/v1/log", content=json.dumps({"logs": [said]}).encode())

    reported, closing = lines.all
    assert (reported["event"], reported["complaint"], reported["level"]) == ("device_log", "SameTag", "WARNING")
    assert reported["line"] == said.replace(device, "...")
    assert metric_values(closing)["DeviceComplaint"] == 1
    assert closing["Complaint"] == "SameTag"
