"""Numbers and times that only grow."""

from __future__ import annotations

from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from chalicelib.domain.counted_index import SEGMENT_SIZE
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.models import SequenceRow

BLOCK_SIZE = SEGMENT_SIZE
"""a block is a segment, so that a segment never mixes projects"""


def explain_taken(kind: str, number: int) -> str:
    """What to say of a fresh number that is in use."""
    return f"{kind} {number} exists already; `check --repair` moves the sequence on"


class DynamoSequenceStore:
    """Implements `SequenceStore`. Leased blocks never change, so they are remembered for the life of the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._blocks: dict[str, int] = {}

    def next_values(self, *, name: str, count: int, now: datetime, apart: bool = False) -> tuple[int, datetime]:
        """See `SequenceStore`. One call; two if this machine's clock is behind the latest one."""
        milliseconds = as_milliseconds(now)
        try:
            answer = self._add(name, count, milliseconds, apart=apart)
        except ConditionFailed:
            answer = self._add(name, count, None, apart=apart)
        last, latest = int(answer["value"]["N"]), int(answer["latest"]["N"])
        return last - count + 1, from_milliseconds(latest if apart else max(milliseconds, latest))

    def _add(
        self, name: str, count: int, milliseconds: int | None, *, apart: bool = False
    ) -> dict[str, dict[str, str]]:
        arguments: dict[str, object] = {
            "TableName": SequenceRow.Meta.table_name,
            "Key": {"name": {"S": name}},
            "UpdateExpression": "ADD #value :count",
            "ExpressionAttributeNames": {"#value": "value"},
            "ReturnValues": "ALL_NEW",
        }
        values = {":count": {"N": str(count)}}
        if milliseconds is not None:
            arguments["UpdateExpression"] = "ADD #value :count SET #latest = :now"
            earlier = "#latest < :now" if apart else "#latest <= :now"
            arguments["ConditionExpression"] = f"attribute_not_exists(#latest) OR {earlier}"
            arguments["ExpressionAttributeNames"] = {"#value": "value", "#latest": "latest"}
            values[":now"] = {"N": str(milliseconds)}
        elif apart:
            arguments["UpdateExpression"] = "ADD #value :count, #latest :count"
            arguments["ExpressionAttributeNames"] = {"#value": "value", "#latest": "latest"}
        answer = self._database.call("UpdateItem", ExpressionAttributeValues=values, **arguments)
        return answer["Attributes"]  # type: ignore[no-any-return]

    def allocate_pass_ids(self, *, project_id: int, count: int, now: datetime) -> tuple[list[int], datetime]:
        """See `SequenceStore`. One call while the project's blocks are known and not full."""
        first, at = self.next_values(name=f"passes:{project_id}", count=count, now=now)
        ids = []
        for number in range(first - 1, first - 1 + count):
            block = self._block(project_id, number // BLOCK_SIZE)
            ids.append(block * BLOCK_SIZE + number % BLOCK_SIZE)
        return ids, at

    def _block(self, project_id: int, index: int) -> int:
        """The deployment's block that is the project's `index`-th.

        A block is leased only once its predecessor is, so that ids ascend with the project's own numbers.
        """
        name = f"block:{project_id}:{index}"
        if name in self._blocks:
            return self._blocks[name]
        block = self._stored_block(name)
        if block is None:
            if index:
                self._block(project_id, index - 1)
            block = self._lease(name)
        self._blocks[name] = block
        return block

    def _stored_block(self, name: str) -> int | None:
        try:
            with translated():
                return int(SequenceRow.get(name, consistent_read=True).value)
        except DoesNotExist:
            return None

    def _lease(self, name: str) -> int:
        answer = self._add("pass-blocks", 1, None)
        block = int(answer["value"]["N"])
        try:
            with translated():
                SequenceRow(name=name, value=block).save(SequenceRow.name.does_not_exist())
        except ConditionFailed:
            # another process leased it first; our number stays unused
            block = self._stored_block(name) or block
        return block
