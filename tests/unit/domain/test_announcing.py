"""What is asked of the push queue once passes have changed, to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.announcing import announce_change, announce_passes, announce_segment, send_waiting
from chalicelib.domain.errors import Busy
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.ports import Platform
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus
from tests.support.samples import MOMENT, sample_pass

PUSH = {
    "ticket_id": 70,
    "project_id": 1,
    "pass_ids": [12_345],
    "after": None,
    "asked_at": "2026-01-02T03:04:05.678000+00:00",
    "outbox": None,
}
TICKET = Ticket(
    ticket_id=70,
    project_id=1,
    status=TicketStatus.QUEUED,
    created_at=MOMENT,
    target=None,
    progress=Progress(),
)


def test_one_pass_that_a_ticket_changed_is_announced_to_its_holders() -> None:
    changed = sample_pass(changed_ticket=70, registrations=1)

    message = Outgoing(key="push#70#12345", queue="push", document=PUSH, created_at=MOMENT)
    assert announce_change(changed, ticket_id=70, now=MOMENT) == [message]
    assert announce_change(changed, ticket_id=71, now=MOMENT) == []
    assert announce_change(sample_pass(changed_ticket=70), ticket_id=70, now=MOMENT) == []


def test_the_passes_of_a_segment_are_announced_together() -> None:
    message = Outgoing(key="push#70##4", queue="push", document=PUSH, created_at=MOMENT)

    assert announce_segment(TICKET, 4, pass_ids=[12_345], now=MOMENT) == [message]
    assert announce_segment(TICKET, 4, pass_ids=[], now=MOMENT) == []


def test_passes_may_be_announced_without_the_outbox() -> None:
    sent: list[Any] = []
    queues = SimpleNamespace(send_documents=lambda queue, documents: sent.append((queue, documents)))
    platform = cast(Platform, SimpleNamespace(queues=queues, now=lambda: MOMENT))

    announce_passes(platform, ticket_id=70, project_id=1, pass_ids=[12_345])
    announce_passes(platform, ticket_id=70, project_id=1, pass_ids=[])

    assert sent == [("push", [PUSH])]


def test_what_cannot_be_sent_is_left_to_the_outbox_and_said(caplog: pytest.LogCaptureFixture) -> None:
    def send(messages: Sequence[Outgoing]) -> None:
        raise Busy

    platform = cast(Platform, SimpleNamespace(queues=SimpleNamespace(send_outgoing=send)))

    send_waiting(platform, announce_segment(TICKET, 4, pass_ids=[1], now=MOMENT))
    send_waiting(platform, [])

    assert caplog.messages == [f"1 messages are left to the outbox: {Busy()!r}"]
