"""Tickets in DynamoDB: a small head, and parts that never change once written.

Parts: `update` (what is written), `plan` (which segments), `done:<segment>` and `failed:<segment>` (markers).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import events_of_template
from chalicelib.domain.reporting import Event, day_of
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.tickets import UNFINISHED, SegmentResult, SegmentWork, Ticket, TicketStatus
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.models import TicketPartRow, TicketRow
from chalicelib.store.outbox import put_outgoing
from chalicelib.store.ticket_rows import OPEN, as_ticket, put_ticket, told_if_taken
from chalicelib.store.transactions import Transaction

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt

_TEMPLATES_COUNTED = 50
"""templates whose reports one segment adds to, so that its transaction stays within bounds"""

_UPDATE, _PLAN, _DONE, _FAILED = "update", "plan", "done:", "failed:"


def _marker(prefix: str, segment: int) -> str:
    return f"{prefix}{segment:012d}"


class DynamoTicketStore:
    """Implements `TicketStore`. Statuses move by conditional writes, so a late message moves nothing back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_ticket(self, ticket: Ticket, update: ContentUpdate, *, receipt: Receipt | None = None) -> None:
        """See `TicketStore`."""
        transaction = Transaction(self._database)
        put_ticket(transaction, ticket)
        transaction.put(TicketPartRow(ticket_id=ticket.ticket_id, part=_UPDATE, document=update.encode()))
        transaction.keep(receipt)
        with told_if_taken(ticket):
            transaction.commit()

    def get_ticket(self, *, ticket_id: int) -> Ticket | None:
        """See `TicketStore`."""
        try:
            with translated():
                return as_ticket(TicketRow.get(ticket_id, consistent_read=True))
        except DoesNotExist:
            return None

    def get_update(self, *, ticket_id: int) -> ContentUpdate | None:
        """See `TicketStore`."""
        document = self._get_document(ticket_id, _UPDATE)
        return None if document is None else ContentUpdate.decode(document)

    def open_segment(self, *, ticket_id: int, segment: int) -> SegmentWork | None:
        """See `TicketStore`."""
        marker = _marker(_DONE, segment)
        key = {"ticket_id": {"N": str(ticket_id)}}
        heads, parts = TicketRow.Meta.table_name, TicketPartRow.Meta.table_name
        found = self._database.batch_get_tables(
            {heads: [key], parts: [{**key, "part": {"S": part}} for part in (_UPDATE, marker)]}
        )
        if not found[heads]:
            return None
        documents = {item["part"]["S"]: item.get("document", {}).get("S") for item in found[parts]}
        document = documents.get(_UPDATE)
        return SegmentWork(
            ticket=as_ticket(TicketRow.from_raw_data(found[heads][0])),
            update=None if document is None else ContentUpdate.decode(document),
            is_done=marker in documents,
        )

    def get_plan(self, *, ticket_id: int) -> list[int] | None:
        """See `TicketStore`."""
        document = self._get_document(ticket_id, _PLAN)
        return None if document is None else _decode_segments(document)

    def _get_document(self, ticket_id: int, part: str) -> str | None:
        try:
            with translated():
                document = TicketPartRow.get(ticket_id, part, consistent_read=True).document
        except DoesNotExist:
            return None
        return None if document is None else str(document)

    def save_plan(self, ticket: Ticket, segments: Sequence[int]) -> None:
        """See `TicketStore`."""
        transaction = Transaction(self._database)
        transaction.put(
            TicketPartRow(ticket_id=ticket.ticket_id, part=_PLAN, document=_encode_segments(segments)),
            TicketPartRow.part.does_not_exist(),
            label="plan",
        )
        transaction.update(
            TicketRow(ticket_id=ticket.ticket_id),
            [TicketRow.status.set(TicketStatus.QUEUED), TicketRow.segments_total.set(len(segments))],
            TicketRow.status == TicketStatus.PREQUED,
            label="ticket",
        )
        transaction.commit()

    def list_done(self, *, ticket_id: int) -> set[int]:
        """See `TicketStore`."""
        return self._list_segments(ticket_id, _DONE)

    def list_failed(self, *, ticket_id: int) -> set[int]:
        """See `TicketStore`."""
        return self._list_segments(ticket_id, _FAILED)

    def _list_segments(self, ticket_id: int, prefix: str) -> set[int]:
        parts = [row.part.removeprefix(prefix) for row in self._list_markers(ticket_id, prefix)]
        return {int(part) for part in parts if part != _PLAN}

    def _list_markers(self, ticket_id: int, prefix: str) -> list[TicketPartRow]:
        with translated():
            return list(TicketPartRow.query(ticket_id, TicketPartRow.part.startswith(prefix), consistent_read=True))

    def is_done(self, *, ticket_id: int, segment: int) -> bool:
        """See `TicketStore`."""
        try:
            with translated():
                TicketPartRow.get(ticket_id, _marker(_DONE, segment), consistent_read=True)
        except DoesNotExist:
            return False
        return True

    def complete_segment(self, ticket: Ticket, segment: int, result: SegmentResult) -> None:
        """See `TicketStore`."""
        transaction = Transaction(self._database)
        marker = TicketPartRow(ticket_id=ticket.ticket_id, part=_marker(_DONE, segment), passes=result.processed)
        transaction.put(marker, TicketPartRow.part.does_not_exist(), label="marker")
        transaction.update(
            TicketRow(ticket_id=ticket.ticket_id),
            [
                TicketRow.processed.add(result.processed),
                TicketRow.changed.add(result.changed),
                TicketRow.failed.add(result.failed),
                TicketRow.segments_done.add(1),
            ],
        )
        put_outgoing(transaction, result.outgoing)
        for template_id, changed in sorted(result.changed_by_template.items())[:_TEMPLATES_COUNTED]:
            events = events_of_template(template_id)
            transaction.count_in(events, day_of(ticket.created_at), facet=Event.UPDATES, change=changed)
        _commit_once(transaction)

    def fail_part(self, ticket: Ticket, segment: int | None, *, passes: int) -> None:
        """See `TicketStore`."""
        part = f"{_FAILED}{_PLAN}" if segment is None else _marker(_FAILED, segment)
        transaction = Transaction(self._database)
        if segment is not None:
            done = (ticket.ticket_id, _marker(_DONE, segment))
            transaction.check(TicketPartRow, done, TicketPartRow.part.does_not_exist(), label="done")
        transaction.put(
            TicketPartRow(ticket_id=ticket.ticket_id, part=part, passes=passes),
            TicketPartRow.part.does_not_exist(),
            label="marker",
        )
        transaction.update(
            TicketRow(ticket_id=ticket.ticket_id),
            [
                TicketRow.status.set(TicketStatus.FAILED),
                TicketRow.failed.add(passes),
                TicketRow.segments_failed.add(1),
                TicketRow.open.remove(),
            ],
            TicketRow.status.is_in(TicketStatus.PREQUED, TicketStatus.QUEUED, TicketStatus.FAILED),
            label="ticket",
        )
        _commit_once(transaction)

    def abort_ticket(self, *, ticket_id: int) -> None:
        """See `TicketStore`."""
        self._move(ticket_id, TicketStatus.ABORTED, TicketRow.status == TicketStatus.PREQUED)

    def queue_ticket(self, *, ticket_id: int) -> None:
        """See `TicketStore`."""
        self._move(ticket_id, TicketStatus.QUEUED, TicketRow.status == TicketStatus.PREQUED)

    def finish_ticket(self, *, ticket_id: int) -> bool:
        """See `TicketStore`. The condition compares two attributes of the row, so no read is needed.

        Unless parts were given up: if all is done in spite of that, their marks and counts go first.
        """
        if self._complete(ticket_id):
            return True
        ticket = self.get_ticket(ticket_id=ticket_id)
        if ticket is None or not ticket.segments_failed or ticket.segments_done != ticket.segments_total:
            return False
        for marker in self._list_markers(ticket_id, _FAILED):
            self._retract(marker)
        return self._complete(ticket_id)

    def _complete(self, ticket_id: int) -> bool:
        unfinished = TicketRow.status.is_in(TicketStatus.PREQUED, TicketStatus.QUEUED, TicketStatus.FAILED)
        done = (TicketRow.segments_done == TicketRow.segments_total) & unfinished
        return self._move(ticket_id, TicketStatus.COMPLETED, done & (TicketRow.segments_failed == 0))

    def _move(self, ticket_id: int, status: TicketStatus, condition: Condition) -> bool:
        """Changes the status if the condition holds, and says whether it did; the sparse index follows.

        Workers who complete segments meanwhile do so in transactions, which refuse this write while they last.
        """
        is_open = TicketRow.open.set(OPEN) if status in UNFINISHED else TicketRow.open.remove()

        def attempt() -> bool:
            try:
                with translated():
                    TicketRow._get_connection().update_item(
                        str(ticket_id), actions=[TicketRow.status.set(status), is_open], condition=condition
                    )
            except ConditionFailed:
                return False
            return True

        return retry_conflicts(attempt, budget_seconds=self._database.settings.request_budget_seconds)

    def reopen_ticket(self, ticket: Ticket) -> None:
        """See `TicketStore`. One transaction for each failed part, so that any number fits; the status goes last."""
        for marker in self._list_markers(ticket.ticket_id, _FAILED):
            self._retract(marker)
        self._move(ticket.ticket_id, TicketStatus.PREQUED, TicketRow.status == TicketStatus.FAILED)

    def retract_failure(self, ticket: Ticket, segment: int) -> None:
        """See `TicketStore`."""
        part = _marker(_FAILED, segment)
        for marker in self._list_markers(ticket.ticket_id, part):
            self._retract(marker)

    def _retract(self, marker: TicketPartRow) -> None:
        transaction = Transaction(self._database)
        transaction.delete(marker, TicketPartRow.part.exists(), label="marker")
        transaction.update(
            TicketRow(ticket_id=marker.ticket_id),
            [TicketRow.failed.add(-int(marker.passes or 0)), TicketRow.segments_failed.add(-1)],
        )
        _commit_once(transaction)

    def list_open(self) -> list[int]:
        """See `TicketStore`."""
        with translated():
            return [int(row.ticket_id) for row in TicketRow.by_open.query(OPEN)]


def _commit_once(transaction: Transaction) -> None:
    """Commits unless the marker says that it was done before."""
    try:
        transaction.commit()
    except ConditionFailed as failure:
        if failure.labels != {"marker"}:
            raise


def _encode_segments(segments: Sequence[int]) -> str:
    """Runs of neighbours as [first, length], so that the plan of a dense tag is a few characters whatever its size."""
    runs: list[list[int]] = []
    for segment in segments:
        if runs and segment == runs[-1][0] + runs[-1][1]:
            runs[-1][1] += 1
        else:
            runs.append([segment, 1])
    return json.dumps(runs, separators=(",", ":"))


def _decode_segments(document: str) -> list[int]:
    return [segment for first, length in json.loads(document) for segment in range(first, first + length)]
