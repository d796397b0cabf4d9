"""Looks in DynamoDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib.domain.content import Content
from chalicelib.domain.errors import AlreadyExists
from chalicelib.domain.looks import Look
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.store import external_ids
from chalicelib.store.campaign_models import LookRow
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.transactions import Transaction

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt


class DynamoLookStore:
    """Implements `LookStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_look(self, look: Look, *, receipt: Receipt | None = None) -> None:
        """See `LookStore`."""
        row = LookRow(
            project_id=look.project_id,
            look_number=look.number,
            look_id=look.look_id,
            name=look.name,
            document=look.encode(),
            created_at=as_milliseconds(look.created_at),
        )
        transaction = Transaction(self._database)
        transaction.put(row, LookRow.look_number.does_not_exist(), label="look")
        external_ids.claim(
            transaction, external_ids.look_name_key(look.project_id, look.name), look.number, label="name"
        )
        transaction.keep(receipt)
        try:
            transaction.commit()
        except ConditionFailed as failure:
            if "name" in failure.labels:
                raise AlreadyExists("is taken", field="name") from failure
            raise

    def list_looks(self, *, project_id: int) -> list[Look]:
        """See `LookStore`."""
        with translated():
            return [_as_look(row) for row in LookRow.query(project_id, consistent_read=True)]

    def delete_look(self, look: Look) -> bool:
        """See `LookStore`."""
        transaction = Transaction(self._database)
        row = LookRow(project_id=look.project_id, look_number=look.number)
        transaction.delete(row, LookRow.look_number.exists(), label="look")
        external_ids.release(transaction, external_ids.look_name_key(look.project_id, look.name), look.number)
        try:
            transaction.commit()
        except ConditionFailed:
            return False
        return True


def _as_look(row: LookRow) -> Look:
    document = json.loads(row.document)
    return Look(
        look_id=row.look_id,
        number=int(row.look_number),
        project_id=int(row.project_id),
        name=row.name,
        description=document["description"],
        source=document["source"],
        content=Content.decode(document["content"]),
        created_at=from_milliseconds(int(row.created_at)),
    )
