"""Bodies of queue messages."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chalicelib.domain.callback_events import CallbackEvent
from chalicelib.domain.callbacks import CallbackTask
from chalicelib.domain.deliveries import Delivery
from chalicelib.domain.receivers import Dialect
from chalicelib.domain.registrations import Wallet


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class PlanMessage(_Message):
    """Cut a bulk update into segments; or send the segment messages from index `start` of its plan."""

    ticket_id: int = Field(ge=1)
    start: int = Field(default=0, ge=0)


class SegmentMessage(_Message):
    """Apply a bulk update to the passes of one segment."""

    ticket_id: int = Field(ge=1)
    segment: int = Field(ge=0)


class SweepMessage(_Message):
    """Clear away a dead collection, or just these segments of it."""

    collection: str
    segments: list[int] | None = None


class _OutboxMessage(_Message):
    outbox: str | None = None
    """the row to take out of the outbox once the message is handled"""


class PushMessage(_OutboxMessage):
    """Tell the devices that hold these passes, which are of one segment; `after` is where to go on among them."""

    ticket_id: int = Field(ge=1)
    project_id: int = Field(ge=1)
    pass_ids: list[int]
    after: tuple[int, str] | None = None
    asked_at: AwareDatetime


class DeliveryMessage(_Message):
    """Push to these devices of one wallet."""

    ticket_id: int = Field(ge=1)
    project_id: int = Field(ge=1)
    template_id: int = Field(ge=1)
    wallet: Wallet
    pass_type: str
    tokens: list[str]
    push_service_url: str | None = None
    attempt: int = Field(default=0, ge=0)
    asked_at: AwareDatetime
    not_before: AwareDatetime | None = None

    def as_delivery(self) -> Delivery:
        """The same for the domain."""
        return Delivery(**{**dict(self), "tokens": tuple(self.tokens)})


class CallbackEventBody(_Message):
    """One event in one dialect's words."""

    event_id: str
    dialect: Dialect
    name: str
    template_id: int = Field(ge=1)
    path: str
    body: dict[str, Any]
    happened_at: AwareDatetime


class CallbackMessage(_OutboxMessage):
    """Tell a project's receivers of these events; several are new ones, which are told one by one."""

    project_id: int = Field(ge=1)
    events: list[CallbackEventBody] = Field(min_length=1)
    attempt: int = Field(default=0, ge=0)
    since: AwareDatetime | None = None
    not_before: AwareDatetime | None = None

    def as_task(self) -> CallbackTask:
        """The message as the domain has it."""
        return CallbackTask(
            project_id=self.project_id,
            events=[CallbackEvent(**event.model_dump()) for event in self.events],
            attempt=self.attempt,
            since=self.since,
            not_before=self.not_before,
            outbox=self.outbox,
        )
