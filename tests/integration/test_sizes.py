"""Passes and updates of the largest sizes: what fits is stored, what does not is refused in the domain's words."""

from __future__ import annotations

import pytest

from chalicelib.domain import bulk_updates
from chalicelib.domain.content import Content, ContentUpdate, Entry
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.tickets import Ticket, TicketStatus
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import field_value, make_passes, make_template, read_ticket, write_field
from tests.support.stack import Stack, Tenant

TAG = "flag"


def _start(project_id: int, update: ContentUpdate) -> Ticket:
    return bulk_updates.start_bulk_update(get_platform(), project_id=project_id, segment=TAG, update=update)


def _progress(ticket: Ticket) -> tuple[TicketStatus, int, int, int, int]:
    """Status, total, processed, changed, failed."""
    now = read_ticket(ticket.ticket_id)
    progress = now.progress
    return now.status, progress.total, progress.processed, progress.changed, progress.failed


def test_a_pass_that_cannot_hold_the_update_is_counted_as_failed_and_holds_nobody_up(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    project_id, limit = tenant.project_id, get_platform().bounds.content_bytes
    template_id = make_template(project_id).template_id
    small = make_passes(project_id, 2, tags=[TAG], template_id=template_id)
    large = make_passes(
        project_id, 1, tags=[TAG], template_id=template_id, update=write_field("back1", "s" * (limit - 1000))
    )[0]

    ticket = _start(project_id, write_field("back2", "n" * 2000))
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 3, 3, 2, 1)
    assert {field_value(pass_, "back2") for pass_ in small} == {"n" * 2000}
    assert field_value(large, "back2") is None
    consistent(project_id)


def test_an_update_that_no_pass_could_hold_is_refused(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    make_passes(tenant.project_id, 1, tags=[TAG])
    fields = {f"field {number}": {"value": "v" * 8000} for number in range(60)}

    with pytest.raises(InvalidRequest):
        _start(tenant.project_id, ContentUpdate(fields=fields))

    stack.drain()
    consistent(tenant.project_id)


def test_passes_of_a_large_template_are_created_in_bulk(tenant: Tenant, consistent: Consistent) -> None:
    content = Content(fields={"Story": Entry({"fieldType": "back", "value": "s" * 60_000})})
    template_id = make_template(tenant.project_id, content=content).template_id

    made = make_passes(tenant.project_id, 94, template_id=template_id)

    assert len(made) == 94
    consistent(tenant.project_id)


def test_a_bulk_update_of_large_passes_reaches_all(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    content = Content(fields={"Story": Entry({"fieldType": "back", "value": "s" * 60_000})})
    template_id = make_template(tenant.project_id, content=content).template_id
    for _ in range(6):
        make_passes(tenant.project_id, 20, tags=[TAG], template_id=template_id)

    ticket = _start(tenant.project_id, write_field("back2", "short"))
    stack.drain()

    assert _progress(ticket) == (TicketStatus.COMPLETED, 120, 120, 120, 0)
    consistent(tenant.project_id)
