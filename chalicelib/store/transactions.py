"""One DynamoDB transaction: rows and the counters that follow them change together or not at all.

What is written most (counters, memberships, a pass) goes into the request as it is sent; pynamodb's rows, actions and
conditions say the rest, at ten times the price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib.domain.counted_index import FOLD, Collection, segment_of
from chalicelib.domain.errors import Busy, ClaimLost, Conflict
from chalicelib.store.connection import Database
from chalicelib.store.failures import CANCELLED, ConditionFailed, translated, was_repeated
from chalicelib.store.models import RawItem, SegmentRow, SweepRow

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt

SLOTS_PER_SEGMENT = 16
"""Part of every stored counter key: never change it on a deployment that has data."""

MAXIMUM_ITEMS = 100
"""DynamoDB's limit for one transaction"""

MAXIMUM_BYTES = 3_500_000
"""a good margin below DynamoDB's limit of 4 MB for one transaction"""

# Reasons that a plain repeat may mend.
_RETRYABLE_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


_CLAIM = "claim"
"""label of the write that a request's Idempotency-Key depends on"""

_Write = tuple[str, dict[str, Any]]
"""label and request"""

Changes = Mapping[str, Mapping[str, Any] | None]
"""attributes as they are sent; None removes one"""


class Transaction:
    """Collects writes, then commits them in one call. Each item may appear once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._checks: list[_Write] = []
        self._deletes: list[_Write] = []
        self._puts: list[_Write] = []
        self._updates: list[_Write] = []
        self._stripe = 0
        self._deltas: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def check(self, model: type[Model], key: tuple[Any, Any], condition: Condition, *, label: str) -> None:
        """Demands something of the row with that hash and range key, without writing it."""
        hash_key, range_key = key
        request = model.get_operation_kwargs_from_class(hash_key, range_key=range_key, condition=condition)
        self._checks.append((label, request))

    def put(self, row: Model, condition: Condition | None = None, *, label: str = "") -> None:
        """Writes a whole row."""
        self._puts.append((label, row.get_save_kwargs_from_instance(condition=condition)))

    def update(self, row: Model, actions: list[Action], condition: Condition | None = None, *, label: str = "") -> None:
        """Changes attributes of the row with the same key."""
        self._updates.append((label, row.get_update_kwargs_from_instance(actions=actions, condition=condition)))

    def delete(self, row: Model, condition: Condition | None = None, *, label: str = "") -> None:
        """Removes the row with the same key."""
        self._deletes.append((label, row.get_delete_kwargs_from_instance(condition=condition)))

    def put_item(self, model: type[Model], item: RawItem) -> None:
        """Writes a whole row as it is sent, whatever was there."""
        self._puts.append(("", {"TableName": model.Meta.table_name, "Item": item}))

    def update_item(self, model: type[Model], key: RawItem, *, changes: Changes, expected: RawItem, label: str) -> None:
        """Sets attributes of a row as they are sent, or removes them, if others are what is `expected`."""
        names, values = [], {}
        clauses: dict[str, list[str]] = {"SET": [], "REMOVE": []}
        for position, (name, value) in enumerate(changes.items()):
            names.append(name)
            if value is None:
                clauses["REMOVE"].append(f"#{position}")
            else:
                clauses["SET"].append(f"#{position} = :{position}")
                values[f":{position}"] = value
        conditions = []
        for position, (name, value) in enumerate(expected.items(), start=len(names)):
            names.append(name)
            conditions.append(f"#{position} = :{position}")
            values[f":{position}"] = value
        request = {
            "TableName": model.Meta.table_name,
            "Key": key,
            "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": {f"#{position}": name for position, name in enumerate(names)},
            "ExpressionAttributeValues": values,
        }
        self._updates.append((label, request))

    def keep(self, receipt: Receipt | None) -> None:
        """Writes the receipt of a request that has an Idempotency-Key: all is done under it, or nothing."""
        if receipt is not None:
            from chalicelib.store.idempotency import make_update

            self._updates.append((_CLAIM, make_update(receipt)))

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
            ClaimLost: the receipt is not that of the request which holds the key.
            Conflict: another transaction was in the way.
            Busy: storage is throttled or out of reach.
        """
        self._add_counters()
        try:
            with translated():
                self._database.connection.transact_write_items(
                    condition_check_items=[request for _, request in self._checks],
                    delete_items=[request for _, request in self._deletes],
                    put_items=[request for _, request in self._puts],
                    update_items=[request for _, request in self._updates],
                )
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
                with suppress(Busy, Conflict), translated():
                    SweepRow(collection=FOLD + collection).save()

    def _add_counters(self) -> None:
        stripe = self._stripe = self._database.stripes.choose()
        for (collection, segment), facets in self._deltas.items():
            changes = [(facet, change) for facet, change in facets.items() if change]
            if changes:
                request = {
                    "TableName": SegmentRow.Meta.table_name,
                    "Key": {"collection": {"S": collection}, "slot": {"N": str(segment * SLOTS_PER_SEGMENT + stripe)}},
                    "UpdateExpression": "ADD " + ", ".join(f"#{each} :{each}" for each in range(len(changes))),
                    "ExpressionAttributeNames": {f"#{each}": str(facet) for each, (facet, _) in enumerate(changes)},
                    "ExpressionAttributeValues": {
                        f":{each}": {"N": str(change)} for each, (_, change) in enumerate(changes)
                    },
                }
                self._updates.append(("", request))

    def _explain(self, error: TransactWriteError) -> Exception:
        if error.cause_response_code != CANCELLED:
            return error
        # pynamodb sends checks, deletes, puts and updates, and the reasons come in that order
        labels = [label for label, _ in (*self._checks, *self._deletes, *self._puts, *self._updates)]
        codes = [reason.code if reason else None for reason in error.cancellation_reasons]
        failed = frozenset(label for label, code in zip(labels, codes, strict=True) if code == "ConditionalCheckFailed")
        if _CLAIM in failed:
            return ClaimLost()
        if failed:
            return ConditionFailed(failed, may_be_written=was_repeated(error))
        if any(code in _RETRYABLE_REASONS for code in codes):
            self._database.stripes.note_conflict()
            return Conflict("transactions met", may_be_written=was_repeated(error))
        return error
