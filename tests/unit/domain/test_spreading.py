"""How changed passes become deliveries: to the letter, since a queue is all that workers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from chalicelib.domain import spreading
from chalicelib.domain.campaign_ports import PushCursor
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Registration, Wallet
from chalicelib.domain.spreading import LONGEST_WAIT, spread_push
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus

ASKED_AT = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = Ticket(
    ticket_id=70,
    project_id=3,
    status=TicketStatus.COMPLETED,
    created_at=ASKED_AT,
    target=None,
    progress=Progress(),
    segments_total=2,
)


@dataclass
class Scene:
    """A platform that knows one ticket and hands out these registrations; it keeps what is sent and asked."""

    ticket: Ticket | None = ENDED
    held: Sequence[Registration] = ()
    following: PushCursor | None = None
    waited: timedelta = timedelta()
    sent: list[Any] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return ASKED_AT + self.waited

    def get_ticket(self, *, ticket_id: int) -> Ticket | None:
        return self.ticket if ticket_id == 70 else None

    def list_of_passes(
        self, pass_ids: Sequence[int], *, after: PushCursor | None, limit: int
    ) -> tuple[Sequence[Registration], PushCursor | None]:
        self.asked.append((list(pass_ids), after, limit))
        return self.held, self.following

    def send_documents(self, queue: str, documents: Sequence[Any], *, delay_seconds: int = 0) -> None:
        self.sent += [(queue, document, delay_seconds) for document in documents]

    def remove(self, key: str) -> None:
        self.removed.append(key)

    def spread(self, **more: Any) -> int:
        self.tickets = self.registrations = self.queues = self.outbox = self
        given = {"pass_ids": [1, 2, 3], "after": None, "asked_at": ASKED_AT, "outbox": "a row", **more}
        return spread_push(cast(Platform, self), ticket_id=70, project_id=3, **given)


def held(token: str, **more: Any) -> Registration:
    values: dict[str, Any] = {"wallet": Wallet.PASSBOOK, "template_id": 9, "pass_type": "pass.x", **more}
    return Registration(
        registration_id="r",
        number=1,
        pass_id=1,
        serial_number="s",
        created_at=ASKED_AT,
        registered_at=ASKED_AT,
        project_id=3,
        device="d",
        push_token=token,
        **values,
    )


def delivery(*tokens: str, **more: Any) -> dict[str, Any]:
    return {
        "ticket_id": 70,
        "project_id": 3,
        "template_id": 9,
        "wallet": "passbook",
        "pass_type": "pass.x",
        "tokens": list(tokens),
        "push_service_url": None,
        "attempt": 0,
        "asked_at": "2026-01-01T00:00:00+00:00",
        "not_before": None,
        **more,
    }


PUSH = {
    "ticket_id": 70,
    "project_id": 3,
    "pass_ids": [1, 2, 3],
    "after": None,
    "asked_at": "2026-01-01T00:00:00+00:00",
    "outbox": "a row",
}


def test_each_wallet_template_pass_type_and_service_gets_a_delivery_with_each_device_once() -> None:
    own = {"wallet": Wallet.PASSWALLET, "push_service_url": "https://push.example"}
    scene = Scene(
        held=[
            held("a"),
            held("b"),
            held("a"),
            held("c", template_id=10),
            held("d", pass_type="pass.y"),
            held("e", **own),
        ]
    )

    assert scene.spread() == 4
    assert scene.sent == [
        ("deliver-passbook", delivery("a", "b"), 0),
        ("deliver-passbook", delivery("c", template_id=10), 0),
        ("deliver-passbook", delivery("d", pass_type="pass.y"), 0),
        ("deliver-passwallet", delivery("e", wallet="passwallet", push_service_url="https://push.example"), 0),
    ]
    assert (scene.asked, scene.removed) == ([([1, 2, 3], None, 5000)], ["a row"])


@pytest.mark.parametrize(
    ("wallet", "most"), [(Wallet.PASSBOOK, 250), (Wallet.GOOGLE_WALLET, 100), (Wallet.PASS2U, 1000)]
)
def test_a_delivery_has_as_many_devices_as_its_wallet_takes(wallet: Wallet, most: int) -> None:
    scene = Scene(held=[held(f"token {number}", wallet=wallet) for number in range(2 * most + 1)])

    assert scene.spread() == 3
    assert [len(document["tokens"]) for _, document, _ in scene.sent] == [most, most, 1]


def test_a_delivery_has_no_more_characters_than_a_message_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "MOST_CHARACTERS", 10)
    scene = Scene(held=[held(token) for token in ("aaaaa", "bbbbb", "c", "dddddddddd", "e")])

    scene.spread()

    told = [document["tokens"] for _, document, _ in scene.sent]
    assert told == [["aaaaa", "bbbbb"], ["c"], ["dddddddddd"], ["e"]]


def test_what_one_message_does_not_read_is_handed_on_with_the_row_of_the_outbox() -> None:
    scene = Scene(held=[held("a")], following=(2, "a device"))

    assert scene.spread(after=(1, "one before")) == 1
    assert scene.asked == [([1, 2, 3], (1, "one before"), 5000)]
    assert scene.sent[1:] == [("push", {**PUSH, "pass_ids": [2, 3], "after": [2, "a device"]}, 0)]
    assert scene.removed == []


def test_without_a_row_of_the_outbox_none_is_removed() -> None:
    scene = Scene()

    assert scene.spread(outbox=None) == 0
    assert (scene.sent, scene.removed) == ([], [])


@pytest.mark.parametrize(("seconds", "delay"), [(0, 1), (1, 1), (8, 4), (60, 10), (3599, 10)])
def test_devices_of_a_bulk_update_under_way_are_told_at_its_end(seconds: int, delay: int) -> None:
    scene = Scene(ticket=_under_way(TicketStatus.QUEUED), held=[held("a")], waited=timedelta(seconds=seconds))

    assert scene.spread(after=(1, "d")) == 0
    assert scene.sent == [("push", {**PUSH, "after": [1, "d"]}, delay)]
    assert (scene.asked, scene.removed) == ([], [])


@pytest.mark.parametrize("status", list(TicketStatus))
def test_only_what_is_unfinished_is_waited_for(status: TicketStatus) -> None:
    scene = Scene(ticket=_under_way(status), held=[held("a")])

    assert scene.spread() == (0 if status in ("PREQUED", "QUEUED") else 1)


def test_nothing_else_is_waited_for() -> None:
    under_way = _under_way(TicketStatus.QUEUED)
    for scene in (
        Scene(ticket=None, held=[held("a")]),
        Scene(ticket=_under_way(TicketStatus.QUEUED, segments=1), held=[held("a")]),
        Scene(ticket=under_way, held=[held("a")], waited=LONGEST_WAIT),
    ):
        assert scene.spread() == 1


def _under_way(status: TicketStatus, *, segments: int = 2) -> Ticket:
    return Ticket(
        ticket_id=70,
        project_id=3,
        status=status,
        created_at=ASKED_AT,
        target=None,
        progress=Progress(),
        segments_total=segments,
    )
