"""What the rules of registrations and campaigns need from storage; `ports.py` says what holds for every write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.counted_index import Collection, Slice
from chalicelib.domain.looks import Look
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.registrations import Registration, RegistrationSummary
from chalicelib.domain.tags import TagReference

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt

PushCursor = tuple[int, str]
"""pass id and device of the last registration that was read"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is around a pass."""

    stands: bool
    """whether its template is still there"""
    campaign_id: str | None
    """the template's other id, also of one that was deleted"""
    live: Sequence[TagReference]
    """its tags that are live, if they were asked for"""


class RegistrationStore(Protocol):
    """Which devices hold which passes. Every write changes the pass's status and all counters with it."""

    def find(self, *, device: str, pass_id: int) -> tuple[Pass | None, Registration | None]:
        """A pass of any project, and its registration on that device, read consistently in one call."""

    def list_held(self, *, device: str) -> list[tuple[str, str, int]]:
        """Registration id, serial number and version of every pass on a device, read consistently.

        A pass whose template was deleted is left out, though its own turn has not come yet.
        """

    def read_standing(self, pass_: Pass, *, with_tags: bool) -> Standing:
        """What there is around a pass, with its live tags if asked for. One call.

        It brings along who is told of the project's events, which `ReceiverStore.find_receiver` then knows.
        """

    def register(
        self,
        *,
        before: Pass,
        after: Pass,
        registration: Registration,
        live: Iterable[TagReference],
        event: tuple[str, int] | None = None,
        outgoing: Sequence[Outgoing] = (),
    ) -> None:
        """Stores a new registration. Raises Conflict if there is one, or if the pass was written meanwhile.

        `event` is the name of a vendor's event that counts once, with the epoch second at which it may be forgotten.
        `outgoing` leaves with it.
        """

    def renew(self, *, before: Registration, after: Registration, outgoing: Sequence[Outgoing] = ()) -> None:
        """Writes wallet, push address and time of a registration. Raises Conflict if it is gone or has changed.

        `outgoing` leaves with a change of the wallet.
        """

    def unregister(
        self,
        *,
        before: Pass,
        after: Pass,
        registrations: Sequence[Registration],
        live: Iterable[TagReference],
        now: datetime,
        event: tuple[str, int] | None = None,
        outgoing: Sequence[Outgoing] = (),
    ) -> None:
        """Removes registrations of one pass, all or none. Raises Conflict, also if a device has registered again."""

    def remember_event(self, event: tuple[str, int]) -> None:
        """Notes an event that changes nothing. Raises Conflict if it is noted already."""

    def is_remembered(self, name: str) -> bool:
        """Whether an event was noted."""

    def list_of_pass(self, *, pass_id: int, limit: int) -> list[Registration]:
        """Registrations of one pass, in no order; eventually consistent."""

    def list_of_passes(
        self, pass_ids: Sequence[int], *, after: PushCursor | None, limit: int
    ) -> tuple[list[Registration], PushCursor | None]:
        """Registrations of passes, by pass id, and where to go on if there may be more than `limit`.

        Eventually consistent.
        """

    def list_of_token(self, *, pass_type: str, push_token: str) -> list[tuple[str, int]]:
        """Device and pass id of every registration with a push token; eventually consistent."""

    def read_members(
        self, collection: Collection, slices: Sequence[Slice], *, facets: AbstractSet[str] | None, descending: bool
    ) -> list[RegistrationSummary]:
        """The registrations of the slices, in page order. One query a slice, side by side."""


class RedeemStore(Protocol):
    """Redeems; they are written by `PassStore.update_pass`."""

    def is_stored(self, *, pass_id: int, number: int) -> bool:
        """Whether a pass has the redeem of that number, read consistently."""

    def read_members(self, collection: Collection, slices: Sequence[Slice], *, descending: bool) -> list[Redeem]:
        """The redeems of the slices, in page order. One query a slice, side by side."""

    def remove_segment(self, collection: Collection, segment: int) -> None:
        """Removes the redeems of one segment of a deleted campaign."""


class LookStore(Protocol):
    """Looks: what Passworks calls templates. A project has few."""

    def create_look(self, look: Look, *, receipt: Receipt | None = None) -> None:
        """Stores a new look. Raises AlreadyExists if its name is taken."""

    def list_looks(self, *, project_id: int) -> list[Look]:
        """Every look of a project, ascending by number, read consistently."""

    def delete_look(self, look: Look) -> bool:
        """Removes a look; False if it is gone already."""
