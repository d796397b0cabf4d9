"""What storage charges: the consumed units of every DynamoDB call, by operation, table and index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.wiring import get_database
from local.environment import PREFIX
from tests.support.builders import forgotten_conflicts


@dataclass
class Units:
    """`by_place` maps (operation, table, index) to units; the index of the table itself is an empty text."""

    by_place: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)

    def of(self, *operations: str, table: str | None = None) -> float:
        """Units of some operations, on one table or on all."""
        return sum(
            units
            for (operation, of_table, _), units in self.by_place.items()
            if operation in operations and table in (None, of_table)
        )


@contextmanager
def measure_units() -> Iterator[Units]:
    """Measures the calls of this process while the block runs; none is due to writers who met before it."""
    units = Units()
    events = get_database().connection.client.meta.events

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def note(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        units.calls[model.name] += 1
        consumed = parsed.get("ConsumedCapacity") or []
        for entry in consumed if isinstance(consumed, list) else [consumed]:
            _add(units, model.name, entry)

    events.register("provide-client-params.dynamodb", ask)
    events.register("after-call.dynamodb", note)
    try:
        with forgotten_conflicts():
            yield units
    finally:
        events.unregister("provide-client-params.dynamodb", ask)
        events.unregister("after-call.dynamodb", note)


def _add(units: Units, operation: str, consumed: dict[str, Any]) -> None:
    table = consumed["TableName"].removeprefix(PREFIX)
    indexes = {
        name: capacity["CapacityUnits"]
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for name, capacity in consumed.get(kind, {}).items()
    }
    for name, capacity in indexes.items():
        units.by_place[(operation, table, name)] += capacity
    units.by_place[(operation, table, "")] += consumed["CapacityUnits"] - sum(indexes.values())
