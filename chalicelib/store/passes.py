"""Passes in DynamoDB: rows, external ids, memberships, and the counters that follow them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING

from pynamodb.expressions.update import Action

from chalicelib.domain.counted_index import Collection, Slice, events_of_template, segment_of
from chalicelib.domain.errors import Ambiguous, NumberTaken
from chalicelib.domain.passes import as_milliseconds
from chalicelib.domain.reporting import Event, day_of
from chalicelib.domain.tags import Tag, TagReference
from chalicelib.store import external_ids, pass_rows, statements
from chalicelib.store.external_ids import find_many, pass_key
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.members import MemberIndex, read_segment, read_slices
from chalicelib.store.models import ExternalIdRow, MembershipRow, PassRow, RawItem
from chalicelib.store.outbox import put_outgoing
from chalicelib.store.pass_status import count_everywhere, count_tag
from chalicelib.store.sequences import explain_taken
from chalicelib.store.tags import put_new_tag
from chalicelib.store.transactions import MAXIMUM_BYTES, MAXIMUM_ITEMS, Transaction

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt
    from chalicelib.domain.outgoing import Outgoing
    from chalicelib.domain.passes import ContentChange, Pass, PassReference, PassSummary
    from chalicelib.domain.ports import UpdatedQuery
    from chalicelib.domain.redeems import Redeem
    from chalicelib.domain.registrations import Registration
    from chalicelib.domain.tickets import Ticket
    from chalicelib.store.connection import Database

# of a member only its id is wanted: the rest would be sent and read for nothing
_BY_TAG = MemberIndex(MembershipRow, "by_tag", "tag_segment", "pass_id", attributes=("pass_id",))
_BY_TEMPLATE = MemberIndex(PassRow, "by_template", "template_segment", "pass_id", attributes=("pass_id",))
_BY_PROJECT = MemberIndex(PassRow, "by_project", "segment", "pass_id", "N", attributes=("pass_id",))

# Two segments may meet in one group of new passes, so each collection may need two counter rows.
_COUNTERS_PER_COLLECTION = 2

_RECORDS_PER_GROUP = 2
"""a message, and the receipt of a request with an Idempotency-Key"""

_ROWS_PER_TAG = 2
"""by name and by id"""

_BYTES_BESIDE_CONTENT = 2048
"""more than any row holds besides a pass's content: a tag or external id has at most 255 characters"""


class DynamoPassStore:
    """Implements `PassStore`. Every write is conditional on the pass's revision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_pass_id(self, *, project_id: int, reference: PassReference) -> int | None:
        """See `PassStore`."""
        if reference.pass_id is not None:
            return reference.pass_id
        spellings = (reference.external_id, reference.fallback_external_id)
        found = external_ids.find_first(
            self._database,
            keys=[pass_key(project_id, spelling) for spelling in spellings if spelling is not None],
            parent_id=reference.template_id,
        )
        if len(found) > 1:
            raise Ambiguous(
                "matches passes in more than one template; use /pass/template/{templateId}/id/{passExternalId}",
                field="externalId",
            )
        return found[0] if found else None

    def find_pass_ids(self, *, project_id: int, template_id: int, external_ids: Sequence[str]) -> dict[str, int]:
        """See `PassStore`."""
        keys = {pass_key(project_id, external_id): external_id for external_id in external_ids}
        found = find_many(self._database, keys=list(keys), parent_id=template_id)
        return {keys[key]: pass_id for key, pass_id in found.items()}

    def get_pass(self, *, project_id: int | None, pass_id: int) -> Pass | None:
        """See `PassStore`."""
        answer = self._database.call(
            "GetItem", TableName=PassRow.Meta.table_name, Key=_key(pass_id), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        pass_ = pass_rows.as_pass(answer["Item"])
        return pass_ if project_id in (None, pass_.project_id) else None

    def find_by_code(self, *, template_id: int, redeem_code: str) -> list[int]:
        """See `PassStore`."""
        answer = self._database.call(
            "Query",
            TableName=PassRow.Meta.table_name,
            IndexName="by_code",
            KeyConditionExpression="code_key = :code",
            ExpressionAttributeValues={":code": {"S": pass_rows.code_key(template_id, redeem_code)}},
            Limit=2,
        )
        return [int(item["pass_id"]["N"]) for item in answer["Items"]]

    def get_passes(self, pass_ids: Sequence[int], *, consistent: bool = False) -> dict[int, Pass]:
        """See `PassStore`."""
        keys = [_key(pass_id) for pass_id in pass_ids]
        items = self._database.batch_get(PassRow, keys, consistent=consistent)
        passes = [pass_rows.as_pass(item) for item in items]
        return {pass_.pass_id: pass_ for pass_ in passes}

    def get_summaries(self, pass_ids: Sequence[int]) -> list[PassSummary]:
        """See `PassStore`."""
        items = self._database.batch_get(
            PassRow, [_key(pass_id) for pass_id in pass_ids], attributes=pass_rows.SUMMARY_ATTRIBUTES
        )
        found = {summary.pass_id: summary for summary in map(pass_rows.as_summary, items)}
        return [found[pass_id] for pass_id in pass_ids if pass_id in found]

    def group_new_passes(
        self, passes: Sequence[tuple[Pass, Sequence[str]]], *, new_tag_names: AbstractSet[str]
    ) -> list[int]:
        """See `PassStore`."""
        sizes: list[int] = []
        names: set[str] = set()
        rows = size_bytes = 0
        for pass_, own_names in passes:
            own_rows = 1 + (pass_.external_id is not None) + pass_.has_own_code + len(own_names)
            own_bytes = len(pass_.content.encode().encode())
            together = names.union(own_names)
            counters = _COUNTERS_PER_COLLECTION * (4 + len(together))
            items = _RECORDS_PER_GROUP + rows + own_rows + counters + _ROWS_PER_TAG * len(together & new_tag_names)
            total_bytes = size_bytes + own_bytes + items * _BYTES_BESIDE_CONTENT
            if not sizes or items > MAXIMUM_ITEMS or total_bytes > MAXIMUM_BYTES:
                sizes.append(0)
                names, rows, size_bytes = set(), 0, 0
            sizes[-1] += 1
            names.update(own_names)
            rows += own_rows
            size_bytes += own_bytes
        return sizes

    def create_passes(
        self,
        passes: Sequence[tuple[Pass, Sequence[Tag]]],
        *,
        new_tags: Sequence[Tag],
        outgoing: Sequence[Outgoing] = (),
        receipt: Receipt | None = None,
    ) -> dict[int, str]:
        """See `PassStore`."""
        transaction = Transaction(self._database)
        transaction.keep(receipt)
        put_outgoing(transaction, outgoing)
        for position, (pass_, tags) in enumerate(passes):
            transaction.put(pass_rows.as_row(pass_), PassRow.pass_id.does_not_exist(), label="pass")
            if pass_.external_id is not None:
                row = _external_id_row(pass_, pass_.external_id)
                transaction.put(row, ExternalIdRow.key.does_not_exist(), label=f"external_id:{position}")
            if pass_.has_own_code:
                external_ids.claim(transaction, _code_key(pass_), pass_.pass_id, label=f"code:{position}")
            count_everywhere(transaction, pass_, [], change=1)
            _count_event(transaction, pass_, Event.CREATES, pass_.created_at)
            for tag in tags:
                self._put_membership(transaction, pass_, tag)
        for tag in new_tags:
            put_new_tag(transaction, tag)
        try:
            transaction.commit()
        except ConditionFailed as failure:
            if "pass" in failure.labels:
                self._check_written(passes, failure)
                return {}
            named = [label.partition(":") for label in sorted(failure.labels)]
            taken = {int(position): kind for kind, _, position in named if kind in ("external_id", "code")}
            if not taken:
                raise
            return taken
        return {}

    def _check_written(self, passes: Sequence[tuple[Pass, Sequence[Tag]]], failure: ConditionFailed) -> None:
        """Rows that are there already are ours if an earlier try took effect and its answer was lost.

        Times of new passes never run backwards, so a row of the same time is of the same request, or of its repeat by
        an import.

        Raises:
            NumberTaken: they are others', since the sequence of ids went back.
        """
        found = self.get_passes([pass_.pass_id for pass_, _ in passes], consistent=True)
        for pass_, _ in passes:
            stored = found.get(pass_.pass_id, pass_)
            times = [as_milliseconds(each.created_at) for each in (stored, pass_)]
            if stored.project_id != pass_.project_id or times[0] != times[1]:
                raise NumberTaken(explain_taken("pass", pass_.pass_id)) from failure

    def add_tags(
        self, pass_: Pass, *, kept: frozenset[TagReference], added: Sequence[Tag], new_tags: Sequence[Tag]
    ) -> None:
        """See `PassStore`."""
        references = kept | {TagReference(tag.tag_id, tag.generation) for tag in added}
        transaction = Transaction(self._database)
        _change_tags(transaction, pass_, references)
        for tag in added:
            self._put_membership(transaction, pass_, tag)
        for tag in new_tags:
            put_new_tag(transaction, tag)
        transaction.commit()

    def remove_tag(self, pass_: Pass, tag: Tag) -> None:
        """See `PassStore`."""
        reference = TagReference(tag.tag_id, tag.generation)
        transaction = Transaction(self._database)
        _change_tags(transaction, pass_, pass_.tags - {reference})
        self._delete_membership(transaction, pass_, reference)
        transaction.commit()

    def delete_pass(
        self, pass_: Pass, *, live: Iterable[TagReference], registrations: Sequence[Registration], now: datetime
    ) -> None:
        """See `PassStore`. Rows of dead tags are left to the sweep."""
        from chalicelib.store.registrations import delete_registration

        transaction = Transaction(self._database)
        unchanged = (PassRow.revision == pass_.revision) & (PassRow.registrations == len(registrations))
        transaction.delete(PassRow(pass_id=pass_.pass_id), unchanged, label="pass")
        if pass_.external_id is not None:
            transaction.delete(_external_id_row(pass_, pass_.external_id))
        if pass_.has_own_code:
            external_ids.release(transaction, _code_key(pass_), pass_.pass_id)
        count_everywhere(transaction, pass_, [], change=-1)
        for reference in live:
            self._delete_membership(transaction, pass_, reference)
        for registration in registrations:
            delete_registration(transaction, registration, now=now)
        transaction.commit()

    def update_pass(
        self,
        *,
        before: Pass,
        after: Pass,
        ticket: Ticket | None = None,
        redeem: Redeem | None = None,
        outgoing: Sequence[Outgoing] = (),
        receipt: Receipt | None = None,
    ) -> None:
        """See `PassStore`. Without a ticket it is one plain conditional write: what a bulk update pays per pass."""
        actions = pass_rows.content_actions(before, after)
        if ticket is None:
            with translated():
                PassRow._get_connection().update_item(
                    str(before.pass_id), actions=actions, condition=PassRow.revision == before.revision
                )
            return
        from chalicelib.store.ticket_rows import put_ticket, told_if_taken

        transaction = Transaction(self._database)
        if redeem is not None:
            from chalicelib.store.redeems import put_redeem

            put_redeem(transaction, redeem)
            actions += pass_rows.redeem_actions(after)
            _count_event(transaction, after, Event.REDEEMS, redeem.created_at)
        if after is not before:
            self._update_pass(transaction, before, actions)
        if after.version != before.version:
            _count_event(transaction, after, Event.UPDATES, ticket.created_at)
        put_ticket(transaction, ticket)
        put_outgoing(transaction, outgoing)
        transaction.keep(receipt)
        with told_if_taken(ticket):
            transaction.commit()

    def update_passes(self, changes: Sequence[ContentChange]) -> set[int]:
        """See `PassStore`."""
        written = self._database.execute_statements([statements.update_content(change) for change in changes])
        return {change.before.pass_id for change, done in zip(changes, written, strict=True) if done}

    def read_members(
        self, collection: Collection, slices: Sequence[Slice], *, facets: AbstractSet[str] | None, descending: bool
    ) -> list[int]:
        """See `PassStore`."""
        index = _index_of(collection)
        parts = [(_segment_key(index, collection, part.segment), part) for part in slices]
        items = read_slices(self._database, index, parts, facets=facets, descending=descending)
        return [int(item["pass_id"]["N"]) for item in items]

    def list_segment(self, collection: Collection, segment: int) -> list[int]:
        """See `PassStore`."""
        index = _index_of(collection)
        items = read_segment(self._database, index, _segment_key(index, collection, segment))
        return [int(item["pass_id"]["N"]) for item in items]

    def page_by_update(self, query: UpdatedQuery) -> list[int]:
        """See `PassStore`."""
        from chalicelib.store.updated import page_by_update

        return page_by_update(self._database, query)

    def remove_memberships(self, pass_ids: Sequence[int], *, reference: TagReference) -> None:
        """See `PassStore`."""
        removed = self._database.execute_statements(
            [statements.remove_membership(pass_id, reference) for pass_id in pass_ids]
        )
        for pass_id, done in zip(pass_ids, removed, strict=True):
            if not done:
                self._remove_membership(pass_id, reference)

    def _remove_membership(self, pass_id: int, reference: TagReference) -> None:
        try:
            with translated():
                MembershipRow(pass_id=pass_id, tag_id=reference.tag_id).delete(
                    MembershipRow.generation == reference.generation
                )
        except ConditionFailed:
            return

    def _update_pass(self, transaction: Transaction, pass_: Pass, actions: list[Action]) -> None:
        transaction.update(
            PassRow(pass_id=pass_.pass_id),
            actions,
            PassRow.revision == pass_.revision,
            label="pass",
        )

    def _put_membership(self, transaction: Transaction, pass_: Pass, tag: Tag) -> None:
        """Overwrites a dead row of an earlier generation, if the sweep has not come by yet."""
        transaction.put_item(
            MembershipRow,
            {
                "pass_id": {"N": str(pass_.pass_id)},
                "tag_id": {"N": str(tag.tag_id)},
                "generation": {"N": str(tag.generation)},
                "tag_segment": {"S": tag.collection.segment_key(segment_of(pass_.pass_id))},
                "status": {"S": str(pass_.status)},
            },
        )
        transaction.count(tag.collection, pass_.pass_id, facet=pass_.status, change=1)

    def _delete_membership(self, transaction: Transaction, pass_: Pass, reference: TagReference) -> None:
        transaction.delete(
            MembershipRow(pass_id=pass_.pass_id, tag_id=reference.tag_id),
            MembershipRow.generation == reference.generation,
            label="membership",
        )
        count_tag(transaction, pass_, reference, change=-1)


def _change_tags(transaction: Transaction, pass_: Pass, references: frozenset[TagReference]) -> None:
    transaction.update_item(
        PassRow,
        _key(pass_.pass_id),
        changes=pass_rows.tag_changes(references, revision=pass_.revision + 1),
        expected={"revision": {"N": str(pass_.revision)}},
        label="pass",
    )


def _count_event(transaction: Transaction, pass_: Pass, event: Event, at: datetime) -> None:
    transaction.count_in(events_of_template(pass_.template_id), day_of(at), facet=event, change=1)


def _key(pass_id: int) -> RawItem:
    return {"pass_id": {"N": str(pass_id)}}


def _code_key(pass_: Pass) -> str:
    return external_ids.code_key(pass_.project_id, pass_.template_id, pass_.redeem_code)


def _external_id_row(pass_: Pass, external_id: str) -> ExternalIdRow:
    return ExternalIdRow(
        key=pass_key(pass_.project_id, external_id),
        parent_id=pass_.template_id,
        target_id=pass_.pass_id,
    )


def _index_of(collection: Collection) -> MemberIndex:
    return {"tag-passes": _BY_TAG, "template-passes": _BY_TEMPLATE, "project-passes": _BY_PROJECT}[
        collection.key.partition(":")[0]
    ]


def _segment_key(index: MemberIndex, collection: Collection, segment: int) -> str:
    # a segment of the whole project is a segment of the deployment: its number is the key
    return str(segment) if index is _BY_PROJECT else collection.segment_key(segment)
