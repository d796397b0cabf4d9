"""Pass rows and the domain's passes, one made from the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pynamodb.expressions.update import Action

from chalicelib.domain.content import Content
from chalicelib.domain.counted_index import passes_of_template, segment_of
from chalicelib.domain.errors import UnreadableRow
from chalicelib.domain.passes import Pass, PassStatus, PassSummary, as_milliseconds, from_milliseconds
from chalicelib.domain.tags import TagReference
from chalicelib.store.models import PassRow, RawItem
from chalicelib.store.transactions import Changes

UPDATED_SHARDS = 8
"""Shards of the index by `updatedAt`: part of every stored key."""

SUMMARY_ATTRIBUTES: Final = (
    "pass_id",
    "project_id",
    "template_id",
    "serial_number",
    "external_id",
    "download_token",
    "status",
    "installed_at",
    "uninstalled_at",
    "platform",
    "tags",
    "created_at",
    "updated_at",
)


def updated_shard(project_id: int, shard: int) -> str:
    """Hash key of one shard of a project's index by `updatedAt`."""
    return f"{project_id}.{shard}"


def updated_order(updated_at_milliseconds: int, pass_id: int) -> str:
    """Range key of that index: sorts by time, then by id."""
    return f"{updated_at_milliseconds:015d}.{pass_id:016d}"


def pass_id_of(order: str) -> int:
    """The pass id inside `updated_order`."""
    return int(order.rpartition(".")[2])


def code_key(template_id: int, redeem_code: str) -> str:
    """Hash key of the index by redeem code."""
    return f"{template_id}#{redeem_code}"


def as_row(pass_: Pass) -> PassRow:
    """The whole row of a pass, index keys included."""
    updated_at = as_milliseconds(pass_.updated_at)
    segment = segment_of(pass_.pass_id)
    return PassRow(
        pass_id=pass_.pass_id,
        project_id=pass_.project_id,
        template_id=pass_.template_id,
        serial_number=pass_.serial_number,
        external_id=pass_.external_id,
        authentication_token=pass_.authentication_token,
        download_token=pass_.download_token,
        public_type=pass_.public_type,
        status=pass_.status,
        installed_at=_optional(pass_.installed_at),
        uninstalled_at=_optional(pass_.uninstalled_at),
        platform=pass_.platform,
        tags={str(reference) for reference in pass_.tags} or None,
        content=pass_.content.encode(),
        version=pass_.version,
        last_modified=pass_.last_modified,
        changed_ticket=pass_.changed_ticket,
        revision=pass_.revision,
        created_at=as_milliseconds(pass_.created_at),
        updated_at=updated_at,
        registrations=pass_.registrations,
        redeem_code=pass_.redeem_code,
        redeemed_count=pass_.redeemed_count,
        redeemed_at=_optional(pass_.redeemed_at),
        own_code=pass_.has_own_code or None,
        code_key=code_key(pass_.template_id, pass_.redeem_code),
        segment=segment,
        template_segment=passes_of_template(pass_.template_id).segment_key(segment),
        updated_shard=updated_shard(pass_.project_id, pass_.pass_id % UPDATED_SHARDS),
        updated_order=updated_order(updated_at, pass_.pass_id),
    )


def _optional(moment: Any) -> int | None:
    return None if moment is None else as_milliseconds(moment)


def _moment(item: RawItem, name: str) -> datetime | None:
    return from_milliseconds(int(item[name]["N"])) if name in item else None


_NO_TAGS: frozenset[TagReference] = frozenset()


def _summary_values(item: RawItem) -> dict[str, Any]:
    return {
        "pass_id": int(item["pass_id"]["N"]),
        "project_id": int(item["project_id"]["N"]),
        "template_id": int(item["template_id"]["N"]),
        "serial_number": item["serial_number"]["S"],
        "external_id": item["external_id"]["S"] if "external_id" in item else None,
        "download_token": item["download_token"]["S"],
        "status": PassStatus(item["status"]["S"]),
        "installed_at": _moment(item, "installed_at"),
        "uninstalled_at": _moment(item, "uninstalled_at"),
        "platform": item["platform"]["S"] if "platform" in item else None,
        "tags": frozenset(map(TagReference.parse, item["tags"].get("SS", ()))) if "tags" in item else _NO_TAGS,
        "created_at": _moment(item, "created_at"),
        "updated_at": _moment(item, "updated_at"),
    }


def as_summary(item: RawItem) -> PassSummary:
    """A summary from the attributes named in `SUMMARY_ATTRIBUTES`.

    Raises:
        UnreadableRow
    """
    try:
        return PassSummary(**_summary_values(item))
    except _UNREADABLE as error:
        raise _tell(item) from error


def as_pass(item: RawItem) -> Pass:
    """A whole pass from a whole row.

    Raises:
        UnreadableRow
    """
    try:
        return _as_pass(item)
    except _UNREADABLE as error:
        raise _tell(item) from error


_UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError)


def _tell(item: RawItem) -> UnreadableRow:
    return UnreadableRow("pass", item.get("pass_id", {}).get("N"))


def _as_pass(item: RawItem) -> Pass:
    return Pass(
        **_summary_values(item),
        authentication_token=item["authentication_token"]["S"],
        public_type=item["public_type"]["S"] if "public_type" in item else None,
        content=Content.decode(item["content"]["S"]),
        version=int(item["version"]["N"]),
        last_modified=int(item["last_modified"]["N"]),
        changed_ticket=int(item["changed_ticket"]["N"]),
        revision=int(item["revision"]["N"]),
        redeem_code=item["redeem_code"]["S"],
        registrations=int(item["registrations"]["N"]),
        redeemed_count=int(item["redeemed_count"]["N"]),
        redeemed_at=_moment(item, "redeemed_at"),
        has_own_code="own_code" in item,
    )


def content_actions(before: Pass, after: Pass) -> list[Action]:
    """What an update of content writes; the index by time is touched only when the time moves."""
    actions: list[Action] = [PassRow.content.set(after.content.encode()), PassRow.revision.set(after.revision)]
    if after.version != before.version:
        actions += [
            PassRow.version.set(after.version),
            PassRow.last_modified.set(after.last_modified),
            PassRow.changed_ticket.set(after.changed_ticket),
        ]
    if after.updated_at != before.updated_at:
        updated_at = as_milliseconds(after.updated_at)
        actions += [
            PassRow.updated_at.set(updated_at),
            PassRow.updated_order.set(updated_order(updated_at, after.pass_id)),
        ]
    return actions


def tag_changes(references: frozenset[TagReference], *, revision: int) -> Changes:
    """What a change of tags writes."""
    tags = sorted(str(reference) for reference in references)
    return {"tags": {"SS": tags} if tags else None, "revision": {"N": str(revision)}}


def redeem_actions(after: Pass) -> list[Action]:
    """What a redeem writes beside the content."""
    assert after.redeemed_at is not None
    return [
        PassRow.redeemed_count.set(after.redeemed_count),
        PassRow.redeemed_at.set(as_milliseconds(after.redeemed_at)),
    ]


def status_changes(after: Pass) -> Changes:
    """What a change of the installation status writes."""
    return {
        "status": {"S": str(after.status)},
        "registrations": {"N": str(after.registrations)},
        "revision": {"N": str(after.revision)},
        "installed_at": _sent(after.installed_at),
        "uninstalled_at": _sent(after.uninstalled_at),
        "platform": None if after.platform is None else {"S": after.platform},
    }


def _sent(moment: datetime | None) -> dict[str, str] | None:
    return None if moment is None else {"N": str(as_milliseconds(moment))}
