"""Carrying out the guarded writes of a mend: one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.domain.checking import Action, Value, Write
from chalicelib.domain.errors import Conflict
from chalicelib.store.checking_reads import typed, typed_row
from chalicelib.store.connection import Database
from chalicelib.store.failures import CANCELLED


def commit(database: Database, writes: Sequence[Write]) -> None:
    """Does all the writes if every row still is as it is expected.

    Raises:
        Conflict: one is not, or another transaction was in the way; nothing was written.
        Busy
    """
    items = [_as_item(database, write) for write in writes]
    try:
        database.call("TransactWriteItems", TransactItems=items)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == CANCELLED:
            raise Conflict("somebody else wrote first") from error
        raise


class _Expressions:
    """Collects names and values of one item's expressions."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        """The placeholder of an attribute."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: Value) -> str:
        """A placeholder for a value."""
        short = f":v{len(self._values)}"
        self._values[short] = typed(value)
        return short

    def arguments(self) -> dict[str, Any]:
        """What goes with the expressions; an empty one is not allowed."""
        arguments: dict[str, Any] = {}
        if self._names:
            arguments["ExpressionAttributeNames"] = {short: name for name, short in self._names.items()}
        if self._values:
            arguments["ExpressionAttributeValues"] = self._values
        return arguments


def _as_item(database: Database, write: Write) -> dict[str, Any]:
    expressions = _Expressions()
    arguments: dict[str, Any] = {"TableName": database.settings.table_name(write.place.table)}
    condition = _condition(expressions, write)
    if condition:
        arguments["ConditionExpression"] = condition
    if write.action is Action.PUT:
        values = {name: value for name, value in write.sets.items() if value is not None}
        return {"Put": {**arguments, "Item": typed_row(values), **expressions.arguments()}}
    arguments["Key"] = typed_row(dict(write.place.key))
    if write.action is Action.UPDATE:
        arguments["UpdateExpression"] = _update(expressions, write)
        return {"Update": {**arguments, **expressions.arguments()}}
    name = "Delete" if write.action is Action.DELETE else "ConditionCheck"
    return {name: {**arguments, **expressions.arguments()}}


def _condition(expressions: _Expressions, write: Write) -> str:
    terms = []
    for attribute, value in write.expect.items():
        name = expressions.name(attribute)
        terms.append(f"attribute_not_exists({name})" if value is None else f"{name} = {expressions.value(value)}")
    return " AND ".join(terms)


def _update(expressions: _Expressions, write: Write) -> str:
    sets = [
        f"{expressions.name(attribute)} = {expressions.value(value)}"
        for attribute, value in write.sets.items()
        if value is not None
    ]
    removes = [expressions.name(attribute) for attribute, value in write.sets.items() if value is None]
    adds = [f"{expressions.name(attribute)} {expressions.value(value)}" for attribute, value in write.adds.items()]
    parts = (("SET", sets), ("REMOVE", removes), ("ADD", adds))
    return " ".join(f"{word} {', '.join(terms)}" for word, terms in parts if terms)
