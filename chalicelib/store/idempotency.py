"""Keys of requests, and the answers kept for them, in DynamoDB. Every write is conditional on the claim's owner."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.domain.errors import ClaimLost, UnreadableRow
from chalicelib.domain.idempotency import Answer, Claim, Receipt, Record
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.idempotency_models import IdempotencyRow
from chalicelib.store.models import RawItem

_DONE = "done:"
"""stands before the owner of whoever has finished"""

_PLAIN_BYTES = 1024
"""an answer up to so large is not compressed: a write costs the same"""

_PACKED = "z"
"""stands before a compressed answer; no JSON begins so"""

_CHARACTERS_PER_ROW = 300_000
"""of ASCII; a row holds 400 KB"""

_FREE_SINCE = 0
"""the end of a claim that was given up, in milliseconds"""


class DynamoIdempotencyStore:
    """Implements `IdempotencyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, claim: Claim, *, now: datetime) -> bool:
        """See `IdempotencyStore`."""
        item = {
            "key": {"S": _key(claim)},
            "fingerprint": {"S": claim.fingerprint},
            "owner": {"S": claim.owner},
            "until": _number(as_milliseconds(claim.until)),
            "expires_at": _number(_seconds(claim.expires_at)),
        }
        try:
            self._database.call(
                "PutItem",
                TableName=IdempotencyRow.Meta.table_name,
                Item=item,
                # DynamoDB may take two days to forget a row
                ConditionExpression="attribute_not_exists(#key) OR expires_at <= :now",
                ExpressionAttributeNames={"#key": "key"},
                ExpressionAttributeValues={":now": _number(_seconds(now))},
            )
        except ConditionFailed:
            return False
        return True

    def get_record(self, *, project_id: int, key: str) -> Record | None:
        """See `IdempotencyStore`. One call, and one for each further part of an answer."""
        name = f"{project_id}#{key}"
        item = self._get(name)
        if item is None:
            return None
        return Record(
            fingerprint=item["fingerprint"]["S"],
            owner=item["owner"]["S"],
            until=from_milliseconds(int(item["until"]["N"])),
            expires_at=from_milliseconds(int(item["expires_at"]["N"]) * 1000),
            notes=item.get("notes", {}).get("S"),
            answer=self._read_answer(name, item) if "status" in item else None,
        )

    def _get(self, name: str) -> RawItem | None:
        answer = self._database.call(
            "GetItem", TableName=IdempotencyRow.Meta.table_name, Key=_row_key(name), ConsistentRead=True
        )
        return answer.get("Item")

    def _read_answer(self, name: str, item: RawItem) -> Answer:
        packed = item["body"]["S"]
        for part_name in _part_names(name, item["owner"]["S"], int(item["parts"]["N"])):
            part = self._get(part_name)
            if part is None:
                raise UnreadableRow("answer to", name)
            packed += part["body"]["S"]
        return Answer(status=int(item["status"]["N"]), headers=json.loads(item["headers"]["S"]), body=_unpack(packed))

    def take_over(self, claim: Claim, *, former: str) -> None:
        """See `IdempotencyStore`."""
        changes = {"owner": {"S": claim.owner}, "until": _number(as_milliseconds(claim.until))}
        self._update(claim, changes, owner=former)

    def note(self, claim: Claim) -> None:
        """See `IdempotencyStore`."""
        self._update_own(claim, {"notes": {"S": claim.notes or ""}})

    def finish(self, receipt: Receipt) -> None:
        """See `IdempotencyStore`. What one row cannot hold is written before it, so whoever finds it finds all."""
        claim, answer = receipt.claim, receipt.answer
        assert answer is not None
        packed = _cut(_pack(answer.body))
        names = _part_names(_key(claim), _DONE + claim.owner, len(packed) - 1)
        for name, part in zip(names, packed[1:], strict=True):
            item = {**_row_key(name), "body": {"S": part}, "expires_at": _number(_seconds(claim.expires_at))}
            self._database.call("PutItem", TableName=IdempotencyRow.Meta.table_name, Item=item)
        self._update_own(claim, _finished(claim, answer, packed))

    def suspend(self, claim: Claim) -> None:
        """See `IdempotencyStore`."""
        self._update_own(claim, {"until": _number(_FREE_SINCE)})

    def release(self, claim: Claim, *, is_finished: bool = False) -> None:
        """See `IdempotencyStore`."""
        try:
            self._database.call(
                "DeleteItem",
                TableName=IdempotencyRow.Meta.table_name,
                Key=_row_key(_key(claim)),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": (_DONE if is_finished else "") + claim.owner}},
            )
        except ConditionFailed as failure:
            raise ClaimLost from failure

    def _update_own(self, claim: Claim, changes: Mapping[str, Any]) -> None:
        try:
            self._update(claim, changes, owner=claim.owner)
        except ConditionFailed as failure:
            raise ClaimLost from failure

    def _update(self, claim: Claim, changes: Mapping[str, Any], *, owner: str) -> None:
        with translated():
            self._database.connection.dispatch("UpdateItem", _update_request(claim, changes, owner=owner))


def make_update(receipt: Receipt) -> dict[str, Any]:
    """The write of a receipt, as part of a transaction; it fails if the claim is not its request's any more.

    An answer must fit into one row, which that to a single thing does: a pass has 64 KB at most, before compression.
    """
    claim, answer = receipt.claim, receipt.answer
    changes: Mapping[str, Any] = {"until": _number(as_milliseconds(receipt.until))}
    if answer is not None:
        changes = _finished(claim, answer, [_pack(answer.body)])
    return _update_request(claim, changes, owner=claim.owner)


def _finished(claim: Claim, answer: Answer, packed: Sequence[str]) -> dict[str, Any]:
    return {
        "owner": {"S": _DONE + claim.owner},
        "status": _number(answer.status),
        "headers": {"S": json.dumps(dict(answer.headers), separators=(",", ":"))},
        "body": {"S": packed[0]},
        "parts": _number(len(packed) - 1),
    }


def _update_request(claim: Claim, changes: Mapping[str, Any], *, owner: str) -> dict[str, Any]:
    return {
        "TableName": IdempotencyRow.Meta.table_name,
        "Key": _row_key(_key(claim)),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changes),
        "ConditionExpression": "#owner = :former",
        "ExpressionAttributeNames": {f"#{name}": name for name in {"owner": None, **changes}},
        "ExpressionAttributeValues": {
            ":former": {"S": owner},
            **{f":{name}": value for name, value in changes.items()},
        },
    }


def _key(claim: Claim) -> str:
    return f"{claim.project_id}#{claim.key}"


def _row_key(name: str) -> RawItem:
    return {"key": {"S": name}}


def _part_names(name: str, owner: str, parts: int) -> list[str]:
    """The owner keeps them apart from any key that a client may name."""
    return [f"{name}#{owner}#{number}" for number in range(1, parts + 1)]


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _seconds(moment: datetime) -> int:
    return as_milliseconds(moment) // 1000


def _pack(text: str) -> str:
    """As text, since our reading of DynamoDB's answers knows no binary values."""
    data = text.encode()
    return text if len(data) <= _PLAIN_BYTES else _PACKED + base64.b64encode(zlib.compress(data)).decode()


def _unpack(text: str) -> str:
    if not text.startswith(_PACKED):
        return text
    return zlib.decompress(base64.b64decode(text.removeprefix(_PACKED))).decode()


def _cut(text: str) -> list[str]:
    return [text[start : start + _CHARACTERS_PER_ROW] for start in range(0, len(text), _CHARACTERS_PER_ROW)] or [""]
