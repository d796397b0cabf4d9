"""Passes: what one is, and how it changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import MINYEAR, UTC, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.content import EXPIRATION, VOIDED, Content, ContentUpdate, Merge, apply_update, check_stored_size
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.tags import TagReference


class PassStatus(StrEnum):
    """Whether a pass is on a device: never, now, or no longer (DESIGN, section 1)."""

    NOT_BEEN_INSTALLED = "not_been_installed"
    INSTALLED = "installed"
    UNINSTALLED = "uninstalled"


STATUS_FILTERS: dict[str, AbstractSet[str] | None] = {
    "installed": {PassStatus.INSTALLED},
    "uninstalled": {PassStatus.UNINSTALLED},
    "been_installed": {PassStatus.INSTALLED, PassStatus.UNINSTALLED},
    "not_been_installed": {PassStatus.NOT_BEEN_INSTALLED},
}
"""airship-wallet-v1, section 4.6: the statuses that each filter lets through"""


@dataclass(frozen=True, slots=True)
class PassReference:
    """How a caller names a pass: by id, by external id, or by template and external id."""

    pass_id: int | None = None
    external_id: str | None = None
    template_id: int | None = None
    fallback_external_id: str | None = None
    """another reading of what the caller wrote, tried if the first finds nothing"""

    def __str__(self) -> str:
        if self.pass_id is not None:
            return str(self.pass_id)
        if self.template_id is not None:
            return f"with external id {self.external_id} in template {self.template_id}"
        return f"with external id {self.external_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSummary:
    """What lists show of a pass."""

    pass_id: int
    project_id: int
    template_id: int
    serial_number: str
    external_id: str | None
    download_token: str
    status: PassStatus
    installed_at: datetime | None
    uninstalled_at: datetime | None
    platform: str | None
    tags: frozenset[TagReference]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(PassSummary):
    """A whole pass. `revision` grows with every write of it, `version` only when what a wallet shows of it changes."""

    authentication_token: str
    public_type: str | None
    content: Content
    version: int
    last_modified: int
    """whole seconds since 1970; strictly increases with `version` (wallets, section 2.4)"""
    changed_ticket: int
    """the ticket that last changed what wallets show of the pass; 0 since creation"""
    revision: int
    redeem_code: str
    """unique in the template (passworks-v2, section 12)"""
    registrations: int = 0
    """devices that hold the pass; it moves without `revision` unless `status` moves too"""
    redeemed_count: int = 0
    redeemed_at: datetime | None = None
    has_own_code: bool = False
    """whether the code came with the pass, in its barcode (`per_pass`)"""

    @property
    def certificate_id(self) -> str | None:
        """The certificate that signs the pass; None is the project's default one."""
        value = self.content.lists.get("certificate_id")
        return value if isinstance(value, str) else None

    @property
    def is_for_many(self) -> bool:
        """Whether any number of people may take it (airship-wallet-v1, section 5: `publicURL`)."""
        return self.public_type == "multiple"

    @property
    def is_voided(self) -> bool:
        """No longer redeemable (airship-wallet-v1, section 5: expiry; passworks-v2, section 13)."""
        return bool(self.content.header(EXPIRATION, "label") == VOIDED)

    @property
    def expires_at(self) -> datetime | None:
        """When the pass ends, if it says so in a way that can be read."""
        value = self.content.header("expirationDate")
        return None if value is None else parse_moment(str(value))


def parse_written(text: str) -> datetime | None:
    """An ISO 8601 date and time as it is written: without a zone if it names none.

    Clients write the hour of nine o'clock with one digit (airship-wallet-v1, section 5).
    """
    try:
        return datetime.fromisoformat(re.sub(r"[T ](\d):", r"T0\1:", text.upper()))
    except ValueError:
        return None


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 date and time, UTC if it names no offset.

    What an offset takes out of the calendar is its first or last moment.
    """
    moment = parse_written(text)
    if moment is None:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        moment.astimezone(UTC)
    except OverflowError:
        end = datetime.min if moment.year == MINYEAR else datetime.max
        return end.replace(tzinfo=UTC)
    return moment


@dataclass(frozen=True, slots=True)
class NewPass:
    """What a create request brings, already checked."""

    update: ContentUpdate
    external_id: str | None = None
    public_type: str | None = None
    tag_names: tuple[str, ...] = ()
    code_in_barcode: bool = False
    """show the redeem code where the barcode has no message, whatever the template says"""


@dataclass(frozen=True, slots=True)
class ContentChange:
    """A pass before and after a ticket. `stored` is its content after it, encoded once for both size and write."""

    before: Pass
    after: Pass
    merge: Merge
    stored: str


def apply_ticket(
    pass_: Pass, update: ContentUpdate, *, ticket_id: int, now: datetime, maximum_bytes: int
) -> tuple[Pass, Merge]:
    """The pass after an update, and what that did. `pass_` itself stays as it was.

    Raises:
        InvalidRequest: the content would outgrow `maximum_bytes`, or the code in the barcode would change.
    """
    change = change_content(pass_, update, ticket_id=ticket_id, now=now, maximum_bytes=maximum_bytes)
    return change.after, change.merge


def change_content(
    pass_: Pass, update: ContentUpdate, *, ticket_id: int, now: datetime, maximum_bytes: int
) -> ContentChange:
    """`apply_ticket` for those who go on to write the content; where nothing is to be written, `stored` is empty.

    Raises:
        InvalidRequest: as `apply_ticket`.
    """
    own_code = update.headers.get("barcode_value", {}).get("value", pass_.redeem_code)
    if pass_.has_own_code and own_code != pass_.redeem_code:
        raise InvalidRequest("is the pass's own redeem code and cannot change", field="headers.barcode_value.value")
    content = pass_.content.copy_for(update)
    merge = apply_update(content, update, ticket_id=ticket_id)
    if not merge.written:
        return ContentChange(pass_, pass_, merge, "")
    stored = content.encode()
    check_stored_size(stored, of="pass", maximum_bytes=maximum_bytes)
    if not merge.shown and update.image_kinds:
        from chalicelib.domain.assets import turns_to_another_image  # which few updates need

        if turns_to_another_image(pass_.content, content, update):
            merge = Merge(written=True, changed=True, shown=True)
    after = replace(pass_, content=content, revision=pass_.revision + 1)
    if merge.changed:
        after = replace(after, updated_at=max(now, pass_.updated_at))
    if merge.shown:
        last_modified = max(int(now.timestamp()), pass_.last_modified + 1)
        after = replace(after, version=pass_.version + 1, last_modified=last_modified, changed_ticket=ticket_id)
    return ContentChange(pass_, after, merge, stored)


Expectation = Callable[[Pass], None]
"""Asked about a pass as it was read for a write, which then depends on its revision. Raises PreconditionFailed."""


def hold(pass_: Pass, *, platform: str, now: datetime) -> Pass:
    """The pass once one more device holds it. The first makes it installed; `installed_at` stays the first installation
    ever (airship-wallet-v1, section 4.6)."""
    if pass_.registrations:
        return replace(pass_, registrations=pass_.registrations + 1)
    return replace(
        pass_,
        status=PassStatus.INSTALLED,
        installed_at=pass_.installed_at or now,
        uninstalled_at=None,
        platform=platform,
        registrations=1,
        revision=pass_.revision + 1,
    )


def release(pass_: Pass, *, devices: int = 1, now: datetime) -> Pass:
    """The pass once some devices gave it up. The last makes it uninstalled."""
    if pass_.registrations > devices:
        return replace(pass_, registrations=pass_.registrations - devices)
    return replace(
        pass_, status=PassStatus.UNINSTALLED, uninstalled_at=now, registrations=0, revision=pass_.revision + 1
    )


def as_milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware moment, exact."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def from_milliseconds(milliseconds: int) -> datetime:
    """The aware UTC moment of `as_milliseconds`."""
    return _EPOCH + timedelta(0, milliseconds // 1000, milliseconds % 1000 * 1000)
