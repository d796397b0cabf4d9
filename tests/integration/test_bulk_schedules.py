"""Overlapping updates in any order, with any repetition: field by field the higher ticket wins."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import bulk_updates, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import NumberTaken
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import make_spread_passes, read_pass, read_ticket
from tests.support.profiles import WITHOUT_SHRINKING, examples
from tests.support.stack import Stack

TAG = "flag"
SEGMENTS = 2
FIELDS = ("a", "b", "c")
BULKS = ("first", "second")

Step = tuple[str, str, int]
"""what, of which bulk update (if of any), and which segment or pass"""

_STEPS = st.one_of(
    st.tuples(st.just("plan"), st.sampled_from(BULKS), st.just(0)),
    st.tuples(st.just("segment"), st.sampled_from(BULKS), st.integers(0, SEGMENTS - 1)),
    st.tuples(st.just("single"), st.sampled_from(FIELDS), st.integers(0, 2 * SEGMENTS - 1)),
    st.tuples(st.just("late single"), st.sampled_from(FIELDS), st.integers(0, 2 * SEGMENTS - 1)),
)

_WRITES = st.fixed_dictionaries({}, optional={name: st.integers(0, 3) for name in FIELDS})


@dataclass
class Scene:
    """Four passes of one tag in two segments, two bulk updates, and what every pass must show in the end."""

    project_id: int
    passes: list[Pass]
    tickets: dict[str, int] = field(default_factory=dict)
    written: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    """(pass id, field) to the highest ticket that writes it, and its value"""
    late: list[tuple[int, Pass, str]] = field(default_factory=list)

    def start(self, name: str, values: dict[str, int]) -> None:
        """Accepts a bulk update; from now on its number is fixed."""
        update = ContentUpdate(fields={each: {"value": value} for each, value in values.items()})
        ticket = bulk_updates.start_bulk_update(get_platform(), project_id=self.project_id, segment=TAG, update=update)
        self.tickets[name] = ticket.ticket_id
        for pass_ in self.passes:
            for each, value in values.items():
                self.expect(pass_, each, ticket.ticket_id, value)

    def expect(self, pass_: Pass, name: str, ticket_id: int, value: int) -> None:
        """Notes a write; the higher ticket wins."""
        key = (pass_.pass_id, name)
        self.written[key] = max(self.written.get(key, (0, 0)), (ticket_id, value))

    def take(self, step: Step) -> None:
        """Carries out one step. A late single update has its number now, and is written in the end."""
        what, name, position = step
        platform = get_platform()
        if what == "plan":
            bulk_updates.plan_bulk_update(platform, ticket_id=self.tickets[name])
        elif what == "segment":
            segment = self.passes[2 * position].pass_id // 1000
            bulk_updates.update_segment(platform, ticket_id=self.tickets[name], segment=segment)
        elif what == "single":
            pass_, value = self.passes[position], len(self.written) + 10
            ticket = updating.update_pass(
                platform,
                project_id=self.project_id,
                reference=PassReference(pass_id=pass_.pass_id),
                update=_write(name, value),
            )
            self.expect(pass_, name, ticket.ticket_id, value)
        else:
            ticket_id, _ = updating.take_ticket(platform)
            self.late.append((ticket_id, self.passes[position], name))
            self.expect(self.passes[position], name, ticket_id, -ticket_id)

    def write_late(self) -> None:
        """Writes the single updates that had to wait, the newest first and each twice; a ticket is written once."""
        platform = get_platform()
        for ticket_id, pass_, name in self.late[::-1]:
            updating._write(platform, read_pass(pass_), _write(name, -ticket_id), ticket_id, platform.now())
        for ticket_id, pass_, name in self.late:
            with pytest.raises(NumberTaken):
                updating._write(platform, read_pass(pass_), _write(name, -ticket_id), ticket_id, platform.now())

    def shown(self) -> dict[tuple[int, str], object]:
        """What the passes show of the fields that anybody wrote."""
        contents = {pass_.pass_id: read_pass(pass_).content for pass_ in self.passes}
        return {
            (pass_id, name): content.fields[name].attributes.get("value")
            for pass_id, content in contents.items()
            for name in FIELDS
            if name in content.fields
        }


def _write(name: str, value: int) -> ContentUpdate:
    return ContentUpdate(fields={name: {"value": value}})


@settings(max_examples=examples(12), phases=WITHOUT_SHRINKING)
@given(first=_WRITES, second=_WRITES, between=st.lists(_STEPS, max_size=3), after=st.lists(_STEPS, max_size=14))
def test_any_order_and_repetition_ends_with_the_higher_ticket(
    stack: Stack,
    consistent: Consistent,
    first: dict[str, int],
    second: dict[str, int],
    between: list[Step],
    after: list[Step],
) -> None:
    project_id = stack.tenant().project_id
    scene = Scene(project_id, make_spread_passes(project_id, segments=SEGMENTS, per_segment=2, tags=[TAG]))
    scene.start("first", first)
    for step in between:
        if step[1] != "second":
            scene.take(step)
    scene.start("second", second)
    for step in after:
        scene.take(step)
    scene.write_late()
    stack.drain()  # the messages of the updates themselves come last, and most for the second time

    assert scene.shown() == {key: value for key, (_, value) in scene.written.items()}
    for ticket_id in scene.tickets.values():
        ticket = read_ticket(ticket_id)
        progress = ticket.progress
        assert (ticket.status, progress.total, progress.processed, progress.failed) == (TicketStatus.COMPLETED, 4, 4, 0)
        assert (ticket.segments_done, ticket.segments_total) == (SEGMENTS, SEGMENTS)
        assert progress.changed <= progress.processed
    consistent(project_id)
