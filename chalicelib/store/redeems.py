"""Redeems in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.counted_index import (
    MEMBER,
    Collection,
    Slice,
    redeems_of_pass,
    redeems_of_template,
    segment_of,
)
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.redeems import Redeem
from chalicelib.store.campaign_models import RedeemRow
from chalicelib.store.connection import Database
from chalicelib.store.failures import translated
from chalicelib.store.members import MemberIndex, read_segment, read_slices
from chalicelib.store.models import RawItem
from chalicelib.store.transactions import Transaction

_BY_TEMPLATE = MemberIndex(RedeemRow, "by_template", "template_segment", "number")
_BY_PASS = MemberIndex(RedeemRow, "by_pass", "pass_segment", "number")


class DynamoRedeemStore:
    """Implements `RedeemStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_stored(self, *, pass_id: int, number: int) -> bool:
        """See `RedeemStore`."""
        key = {"pass_id": {"N": str(pass_id)}, "number": {"N": str(number)}}
        answer = self._database.call("GetItem", TableName=RedeemRow.Meta.table_name, Key=key, ConsistentRead=True)
        return "Item" in answer

    def read_members(self, collection: Collection, slices: Sequence[Slice], *, descending: bool) -> list[Redeem]:
        """See `RedeemStore`."""
        index = _BY_PASS if collection.key.startswith("pass-") else _BY_TEMPLATE
        parts = [(collection.segment_key(part.segment), part) for part in slices]
        return [_as_redeem(item) for item in read_slices(self._database, index, parts, descending=descending)]

    def remove_segment(self, collection: Collection, segment: int) -> None:
        """See `RedeemStore`."""
        for item in read_segment(self._database, _BY_TEMPLATE, collection.segment_key(segment)):
            with translated():
                RedeemRow(pass_id=int(item["pass_id"]["N"]), number=int(item["number"]["N"])).delete()


def put_redeem(transaction: Transaction, redeem: Redeem) -> None:
    """Stores a redeem and counts it; what it does to the pass is the caller's to write."""
    segment = segment_of(redeem.number)
    of_template, of_pass = redeems_of_template(redeem.template_id), redeems_of_pass(redeem.pass_id)
    row = RedeemRow(
        pass_id=redeem.pass_id,
        number=redeem.number,
        redeem_id=redeem.redeem_id,
        template_id=redeem.template_id,
        serial_number=redeem.serial_number,
        redeem_code=redeem.redeem_code,
        comment=redeem.comment,
        created_at=as_milliseconds(redeem.created_at),
        template_segment=of_template.segment_key(segment),
        pass_segment=of_pass.segment_key(segment),
    )
    transaction.put(row, RedeemRow.pass_id.does_not_exist(), label="redeem")
    for collection in (of_template, of_pass):
        transaction.count(collection, redeem.number, facet=MEMBER, change=1)


def _as_redeem(item: RawItem) -> Redeem:
    return Redeem(
        redeem_id=item["redeem_id"]["S"],
        number=int(item["number"]["N"]),
        template_id=int(item["template_id"]["N"]),
        pass_id=int(item["pass_id"]["N"]),
        serial_number=item["serial_number"]["S"],
        redeem_code=item["redeem_code"]["S"],
        comment=item["comment"]["S"] if "comment" in item else None,
        created_at=from_milliseconds(int(item["created_at"]["N"])),
    )
