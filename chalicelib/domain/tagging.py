"""Putting tags on passes and taking them off (airship-wallet-v1, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain.counted_index import count_members
from chalicelib.domain.errors import Busy, Conflict, InvalidRequest, NotFound
from chalicelib.domain.finding import get_live_tags, get_pass_or_raise, get_tag_or_raise
from chalicelib.domain.passes import Expectation, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import Unheard, retry_conflicts
from chalicelib.domain.tags import Tag, TagReference, plan_tagging, validate_tag_names


@dataclass(frozen=True, slots=True)
class Cleared:
    """A tag that was taken off passes, and how many had it."""

    tag_id: int
    count: int


def add_tags(
    platform: Platform,
    *,
    project_id: int,
    reference: PassReference,
    names: Sequence[str],
    expect: Expectation | None = None,
) -> list[str]:
    """Adds tags to a pass, creating those that do not exist, and returns the names that it did not have before.

    All or nothing. Safe to repeat: a second call adds nothing. With n existing tags: four calls by pass id, one more
    by external id, one more if a tag is new.

    Raises:
        InvalidRequest: a name is unusable, or more than 15 tags would be left (sections 9.4, 9.5).
        PreconditionFailed: the pass is not what was expected, before anything was written.
        NotFound, Ambiguous, Busy
    """
    wanted = validate_tag_names(names, maximum_characters=platform.bounds.tag_characters)
    first_new_names: list[str] | None = None

    def attempt() -> list[str]:
        nonlocal first_new_names
        pass_ = get_pass_or_raise(platform, project_id=project_id, reference=reference)
        if expect is not None and first_new_names is None:
            expect(pass_)
        if not wanted:
            return []
        if len(wanted) > platform.bounds.tags_per_pass:
            raise InvalidRequest(f"a pass has at most {platform.bounds.tags_per_pass} tags", field="tags")
        by_name, by_id = platform.tags.get_tags(
            project_id=project_id, names=wanted, tag_ids=[tag.tag_id for tag in pass_.tags]
        )
        tagging = plan_tagging(
            names=wanted,
            references=pass_.tags,
            known_by_name=by_name,
            known_by_id=by_id,
            maximum_tags=platform.bounds.tags_per_pass,
        )
        if tagging.new_names:
            new_tags = number_new_tags(platform, project_id=project_id, names=tagging.created)
            platform.passes.add_tags(pass_, kept=tagging.kept, added=[*tagging.added, *new_tags], new_tags=new_tags)
            first_new_names = first_new_names or tagging.new_names
            _check_still_there(platform, tagging.added)
        return first_new_names or []

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _check_still_there(platform: Platform, tags: Sequence[Tag]) -> None:
    """After the write: a tag that was emptied or deleted while it was put on is put on again, not lost.

    The transaction itself does not touch the tag, since then all who add one tag would meet on it.

    Raises:
        Conflict
    """
    if not tags:
        return
    _, by_id = platform.tags.get_tags(project_id=tags[0].project_id, tag_ids=[tag.tag_id for tag in tags])
    if any(by_id.get(tag.tag_id) != tag for tag in tags):
        raise Conflict("a tag was emptied meanwhile")


def number_new_tags(platform: Platform, *, project_id: int, names: Sequence[str]) -> list[Tag]:
    """Tags of fresh ids, ready to be stored. Ids are dense in a project; an abandoned attempt leaves a gap."""
    if not names:
        return []
    first, created_at = platform.sequences.next_values(name=f"tags:{project_id}", count=len(names), now=platform.now())
    return [
        Tag(project_id=project_id, tag_id=first + position, name=name, generation=1, created_at=created_at)
        for position, name in enumerate(names)
    ]


def resolve_tags(platform: Platform, *, project_id: int, names: Sequence[str]) -> tuple[dict[str, Tag], list[Tag]]:
    """All the tags of valid names, and which of them are new and still to be stored. One call, two if any is new."""
    if not names:
        return {}, []
    by_name, _ = platform.tags.get_tags(project_id=project_id, names=names)
    new_tags = number_new_tags(platform, project_id=project_id, names=[name for name in names if name not in by_name])
    return by_name | {tag.name: tag for tag in new_tags}, new_tags


def list_tags_of_pass(platform: Platform, *, project_id: int, reference: PassReference) -> list[Tag]:
    """The tags of a pass, ascending by id. Two calls by pass id, three by external id.

    Raises:
        NotFound, Ambiguous
    """
    pass_ = get_pass_or_raise(platform, project_id=project_id, reference=reference)
    return get_live_tags(platform, pass_)


def remove_tag(
    platform: Platform,
    *,
    project_id: int,
    segment: str,
    reference: PassReference,
    expect: Expectation | None = None,
) -> tuple[int, int]:
    """Takes a tag off one pass; the ids of tag and pass. The tag itself stays (section 4.8).

    Whoever finds it gone after a try of whose end nothing was heard has taken it off.

    Raises:
        NotFound: no such tag or pass, or the pass does not have the tag.
        Ambiguous, PreconditionFailed, Busy
    """
    unheard = Unheard[tuple[int, int]]()

    def attempt() -> tuple[int, int]:
        tag = get_tag_or_raise(platform, project_id=project_id, segment=segment)
        pass_ = get_pass_or_raise(platform, project_id=project_id, reference=reference)
        ids = tag.tag_id, pass_.pass_id
        if TagReference(tag.tag_id, tag.generation) not in pass_.tags:
            if unheard.thing == ids:
                return ids
            raise NotFound(f"tag {tag.name} on pass", pass_.pass_id)
        if expect is not None:
            expect(pass_)
        with unheard.noting(ids):
            platform.passes.remove_tag(pass_, tag)
        return ids

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def empty_tag(platform: Platform, *, project_id: int, segment: str) -> Cleared:
    """Takes a tag off all its passes at once, however many, by moving it on to its next generation (section 4.9).

    Three calls. The count is read after the move: it holds every pass that was tagged before, and may hold one whose
    tagging was under way, which then puts the tag on again.

    Raises:
        NotFound, Busy
    """

    def attempt() -> Tag:
        tag = get_tag_or_raise(platform, project_id=project_id, segment=segment)
        platform.tags.empty_tag(tag)
        return tag

    return _clear(platform, retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds))


def delete_tag(platform: Platform, *, project_id: int, segment: str) -> Cleared:
    """Takes a tag off all its passes and removes it (section 4.10). Three calls.

    Whoever finds it gone after a try of whose end nothing was heard has deleted it.

    Raises:
        NotFound, Busy
    """
    unheard = Unheard[Tag]()

    def attempt() -> Tag:
        try:
            tag = get_tag_or_raise(platform, project_id=project_id, segment=segment)
        except NotFound:
            if unheard.thing is None:
                raise
            return unheard.thing
        with unheard.noting(tag):
            platform.tags.delete_tag(tag)
        return tag

    return _clear(platform, retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds))


def _clear(platform: Platform, tag: Tag) -> Cleared:
    """Counts a collection that has just died and has it swept.

    The sweep is already noted beside the tag: if its message cannot be sent, the next resume sends it.
    """
    count = count_members(platform.counts.read_counts(tag.collection))
    with suppress(Busy):
        platform.queues.send_sweep(collection=tag.collection)
    return Cleared(tag_id=tag.tag_id, count=count)
