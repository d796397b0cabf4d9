"""Applying a bulk update to the passes of one segment: read many, merge, write many (DESIGN, section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from chalicelib.domain.announcing import announce_segment
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import Refused, UnreadableRow
from chalicelib.domain.passes import ContentChange, Pass, change_content
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.tags import TagReference
from chalicelib.domain.tickets import SegmentResult, SegmentWork, TagTarget, TemplateTarget, Ticket

PASSES_PER_READ = 100

LANES = 3
"""batches of passes at work at once, so that storage is never idle while this process thinks"""

Outcome = bool | Refused | UnreadableRow | None
"""what became of a pass"""


def is_living(platform: Platform, ticket: Ticket) -> bool:
    """Whether the target is what it was when the update was accepted: a tag not emptied, a campaign not deleted."""
    assert ticket.target is not None
    if isinstance(ticket.target, TemplateTarget):
        template_id = ticket.target.template_id
        return platform.templates.get_template(project_id=ticket.project_id, template_id=template_id) is not None
    _, by_id = platform.tags.get_tags(project_id=ticket.project_id, tag_ids=[ticket.target.tag_id])
    return TagReference(ticket.target.tag_id, ticket.target.generation).is_live(by_id.get(ticket.target.tag_id))


@dataclass(frozen=True, slots=True)
class _Job:
    """One ticket's work on the passes of its target."""

    platform: Platform
    ticket: Ticket
    update: ContentUpdate
    templates: dict[int, int] = field(default_factory=dict)
    """of the passes that were read: pass id to template id"""
    held: set[int] = field(default_factory=set)
    """those that some device holds"""

    def note(self, pass_: Pass) -> None:
        """Keeps what is to be known of a pass once its segment is done."""
        self.templates[pass_.pass_id] = pass_.template_id
        if pass_.registrations:
            self.held.add(pass_.pass_id)

    def is_for(self, pass_: Pass) -> bool:
        """Whether a pass belongs to the target now."""
        target = self.ticket.target
        if isinstance(target, TagTarget):
            return TagReference(target.tag_id, target.generation) in pass_.tags
        return target is not None and pass_.template_id == target.template_id

    def change(self, before: Pass) -> ContentChange:
        """The pass before and after the update, not yet written.

        Raises:
            InvalidRequest: the pass cannot take the update.
        """
        return change_content(
            before,
            self.update,
            ticket_id=self.ticket.ticket_id,
            now=self.platform.now(),
            maximum_bytes=self.platform.bounds.content_bytes,
        )

    def is_changed(self, change: ContentChange) -> bool:
        """Whether the pass shows something new because of this ticket, be it from an earlier try."""
        return change.merge.shown or change.after.changed_ticket == self.ticket.ticket_id

    def apply_to_many(self, pass_ids: Sequence[int]) -> list[Outcome]:
        """What became of each pass: changed or not, why not, or None if it does not belong to the target.

        Half a read unit and one plain write a pass. Reads may be stale: writes are conditional, and whatever looks
        amiss is done again by itself.
        """
        outcomes: dict[int, Outcome] = {}
        changes: list[ContentChange] = []
        for pass_id, before in self._read_many(pass_ids).items():
            if not self.is_for(before):
                continue
            self.note(before)
            try:
                change = self.change(before)
            except Refused as refusal:
                outcomes[pass_id] = refusal
                continue
            outcomes[pass_id] = self.is_changed(change)
            if change.merge.written:
                changes.append(change)
        written = self.platform.passes.update_passes(changes)
        for change in changes:
            if change.before.pass_id not in written:
                del outcomes[change.before.pass_id]
        return [outcomes[pass_id] if pass_id in outcomes else self.apply_to_one(pass_id) for pass_id in pass_ids]

    def _read_many(self, pass_ids: Sequence[int]) -> dict[int, Pass]:
        """The passes; none where one of them makes no sense, so that each is tried by itself."""
        try:
            return self.platform.passes.get_passes(pass_ids)
        except UnreadableRow:
            return {}

    def apply_to_one(self, pass_id: int) -> Outcome:
        """The same for one pass, read consistently and tried until it is written."""

        def attempt() -> bool | None:
            before = self.platform.passes.get_pass(project_id=self.ticket.project_id, pass_id=pass_id)
            if before is None or not self.is_for(before):
                return None
            self.note(before)
            change = self.change(before)
            if change.merge.written:
                self.platform.passes.update_pass(before=before, after=change.after)
            return self.is_changed(change)

        try:
            return retry_conflicts(attempt, budget_seconds=self.platform.bounds.budget_seconds)
        except (Refused, UnreadableRow) as reason:
            return reason


def update_members(platform: Platform, work: SegmentWork, segment: int) -> SegmentResult:
    """A pass that cannot take the update is counted as failed and holds nobody else up."""
    ticket, update = work.ticket, work.update
    with ThreadPoolExecutor(LANES, thread_name_prefix="lane") as lanes:
        assert ticket.collection is not None
        listed = lanes.submit(platform.passes.list_segment, ticket.collection, segment)
        if update is None or not is_living(platform, ticket):
            return SegmentResult(project_id=ticket.project_id, processed=0, changed=0, failed=0)
        job, pass_ids = _Job(platform, ticket, update), listed.result()
        batches = [pass_ids[start : start + PASSES_PER_READ] for start in range(0, len(pass_ids), PASSES_PER_READ)]
        outcomes = [outcome for part in lanes.map(job.apply_to_many, batches) for outcome in part]
    changed = [pass_id for pass_id, outcome in zip(pass_ids, outcomes, strict=True) if outcome is True]
    # a campaign's update that writes nothing is a request to push all the same (passworks-v2, section 7)
    is_bare_push = isinstance(ticket.target, TemplateTarget) and update.is_empty
    told = pass_ids if is_bare_push else changed
    held = [pass_id for pass_id in told if pass_id in job.held]
    outgoing = announce_segment(ticket, segment, pass_ids=held, now=platform.now())
    # before the segment counts as done; and again from the outbox, should the queue be lost before the pushes are asked
    platform.queues.send_outgoing(outgoing)
    return SegmentResult(
        project_id=ticket.project_id,
        processed=sum(outcome is not None for outcome in outcomes),
        changed=len(changed),
        failed=sum(isinstance(outcome, Refused | UnreadableRow) for outcome in outcomes),
        changed_by_template=Counter(job.templates[pass_id] for pass_id in changed),
        outgoing=tuple(outgoing),
    )
