"""What order by `updatedAt` costs when a pass is updated, and what other designs would cost.

Each design is a table of its own in the engine with one real row, updated as a bulk update does it; the engine says
what the table and each index consumed. A moved index entry is a deletion and a put, one unit for each KB of either
(developer guide, "Global secondary indexes: provisioned throughput considerations").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.operation_meter import item_bytes
from benchmarks.scale_meter import count
from benchmarks.scale_subjects import PAGE_SIZE, UNIT_BYTES, Subject
from chalicelib.domain.passes import PassStatus
from chalicelib.store.models import MembershipRow, PassRow, RawItem
from chalicelib.wiring import get_database
from infra.definition import read_tables
from local.environment import PREFIX

INDEX = "by_updated"
ENTRIES_PER_UNIT_BYTES = 2 * UNIT_BYTES
"""of an index, whose reads are eventually consistent"""

LATER = "999999999999999"
"""a time after all others, in the width of the index"""

_TABLE = PREFIX + "bench-updated"
_BUCKET_INDEX = "by_bucket"


@dataclass(frozen=True, kw_only=True)
class Design:
    """One way to list passes by `updatedAt`, and what an update of one pass costs with it."""

    design: str
    table_units: float
    """of the pass row"""
    index_units: float
    """of the index by time"""
    units_per_tag: float
    with_1_tag: float
    with_3_tags: float
    first_page_reads: float
    """read units of the order by time at the size that was measured, counters included"""
    exact: str
    """or why not"""


def measure_designs(subject: Subject) -> list[Design]:
    """Today's and the alternatives, on a pass of the subject and for lists of its size."""
    pass_id = next(subject.iterate_passes(PassStatus.INSTALLED))
    row = _get_row(PassRow.Meta.table_name, {"pass_id": {"N": str(pass_id)}})
    member = _get_row(
        MembershipRow.Meta.table_name, {"pass_id": {"N": str(pass_id)}, "tag_id": {"N": str(subject.tag.tag_id)}}
    )
    path = f"/v1/tag/tag-0/passes?pageSize={PAGE_SIZE}"
    by_time = count(lambda: subject.send("GET", f"{path}&order=updatedAt")).reads
    by_id = count(lambda: subject.send("GET", path)).reads
    table, today = _update(row, _today())
    plain, none = _update(row, [])
    in_place, projected = _update(row, [_projected()])
    _, first_of_day = _update(row, [_bucket()], bucket="2026-02-02")
    _, later_that_day = _update(row, [_bucket()], bucket=_DAY)
    own, per_tag = _update(member, [_membership_index()], keys=("pass_id", "tag_id"))
    entry = item_bytes(
        {name: row[name] for name in ("segment", "pass_id", "status", "updated_at", "template_id", "tags")}
    )
    whole_index = subject.size * entry / ENTRIES_PER_UNIT_BYTES
    return [
        _row("today: one index entry of the pass, in 8 shards", table, today, 0, by_time, "yes"),
        _row("an index entry of each membership", plain, none, own + per_tag, by_id, "yes"),
        _row("no index: read every pass, sort", plain, none, 0, by_id + subject.size / 2, "yes"),
        _row(
            "the time projected into the index by id: read all of it, sort",
            in_place,
            projected,
            0,
            by_id + whole_index,
            "yes",
        ),
        _row(
            "a day as the key of the index, first update of the day",
            plain,
            first_of_day,
            0,
            by_id + whole_index,
            "only by reading every pass of the day: after a bulk update, all",
        ),
        _row(
            "the same, later that day",
            plain,
            later_that_day,
            0,
            by_id + whole_index,
            "as above",
        ),
        _row(
            "a log of updates, a row each, old ones expire",
            plain,
            1,
            0,
            by_id + 1,
            "no: the log is not written with the pass, and a pass leaves it when its row expires",
        ),
    ]


def _row(design: str, table: float, index: float, per_tag: float, reads: float, exact: str) -> Design:
    return Design(
        design=design,
        table_units=table,
        index_units=index,
        units_per_tag=per_tag,
        with_1_tag=table + index + per_tag,
        with_3_tags=table + index + 3 * per_tag,
        first_page_reads=round(reads, 1),
        exact=exact,
    )


def _today() -> list[dict[str, Any]]:
    (passes,) = [each for each in read_tables(PREFIX) if each["TableName"] == PREFIX + "passes"]
    return [index for index in passes["GlobalSecondaryIndexes"] if index["IndexName"] == INDEX]


def _projected() -> dict[str, Any]:
    return _index("by_project", ("segment", "N"), ("pass_id", "N"), ("status", "updated_at", "template_id", "tags"))


_DAY = "2026-01-01"


def _bucket() -> dict[str, Any]:
    return _index(_BUCKET_INDEX, ("bucket", "S"), ("pass_id", "N"), ("status", "template_id", "tags"))


def _membership_index() -> dict[str, Any]:
    return _index("by_time", ("tag_shard", "S"), ("updated_order", "S"), ("status",))


def _index(name: str, hash_key: tuple[str, str], range_key: tuple[str, str], others: Sequence[str]) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": hash_key[0], "KeyType": "HASH"},
            {"AttributeName": range_key[0], "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(others)},
    }


_TYPES = {"pass_id": "N", "tag_id": "N", "segment": "N"}


def _update(
    row: RawItem, indexes: Sequence[dict[str, Any]], *, keys: Sequence[str] = ("pass_id",), bucket: str = _DAY
) -> tuple[float, float]:
    """Write units of the table and of its indexes when the time of the row moves on."""
    database = get_database()
    names = {key["AttributeName"] for index in indexes for key in index["KeySchema"]} | set(keys)
    database.call(
        "CreateTable",
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": _TYPES.get(name, "S")} for name in sorted(names)
        ],
        **({"GlobalSecondaryIndexes": list(indexes)} if indexes else {}),
    )
    try:
        before = row | {"bucket": {"S": _DAY}, "tag_shard": {"S": "1.1.1"}}
        before |= {"updated_order": before.get("updated_order", {"S": f"{0:015d}.{0:016d}"})}
        database.call("PutItem", TableName=_TABLE, Item=before)
        answer = database.call(
            "UpdateItem",
            TableName=_TABLE,
            Key={key: row[key] for key in keys},
            UpdateExpression="SET updated_at = :at, updated_order = :order, #bucket = :bucket, #version = :version",
            ExpressionAttributeNames={"#bucket": "bucket", "#version": "version"},
            ExpressionAttributeValues={
                ":at": {"N": str(int(LATER))},
                ":order": {"S": f"{LATER}.{before['updated_order']['S'].partition('.')[2]}"},
                ":bucket": {"S": bucket},
                ":version": {"N": "2"},
            },
            ReturnConsumedCapacity="INDEXES",
        )
    finally:
        database.call("DeleteTable", TableName=_TABLE)
    consumed = answer["ConsumedCapacity"]
    of_indexes = sum(each["CapacityUnits"] for each in consumed.get("GlobalSecondaryIndexes", {}).values())
    return consumed["CapacityUnits"] - of_indexes, of_indexes


def _get_row(table: str, key: RawItem) -> RawItem:
    item: RawItem = get_database().call("GetItem", TableName=table, Key=key)["Item"]
    return item
