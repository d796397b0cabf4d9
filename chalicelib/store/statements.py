"""PartiQL statements: writes that each carry their own condition, 25 to a call.

DynamoDB's plain batch writes take no conditions, and its transactions cost double and fail together. A batch of
statements costs what single writes cost, and each succeeds or fails by itself. Several assignments are separated by
commas, as in AWS's own examples
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/example_dynamodb_PartiQLUpdate_section.html).
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.passes import Pass, as_milliseconds
from chalicelib.domain.tags import TagReference
from chalicelib.store.models import MembershipRow, PassRow
from chalicelib.store.pass_rows import updated_order

Statement = dict[str, Any]


def update_content(before: Pass, after: Pass) -> Statement:
    """Writes what `pass_rows.content_actions` writes, if nobody wrote the pass since it was read."""
    values: dict[str, dict[str, str]] = {
        "content": {"S": after.content.encode()},
        "revision": {"N": str(after.revision)},
    }
    if after.version != before.version:
        updated_at = as_milliseconds(after.updated_at)
        values |= {
            "version": {"N": str(after.version)},
            "last_modified": {"N": str(after.last_modified)},
            "changed_ticket": {"N": str(after.changed_ticket)},
            "updated_at": {"N": str(updated_at)},
            "updated_order": {"S": updated_order(updated_at, after.pass_id)},
        }
    assignments = ", ".join(f'"{name}" = ?' for name in values)
    return {
        "Statement": f'UPDATE "{PassRow.Meta.table_name}" SET {assignments} WHERE "pass_id" = ? AND "revision" = ?',
        "Parameters": [*values.values(), {"N": str(before.pass_id)}, {"N": str(before.revision)}],
    }


def remove_membership(pass_id: int, reference: TagReference) -> Statement:
    """Removes the row of a tag on a pass, if it is of that generation."""
    return {
        "Statement": f'DELETE FROM "{MembershipRow.Meta.table_name}" '
        'WHERE "pass_id" = ? AND "tag_id" = ? AND "generation" = ?',
        "Parameters": [{"N": str(pass_id)}, {"N": str(reference.tag_id)}, {"N": str(reference.generation)}],
    }
