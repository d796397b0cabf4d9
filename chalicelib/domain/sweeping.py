"""Clearing away what emptied and deleted tags and campaigns leave behind, and picking up what a lost message left."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from chalicelib.domain.counted_index import (
    FOLD,
    Collection,
    events_of_template,
    parse_passes_of_tag,
    parse_passes_of_template,
    passes_of_template,
    redeems_of_template,
    registrations_of_template,
)
from chalicelib.domain.errors import NotFound
from chalicelib.domain.issuing import delete_pass
from chalicelib.domain.passes import PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.tags import TagReference
from chalicelib.domain.tickets import UNFINISHED, TicketStatus

SEGMENTS_AT_ONCE = 20
"""segments that one sweep message clears; more are handed to further messages"""


def sweep_collection(platform: Platform, *, key: str, segments: Sequence[int] | None = None) -> int:
    """Removes the rows and counters of a dead collection, or of some of its segments; the number of rows removed.

    A key that begins with `fold:` asks instead to fold the stripes of a living one.

    Idempotent. A collection that is alive, or is none of a tag or a campaign, is left alone.

    Raises:
        Busy: try the message again.
    """
    kind, _, folded = key.partition(FOLD)
    if folded and not kind:
        platform.counts.fold_stripes(Collection(folded))
        return 0
    template_id = parse_passes_of_template(key)
    if template_id is not None:
        return _sweep_campaign(platform, template_id, segments)
    return _sweep_tag(platform, key, segments)


def _sweep_tag(platform: Platform, key: str, segments: Sequence[int] | None) -> int:
    parsed = parse_passes_of_tag(key)
    if parsed is None:
        return 0
    project_id, tag_id, generation = parsed
    reference = TagReference(tag_id, generation)
    _, by_id = platform.tags.get_tags(project_id=project_id, tag_ids=[tag_id])
    if reference.is_live(by_id.get(tag_id)):
        return 0
    collection = Collection(key)
    removed = sum(
        _sweep_segment(platform, collection, reference, segment)
        for segment in _take_segments(platform, collection, segments)
    )
    platform.sweeps.finish_sweep(collection)
    return removed


def _take_segments(platform: Platform, collection: Collection, segments: Sequence[int] | None) -> Sequence[int]:
    """The segments to clear here and now; more than a few are handed to further messages."""
    if segments is not None:
        return segments
    found = platform.sweeps.count_segments(collection)
    if len(found) <= SEGMENTS_AT_ONCE:
        return found
    platform.queues.send_sweep(collection=collection, segments=found)
    return []


def _sweep_campaign(platform: Platform, template_id: int, segments: Sequence[int] | None) -> int:
    """Deletes the passes of a deleted campaign; when the last is gone, its redeems and all its counters as well."""
    collection = passes_of_template(template_id)
    project_id, removed = None, 0
    for segment in _take_segments(platform, collection, segments):
        pass_ids = platform.passes.list_segment(collection, segment)
        if project_id is None:
            project_id = _find_project(platform, pass_ids)
            if project_id is None:
                continue
            if _is_there(platform, project_id, template_id):
                return 0
        for pass_id in pass_ids:
            with suppress(NotFound):
                delete_pass(platform, project_id=project_id, reference=PassReference(pass_id=pass_id))
                removed += 1
    if not any(count.members() for count in platform.counts.read_counts(collection)):
        _forget_campaign(platform, template_id)
    return removed


def _find_project(platform: Platform, pass_ids: Sequence[int]) -> int | None:
    """The project of these passes of one template; None if none of them is left."""
    passes = (platform.passes.get_pass(project_id=None, pass_id=pass_id) for pass_id in pass_ids)
    return next((pass_.project_id for pass_ in passes if pass_ is not None), None)


def _is_there(platform: Platform, project_id: int, template_id: int) -> bool:
    return platform.templates.get_template(project_id=project_id, template_id=template_id) is not None


def _forget_campaign(platform: Platform, template_id: int) -> None:
    redeems = redeems_of_template(template_id)
    for segment in platform.sweeps.count_segments(redeems):
        platform.redeems.remove_segment(redeems, segment)
    passes = passes_of_template(template_id)
    for collection in (redeems, registrations_of_template(template_id), events_of_template(template_id), passes):
        for segment in platform.sweeps.count_segments(collection):
            platform.sweeps.remove_counters(collection, segment)
    platform.sweeps.finish_sweep(passes)


def _sweep_segment(platform: Platform, collection: Collection, reference: TagReference, segment: int) -> int:
    pass_ids = platform.passes.list_segment(collection, segment)
    platform.passes.remove_memberships(pass_ids, reference=reference)
    platform.sweeps.remove_counters(collection, segment)
    return len(pass_ids)


def resume_unfinished(platform: Platform, *, minimum_age_seconds: float, queues_lost: bool) -> int:
    """Sends again what may have been lost between a write and its message; how many messages.

    Bulk updates that were never planned, messages of the outbox, and collections that were never swept. With
    `queues_lost`, as after a restart of a local run, planned bulk updates as well. Anything sent needlessly finds
    nothing to do.
    """
    before = platform.now() - timedelta(seconds=minimum_age_seconds)
    statuses = UNFINISHED if queues_lost else (TicketStatus.PREQUED,)
    sent = 0
    for ticket_id in platform.tickets.list_open():
        ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
        if ticket is not None and ticket.status in statuses and ticket.created_at <= before:
            platform.queues.send_plan(ticket_id=ticket_id)
            sent += 1
    waiting = platform.outbox.list_waiting(before=before)
    platform.queues.send_outgoing(waiting)
    sent += len(waiting)
    for key in platform.sweeps.list_sweeps():
        platform.queues.send_sweep(collection=Collection(key))
        sent += 1
    return sent
