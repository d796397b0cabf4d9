"""What the writes in a DynamoDB request touch: their items, and the write units for each partition key.

Read from the requests alone; see `conflict_rule` for what that leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNIT_BYTES = 1024

Partition = tuple[str, str]
"""a table, or `table.index`, and the value of its partition key"""

_ASSIGNMENT = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
_STATEMENT = re.compile(r'^(UPDATE|DELETE FROM|INSERT INTO) "([^"]+)"')
_EQUATION = re.compile(r'"(\w+)" = \?')
_MEMBER = re.compile(r"'(\w+)': \?")


@dataclass(frozen=True, slots=True)
class Item:
    """One item of one table."""

    table: str
    key: tuple[tuple[str, str], ...]
    """names and values of the key's attributes"""

    def value(self, name: str) -> str:
        """The value of one of them."""
        return dict(self.key)[name]


@dataclass(frozen=True, slots=True)
class Write:
    """One write: its item, and what it costs where."""

    item: Item
    units: tuple[tuple[Partition, float], ...]


@dataclass(frozen=True, slots=True)
class _Index:
    name: str
    hash_key: str
    attributes: frozenset[str]
    """those of its key"""


@dataclass(frozen=True, slots=True)
class _Table:
    hash_key: str
    keys: tuple[str, ...]
    indexes: tuple[_Index, ...]


class WriteReader:
    """Reads requests to the given tables (`infra.definition.read_tables`).

    `unnamed` gives, by table and index, the index partition of an item where an update moves it inside that partition,
    so that the request names only the sort key.
    """

    def __init__(
        self, tables: Sequence[Mapping[str, Any]], *, unnamed: Mapping[tuple[str, str], Callable[[Item], str]]
    ) -> None:
        self._tables = {table["TableName"]: _as_table(table) for table in tables}
        self._unnamed = unnamed

    def read_transaction(self, body: Mapping[str, Any]) -> list[Write]:
        """The writes of a TransactWriteItems, checks included, in its order. Each is paid for twice in its table."""
        actions = [next(iter(item.items())) for item in body["TransactItems"]]
        return [self._read(kind, request, table_factor=2) for kind, request in actions]

    def read_write(self, operation: str, body: Mapping[str, Any]) -> Write:
        """The write of a PutItem, UpdateItem or DeleteItem."""
        return self._read(operation.removesuffix("Item"), body, table_factor=1)

    def read_batched(self, table: str, request: Mapping[str, Any]) -> Write:
        """One write of a BatchWriteItem."""
        kind, inner = next(iter(request.items()))
        return self._read(kind.removesuffix("Request"), {**inner, "TableName": table}, table_factor=1)

    def read_statement(self, statement: Mapping[str, Any]) -> Write:
        """One statement of a BatchExecuteStatement, as our stores word them."""
        text = statement["Statement"]
        found = _STATEMENT.match(text)
        assert found is not None, text
        kind, table = found[1], found[2]
        is_insert = kind == "INSERT INTO"
        names = (_MEMBER if is_insert else _EQUATION).findall(text)
        values = dict(zip(names, statement["Parameters"], strict=True))
        set_names = set(names if is_insert else _EQUATION.findall(text.partition(" WHERE ")[0]))
        changed = {name: value for name, value in values.items() if name in set_names}
        return self._make(self.item(table, values), changed, is_update=not is_insert, table_factor=1)

    def item(self, table: str, attributes: Mapping[str, Any]) -> Item:
        """The item that a row or a key is of."""
        return Item(table, tuple((name, _text(attributes[name])) for name in self._tables[table].keys))

    def _read(self, kind: str, request: Mapping[str, Any], *, table_factor: int) -> Write:
        table = request["TableName"]
        if kind == "Put":
            row = request["Item"]
            return self._make(self.item(table, row), row, is_update=False, table_factor=table_factor)
        changed = _assigned(request) if kind == "Update" else {}
        return self._make(self.item(table, request["Key"]), changed, is_update=True, table_factor=table_factor)

    def _make(self, item: Item, changed: Mapping[str, Any], *, is_update: bool, table_factor: int) -> Write:
        table = self._tables[item.table]
        size = -(-max(1, sum(len(name) + len(_text(value)) for name, value in changed.items())) // UNIT_BYTES)
        units: list[tuple[Partition, float]] = [((item.table, item.value(table.hash_key)), size * table_factor)]
        for index in table.indexes:
            partition = self._index_partition(item, index, changed)
            if partition is not None:
                # a key that moves is one entry deleted and one made
                units.append(((f"{item.table}.{index.name}", partition), 2 if is_update else 1))
        return Write(item, tuple(units))

    def _index_partition(self, item: Item, index: _Index, changed: Mapping[str, Any]) -> str | None:
        """Where in the index a write leads; None if it does not touch the index's key."""
        if not index.attributes & changed.keys() - {name for name, _ in item.key}:
            return None
        if index.hash_key in changed:
            return _text(changed[index.hash_key])
        find = self._unnamed.get((item.table, index.name))
        return None if find is None else find(item)


def read_gets(reader: WriteReader, body: Mapping[str, Any]) -> list[Item]:
    """The items of a TransactGetItems, in its order."""
    return [reader.item(get["Get"]["TableName"], get["Get"]["Key"]) for get in body["TransactItems"]]


def _as_table(arguments: Mapping[str, Any]) -> _Table:
    keys = _keys(arguments)
    indexes = [
        _Index(index["IndexName"], _keys(index)[0], frozenset(_keys(index)))
        for index in arguments.get("GlobalSecondaryIndexes", ())
    ]
    return _Table(keys[0], keys, tuple(indexes))


def _keys(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The hash key first."""
    schema = sorted(arguments["KeySchema"], key=lambda key: key["KeyType"] != "HASH")
    return tuple(key["AttributeName"] for key in schema)


def _assigned(request: Mapping[str, Any]) -> dict[str, Any]:
    """What an update sets; what it adds or removes is small and in no index."""
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    pairs = _ASSIGNMENT.findall(request["UpdateExpression"])
    return {names.get(name, name): values[value] for name, value in pairs if value in values}


def _text(value: Mapping[str, Any]) -> str:
    """An attribute's value without its type."""
    return str(next(iter(value.values())))
