"""PartiQL statements: writes that each carry their own condition, 25 to a call.

DynamoDB's plain batch writes take no conditions, and its transactions cost double and fail together. A batch of
statements costs what single writes cost, and each succeeds or fails by itself. Several assignments are separated by
commas, as in AWS's own examples
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/example_dynamodb_PartiQLUpdate_section.html).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from chalicelib.domain.passes import ContentChange, as_milliseconds
from chalicelib.domain.tags import TagReference
from chalicelib.store.models import MembershipRow, PassRow
from chalicelib.store.pass_rows import updated_order

Statement = dict[str, Any]


_WRITTEN = ("content", "revision")
_SHOWN = ("version", "last_modified", "changed_ticket")
_UPDATED = ("updated_at", "updated_order")


def update_content(change: ContentChange) -> Statement:
    """Writes what `pass_rows.content_actions` writes, if nobody wrote the pass since it was read."""
    before, after = change.before, change.after
    names: tuple[str, ...] = _WRITTEN
    values = [{"S": change.stored}, {"N": str(after.revision)}]
    if after.version != before.version:
        names += _SHOWN
        values += [{"N": str(after.version)}, {"N": str(after.last_modified)}, {"N": str(after.changed_ticket)}]
    if after.updated_at != before.updated_at:
        updated_at = as_milliseconds(after.updated_at)
        names += _UPDATED
        values += [{"N": str(updated_at)}, {"S": updated_order(updated_at, after.pass_id)}]
    values += [{"N": str(before.pass_id)}, {"N": str(before.revision)}]
    return {"Statement": _update_passes(PassRow.Meta.table_name, names), "Parameters": values}


@lru_cache(maxsize=8)
def _update_passes(table: str, names: tuple[str, ...]) -> str:
    assignments = ", ".join(f'"{name}" = ?' for name in names)
    return f'UPDATE "{table}" SET {assignments} WHERE "pass_id" = ? AND "revision" = ?'


def remove_membership(pass_id: int, reference: TagReference) -> Statement:
    """Removes the row of a tag on a pass, if it is of that generation."""
    return {
        "Statement": f'DELETE FROM "{MembershipRow.Meta.table_name}" '
        'WHERE "pass_id" = ? AND "tag_id" = ? AND "generation" = ?',
        "Parameters": [{"N": str(pass_id)}, {"N": str(reference.tag_id)}, {"N": str(reference.generation)}],
    }
