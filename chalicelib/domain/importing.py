"""Lines of CSV files as requests: what each column means, and what a line asks for. Nothing here reads a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from chalicelib.domain.cells import read_cell, read_json, split_tags
from chalicelib.domain.content import COMMON_ATTRIBUTES, MODULE_ATTRIBUTES, SHOWN_HEADERS, Content, Entry
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.finding import parse_id
from chalicelib.domain.passes import PassReference

Document = dict[str, Any]

MORE = "more"
"""the column for what has none of its own: a JSON object with `fields` and `headers`, as in a request"""

LISTS = ("locations", "beacons", "semantics", "universalLinks")
"""columns that hold JSON, as in a request"""

EXPORTED_ONLY = (
    "id",
    "templateId",
    "serialNumber",
    "status",
    "platform",
    "createdAt",
    "updatedAt",
    "installedAt",
    "uninstalledAt",
    "redeemCode",
    "redeemedCount",
    "redeemedAt",
    "error",
)
"""columns of an export, or of a file of rejects, that say nothing to an import"""

_ENTRY = re.compile(r"(field|header)(?:\.([A-Za-z]+))?:(.+)", re.DOTALL)


class Kind(Enum):
    """What a column is about."""

    EXTERNAL_ID = "externalId"
    TAGS = "tags"
    PUBLIC_URL = "publicUrl"
    FIELD = "fields"
    HEADER = "headers"
    LIST = "list"
    MORE = "more"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of passes. Of a field or header it holds one attribute; `like` is what the template has there."""

    name: str
    kind: Kind
    entry: str = ""
    attribute: str = ""
    like: Any = None


_PLAIN = {
    "externalId": Kind.EXTERNAL_ID,
    "tags": Kind.TAGS,
    "publicUrl": Kind.PUBLIC_URL,
    MORE: Kind.MORE,
    **dict.fromkeys(LISTS, Kind.LIST),
    **dict.fromkeys(EXPORTED_ONLY, Kind.NOTHING),
}


def resolve_columns(names: Sequence[str], template: Content, *, new_entries: bool) -> list[Column]:
    """What the columns of a file of passes mean.

    A field is named `field:Points` or, unless another column is called so, `Points`; a header `header:logo_text` or
    `logo_text`; another attribute than the value `field.label:Points`. `new_entries` lets files name fields and headers
    that the template does not have.

    Raises:
        InvalidRequest: a column means nothing, may mean two things, or is there twice.
    """
    columns = [_resolve(name, template) for name in names]
    if not new_entries:
        unknown = [column.name for column in columns if not _is_known(column, template)]
        if unknown:
            raise InvalidRequest(f"the template has no {', '.join(map(repr, unknown))}; {_list_known(template)}")
    _check_distinct(columns)
    _check_namesakes(columns, template)
    return columns


def _resolve(name: str, template: Content) -> Column:
    kind = _PLAIN.get(name)
    if kind is not None:
        return Column(name, kind)
    written = _ENTRY.fullmatch(name)
    if written is not None:
        attribute = written[2] or "value"
        if attribute not in COMMON_ATTRIBUTES | MODULE_ATTRIBUTES:
            known = ", ".join(sorted(COMMON_ATTRIBUTES | MODULE_ATTRIBUTES))
            raise InvalidRequest(f"the column {name!r} names no attribute that can be written: {known}")
        return _entry_column(
            name, Kind.FIELD if written[1] == "field" else Kind.HEADER, written[3], attribute, template
        )
    if not name:
        raise InvalidRequest("a column has no name")
    if name in template.fields and name in template.headers:
        raise InvalidRequest(f"{name!r} is a field and a header; write field:{name} or header:{name}")
    is_header = name in template.headers or (name in SHOWN_HEADERS and name not in template.fields)
    return _entry_column(name, Kind.HEADER if is_header else Kind.FIELD, name, "value", template)


def _entry_column(name: str, kind: Kind, entry: str, attribute: str, template: Content) -> Column:
    own = _entries(template, kind).get(entry)
    return Column(name, kind, entry, attribute, None if own is None else own.attributes.get(attribute))


def _entries(template: Content, kind: Kind) -> Mapping[str, Entry]:
    return template.fields if kind is Kind.FIELD else template.headers


def _is_known(column: Column, template: Content) -> bool:
    if column.kind not in (Kind.FIELD, Kind.HEADER):
        return True
    is_common = column.kind is Kind.HEADER and column.entry in SHOWN_HEADERS
    return is_common or column.entry in _entries(template, column.kind)


def _list_known(template: Content) -> str:
    fields, headers = ", ".join(template.fields) or "none", ", ".join(template.headers) or "none"
    return f"its fields are {fields}, its headers {headers}"


def _check_namesakes(columns: Sequence[Column], template: Content) -> None:
    """Refuses a column such as `status` where a field is called so too, unless that has a column of its own."""
    own = {column.entry for column in columns}
    for column in columns:
        is_namesake = column.name in template.fields or column.name in template.headers
        if column.kind not in (Kind.FIELD, Kind.HEADER) and is_namesake and column.name not in own:
            kind = "field" if column.name in template.fields else "header"
            raise InvalidRequest(
                f"{column.name!r} is also a {kind} of the template; add {kind}:{column.name}, or rename"
            )


def _check_distinct(columns: Sequence[Column]) -> None:
    seen: dict[tuple[Kind, str, str], str] = {}
    for column in columns:
        key = (column.kind, column.entry or column.name, column.attribute)
        if column.kind is not Kind.NOTHING and key in seen:
            raise InvalidRequest(f"the columns {seen[key]!r} and {column.name!r} are the same")
        seen[key] = column.name


def make_document(columns: Sequence[Column], cells: Sequence[str]) -> Document:
    """The body of a request to create the pass of a line; empty cells say nothing.

    Raises:
        InvalidRequest: a cell cannot be read; the field is its column.
    """
    document: Document = {}
    for column, text in zip(columns, cells, strict=True):
        if text and column.kind is not Kind.NOTHING:
            try:
                _add(document, column, text)
            except InvalidRequest as error:
                raise InvalidRequest(error.problem, field=column.name) from error
    return document


def _add(document: Document, column: Column, text: str) -> None:
    if column.kind in (Kind.FIELD, Kind.HEADER):
        entries = document.setdefault(column.kind.value, {})
        entries.setdefault(column.entry, {})[column.attribute] = read_cell(text, like=column.like)
    elif column.kind is Kind.EXTERNAL_ID:
        document["externalId"] = text
    elif column.kind is Kind.TAGS:
        document["tags"] = split_tags(text)
    elif column.kind is Kind.PUBLIC_URL:
        document["publicUrl"] = {"type": text}
    elif column.kind is Kind.LIST:
        document[column.name] = read_json(text)
    else:
        _add_more(document, read_json(text))


def _add_more(document: Document, more: Any) -> None:
    """Adds entries; what a column of its own says of the same attribute counts more, in whichever order they come."""
    kinds = (Kind.FIELD.value, Kind.HEADER.value)
    if not isinstance(more, dict) or not more.keys() <= set(kinds):
        raise InvalidRequest("must be a JSON object with fields, headers or both")
    for kind in kinds:
        entries = more.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise InvalidRequest(f"{kind} must be an object of objects")
        own = document.setdefault(kind, {})
        for name, attributes in entries.items():
            own[name] = {**attributes, **own.get(name, {})}


class Action(Enum):
    """What a line of tags asks for."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A line of tags: a pass, and what to put on it or take off it."""

    reference: PassReference
    names: tuple[str, ...]
    action: Action


_TAG_COLUMNS = ("externalId", "passId", "id", "tag", "tags", "action", "error")


def resolve_tag_columns(names: Sequence[str]) -> None:
    """Checks the columns of a file of tags.

    Raises:
        InvalidRequest: one means nothing, is there twice, or one that is needed is missing.
    """
    unknown = [name for name in names if name not in _TAG_COLUMNS]
    if unknown:
        raise InvalidRequest(
            f"{', '.join(map(repr, unknown))} means nothing here; columns are {', '.join(_TAG_COLUMNS)}"
        )
    if len(set(names)) < len(names):
        raise InvalidRequest("a column is there twice")
    if not {"externalId", "passId", "id"} & set(names):
        raise InvalidRequest("a column externalId or passId must name the passes")
    if not {"tag", "tags"} & set(names):
        raise InvalidRequest("a column tag or tags must name the tags")


def read_tagged(names: Sequence[str], cells: Sequence[str], *, template_id: int | None) -> Tagged:
    """What a line of tags asks for. `tag` is one tag as it stands, `tags` are several.

    Raises:
        InvalidRequest: it names no pass, no tag, or an unknown action.
    """
    row = dict(zip(names, cells, strict=True))
    tags = [name for name in (row.get("tag", ""), *split_tags(row.get("tags", ""))) if name.strip()]
    if not tags:
        raise InvalidRequest("names no tag", field="tag")
    action = (row.get("action") or Action.ADD.value).strip().lower()
    if action not in [each.value for each in Action]:
        raise InvalidRequest(f"{action!r} is neither add nor remove", field="action")
    return Tagged(_read_reference(row, template_id), tuple(tags), Action(action))


def _read_reference(row: Mapping[str, str], template_id: int | None) -> PassReference:
    written = row.get("passId") or row.get("id")
    if written:
        pass_id = parse_id(written.strip())
        if pass_id is None:
            raise InvalidRequest(f"{written!r} is no pass id", field="passId")
        return PassReference(pass_id=pass_id, template_id=template_id)
    if not row.get("externalId"):
        raise InvalidRequest("names no pass", field="externalId")
    return PassReference(external_id=row["externalId"], template_id=template_id)
