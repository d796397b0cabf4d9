"""Tags in DynamoDB: one row under the name and one under the id, always written together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.domain.counted_index import MEMBER, Collection, Slice, segment_of, tags_of_project
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.tags import Tag
from chalicelib.store.connection import Database
from chalicelib.store.members import MemberIndex, read_slices
from chalicelib.store.models import RawItem, SweepRow, TagRow
from chalicelib.store.transactions import Transaction

_BY_PROJECT = MemberIndex(TagRow, "by_project", "project_segment", "tag_id")


def key_by_name(project_id: int, name: str) -> str:
    """Key of the row that a tag's name finds."""
    return f"{project_id}#name#{name}"


def key_by_id(project_id: int, tag_id: int) -> str:
    """Key of the row that a tag's id finds."""
    return f"{project_id}#id#{tag_id}"


def _as_tag(item: RawItem) -> Tag:
    return Tag(
        project_id=int(item["project_id"]["N"]),
        tag_id=int(item["tag_id"]["N"]),
        name=item["name"]["S"],
        generation=int(item["generation"]["N"]),
        created_at=from_milliseconds(int(item["created_at"]["N"])),
    )


def _rows(tag: Tag) -> tuple[TagRow, TagRow]:
    """The row under the name and the row under the id; only the second is listed."""
    common: dict[str, Any] = {
        "project_id": tag.project_id,
        "tag_id": tag.tag_id,
        "name": tag.name,
        "generation": tag.generation,
        "created_at": as_milliseconds(tag.created_at),
    }
    return (
        TagRow(key=key_by_name(tag.project_id, tag.name), **common),
        TagRow(
            key=key_by_id(tag.project_id, tag.tag_id),
            project_segment=tags_of_project(tag.project_id).segment_key(segment_of(tag.tag_id)),
            **common,
        ),
    )


def put_new_tag(transaction: Transaction, tag: Tag) -> None:
    """Adds a tag's two rows and its place in the project's counter; fails if the name exists by then."""
    by_name, by_id = _rows(tag)
    transaction.put(by_name, TagRow.key.does_not_exist(), label="tag")
    transaction.put(by_id)
    transaction.count(tags_of_project(tag.project_id), tag.tag_id, facet=MEMBER, change=1)


class DynamoTagStore:
    """Implements `TagStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_tag(self, *, project_id: int, names: Sequence[str], tag_id: int | None) -> Tag | None:
        """See `TagStore`."""
        by_name, by_id = self.get_tags(project_id=project_id, names=names, tag_ids=[] if tag_id is None else [tag_id])
        for name in names:
            if name in by_name:
                return by_name[name]
        return by_id.get(tag_id) if tag_id is not None else None

    def get_tags(
        self, *, project_id: int, names: Sequence[str] = (), tag_ids: Iterable[int] = ()
    ) -> tuple[dict[str, Tag], dict[int, Tag]]:
        """See `TagStore`. Read consistently, since writes are decided on it."""
        name_keys = {key_by_name(project_id, name) for name in names}
        id_keys = {key_by_id(project_id, tag_id) for tag_id in tag_ids}
        items = self._database.batch_get(
            TagRow, [{"key": {"S": key}} for key in sorted(name_keys | id_keys)], consistent=True
        )
        by_name: dict[str, Tag] = {}
        by_id: dict[int, Tag] = {}
        for item in items:
            tag = _as_tag(item)
            if item["key"]["S"] in name_keys:
                by_name[tag.name] = tag
            else:
                by_id[tag.tag_id] = tag
        return by_name, by_id

    def list_tags(self, collection: Collection, slices: Sequence[Slice], *, descending: bool) -> list[Tag]:
        """See `TagStore`. The index holds whole rows, so there is nothing more to read."""
        parts = [(collection.segment_key(part.segment), part) for part in slices]
        return [_as_tag(item) for item in read_slices(self._database, _BY_PROJECT, parts, descending=descending)]

    def empty_tag(self, tag: Tag) -> None:
        """See `TagStore`. Conditional on the generation, so of two calls at once one reads again."""
        transaction = Transaction(self._database)
        for row in _rows(tag):
            transaction.update(
                row, [TagRow.generation.set(tag.generation + 1)], TagRow.generation == tag.generation, label="tag"
            )
        transaction.put(SweepRow(collection=tag.collection.key))
        transaction.commit()

    def delete_tag(self, tag: Tag) -> None:
        """See `TagStore`."""
        transaction = Transaction(self._database)
        for row in _rows(tag):
            transaction.delete(row, TagRow.generation == tag.generation, label="tag")
        transaction.count(tags_of_project(tag.project_id), tag.tag_id, facet=MEMBER, change=-1)
        transaction.put(SweepRow(collection=tag.collection.key))
        transaction.commit()
