"""Ticket rows and the domain's tickets, one made from the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.domain.errors import NumberTaken
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.tickets import UNFINISHED, Progress, TagTarget, TemplateTarget, Ticket, TicketStatus
from chalicelib.store.failures import ConditionFailed
from chalicelib.store.models import TicketRow
from chalicelib.store.sequences import explain_taken
from chalicelib.store.transactions import Transaction

_TICKET = "ticket"

OPEN = "open"
"""value of the sparse index key that unfinished bulk updates carry"""


def as_row(ticket: Ticket) -> TicketRow:
    """The head row of a ticket."""
    unfinished_bulk = ticket.target is not None and ticket.status in UNFINISHED
    return TicketRow(
        ticket_id=ticket.ticket_id,
        project_id=ticket.project_id,
        status=ticket.status,
        created_at=as_milliseconds(ticket.created_at),
        tag_id=ticket.target.tag_id if isinstance(ticket.target, TagTarget) else None,
        generation=ticket.target.generation if isinstance(ticket.target, TagTarget) else None,
        template_id=ticket.target.template_id if isinstance(ticket.target, TemplateTarget) else None,
        total=ticket.progress.total,
        processed=ticket.progress.processed,
        changed=ticket.progress.changed,
        failed=ticket.progress.failed,
        segments_total=ticket.segments_total,
        segments_done=ticket.segments_done,
        segments_failed=ticket.segments_failed,
        open=OPEN if unfinished_bulk else None,
    )


def put_ticket(transaction: Transaction, ticket: Ticket) -> None:
    """Stores a new ticket, if its number is free."""
    transaction.put(as_row(ticket), TicketRow.ticket_id.does_not_exist(), label=_TICKET)


@contextmanager
def told_if_taken(ticket: Ticket) -> Iterator[None]:
    """Around the commit of a transaction with `put_ticket`.

    Raises:
        NumberTaken: to try again with this number is of no use.
    """
    try:
        yield
    except ConditionFailed as failure:
        if _TICKET in failure.labels and not failure.may_be_written:
            raise NumberTaken(explain_taken("ticket", ticket.ticket_id)) from failure
        raise


def as_ticket(row: TicketRow) -> Ticket:
    """The ticket of a head row."""
    target: TagTarget | TemplateTarget | None = None
    if row.template_id is not None:
        target = TemplateTarget(template_id=int(row.template_id))
    elif row.tag_id is not None and row.generation is not None:
        target = TagTarget(tag_id=int(row.tag_id), generation=int(row.generation))
    return Ticket(
        ticket_id=int(row.ticket_id),
        project_id=int(row.project_id),
        status=TicketStatus(row.status),
        created_at=from_milliseconds(int(row.created_at)),
        target=target,
        progress=Progress(
            total=int(row.total),
            processed=int(row.processed),
            changed=int(row.changed),
            failed=int(row.failed),
        ),
        segments_total=None if row.segments_total is None else int(row.segments_total),
        segments_done=int(row.segments_done),
        segments_failed=int(row.segments_failed),
    )
