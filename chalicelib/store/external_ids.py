"""External ids of passes and templates, and names that must be unique: one row each, whose creation makes it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.store.connection import Database
from chalicelib.store.models import ExternalIdRow, RawItem
from chalicelib.store.transactions import Transaction

NO_PARENT = 0
"""stands for the project, the parent of templates"""


def pass_key(project_id: int, external_id: str) -> str:
    """Key of the rows of all passes of a project with that external id, one a template."""
    return f"{project_id}#pass#{external_id}"


def template_key(project_id: int, external_id: str) -> str:
    """Key of the row of the template with that external id."""
    return f"{project_id}#template#{external_id}"


def campaign_name_key(project_id: int, name: str) -> str:
    """Key of the row of the campaign with that name."""
    return f"{project_id}#campaign#{name}"


def look_name_key(project_id: int, name: str) -> str:
    """Key of the row of the look with that name."""
    return f"{project_id}#look#{name}"


def code_key(project_id: int, template_id: int, redeem_code: str) -> str:
    """Key of the row of the pass that brought that redeem code."""
    return f"{project_id}#code#{template_id}#{redeem_code}"


def claim(transaction: Transaction, key: str, target_id: int, *, label: str) -> None:
    """Makes a name that of `target_id`; the commit fails with `label` if it is another's."""
    row = ExternalIdRow(key=key, parent_id=NO_PARENT, target_id=target_id)
    own = ExternalIdRow.key.does_not_exist() | (ExternalIdRow.target_id == target_id)
    transaction.put(row, own, label=label)


def release(transaction: Transaction, key: str, target_id: int) -> None:
    """Frees a name if it is that of `target_id`; if it never was, nothing happens."""
    own = ExternalIdRow.key.does_not_exist() | (ExternalIdRow.target_id == target_id)
    transaction.delete(ExternalIdRow(key=key, parent_id=NO_PARENT), own, label="release")


def find_first(database: Database, *, keys: Sequence[str], parent_id: int | None) -> list[int]:
    """Ids behind the first key that finds any. One call for each key tried."""
    for key in keys:
        found = find(database, key=key, parent_id=parent_id)
        if found:
            return found
    return []


def find_many(database: Database, *, keys: Sequence[str], parent_id: int) -> dict[str, int]:
    """Ids by key in one parent, as far as there are any. A consistent call per 100."""
    wanted: list[RawItem] = [{"key": {"S": key}, "parent_id": {"N": str(parent_id)}} for key in keys]
    items = database.batch_get(ExternalIdRow, wanted, attributes=("key", "target_id"), consistent=True)
    return {item["key"]["S"]: int(item["target_id"]["N"]) for item in items}


def find(database: Database, *, key: str, parent_id: int | None) -> list[int]:
    """Ids behind an external id: in one parent, or in all of them. One consistent call."""
    arguments: dict[str, Any] = {
        "TableName": ExternalIdRow.Meta.table_name,
        "ConsistentRead": True,
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": "key"},
        "ExpressionAttributeValues": {":key": {"S": key}},
        "Limit": 2,
    }
    if parent_id is not None:
        arguments["KeyConditionExpression"] = "#key = :key AND parent_id = :parent"
        arguments["ExpressionAttributeValues"] = {":key": {"S": key}, ":parent": {"N": str(parent_id)}}
    answer = database.call("Query", **arguments)
    return [int(item["target_id"]["N"]) for item in answer["Items"]]
