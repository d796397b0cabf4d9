"""Updating every pass of a tag or of a campaign: accept, plan, apply by segment, finish (DESIGN, section 5).

Each step may run twice, late or beside its twin: tickets decide field by field who wins, and a marker makes each
segment count once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chalicelib.domain.announcing import announce_segment
from chalicelib.domain.content import ContentUpdate, Merge
from chalicelib.domain.counted_index import count_members, passes_of_project
from chalicelib.domain.errors import Busy, NotFound, Refused, UnreadableRow
from chalicelib.domain.finding import get_tag_or_raise
from chalicelib.domain.google_passes import record_shared_update
from chalicelib.domain.passes import Pass, apply_ticket
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.tags import TagReference
from chalicelib.domain.templates import Template
from chalicelib.domain.tickets import (
    UNFINISHED,
    Progress,
    SegmentResult,
    TagTarget,
    TemplateTarget,
    Ticket,
    TicketStatus,
)
from chalicelib.domain.updating import check_update, number_locations, take_ticket

SEGMENTS_PER_PLAN_MESSAGE = 1000
"""segment messages that one run of the planner sends before it hands on to the next"""

PASSES_PER_READ = 100

Outcome = bool | Refused | UnreadableRow | None
"""what became of a pass"""

_CLOSED = (TicketStatus.COMPLETED, TicketStatus.ABORTED, TicketStatus.ABANDONED)


def start_bulk_update(platform: Platform, *, project_id: int, segment: str, update: ContentUpdate) -> Ticket:
    """Accepts an update of all passes of a tag and asks for its plan (airship-wallet-v1, section 4.7).

    The ticket's number, the tag's generation and the total are fixed here. Four calls and one message.

    Raises:
        NotFound: no such tag.
        InvalidRequest: the update breaks a rule that holds for every pass.
        Busy: the plan could not be asked for; the ticket is ABORTED.
    """
    check_update(update, bounds=platform.bounds, now=platform.now())
    tag = get_tag_or_raise(platform, project_id=project_id, segment=segment)
    target = TagTarget(tag_id=tag.tag_id, generation=tag.generation)
    return _accept(platform, project_id=project_id, target=target, update=update)


def start_campaign_update(platform: Platform, *, template: Template, update: ContentUpdate) -> Ticket:
    """Accepts an update of all passes of a campaign and asks for its plan (passworks-v2, section 7).

    Raises:
        InvalidRequest: the update breaks a rule that holds for every pass.
        Busy: the plan could not be asked for; the ticket is ABORTED.
    """
    # a campaign's whole content and a message beside it; each pass is held to its own limit when it is written
    roomy = replace(platform.bounds, content_bytes=2 * platform.bounds.content_bytes)
    check_update(update, bounds=roomy, now=platform.now())
    target = TemplateTarget(template_id=template.template_id)
    return _accept(platform, project_id=template.project_id, target=target, update=update)


def _accept(
    platform: Platform, *, project_id: int, target: TagTarget | TemplateTarget, update: ContentUpdate
) -> Ticket:
    ticket_id, created_at = take_ticket(platform)
    ticket = Ticket(
        ticket_id=ticket_id,
        project_id=project_id,
        status=TicketStatus.PREQUED,
        created_at=created_at,
        target=target,
        progress=Progress(),
    )
    assert ticket.collection is not None
    total = count_members(platform.counts.read_counts(ticket.collection))
    ticket = replace(ticket, progress=Progress(total=total))
    platform.tickets.create_ticket(ticket, number_locations(update, ticket_id=ticket_id))
    try:
        platform.queues.send_plan(ticket_id=ticket_id)
    except Busy:
        platform.tickets.abort_ticket(ticket_id=ticket_id)
        raise
    return ticket


def plan_bulk_update(platform: Platform, *, ticket_id: int, start: int = 0) -> Ticket | None:
    """Cuts a bulk update into segments, once, and sends a message for each that is not done yet.

    From `start` on it sends a bounded number and hands the rest to another plan message. Returns the ticket, COMPLETED
    if there was nothing left to update; None if it was finished before.

    Raises:
        Busy: try the message again.
    """

    def attempt() -> tuple[Ticket, list[int]] | None:
        ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
        if ticket is None or ticket.collection is None or ticket.status not in UNFINISHED:
            return None
        segments = platform.tickets.get_plan(ticket_id=ticket_id)
        if segments is None:
            segments = _living_segments(platform, ticket)
            # before the plan, so that no pass is delivered without it; a second time it changes nothing
            _note_shared(platform, ticket)
            platform.tickets.save_plan(ticket, segments)
        return ticket, segments

    planned = retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
    if planned is None:
        return None
    ticket, segments = planned
    done = platform.tickets.list_done(ticket_id=ticket_id)
    portion = segments[start : start + SEGMENTS_PER_PLAN_MESSAGE]
    platform.queues.send_segments(ticket_id=ticket_id, segments=[segment for segment in portion if segment not in done])
    if start + len(portion) < len(segments):
        platform.queues.send_plan(ticket_id=ticket_id, start=start + len(portion))
    # last, so that a message lost before this point leaves a ticket that the next resume sends again
    platform.tickets.queue_ticket(ticket_id=ticket_id)
    is_finished = platform.tickets.finish_ticket(ticket_id=ticket_id)
    return replace(ticket, status=TicketStatus.COMPLETED) if is_finished else ticket


def _living_segments(platform: Platform, ticket: Ticket) -> list[int]:
    """Segments with members; none if the tag was emptied, or the target deleted: its old passes are left alone."""
    if ticket.collection is None or not _is_living(platform, ticket):
        return []
    return [count.segment for count in platform.counts.read_counts(ticket.collection) if count.members() > 0]


def _note_shared(platform: Platform, ticket: Ticket) -> None:
    """Lets one request to Google show what all passes of a template now have in common (wallets, section 4.4)."""
    update = platform.tickets.get_update(ticket_id=ticket.ticket_id)
    for template_id in _whole_templates(platform, ticket) if update is not None else ():
        assert update is not None
        record_shared_update(
            platform.google_objects, template_id=template_id, update=update, ticket_id=ticket.ticket_id
        )


def _whole_templates(platform: Platform, ticket: Ticket) -> list[int]:
    """Templates all of whose passes an update is for: a campaign's; all of the project, if all its passes have the tag.

    A tag's passes are some of the project's, so where as many are counted they are the same.
    """
    if isinstance(ticket.target, TemplateTarget):
        return [ticket.target.template_id]
    assert ticket.collection is not None
    tagged = platform.counts.read_counts(ticket.collection)
    if count_members(tagged) != count_members(platform.counts.read_counts(passes_of_project(ticket.project_id))):
        return []
    return [header.template_id for header in platform.templates.list_headers(project_id=ticket.project_id)]


def _is_living(platform: Platform, ticket: Ticket) -> bool:
    assert ticket.target is not None
    if isinstance(ticket.target, TemplateTarget):
        template_id = ticket.target.template_id
        return platform.templates.get_template(project_id=ticket.project_id, template_id=template_id) is not None
    _, by_id = platform.tags.get_tags(project_id=ticket.project_id, tag_ids=[ticket.target.tag_id])
    return TagReference(ticket.target.tag_id, ticket.target.generation).is_live(by_id.get(ticket.target.tag_id))


def update_segment(platform: Platform, *, ticket_id: int, segment: int) -> SegmentResult | None:
    """Applies a bulk update to the passes of one segment that have the tag now, and counts the segment once.

    Returns None where there was nothing left to do for the segment. Per pass: half a read unit and one plain
    conditional write.

    Raises:
        Busy: try the message again; what was written stays and is not counted twice.
    """
    ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
    if ticket is None or ticket.target is None or ticket.status in _CLOSED:
        return None
    result = None
    if not platform.tickets.is_done(ticket_id=ticket_id, segment=segment):
        result = _update_members(platform, ticket, segment)
        _complete(platform, ticket, segment, result)
    is_last = platform.tickets.finish_ticket(ticket_id=ticket_id)
    return result and replace(result, is_last=is_last)


def _complete(platform: Platform, ticket: Ticket, segment: int, result: SegmentResult) -> None:
    def attempt() -> None:
        platform.tickets.complete_segment(ticket, segment, result)
        # a segment given up as dead may come alive in a late copy of its message
        latest = platform.tickets.get_ticket(ticket_id=ticket.ticket_id)
        if latest is not None and latest.segments_failed:
            platform.tickets.retract_failure(latest, segment)

    retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


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

    def merge(self, before: Pass) -> tuple[Pass, Merge]:
        """The pass after the update, not yet written.

        Raises:
            InvalidRequest: the pass cannot take the update.
        """
        return apply_ticket(
            before,
            self.update,
            ticket_id=self.ticket.ticket_id,
            now=self.platform.now(),
            maximum_bytes=self.platform.bounds.content_bytes,
        )

    def is_changed(self, after: Pass, merge: Merge) -> bool:
        """Whether the pass shows something new because of this ticket, be it from an earlier try."""
        return merge.changed or after.changed_ticket == self.ticket.ticket_id

    def apply_to_many(self, pass_ids: Sequence[int]) -> list[Outcome]:
        """What became of each pass: changed or not, why not, or None if it does not belong to the target.

        Half a read unit and one plain write a pass. Reads may be stale: writes are conditional, and whatever looks
        amiss is done again by itself.
        """
        outcomes: dict[int, Outcome] = {}
        changes: list[tuple[Pass, Pass]] = []
        for pass_id, before in self._read_many(pass_ids).items():
            if not self.is_for(before):
                continue
            self.note(before)
            try:
                after, merge = self.merge(before)
            except Refused as refusal:
                outcomes[pass_id] = refusal
                continue
            outcomes[pass_id] = self.is_changed(after, merge)
            if merge.written:
                changes.append((before, after))
        written = self.platform.passes.update_passes(changes)
        for before, _ in changes:
            if before.pass_id not in written:
                del outcomes[before.pass_id]
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
            after, merge = self.merge(before)
            if merge.written:
                self.platform.passes.update_pass(before=before, after=after)
            return self.is_changed(after, merge)

        try:
            return retry_conflicts(attempt, budget_seconds=self.platform.bounds.budget_seconds)
        except (Refused, UnreadableRow) as reason:
            return reason


def _update_members(platform: Platform, ticket: Ticket, segment: int) -> SegmentResult:
    """A pass that cannot take the update is counted as failed and holds nobody else up."""
    update = platform.tickets.get_update(ticket_id=ticket.ticket_id)
    if update is None or ticket.collection is None or not _is_living(platform, ticket):
        return SegmentResult(project_id=ticket.project_id, processed=0, changed=0, failed=0)
    job = _Job(platform, ticket, update)
    pass_ids = platform.passes.list_segment(ticket.collection, segment)
    outcomes: list[Outcome] = []
    for start in range(0, len(pass_ids), PASSES_PER_READ):
        outcomes += job.apply_to_many(pass_ids[start : start + PASSES_PER_READ])
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


def fail_plan(platform: Platform, *, ticket_id: int, start: int = 0) -> Ticket | None:
    """Gives up on a plan message that failed too often: the ticket is FAILED with the passes it did not reach.

    These are all of them if there is no plan yet, else those of the segments from `start` on that nobody has handled.
    Returns the ticket as it was before; None if it needed nothing.
    """

    def attempt() -> Ticket | None:
        ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
        if ticket is None or ticket.collection is None or ticket.status in _CLOSED:
            return None
        segments = platform.tickets.get_plan(ticket_id=ticket_id)
        passes = ticket.progress.total
        if segments is not None:
            handled = platform.tickets.list_done(ticket_id=ticket_id) | platform.tickets.list_failed(
                ticket_id=ticket_id
            )
            left = set(segments[start:]) - handled
            counts = platform.counts.read_counts(ticket.collection)
            passes = sum(count.members() for count in counts if count.segment in left)
        platform.tickets.fail_part(ticket, None, passes=passes)
        return ticket

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def fail_segment(platform: Platform, *, ticket_id: int, segment: int) -> Ticket | None:
    """Gives up on a segment message that failed too often: the ticket is FAILED, the segment's passes counted.

    Returns the ticket as it was before; None if it needed nothing.
    """

    def attempt() -> Ticket | None:
        ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
        if ticket is None or ticket.collection is None or ticket.status in _CLOSED:
            return None
        if platform.tickets.is_done(ticket_id=ticket_id, segment=segment):
            # what failed may have been the last step alone, of the last segment
            platform.tickets.finish_ticket(ticket_id=ticket_id)
            return None
        counts = platform.counts.read_counts(ticket.collection)
        passes = sum(count.members() for count in counts if count.segment == segment)
        platform.tickets.fail_part(ticket, segment, passes=passes)
        return ticket

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def redrive(platform: Platform, *, ticket_id: int) -> Ticket:
    """Lets a FAILED bulk update go on where it stopped: only segments that are not done are sent again.

    Raises:
        NotFound: there is no such bulk update.
    """
    ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
    if ticket is None or ticket.target is None:
        raise NotFound("bulk update", ticket_id)
    if ticket.status is TicketStatus.FAILED:
        retry_conflicts(lambda: platform.tickets.reopen_ticket(ticket), budget_seconds=platform.bounds.budget_seconds)
    if ticket.status not in _CLOSED:
        platform.queues.send_plan(ticket_id=ticket_id)
    return ticket
