"""Clearing away what an emptied or deleted tag leaves behind, and picking up what a lost message left undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.domain.counted_index import FOLD, Collection, parse_passes_of_tag
from chalicelib.domain.ports import Platform
from chalicelib.domain.tags import TagReference
from chalicelib.domain.tickets import UNFINISHED, TicketStatus

SEGMENTS_AT_ONCE = 20
"""segments that one sweep message clears; more are handed to further messages"""


def sweep_collection(platform: Platform, *, key: str, segments: Sequence[int] | None = None) -> int:
    """Removes the rows and counters of a dead collection, or of some of its segments; the number of rows removed.

    A key that begins with `fold:` asks instead to fold the stripes of a living one.

    Idempotent. A collection that is alive, or is none of a tag, is left alone.

    Raises:
        Busy: try the message again.
    """
    kind, _, folded = key.partition(FOLD)
    if folded and not kind:
        platform.counts.fold_stripes(Collection(folded))
        return 0
    parsed = parse_passes_of_tag(key)
    if parsed is None:
        return 0
    project_id, tag_id, generation = parsed
    reference = TagReference(tag_id, generation)
    _, by_id = platform.tags.get_tags(project_id=project_id, tag_ids=[tag_id])
    if reference.is_live(by_id.get(tag_id)):
        return 0
    collection = Collection(key)
    if segments is None:
        segments = platform.sweeps.count_segments(collection)
        if len(segments) > SEGMENTS_AT_ONCE:
            platform.queues.send_sweep(collection=collection, segments=segments)
            return 0
    removed = sum(_sweep_segment(platform, collection, reference, segment) for segment in segments)
    platform.sweeps.finish_sweep(collection)
    return removed


def _sweep_segment(platform: Platform, collection: Collection, reference: TagReference, segment: int) -> int:
    pass_ids = platform.passes.list_segment(collection, segment)
    platform.passes.remove_memberships(pass_ids, reference=reference)
    platform.sweeps.remove_counters(collection, segment)
    return len(pass_ids)


def resume_unfinished(platform: Platform, *, minimum_age_seconds: float, queues_lost: bool) -> int:
    """Sends again what may have been lost between a write and its message; how many messages.

    Bulk updates that were never planned, and collections that were never swept. With `queues_lost`, as after a restart
    of a local run, planned bulk updates as well. Anything sent needlessly finds nothing to do.
    """
    before = platform.now() - timedelta(seconds=minimum_age_seconds)
    statuses = UNFINISHED if queues_lost else (TicketStatus.PREQUED,)
    sent = 0
    for ticket_id in platform.tickets.list_open():
        ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
        if ticket is not None and ticket.status in statuses and ticket.created_at <= before:
            platform.queues.send_plan(ticket_id=ticket_id)
            sent += 1
    for key in platform.sweeps.list_sweeps():
        platform.queues.send_sweep(collection=Collection(key))
        sent += 1
    return sent
