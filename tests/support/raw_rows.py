"""Rows written past all rules, as damage is planted, and put back as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.environment import PREFIX

Value = int | str | bool | set[str] | None


def typed(value: Value) -> dict[str, Any]:
    """A value as DynamoDB takes it."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    return {"S": str(value)}


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An item as plain values."""
    return {name: _plain(*value.items()) for name, value in item.items()}


def _plain(pair: tuple[str, Any]) -> Any:
    kind, value = pair
    return int(value) if kind == "N" else set(value) if kind == "SS" else value


class RawRows:
    """Single rows of any table, by bare table name and key."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._before: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any] | None]] = {}

    def get(self, table: str, **key: Value) -> dict[str, Any] | None:
        """The row with that key."""
        item = self._get(table, key)
        return None if item is None else plain(item)

    def put(self, table: str, row: Mapping[str, Value], *, key: tuple[str, ...]) -> None:
        """A whole row; `key` names its key attributes."""
        self._remember(table, {name: row[name] for name in key})
        item = {name: typed(value) for name, value in row.items() if value is not None}
        self._dynamodb.put_item(TableName=PREFIX + table, Item=item)

    def change(self, table: str, key: Mapping[str, Value], **values: Value) -> None:
        """New values for attributes of a row; None removes."""
        row = self.get(table, **key) or dict(key)
        self.put(table, {**row, **values}, key=tuple(key))

    def add(self, table: str, key: Mapping[str, Value], **changes: int) -> None:
        """Adds to numbers of a row."""
        row = self.get(table, **key) or dict(key)
        self.put(
            table, {**row, **{name: row.get(name, 0) + change for name, change in changes.items()}}, key=tuple(key)
        )

    def delete(self, table: str, **key: Value) -> None:
        """Removes a row."""
        self._remember(table, key)
        self._dynamodb.delete_item(TableName=PREFIX + table, Key={name: typed(value) for name, value in key.items()})

    def forget(self) -> None:
        """What was touched stays as it is now."""
        self._before.clear()

    def put_back(self) -> None:
        """Every row that was touched is again as it was before."""
        for (table, _), (key, item) in self._before.items():
            if item is None:
                self._dynamodb.delete_item(TableName=PREFIX + table, Key=key)
            else:
                self._dynamodb.put_item(TableName=PREFIX + table, Item=item)
        self._before.clear()

    def _get(self, table: str, key: Mapping[str, Value]) -> dict[str, Any] | None:
        typed_key = {name: typed(value) for name, value in key.items()}
        answer = self._dynamodb.get_item(TableName=PREFIX + table, Key=typed_key, ConsistentRead=True)
        found: dict[str, Any] | None = answer.get("Item")
        return found

    def _remember(self, table: str, key: Mapping[str, Value]) -> None:
        typed_key = {name: typed(value) for name, value in key.items()}
        self._before.setdefault((table, str(sorted(key.items()))), (typed_key, self._get(table, key)))
