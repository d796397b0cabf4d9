"""One DynamoDB transaction: rows and the counters that follow them change together or not at all."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.domain.counted_index import FOLD, Collection, segment_of
from chalicelib.domain.errors import Busy, Conflict
from chalicelib.store.connection import Database
from chalicelib.store.failures import CANCELLED, ConditionFailed, translated
from chalicelib.store.models import SegmentRow, SweepRow

SLOTS_PER_SEGMENT = 16
"""Part of every stored counter key: never change it on a deployment that has data."""

MAXIMUM_ITEMS = 100
"""DynamoDB's limit for one transaction"""

MAXIMUM_BYTES = 3_500_000
"""a good margin below DynamoDB's limit of 4 MB for one transaction"""

# Reasons that a plain repeat may mend.
_RETRYABLE_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class Transaction:
    """Collects writes, then commits them in one call. Each item may appear once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = TransactWrite(connection=database.connection)
        self._check_labels: list[str] = []
        self._put_labels: list[str] = []
        self._update_labels: list[str] = []
        self._delete_labels: list[str] = []
        self._stripe = 0
        self._deltas: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def check(self, model: type[Model], key: tuple[Any, Any], condition: Condition, *, label: str) -> None:
        """Demands something of the row with that hash and range key, without writing it."""
        self._check_labels.append(label)
        self._write.condition_check(model, *key, condition=condition)

    def put(self, row: Model, condition: Condition | None = None, *, label: str = "") -> None:
        """Writes a whole row."""
        self._put_labels.append(label)
        self._write.save(row, condition=condition)

    def update(self, row: Model, actions: list[Action], condition: Condition | None = None, *, label: str = "") -> None:
        """Changes attributes of the row with the same key."""
        self._update_labels.append(label)
        self._write.update(row, actions=actions, condition=condition)

    def delete(self, row: Model, condition: Condition | None = None, *, label: str = "") -> None:
        """Removes the row with the same key."""
        self._delete_labels.append(label)
        self._write.delete(row, condition=condition)

    def count(self, collection: Collection, ordinal: int, *, facet: str, change: int) -> None:
        """Adds to the counter of the segment that a member's ordinal falls into; members of a segment share a write."""
        self.count_in(collection, segment_of(ordinal), facet=facet, change=change)

    def count_in(self, collection: Collection, segment: int, *, facet: str, change: int) -> None:
        """Adds to the counter of a segment."""
        self._deltas[(collection.key, segment)][facet] += change

    def commit(self) -> None:
        """Sends the transaction.

        Raises:
            ConditionFailed: with the labels of the writes whose conditions did not hold.
            Conflict: another transaction was in the way.
            Busy: storage is throttled or out of reach.
        """
        self._add_counters()
        try:
            with translated():
                self._write._commit()
        except TransactWriteError as error:
            explained = self._explain(error)
            if explained is error:
                raise
            raise explained from error
        if self._stripe:
            self._note_stripes()

    def _note_stripes(self) -> None:
        """Has collections that got a stripe folded later. A note that is lost costs some reading, no correctness."""
        for collection in {key for key, _ in self._deltas}:
            if self._database.stripes.is_unnoted(collection):
                with suppress(Busy), translated():
                    SweepRow(collection=FOLD + collection).save()

    def _add_counters(self) -> None:
        stripe = self._stripe = self._database.stripes.choose()
        for (collection, segment), facets in self._deltas.items():
            actions = [getattr(SegmentRow, facet).add(change) for facet, change in facets.items() if change]
            if actions:
                row = SegmentRow(collection=collection, slot=segment * SLOTS_PER_SEGMENT + stripe)
                self.update(row, actions)

    def _explain(self, error: TransactWriteError) -> Exception:
        if error.cause_response_code != CANCELLED:
            return error
        # pynamodb sends checks, deletes, puts and updates, and the reasons come in that order
        labels = self._check_labels + self._delete_labels + self._put_labels + self._update_labels
        codes = [reason.code if reason else None for reason in error.cancellation_reasons]
        failed = frozenset(label for label, code in zip(labels, codes, strict=True) if code == "ConditionalCheckFailed")
        if failed:
            return ConditionFailed(failed)
        if any(code in _RETRYABLE_REASONS for code in codes):
            self._database.stripes.note_conflict()
            return Conflict("transactions met")
        return error
