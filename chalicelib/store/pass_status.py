"""What follows a pass's status: the counters of every list that it is in, and its membership rows."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.counted_index import passes_of_project, passes_of_tag, passes_of_template
from chalicelib.domain.passes import Pass
from chalicelib.domain.tags import TagReference
from chalicelib.store.models import MembershipRow
from chalicelib.store.transactions import Transaction


def count_everywhere(transaction: Transaction, pass_: Pass, references: Iterable[TagReference], *, change: int) -> None:
    """Counts a pass, with its status, in the project, the template and the tags."""
    for collection in (passes_of_project(pass_.project_id), passes_of_template(pass_.template_id)):
        transaction.count(collection, pass_.pass_id, facet=pass_.status, change=change)
    for reference in references:
        count_tag(transaction, pass_, reference, change=change)


def count_tag(transaction: Transaction, pass_: Pass, reference: TagReference, *, change: int) -> None:
    """Counts a pass in one tag."""
    collection = passes_of_tag(project_id=pass_.project_id, tag_id=reference.tag_id, generation=reference.generation)
    transaction.count(collection, pass_.pass_id, facet=pass_.status, change=change)


def move_status(transaction: Transaction, before: Pass, after: Pass, live: Iterable[TagReference]) -> None:
    """Moves a pass from one facet to another wherever it is listed; the pass row itself is the caller's to write."""
    references = list(live)
    count_everywhere(transaction, before, references, change=-1)
    count_everywhere(transaction, after, references, change=1)
    for reference in references:
        transaction.update_item(
            MembershipRow,
            {"pass_id": {"N": str(before.pass_id)}, "tag_id": {"N": str(reference.tag_id)}},
            changes={"status": {"S": str(after.status)}},
            expected={"generation": {"N": str(reference.generation)}},
            label="membership",
        )
