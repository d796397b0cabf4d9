"""One segment of a bulk update, over passes kept in memory: who is written, who is counted as what, who is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import Collection
from chalicelib.domain.errors import Conflict, UnreadableRow
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import ContentChange, Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.segment_updates import update_members
from chalicelib.domain.tags import TagReference
from chalicelib.domain.tickets import (
    Progress,
    SegmentResult,
    SegmentWork,
    TagTarget,
    TemplateTarget,
    Ticket,
    TicketStatus,
)
from tests.support.samples import BOUNDS, MOMENT, sample_pass, sample_tag

UPDATE = ContentUpdate(fields={"Points": {"value": "77"}})
GOLD = frozenset({TagReference(7, 2)})
TICKET = Ticket(
    ticket_id=70,
    project_id=1,
    status=TicketStatus.QUEUED,
    created_at=MOMENT,
    target=TagTarget(tag_id=7, generation=2),
    progress=Progress(),
)


@dataclass
class Scene:
    """Passes in storage, and what a read in bulk says of them. `racing` ones are changed before the first write."""

    passes: dict[int, Pass]
    stale: Mapping[int, Pass | None] = field(default_factory=dict)
    racing: set[int] = field(default_factory=set)
    unreadable: set[int] = field(default_factory=set)
    generation: int = 2
    template: object = "a template"
    reads: list[tuple[int, ...]] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)

    def now(self) -> Any:
        return MOMENT

    def list_segment(self, collection: Collection, segment: int) -> list[int]:
        assert (collection.key, segment) in (("tag-passes:1.7.2", 4), ("template-passes:2", 4))
        return sorted({*self.passes, *self.stale})

    def get_tags(self, *, project_id: int, tag_ids: Sequence[int]) -> tuple[Any, Any]:
        assert (project_id, list(tag_ids)) == (1, [7])
        return {}, {7: sample_tag(7, "gold", generation=self.generation)}

    def get_template(self, *, project_id: int, template_id: int) -> object:
        return self.template if (project_id, template_id) == (1, 2) else None

    def get_passes(self, pass_ids: Sequence[int]) -> dict[int, Pass]:
        self.reads.append(tuple(pass_ids))
        if self.unreadable & set(pass_ids):
            raise UnreadableRow("pass", min(self.unreadable))
        known = {**self.passes, **self.stale}
        return {pass_id: pass_ for pass_id in pass_ids if (pass_ := known[pass_id]) is not None}

    def update_passes(self, changes: Iterable[ContentChange]) -> set[int]:
        written = set()
        for change in changes:
            pass_id = change.before.pass_id
            if pass_id in self.racing:
                self.racing.remove(pass_id)
            elif self._is_current(change.before):
                self.passes[pass_id] = change.after
                written.add(pass_id)
        return written

    def get_pass(self, *, project_id: int, pass_id: int) -> Pass | None:
        assert project_id == 1
        if pass_id in self.unreadable:
            raise UnreadableRow("pass", pass_id)
        return self.passes.get(pass_id)

    def update_pass(self, *, before: Pass, after: Pass) -> None:
        if not self._is_current(before):
            raise Conflict
        self.passes[before.pass_id] = after

    def _is_current(self, before: Pass) -> bool:
        stored = self.passes.get(before.pass_id)
        return stored is not None and stored.revision == before.revision

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        self.sent += messages

    def update(self, ticket: Ticket = TICKET, update: ContentUpdate | None = UPDATE) -> SegmentResult:
        parts: Any = SimpleNamespace(
            passes=self,
            tags=self,
            templates=self,
            queues=self,
            now=self.now,
            bounds=replace(BOUNDS, budget_seconds=2),
        )
        return update_members(cast(Platform, parts), SegmentWork(ticket, update, is_done=False), 4)


def golden(pass_id: int, **changes: Any) -> Pass:
    return sample_pass(**{"pass_id": pass_id, "tags": GOLD, **changes})


def counts(result: SegmentResult) -> tuple[int, int, int]:
    return result.processed, result.changed, result.failed


def points(scene: Scene) -> dict[int, Any]:
    return {pass_id: pass_.content.fields["Points"].attributes["value"] for pass_id, pass_ in scene.passes.items()}


def test_every_pass_of_the_tag_is_written_and_whoever_holds_one_is_told() -> None:
    scene = Scene({1: golden(1, template_id=2), 2: golden(2, template_id=3, registrations=1), 3: golden(3)})

    result = scene.update()

    assert points(scene) == {1: "77", 2: "77", 3: "77"}
    assert (counts(result), dict(result.changed_by_template)) == ((3, 3, 0), {2: 2, 3: 1})
    (push,) = result.outgoing
    assert (push.key, push.queue, push.document["pass_ids"]) == ("push#70##4", "push", [2])
    assert (scene.sent, result.project_id, result.is_last) == ([push], 1, False)


def test_nobody_is_told_of_what_nobody_holds() -> None:
    scene = Scene({1: golden(1)})

    assert scene.update().outgoing == ()
    assert scene.sent == []


def test_a_pass_that_lost_the_tag_is_left_alone_however_it_was_read() -> None:
    bare = frozenset[TagReference]()
    other = frozenset({TagReference(7, 1), TagReference(8, 2)})
    scene = Scene({1: golden(1, tags=bare), 2: golden(2, tags=other), 3: golden(3, tags=bare)}, stale={3: golden(3)})
    before = points(scene)
    scene.racing = {3}

    assert counts(scene.update()) == (0, 0, 0)
    assert points(scene) == before


def test_what_was_read_stale_is_read_again_and_written() -> None:
    """One was listed before it could be read, one read before another's write, one met a writer."""
    late = golden(2, revision=5)
    scene = Scene({1: golden(1), 2: late, 3: golden(3)}, stale={1: None, 2: golden(2)}, racing={3})

    assert counts(scene.update()) == (3, 3, 0)
    assert points(scene) == {1: "77", 2: "77", 3: "77"}
    assert scene.passes[2].revision == 6


def test_a_pass_that_is_gone_is_not_counted() -> None:
    scene = Scene({1: golden(1)}, stale={9: None})

    assert counts(scene.update()) == (1, 1, 0)


def test_a_pass_that_cannot_take_the_update_fails_alone() -> None:
    scene = Scene({1: golden(1), 2: golden(2, redeem_code="own", has_own_code=True), 3: golden(3)}, racing={3})
    update = ContentUpdate(headers={"barcode_value": {"value": "another"}})

    result = scene.update(update=update)

    assert counts(result) == (3, 2, 1)
    assert scene.passes[2].revision == 1
    # and read by itself, as what cannot be read in bulk
    scene = Scene({2: golden(2, redeem_code="own", has_own_code=True)}, stale={2: None})
    assert counts(scene.update(update=update)) == (1, 0, 1)


def test_a_row_that_makes_no_sense_fails_alone() -> None:
    scene = Scene({1: golden(1), 2: golden(2)}, unreadable={2})

    assert counts(scene.update()) == (2, 1, 1)
    assert points(scene)[1] == "77"


def test_a_second_time_nothing_is_written_and_the_same_is_counted_and_told() -> None:
    scene = Scene({1: golden(1, registrations=1)})
    first = scene.update()
    revision = scene.passes[1].revision

    assert scene.update() == first
    assert scene.passes[1].revision == revision


def test_what_a_later_ticket_wrote_stays_and_is_not_told() -> None:
    scene = Scene({1: golden(1, registrations=1)})
    scene.update(replace(TICKET, ticket_id=71))

    result = scene.update(update=ContentUpdate(fields={"Points": {"value": "older"}}))

    assert (counts(result), result.outgoing, points(scene)) == ((1, 0, 0), (), {1: "77"})


@pytest.mark.parametrize("generation", [1, 3])
def test_a_tag_that_was_emptied_meanwhile_leaves_its_passes_alone(generation: int) -> None:
    scene = Scene({1: golden(1)}, generation=generation)

    assert scene.update() == SegmentResult(project_id=1, processed=0, changed=0, failed=0)
    assert scene.reads == []


def test_a_ticket_that_brings_nothing_writes_nothing() -> None:
    scene = Scene({1: golden(1)})

    assert scene.update(update=None) == SegmentResult(project_id=1, processed=0, changed=0, failed=0)
    assert scene.reads == []


def test_a_merge_is_for_the_passes_of_its_campaign_while_that_is_there() -> None:
    merge = replace(TICKET, target=TemplateTarget(template_id=2))
    scene = Scene({1: sample_pass(pass_id=1), 2: sample_pass(pass_id=2, template_id=3)})

    assert counts(scene.update(merge)) == (1, 1, 0)
    assert (points(scene)[1], points(scene)[2] == "77") == ("77", False)
    assert counts(Scene({1: sample_pass(pass_id=1)}, template=None).update(merge)) == (0, 0, 0)


def test_a_merge_that_writes_nothing_asks_every_holder_to_look() -> None:
    held, other = sample_pass(pass_id=1, registrations=1), sample_pass(pass_id=2)
    merge = replace(TICKET, target=TemplateTarget(template_id=2))

    result = Scene({1: held, 2: other}).update(merge, ContentUpdate())
    assert counts(result) == (2, 0, 0)
    assert [push.document["pass_ids"] for push in result.outgoing] == [[1]]

    empty = Scene({1: replace(held, tags=GOLD)}).update(TICKET, ContentUpdate())
    assert (counts(empty), empty.outgoing) == ((1, 0, 0), ())


def test_passes_are_read_a_hundred_at_a_time() -> None:
    scene = Scene({pass_id: golden(pass_id) for pass_id in range(1, 252)})

    assert counts(scene.update()) == (251, 251, 0)
    assert sorted(scene.reads) == [tuple(range(1, 101)), tuple(range(101, 201)), tuple(range(201, 252))]
