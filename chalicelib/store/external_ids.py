"""External ids of passes and templates: one row each, whose creation makes the id unique inside its parent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.store.connection import Database
from chalicelib.store.models import ExternalIdRow

NO_PARENT = 0
"""stands for the project, the parent of templates"""


def pass_key(project_id: int, external_id: str) -> str:
    """Key of the rows of all passes of a project with that external id, one a template."""
    return f"{project_id}#pass#{external_id}"


def template_key(project_id: int, external_id: str) -> str:
    """Key of the row of the template with that external id."""
    return f"{project_id}#template#{external_id}"


def find_first(database: Database, *, keys: Sequence[str], parent_id: int | None) -> list[int]:
    """Ids behind the first key that finds any. One call for each key tried."""
    for key in keys:
        found = find(database, key=key, parent_id=parent_id)
        if found:
            return found
    return []


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
