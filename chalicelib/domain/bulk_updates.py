"""Updating every pass of a tag or of a campaign: accept, plan, apply by segment, finish (DESIGN, section 5).

Each step may run twice, late or beside its twin: tickets decide field by field who wins, and a marker makes each
segment count once.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import count_members, passes_of_project
from chalicelib.domain.errors import Busy, NotFound
from chalicelib.domain.finding import get_tag_or_raise
from chalicelib.domain.google_passes import record_shared_update
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.segment_updates import is_living, update_members
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
    receipt = platform.receipt_for(ticket)
    platform.tickets.create_ticket(ticket, number_locations(update, ticket_id=ticket_id), receipt=receipt)
    try:
        platform.queues.send_plan(ticket_id=ticket_id)
    except Busy:
        # in this order: a ticket that is not forgotten is not aborted either, but planned by the schedule
        platform.withdraw()
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
    if ticket.collection is None or not is_living(platform, ticket):
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


def update_segment(platform: Platform, *, ticket_id: int, segment: int) -> SegmentResult | None:
    """Applies a bulk update to the passes of one segment that have the tag now, and counts the segment once.

    Returns None where there was nothing left to do for the segment. Per pass: half a read unit and one plain
    conditional write.

    Raises:
        Busy: try the message again; what was written stays and is not counted twice.
    """
    work = platform.tickets.open_segment(ticket_id=ticket_id, segment=segment)
    if work is None or work.ticket.target is None or work.ticket.status in _CLOSED:
        return None
    if work.is_done:
        platform.tickets.finish_ticket(ticket_id=ticket_id)
        return None
    result = update_members(platform, work, segment)
    latest = _complete(platform, work.ticket, segment, result)
    # if every worker sees only others' segments missing, one of them is not done; who completes the last one sees it
    is_over = latest is None or latest.segments_done == latest.segments_total
    return replace(result, is_last=is_over and platform.tickets.finish_ticket(ticket_id=ticket_id))


def _complete(platform: Platform, ticket: Ticket, segment: int, result: SegmentResult) -> Ticket | None:
    """Counts the segment, and returns the ticket as it is then."""

    def attempt() -> Ticket | None:
        platform.tickets.complete_segment(ticket, segment, result)
        # a segment given up as dead may come alive in a late copy of its message
        latest = platform.tickets.get_ticket(ticket_id=ticket.ticket_id)
        if latest is not None and latest.segments_failed:
            platform.tickets.retract_failure(latest, segment)
        return latest

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


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
