"""Registrations in DynamoDB. Row, pass status and every counter change in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.campaign_ports import PushCursor, Standing
from chalicelib.domain.counted_index import (
    Collection,
    Slice,
    events_of_template,
    registrations_of_pass,
    registrations_of_template,
    segment_of,
)
from chalicelib.domain.errors import Conflict
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass, as_milliseconds, from_milliseconds
from chalicelib.domain.registrations import Registration, RegistrationSummary, Wallet, token_key
from chalicelib.domain.reporting import Event as ReportedEvent
from chalicelib.domain.reporting import day_of, install_event, uninstall_event
from chalicelib.domain.tags import TagReference
from chalicelib.store import pass_rows
from chalicelib.store.campaign_models import ReceivedEventRow, RegistrationRow
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.members import MemberIndex, read_slices
from chalicelib.store.models import PassRow, RawItem, TagRow, TemplateRow
from chalicelib.store.outbox import put_outgoing
from chalicelib.store.pass_status import move_status
from chalicelib.store.receivers import DynamoReceiverStore
from chalicelib.store.tags import key_by_id
from chalicelib.store.transactions import Transaction

_BY_TEMPLATE = MemberIndex(RegistrationRow, "by_template", "template_segment", "number", facet="wallet")
_BY_PASS = MemberIndex(RegistrationRow, "by_pass", "pass_segment", "number", facet="wallet")

_PASSES_QUERIED_SINGLY = 10
"""up to so many passes of a segment, a query each reads less than the whole segment"""


class DynamoRegistrationStore:
    """Implements `RegistrationStore`."""

    def __init__(self, database: Database, receivers: DynamoReceiverStore | None = None) -> None:
        self._database = database
        self._receivers = receivers or DynamoReceiverStore(database)

    def find(self, *, device: str, pass_id: int) -> tuple[Pass | None, Registration | None]:
        """See `RegistrationStore`."""
        passes, registrations = PassRow.Meta.table_name, RegistrationRow.Meta.table_name
        answer = self._database.batch_get_tables(
            {
                passes: [{"pass_id": {"N": str(pass_id)}}],
                registrations: [{"device": {"S": device}, "pass_id": {"N": str(pass_id)}}],
            }
        )
        found_passes = [pass_rows.as_pass(item) for item in answer[passes]]
        found_registrations = [_as_registration(item) for item in answer[registrations]]
        return next(iter(found_passes), None), next(iter(found_registrations), None)

    def list_held(self, *, device: str) -> list[tuple[str, str, int]]:
        """See `RegistrationStore`. A query, a batch-get for each 100 passes, and one of their templates."""
        pages = self._database.query(
            TableName=RegistrationRow.Meta.table_name,
            ConsistentRead=True,
            KeyConditionExpression="#device = :device",
            ExpressionAttributeNames={"#device": "device"},
            ExpressionAttributeValues={":device": {"S": device}},
            ProjectionExpression="pass_id, registration_id",
        )
        ids = {item["pass_id"]["N"]: item["registration_id"]["S"] for page in pages for item in page}
        items = self._database.batch_get(
            PassRow,
            [{"pass_id": {"N": number}} for number in ids],
            attributes=("pass_id", "project_id", "template_id", "serial_number", "version"),
            consistent=True,
        )
        standing = self._find_standing({_template_key(item) for item in items})
        found = {item["pass_id"]["N"]: item for item in items if _template_key(item) in standing}
        return [
            (registration_id, found[number]["serial_number"]["S"], int(found[number]["version"]["N"]))
            for number, registration_id in ids.items()
            if number in found
        ]

    def _find_standing(self, keys: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the templates, by project and id, that are not deleted."""
        rows = self._database.batch_get(
            TemplateRow,
            [{"project_id": {"N": project}, "template_id": {"N": template}} for project, template in sorted(keys)],
            attributes=("project_id", "template_id", "deleted"),
            consistent=True,
        )
        return {_template_key(row) for row in rows if not row.get("deleted", {}).get("BOOL")}

    def read_standing(self, pass_: Pass, *, with_tags: bool) -> Standing:
        """See `RegistrationStore`."""
        templates, tags = TemplateRow.Meta.table_name, TagRow.Meta.table_name
        keys = {templates: [_template_row_key(pass_)]}
        if with_tags and pass_.tags:
            keys[tags] = [{"key": {"S": key_by_id(pass_.project_id, each.tag_id)}} for each in pass_.tags]
        answer = self._database.batch_get_tables(keys | self._receivers.unknown_keys(pass_.project_id))
        self._receivers.note_answer(pass_.project_id, answer)
        generations = {int(row["tag_id"]["N"]): int(row["generation"]["N"]) for row in answer.get(tags, [])}
        live = [each for each in pass_.tags if with_tags and generations.get(each.tag_id) == each.generation]
        template = next(iter(answer[templates]), None)
        return Standing(
            stands=template is not None and not template.get("deleted", {}).get("BOOL"),
            campaign_id=None if template is None else template["campaign_id"]["S"],
            live=sorted(live, key=lambda each: each.tag_id),
        )

    def register(
        self,
        *,
        before: Pass,
        after: Pass,
        registration: Registration,
        live: Iterable[TagReference],
        event: Event = None,
        outgoing: Sequence[Outgoing] = (),
    ) -> None:
        """See `RegistrationStore`."""
        transaction = Transaction(self._database)
        put_outgoing(transaction, outgoing)
        transaction.put(_as_row(registration), RegistrationRow.device.does_not_exist(), label="registration")
        self._move_pass(transaction, before, after, live)
        _count(transaction, registration, change=1)
        _count_event(transaction, registration, install_event(registration.wallet), registration.created_at)
        _put_event(transaction, event)
        transaction.commit()

    def renew(self, *, before: Registration, after: Registration, outgoing: Sequence[Outgoing] = ()) -> None:
        """See `RegistrationStore`. Another wallet on the same device ends one installation and begins another."""
        same = (RegistrationRow.registration_id == before.registration_id) & (RegistrationRow.wallet == before.wallet)
        row = RegistrationRow(device=before.device, pass_id=before.pass_id)
        actions: list[Action] = [RegistrationRow.registered_at.set(as_milliseconds(after.registered_at))]
        if after.installation == before.installation:
            self._touch(row, actions, same)
            return
        actions += [
            RegistrationRow.wallet.set(after.wallet),
            RegistrationRow.push_token.set(after.push_token),
            RegistrationRow.token_key.set(_token_key(after)),
            _set_or_remove(RegistrationRow.push_service_url, after.push_service_url),
        ]
        transaction = Transaction(self._database)
        transaction.update(row, actions, same, label="registration")
        put_outgoing(transaction, outgoing)
        if after.wallet != before.wallet:
            _count(transaction, before, change=-1)
            _count(transaction, after, change=1)
        if after.wallet.device_os != before.wallet.device_os:
            _count_event(transaction, before, uninstall_event(before.wallet), after.registered_at)
            _count_event(transaction, after, install_event(after.wallet), after.registered_at)
        transaction.commit()

    def _touch(self, row: RegistrationRow, actions: list[Action], condition: Condition) -> None:
        try:
            with translated():
                row.update(actions, condition=condition)
        except ConditionFailed as failure:
            raise Conflict("the registration is gone") from failure

    def unregister(
        self,
        *,
        before: Pass,
        after: Pass,
        registrations: Sequence[Registration],
        live: Iterable[TagReference],
        now: datetime,
        event: Event = None,
        outgoing: Sequence[Outgoing] = (),
    ) -> None:
        """See `RegistrationStore`."""
        transaction = Transaction(self._database)
        put_outgoing(transaction, outgoing)
        for registration in registrations:
            delete_registration(transaction, registration, now=now, unless_renewed=True)
        self._move_pass(transaction, before, after, live)
        _put_event(transaction, event)
        transaction.commit()

    def remember_event(self, event: tuple[str, int]) -> None:
        """See `RegistrationStore`."""
        transaction = Transaction(self._database)
        _put_event(transaction, event)
        transaction.commit()

    def is_remembered(self, name: str) -> bool:
        """See `RegistrationStore`."""
        answer = self._database.call(
            "GetItem", TableName=ReceivedEventRow.Meta.table_name, Key={"event": {"S": name}}, ConsistentRead=True
        )
        return "Item" in answer

    def list_of_pass(self, *, pass_id: int, limit: int) -> list[Registration]:
        """See `RegistrationStore`."""
        return self._page_of_passes(pass_id, pass_id, after=None, limit=limit)[0]

    def list_of_passes(
        self, pass_ids: Sequence[int], *, after: PushCursor | None, limit: int
    ) -> tuple[list[Registration], PushCursor | None]:
        """See `RegistrationStore`. One query for each 1 MB; for a few passes one query each."""
        wanted = set(pass_ids)
        found: list[Registration] = []
        for low, high in _ranges(wanted):
            if after is not None and high < after[0]:
                continue
            cursor = after if after is not None and low <= after[0] else None
            is_first = True
            while is_first or cursor is not None:
                is_first = False
                page, cursor = self._page_of_passes(low, high, after=cursor, limit=limit - len(found))
                found += [registration for registration in page if registration.pass_id in wanted]
                if len(found) >= limit:
                    return found, cursor or (found[-1].pass_id, found[-1].device)
        return found, None

    def _page_of_passes(
        self, low: int, high: int, *, after: PushCursor | None, limit: int
    ) -> tuple[list[Registration], PushCursor | None]:
        """Registrations of passes from `low` to `high`, which share a segment; where to go on if there may be more."""
        segment = segment_of(low)
        arguments: dict[str, Any] = {
            "TableName": RegistrationRow.Meta.table_name,
            "IndexName": "by_segment",
            "KeyConditionExpression": "#segment = :segment AND #pass BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#segment": "segment", "#pass": "pass_id"},
            "ExpressionAttributeValues": {
                ":segment": {"N": str(segment)},
                ":low": {"N": str(low)},
                ":high": {"N": str(high)},
            },
            "Limit": limit,
        }
        if after is not None:
            arguments["ExclusiveStartKey"] = {
                "segment": {"N": str(segment)},
                "pass_id": {"N": str(after[0])},
                "device": {"S": after[1]},
            }
        answer = self._database.call("Query", **arguments)
        last = answer.get("LastEvaluatedKey")
        cursor = (int(last["pass_id"]["N"]), str(last["device"]["S"])) if last else None
        return [_as_registration(item) for item in answer["Items"]], cursor

    def list_of_token(self, *, pass_type: str, push_token: str) -> list[tuple[str, int]]:
        """See `RegistrationStore`."""
        pages = self._database.query(
            TableName=RegistrationRow.Meta.table_name,
            IndexName="by_token",
            KeyConditionExpression="token_key = :key",
            ExpressionAttributeValues={":key": {"S": token_key(pass_type=pass_type, push_token=push_token)}},
        )
        return [(item["device"]["S"], int(item["pass_id"]["N"])) for page in pages for item in page]

    def read_members(
        self, collection: Collection, slices: Sequence[Slice], *, facets: AbstractSet[str] | None, descending: bool
    ) -> list[RegistrationSummary]:
        """See `RegistrationStore`."""
        index = _BY_PASS if collection.key.startswith("pass-") else _BY_TEMPLATE
        parts = [(collection.segment_key(part.segment), part) for part in slices]
        items = read_slices(self._database, index, parts, facets=facets, descending=descending)
        return [RegistrationSummary(**_summary_values(item)) for item in items]

    def _move_pass(self, transaction: Transaction, before: Pass, after: Pass, live: Iterable[TagReference]) -> None:
        """Where the status stays, devices come and go without meeting each other or a writer of content."""
        if after.status == before.status:
            change = after.registrations - before.registrations
            condition = (PassRow.status == before.status) & (PassRow.registrations > max(-change, 0))
            row = PassRow(pass_id=before.pass_id)
            transaction.update(row, [PassRow.registrations.add(change)], condition, label="pass")
            return
        move_status(transaction, before, after, live)
        expected = {"revision": {"N": str(before.revision)}, "registrations": {"N": str(before.registrations)}}
        key, changes = {"pass_id": {"N": str(before.pass_id)}}, pass_rows.status_changes(after)
        transaction.update_item(PassRow, key, changes=changes, expected=expected, label="pass")


Event = tuple[str, int] | None
"""name of a vendor's event that must be handled once, and the epoch second when it may be forgotten"""


def delete_registration(
    transaction: Transaction, registration: Registration, *, now: datetime, unless_renewed: bool = False
) -> None:
    """Removes one registration with its place in every counter; the pass row is the caller's to write."""
    same = (RegistrationRow.registration_id == registration.registration_id) & (
        RegistrationRow.wallet == registration.wallet
    )
    if unless_renewed:
        same &= RegistrationRow.registered_at == as_milliseconds(registration.registered_at)
    row = RegistrationRow(device=registration.device, pass_id=registration.pass_id)
    transaction.delete(row, same, label="registration")
    _count(transaction, registration, change=-1)
    _count_event(transaction, registration, uninstall_event(registration.wallet), now)


def _count_event(transaction: Transaction, registration: Registration, event: ReportedEvent, at: datetime) -> None:
    transaction.count_in(events_of_template(registration.template_id), day_of(at), facet=event, change=1)


def _template_key(item: RawItem) -> tuple[str, str]:
    return item["project_id"]["N"], item["template_id"]["N"]


def _template_row_key(pass_: Pass) -> RawItem:
    return {"project_id": {"N": str(pass_.project_id)}, "template_id": {"N": str(pass_.template_id)}}


def _put_event(transaction: Transaction, event: Event) -> None:
    if event is not None:
        name, expires_at = event
        row = ReceivedEventRow(event=name, expires_at=expires_at)
        transaction.put(row, ReceivedEventRow.event.does_not_exist(), label="event")


def _count(transaction: Transaction, registration: Registration, *, change: int) -> None:
    for collection in (
        registrations_of_template(registration.template_id),
        registrations_of_pass(registration.pass_id),
    ):
        transaction.count(collection, registration.number, facet=registration.wallet, change=change)


def _set_or_remove(attribute: Any, value: str | None) -> Any:
    return attribute.remove() if value is None else attribute.set(value)


def _as_row(registration: Registration) -> RegistrationRow:
    segment = segment_of(registration.number)
    return RegistrationRow(
        device=registration.device,
        pass_id=registration.pass_id,
        registration_id=registration.registration_id,
        number=registration.number,
        project_id=registration.project_id,
        template_id=registration.template_id,
        serial_number=registration.serial_number,
        pass_type=registration.pass_type,
        wallet=registration.wallet,
        push_token=registration.push_token,
        push_service_url=registration.push_service_url,
        created_at=as_milliseconds(registration.created_at),
        registered_at=as_milliseconds(registration.registered_at),
        segment=segment_of(registration.pass_id),
        token_key=_token_key(registration),
        template_segment=registrations_of_template(registration.template_id).segment_key(segment),
        pass_segment=registrations_of_pass(registration.pass_id).segment_key(segment),
    )


def _token_key(registration: Registration) -> str:
    return token_key(pass_type=registration.pass_type, push_token=registration.push_token)


def _ranges(pass_ids: AbstractSet[int]) -> list[tuple[int, int]]:
    """What to query for passes: each alone if they are few, else their whole segments."""
    if len(pass_ids) <= _PASSES_QUERIED_SINGLY:
        return [(pass_id, pass_id) for pass_id in sorted(pass_ids)]
    segments: dict[int, list[int]] = {}
    for pass_id in pass_ids:
        segments.setdefault(segment_of(pass_id), []).append(pass_id)
    return [(min(own), max(own)) for _, own in sorted(segments.items())]


def _summary_values(item: RawItem) -> dict[str, Any]:
    return {
        "registration_id": item["registration_id"]["S"],
        "number": int(item["number"]["N"]),
        "pass_id": int(item["pass_id"]["N"]),
        "serial_number": item["serial_number"]["S"],
        "wallet": Wallet(item["wallet"]["S"]),
        "created_at": from_milliseconds(int(item["created_at"]["N"])),
    }


def _as_registration(item: RawItem) -> Registration:
    return Registration(
        **_summary_values(item),
        project_id=int(item["project_id"]["N"]),
        template_id=int(item["template_id"]["N"]),
        device=item["device"]["S"],
        pass_type=item["pass_type"]["S"],
        push_token=item["push_token"]["S"],
        registered_at=from_milliseconds(int(item["registered_at"]["N"])),
        push_service_url=item["push_service_url"]["S"] if "push_service_url" in item else None,
    )
