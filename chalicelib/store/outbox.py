"""The outbox in DynamoDB: rows that other stores put into their transactions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.store.connection import Database
from chalicelib.store.delivery_models import OutboxRow
from chalicelib.store.failures import translated
from chalicelib.store.transactions import Transaction

if TYPE_CHECKING:
    from chalicelib.domain.outgoing import Outgoing


class DynamoOutboxStore:
    """Implements `OutboxStore`. The table holds only what is on its way, so a scan of it is short."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_waiting(self, *, before: datetime) -> list[Outgoing]:
        """See `OutboxStore`."""
        from chalicelib.domain.outgoing import Outgoing

        with translated():
            rows = list(OutboxRow.scan(OutboxRow.created_at <= as_milliseconds(before)))
        return [
            Outgoing(
                key=row.key,
                queue=row.queue,
                document=json.loads(row.document),
                created_at=from_milliseconds(int(row.created_at)),
            )
            for row in rows
        ]

    def remove(self, key: str) -> None:
        """See `OutboxStore`."""
        self._database.call("DeleteItem", TableName=OutboxRow.Meta.table_name, Key={"key": {"S": key}})


def put_outgoing(transaction: Transaction, messages: Sequence[Outgoing]) -> None:
    """Adds messages to the transaction that makes what they tell."""
    for message in messages:
        transaction.put(
            OutboxRow(
                key=message.key,
                queue=message.queue,
                document=json.dumps(message.document, separators=(",", ":"), ensure_ascii=False),
                created_at=as_milliseconds(message.created_at),
            )
        )
