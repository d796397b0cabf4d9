"""Who a project tells of what happens to its passes, and how they can see that it was us.

A project has one receiver for each dialect (airship-wallet-v1, section 8; passworks-v2, section 11). What we sign with
is the same for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

ROTATION = timedelta(days=7)
"""how long callbacks are signed with the secret before as well: longer than a callback is tried"""


class Dialect(StrEnum):
    """In whose words a receiver is told."""

    AIRSHIP = "airship"
    PASSWORKS = "passworks"


@dataclass(frozen=True, slots=True, kw_only=True)
class AirshipReceiver:
    """Gets install, uninstall and personalize callbacks at addresses below its own, with headers of its choice."""

    base_url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassworksReceiver:
    """Gets all webhooks at one address. `authorization` is what the header of that name says, whole."""

    url: str
    authorization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """What a project has set up. `revision` grows with every write."""

    project_id: int
    secret: str
    airship: AirshipReceiver | None = None
    passworks: PassworksReceiver | None = None
    previous_secret: str | None = None
    rotated_at: datetime | None = None
    revision: int = 1

    @property
    def dialects(self) -> frozenset[Dialect]:
        """Those in which anybody listens."""
        listening = {Dialect.AIRSHIP: self.airship, Dialect.PASSWORKS: self.passworks}
        return frozenset(dialect for dialect, receiver in listening.items() if receiver is not None)

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """What callbacks are signed with, the newest first; for a week after a rotation that is two."""
        if self.previous_secret is None or self.rotated_at is None or now - self.rotated_at > ROTATION:
            return (self.secret,)
        return (self.secret, self.previous_secret)


class ReceiverStore(Protocol):
    """Receivers by project."""

    def find_receiver(self, project_id: int) -> Receiver | None:
        """The receiver as it was up to a minute ago: for requests, which pay one call a minute for it."""

    def get_receiver(self, project_id: int) -> Receiver | None:
        """The receiver as it is now, read consistently."""

    def put_receiver(self, receiver: Receiver) -> None:
        """Writes a receiver of the next revision, or the first one of a project. Raises Conflict."""

    def delete_receiver(self, receiver: Receiver) -> None:
        """Removes it. Raises Conflict if it was written meanwhile."""
