"""Asking for pushes: what changed passes are told to the push queue, once they have changed (wallets, section 2.5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.campaign_ports import PushCursor
from chalicelib.domain.errors import Busy
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.tickets import Ticket

PUSH_QUEUE = "push"

_log = logging.getLogger("passel")


def announce_change(after: Pass, *, ticket_id: int, now: datetime) -> list[Outgoing]:
    """The message that leaves with a write of one pass; none if the ticket changed nothing, or nobody holds the pass.

    A ticket that has written the pass in an earlier try, whose answer was lost, announces it again.
    """
    if after.changed_ticket != ticket_id or not after.registrations:
        return []
    return [
        Outgoing(
            key=f"push#{ticket_id}#{after.pass_id}",
            queue=PUSH_QUEUE,
            document=push_document(ticket_id, after.project_id, [after.pass_id], now),
            created_at=now,
        )
    ]


def announce_passes(platform: Platform, *, ticket_id: int, project_id: int, pass_ids: Sequence[int]) -> None:
    """Asks for pushes to whoever holds passes of one segment, without the outbox: for callers who come again.

    Raises:
        Busy: the queue cannot be reached.
    """
    if pass_ids:
        document = push_document(ticket_id, project_id, pass_ids, platform.now())
        platform.queues.send_documents(PUSH_QUEUE, [document])


def announce_segment(ticket: Ticket, segment: int, *, pass_ids: Sequence[int], now: datetime) -> list[Outgoing]:
    """The message that leaves with the mark of a segment, for whoever holds its changed passes; none if nobody does."""
    if not pass_ids:
        return []
    return [
        Outgoing(
            key=f"push#{ticket.ticket_id}##{segment}",
            queue=PUSH_QUEUE,
            document=push_document(ticket.ticket_id, ticket.project_id, pass_ids, now),
            created_at=now,
        )
    ]


def send_waiting(platform: Platform, messages: Sequence[Outgoing]) -> None:
    """Sends what left with a write that is done. If that fails the outbox keeps it, and the schedule sends it."""
    if not messages:
        return
    try:
        platform.queues.send_outgoing(messages)
    except Busy as error:
        _log.warning("%d messages are left to the outbox: %r", len(messages), error)


def push_document(
    ticket_id: int,
    project_id: int,
    pass_ids: Sequence[int],
    asked_at: datetime,
    *,
    after: PushCursor | None = None,
    outbox: str | None = None,
) -> dict[str, object]:
    """JSON for the push queue; `PushMessage` reads it. Passes that come `after` are still to be told."""
    return {
        "ticket_id": ticket_id,
        "project_id": project_id,
        "pass_ids": list(pass_ids),
        "after": None if after is None else list(after),
        "asked_at": asked_at.isoformat(),
        "outbox": outbox,
    }
