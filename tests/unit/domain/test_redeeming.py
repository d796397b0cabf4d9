"""Redeeming over a store kept in memory: what one redeem writes, and that it is done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.content import Content, Entry
from chalicelib.domain.errors import Conflict, NotFound, PreconditionFailed, RedeemRefused
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import PassworksReceiver, Receiver
from chalicelib.domain.redeeming import get_pass_by_code_or_raise, redeem_pass, reset_redeem
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.templates import Template
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus
from tests.support.samples import BOUNDS, MOMENT, sample_pass
from tests.unit.domain.test_campaign_drafts import _template as make_template

SERIAL = "8a2f6a3e-8a5b-4a0e-9d1f-000000003039"
ONCE = replace(make_template(Content()), template_id=2)
OFTEN = replace(ONCE, campaign=replace(ONCE.campaign, allow_multiple_redeems=True))
LATER = MOMENT + timedelta(days=1)


@dataclass
class Scene:
    """One pass. The first writes fail as `failing` says: by which conflict, and whether they take effect anyway."""

    pass_: Pass = field(default_factory=lambda: sample_pass(serial_number=SERIAL, redeem_code="code", registrations=1))
    failing: list[tuple[Conflict, bool]] = field(default_factory=list)
    others: list[Pass] = field(default_factory=list)
    listens: bool = False
    tickets: int = 70
    writes: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(
            passes=self,
            sequences=self,
            redeems=self,
            receivers=self,
            queues=self,
            now=lambda: LATER,
            bounds=replace(BOUNDS, budget_seconds=0.5),
            new_uuid=lambda number: f"uuid {number}",
            receipt_for=lambda result: f"receipt of a {type(result).__name__}",
        )
        return cast(Platform, parts)

    def find_by_code(self, *, template_id: int, redeem_code: str) -> list[int]:
        return [pass_.pass_id for pass_ in (self.pass_, *self.others)] if template_id == 2 else []

    def find_pass_id(self, *, project_id: int, reference: Any) -> int | None:
        return cast(int, reference.pass_id)

    def get_pass(self, *, project_id: int, pass_id: int) -> Pass | None:
        known = {pass_.pass_id: pass_ for pass_ in (self.pass_, *self.others)}
        return known.get(pass_id) if project_id == 1 else None

    def next_values(self, *, name: str, count: int, now: datetime, apart: bool = False) -> tuple[int, datetime]:
        self.asked.append((name, count, now, apart))
        if name == "tickets":
            self.tickets += 1
            return self.tickets, MOMENT
        return 1001, MOMENT

    def is_stored(self, *, pass_id: int, number: int) -> bool:
        return any((each["redeem"].pass_id, each["redeem"].number) == (pass_id, number) for each in self.writes)

    def update_pass(self, *, before: Pass, after: Pass, **more: Any) -> None:
        assert before == self.pass_
        problem, takes_effect = self.failing.pop(0) if self.failing else (None, True)
        if takes_effect:
            self.pass_ = after
            self.writes.append(more)
        if problem is not None:
            raise problem

    def find_receiver(self, project_id: int) -> Receiver | None:
        return Receiver(project_id=1, secret="s", passworks=PassworksReceiver(url="u")) if self.listens else None

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        self.sent += messages

    def redeem(self, template: Template = ONCE, **more: Any) -> Pass:
        return redeem_pass(self.platform, template, serial_number=SERIAL, comment="at the till", **more)


def test_a_redeem_is_counted_noted_announced_and_voids_the_pass() -> None:
    scene = Scene(listens=True)
    before = scene.pass_

    after = scene.redeem()

    assert after == scene.pass_
    assert (after.is_voided, after.redeemed_count, after.redeemed_at) == (True, 1, MOMENT)
    assert (after.revision, after.version, after.changed_ticket) == (2, before.version + 1, 71)
    (write,) = scene.writes
    assert write == {
        "ticket": Ticket(
            ticket_id=71,
            project_id=1,
            status=TicketStatus.COMPLETED,
            created_at=MOMENT,
            target=None,
            progress=Progress(total=1, processed=1, changed=1),
        ),
        "redeem": Redeem(
            redeem_id="uuid 1001",
            number=1001,
            template_id=2,
            pass_id=before.pass_id,
            serial_number=SERIAL,
            redeem_code="code",
            comment="at the till",
            created_at=MOMENT,
        ),
        "outgoing": scene.sent,
        "receipt": "receipt of a Pass",
    }
    push, callback = scene.sent
    assert (push.queue, push.document["pass_ids"], push.created_at) == ("push", [before.pass_id], LATER)
    (event,) = cast(Any, callback.document)["events"]
    assert (event["name"], event["body"]["redeemed_count"], event["body"]["campaign_id"]) == (
        "redeemed",
        1,
        ONCE.campaign_id,
    )
    assert scene.asked[0] == ("redeems:2", 1, LATER, True)


def test_a_pass_that_is_voided_is_not_redeemed_again() -> None:
    scene = Scene()
    scene.redeem()

    with pytest.raises(RedeemRefused, match="Pass already redeemed"):
        scene.redeem()
    assert len(scene.writes) == 1


def test_where_several_redeems_are_allowed_each_is_counted_and_nothing_is_shown_or_pushed() -> None:
    scene = Scene()
    scene.redeem(OFTEN)

    after = scene.redeem(OFTEN)

    assert (after.redeemed_count, after.is_voided, after.version) == (2, False, 1)
    assert [write["ticket"].progress.changed for write in scene.writes] == [0, 0]
    assert scene.sent == []


def test_a_writer_in_between_is_no_matter() -> None:
    """The redeem keeps its number, and takes a fresh ticket for what it has read anew."""
    scene = Scene(failing=[(Conflict(), False)])

    assert scene.redeem().redeemed_count == 1
    assert [name for name, *_ in scene.asked] == ["redeems:2", "tickets", "tickets"]


UNHEARD = Conflict(may_be_written=True)


@pytest.mark.parametrize("template", [ONCE, OFTEN], ids=["once", "often"])
@pytest.mark.parametrize(
    "failing",
    [[(UNHEARD, True)], [(UNHEARD, False)], [(UNHEARD, False), (Conflict(), True)]],
    ids=["written", "not written", "written late, which the next try meets"],
)
def test_a_redeem_whose_answer_was_lost_is_done_once(template: Template, failing: list[tuple[Conflict, bool]]) -> None:
    scene = Scene(failing=list(failing))

    assert scene.redeem(template).redeemed_count == 1
    assert (len(scene.writes), scene.pass_.redeemed_count) == (1, 1)


def test_what_is_expected_of_the_pass_is_asked_before_a_number_is_taken() -> None:
    def refuse(pass_: Pass) -> None:
        assert pass_.revision == 1
        raise PreconditionFailed

    scene = Scene()
    with pytest.raises(PreconditionFailed):
        scene.redeem(expect=refuse)
    assert scene.asked == []


def test_a_pass_of_another_campaign_is_not_found() -> None:
    scene = Scene(sample_pass(serial_number=SERIAL, template_id=3))

    with pytest.raises(NotFound, match=f"pass {SERIAL} was not found"):
        scene.redeem()


def test_a_code_names_one_pass_or_none() -> None:
    scene = Scene()

    assert get_pass_by_code_or_raise(scene.platform, ONCE, "code") == scene.pass_
    for code in ("another", "", "c" * 50):
        with pytest.raises(NotFound) as missing:
            get_pass_by_code_or_raise(scene.platform, ONCE, code)
        assert (missing.value.kind, missing.value.reference) == ("pass", f"with redeem code {code[:40]}")
    scene.others = [replace(scene.pass_, pass_id=5)]
    with pytest.raises(RedeemRefused, match="Several passes have this redeem code; redeem by pass id"):
        get_pass_by_code_or_raise(scene.platform, ONCE, "code")


def voided(label: str) -> Pass:
    content = Content(headers={"expirationDate": Entry({"label": label})})
    return sample_pass(serial_number=SERIAL, content=content, redeemed_count=1)


def test_a_voided_pass_is_made_valid_again_and_what_was_counted_stays() -> None:
    scene = Scene(voided("voided"))

    after = reset_redeem(scene.platform, ONCE, scene.pass_)

    assert (after.is_voided, after.redeemed_count, after) == (False, 1, scene.pass_)
    assert len(scene.writes) == 1
    assert reset_redeem(scene.platform, ONCE, after) is after
    assert len(scene.writes) == 1
