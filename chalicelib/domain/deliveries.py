"""Which device was told of which ticket. A device is told once, however many of its passes changed (wallets, 2.5)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chalicelib.domain.registrations import Wallet

_NAME_BYTES = 15
"""of a hash that names a device: too many for two of one ticket to share it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Devices of one wallet and one template that are to be told of one ticket."""

    ticket_id: int
    project_id: int
    template_id: int
    """whose report counts the pushes"""
    wallet: Wallet
    pass_type: str
    tokens: tuple[str, ...]
    push_service_url: str | None = None
    attempt: int = 0
    """tries before this one that failed"""
    asked_at: datetime
    """when the change was announced"""
    not_before: datetime | None = None

    @property
    def queue(self) -> str:
        """Each wallet has its own, so that a service that is down delays no other."""
        return f"deliver-{self.wallet.replace('_', '-')}"

    @property
    def service(self) -> str:
        """Names whoever is called: what a pause is for."""
        return f"{self.project_id}#{self.wallet}" + (f"#{self.push_service_url}" if self.push_service_url else "")

    def name_of(self, token: str) -> str:
        """Names one device's delivery, for storage."""
        text = "\n".join((self.wallet, self.pass_type, self.push_service_url or "", token))
        digest = hashlib.sha256(text.encode()).digest()[:_NAME_BYTES]
        return f"{self.ticket_id}#{base64.urlsafe_b64encode(digest).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Of some deliveries: which are the caller's to make, which are made, which are in other hands."""

    mine: AbstractSet[str] = frozenset()
    done: AbstractSet[str] = frozenset()
    busy: AbstractSet[str] = frozenset()
    gone: Mapping[str, datetime] = field(default_factory=dict)
    """the device is gone since then, but its registrations may be there yet"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A service that is left alone for a while."""

    service: str
    until: datetime
    reason: str
    failures: int = 0
    """how often in a row it failed; callbacks let their pauses grow with it"""


class DeliveryStore(Protocol):
    """One small row for each device and ticket; forgotten after some days."""

    def claim(self, names: Sequence[str], *, asked_at: datetime, now: datetime, seconds: float) -> Claims:
        """Takes deliveries that nobody has taken, or whose taker has been silent for `seconds`.

        One that was made before `asked_at` is to be made again: the device may have looked before the change.

        Of several callers at once exactly one gets each.
        """

    def finish(self, names: Sequence[str], *, pushed_at: datetime) -> None:
        """Notes deliveries as made, or as not to be made, not before that moment."""

    def note_gone(self, since: Mapping[str, datetime], *, now: datetime) -> None:
        """Notes that devices are gone, until their registrations are removed."""

    def release(self, names: Sequence[str]) -> None:
        """Gives deliveries back, for anybody to take."""

    def get_pause(self, service: str, *, now: datetime) -> Pause | None:
        """The pause of a service, if there is one."""

    def pause(self, pause: Pause) -> None:
        """Leaves a service alone for a while; a longer pause stays."""

    def list_pauses(self, *, now: datetime) -> list[Pause]:
        """Every pause; reads the whole table, so for operators only."""

    def end_pause(self, service: str) -> bool:
        """Ends a pause; False if there was none."""


def as_document(delivery: Delivery) -> dict[str, Any]:
    """JSON for a queue; `DeliveryMessage` reads it."""
    return {
        "ticket_id": delivery.ticket_id,
        "project_id": delivery.project_id,
        "template_id": delivery.template_id,
        "wallet": str(delivery.wallet),
        "pass_type": delivery.pass_type,
        "tokens": list(delivery.tokens),
        "push_service_url": delivery.push_service_url,
        "attempt": delivery.attempt,
        "asked_at": delivery.asked_at.isoformat(),
        "not_before": delivery.not_before and delivery.not_before.isoformat(),
    }
