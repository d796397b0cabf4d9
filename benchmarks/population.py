"""Rows of very many passes, made by the store's own functions without an engine: what the fast loader loads.

A pass, its memberships, its registration and every counter are built by the functions that requests build them with
(`issuing.create_passes`, `registering.register`, `unregister`). Only the transactions are left out: a recorder takes
what goes into them, and whole counter rows come of it.
"""

from __future__ import annotations

import gzip
import json
import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.domain.campaigns import sequential_code
from chalicelib.domain.content import Content, ContentUpdate
from chalicelib.domain.issuing import show_template
from chalicelib.domain.passes import Pass, PassStatus, hold, release
from chalicelib.domain.registrations import Registration, Wallet, device_key
from chalicelib.domain.reporting import Event, install_event, uninstall_event
from chalicelib.domain.tags import Tag, TagReference
from chalicelib.domain.templates import Template
from chalicelib.store import passes as stored_passes
from chalicelib.store import registrations as stored_registrations
from chalicelib.store.models import RawItem, SegmentRow
from chalicelib.store.pass_rows import as_row
from chalicelib.store.pass_status import count_everywhere
from chalicelib.store.passes import DynamoPassStore
from chalicelib.store.transactions import SLOTS_PER_SEGMENT, Transaction
from chalicelib.wiring import get_database, get_platform
from local.certificates import PASS_TYPE

PLAIN_TABLE = "bench-plain"
"""tag and pass id of each membership, indexed by the tag alone: what the plain way reads"""

_INSTALLED_PERCENT, _UNINSTALLED_PERCENT = 60, 15
_HELD_FOR = timedelta(hours=1)
"""how long a pass that is uninstalled was on its device"""

Deltas = dict[tuple[str, int], dict[str, int]]
"""collection key and segment to facet to number"""

Written = tuple[int, Deltas]
"""passes, and what is still to be counted"""


def status_of(pass_id: int) -> PassStatus:
    """The status that a loaded pass has: mixed well, and the same in every load."""
    drawn = zlib.crc32(str(pass_id).encode()) % 100
    if drawn < _INSTALLED_PERCENT:
        return PassStatus.INSTALLED
    return (
        PassStatus.UNINSTALLED if drawn < _INSTALLED_PERCENT + _UNINSTALLED_PERCENT else PassStatus.NOT_BEEN_INSTALLED
    )


def was_installed(pass_id: int) -> bool:
    """Whether a loaded pass has taken a registration number."""
    return status_of(pass_id) is not PassStatus.NOT_BEEN_INSTALLED


@dataclass(frozen=True, kw_only=True)
class Share:
    """Passes of one block, which are one segment, and the numbers that they take."""

    pass_ids: range
    first_code: int
    first_registration: int
    created_at: datetime
    registrations_from: datetime
    """the time of registration number 0: each is a millisecond after the one before"""


@dataclass(frozen=True, kw_only=True)
class Family:
    """What the passes of a project have in common."""

    template: Template
    tags: tuple[Tag, ...]
    with_plain_table: bool


class _Recorder(Transaction):
    """Takes rows and counts, and sends nothing."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, RawItem]] = []
        """each with its table"""
        self._deltas = defaultdict(lambda: defaultdict(int))

    def put(self, row: Model, condition: Condition | None = None, *, label: str = "") -> None:
        """Takes the row."""
        self.put_item(type(row), row.serialize())

    def put_item(self, model: type[Model], item: RawItem) -> None:
        """Takes the row."""
        self.rows.append((model.Meta.table_name, item))

    @property
    def deltas(self) -> Deltas:
        """What was counted."""
        return {key: dict(facets) for key, facets in self._deltas.items()}


def write_share(folder: Path, name: str, family: Family, shares: Sequence[Share]) -> Written:
    """Writes the rows of some shares as a DynamoDB export: one file for each table, `TABLE/data/NAME.json.gz`.

    Counter rows that no other share adds to are among them. Returns the number of passes and what is still to be
    counted: collections whose segments are shared.
    """
    database = get_database()
    lines: dict[str, list[str]] = defaultdict(list)
    shared: Deltas = defaultdict(lambda: defaultdict(int))
    for share in shares:
        recorder = _Recorder()
        plain = _record(recorder, family, share)
        for table, item in recorder.rows:
            lines[table].append(export_line(item))
        own, others = _split(recorder.deltas)
        lines[SegmentRow.Meta.table_name] += [export_line(item) for item in counter_rows(own)]
        add_counts(shared, others)
        if family.with_plain_table:
            lines[database.settings.table_name(PLAIN_TABLE)] += [export_line(item) for item in plain]
    for table, texts in lines.items():
        write_export(folder, table, name, texts)
    return sum(len(share.pass_ids) for share in shares), {key: dict(facets) for key, facets in shared.items()}


def write_export(folder: Path, table: str, name: str, lines: Iterable[str]) -> None:
    """One file of a table in the layout of DynamoDB's export to S3."""
    path = folder / table / "data" / f"{name}.json.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        file.writelines(lines)


def counter_rows(deltas: Deltas) -> list[RawItem]:
    """Whole rows of counters, all in stripe 0 as quiet writers leave them."""
    return [_counter_row(*key, facets).serialize() for key, facets in sorted(deltas.items()) if any(facets.values())]


def _counter_row(collection: str, segment: int, facets: Mapping[str, int]) -> SegmentRow:
    row = SegmentRow(collection=collection, slot=segment * SLOTS_PER_SEGMENT)
    for facet, number in facets.items():
        if number:
            setattr(row, facet, number)
    return row


def add_counts(total: Deltas, more: Deltas) -> None:
    """Adds what was counted to what was counted before."""
    for key, facets in more.items():
        own = total.setdefault(key, {})
        for facet, number in facets.items():
            own[facet] = own.get(facet, 0) + number


def _split(deltas: Deltas) -> tuple[Deltas, Deltas]:
    """Counters of this block's passes, and those of collections that are numbered or dated otherwise."""
    others = {key: facets for key, facets in deltas.items() if key[0].startswith(("template-reg", "template-events"))}
    return {key: facets for key, facets in deltas.items() if key not in others}, others


def _record(recorder: _Recorder, family: Family, share: Share) -> list[RawItem]:
    """Everything that is stored of the passes; returns the rows of the plain table."""
    store = DynamoPassStore(get_database())
    content = show_template(family.template, ContentUpdate())
    references = frozenset(TagReference(tag.tag_id, tag.generation) for tag in family.tags)
    registration_number = share.first_registration
    plain: list[RawItem] = []
    for position, pass_id in enumerate(share.pass_ids):
        pass_ = _make_pass(family.template, share, pass_id, position, references, content)
        stored_passes._count_event(recorder, pass_, Event.CREATES, pass_.created_at)
        if was_installed(pass_id):
            at = share.registrations_from + timedelta(milliseconds=registration_number)
            pass_ = _record_installation(recorder, pass_, registration_number, at)
            registration_number += 1
        recorder.put(as_row(pass_))
        count_everywhere(recorder, pass_, [], change=1)
        for tag in family.tags:
            store._put_membership(recorder, pass_, tag)
            plain.append({"pass_id": {"N": str(pass_id)}, "tag": {"S": tag.name}})
    return plain


def _make_pass(
    template: Template,
    share: Share,
    pass_id: int,
    position: int,
    references: frozenset[TagReference],
    content: Content,
) -> Pass:
    platform = get_platform()
    return Pass(
        pass_id=pass_id,
        project_id=template.project_id,
        template_id=template.template_id,
        serial_number=platform.new_uuid(pass_id),
        redeem_code=sequential_code(share.first_code + position),
        external_id=None,
        authentication_token=platform.new_token(),
        download_token=platform.new_token(),
        public_type=None,
        status=PassStatus.NOT_BEEN_INSTALLED,
        installed_at=None,
        uninstalled_at=None,
        platform=None,
        tags=references,
        content=content,
        version=1,
        last_modified=int(share.created_at.timestamp()),
        changed_ticket=0,
        revision=1,
        created_at=share.created_at,
        updated_at=share.created_at,
    )


def _record_installation(recorder: _Recorder, pass_: Pass, number: int, at: datetime) -> Pass:
    """The pass once its device has it, or had it for a while."""
    wallet = Wallet.WALLET_PASSES if number % 4 == 0 else Wallet.PASSBOOK
    registration = Registration(
        registration_id=get_platform().new_uuid(number),
        number=number,
        project_id=pass_.project_id,
        template_id=pass_.template_id,
        pass_id=pass_.pass_id,
        serial_number=pass_.serial_number,
        device=device_key(device_id=secrets.token_hex(16), pass_type=PASS_TYPE),
        pass_type=PASS_TYPE,
        wallet=wallet,
        push_token=secrets.token_hex(32),
        created_at=at,
        registered_at=at,
    )
    held = hold(pass_, platform=wallet.device_os, now=at)
    stored_registrations._count_event(recorder, registration, install_event(wallet), at)
    if status_of(pass_.pass_id) is PassStatus.UNINSTALLED:
        ended_at = at + _HELD_FOR
        stored_registrations._count_event(recorder, registration, uninstall_event(wallet), ended_at)
        return release(held, now=ended_at)
    recorder.put(stored_registrations._as_row(registration))
    stored_registrations._count(recorder, registration, change=1)
    return held


def export_line(item: Mapping[str, object]) -> str:
    """One raw item in that layout."""
    return json.dumps({"Item": item}, separators=(",", ":")) + "\n"
