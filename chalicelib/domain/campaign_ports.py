"""What the rules of registrations and campaigns need from storage; `ports.py` says what holds for every write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from chalicelib.domain.counted_index import Collection, Slice
from chalicelib.domain.looks import Look
from chalicelib.domain.passes import Pass
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.registrations import Registration, RegistrationSummary
from chalicelib.domain.tags import TagReference


class RegistrationStore(Protocol):
    """Which devices hold which passes. Every write changes the pass's status and all counters with it."""

    def find(self, *, device: str, pass_id: int) -> tuple[Pass | None, Registration | None]:
        """A pass of any project, and its registration on that device, read consistently in one call."""

    def list_held(self, *, device: str) -> list[tuple[str, str, int]]:
        """Registration id, serial number and version of every pass on a device, read consistently.

        A pass whose template was deleted is left out, though its own turn has not come yet.
        """

    def read_standing(self, pass_: Pass, *, with_tags: bool) -> tuple[bool, list[TagReference]]:
        """Whether the template of a pass is still there and, if asked for, the live tags of the pass. One call."""

    def register(
        self,
        *,
        before: Pass,
        after: Pass,
        registration: Registration,
        live: Iterable[TagReference],
        event: tuple[str, int] | None = None,
    ) -> None:
        """Stores a new registration. Raises Conflict if there is one, or if the pass was written meanwhile.

        `event` is the name of a vendor's event that counts once, with the epoch second at which it may be forgotten.
        """

    def renew(self, *, before: Registration, after: Registration, now: datetime) -> None:
        """Writes the wallet and the push address of a registration. Raises Conflict if it is gone or has changed."""

    def unregister(
        self,
        *,
        before: Pass,
        after: Pass,
        registrations: Sequence[Registration],
        live: Iterable[TagReference],
        now: datetime,
        event: tuple[str, int] | None = None,
    ) -> None:
        """Removes registrations of one pass, all or none. Raises Conflict."""

    def remember_event(self, event: tuple[str, int]) -> None:
        """Notes an event that changes nothing. Raises Conflict if it is noted already."""

    def is_remembered(self, name: str) -> bool:
        """Whether an event was noted."""

    def list_of_pass(self, *, pass_id: int, limit: int) -> list[Registration]:
        """Registrations of one pass, the oldest first; eventually consistent."""

    def read_members(
        self, collection: Collection, slices: Sequence[Slice], *, facets: AbstractSet[str] | None, descending: bool
    ) -> list[RegistrationSummary]:
        """The registrations of the slices, in page order. One query a slice, side by side."""


class RedeemStore(Protocol):
    """Redeems; they are written by `PassStore.update_pass`."""

    def read_members(self, collection: Collection, slices: Sequence[Slice], *, descending: bool) -> list[Redeem]:
        """The redeems of the slices, in page order. One query a slice, side by side."""

    def remove_segment(self, collection: Collection, segment: int) -> None:
        """Removes the redeems of one segment of a deleted campaign."""


class LookStore(Protocol):
    """Looks: what Passworks calls templates. A project has few."""

    def create_look(self, look: Look) -> None:
        """Stores a new look. Raises AlreadyExists if its name is taken."""

    def list_looks(self, *, project_id: int) -> list[Look]:
        """Every look of a project, ascending by number, read consistently."""

    def delete_look(self, look: Look) -> bool:
        """Removes a look; False if it is gone already."""
