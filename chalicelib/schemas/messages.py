"""Bodies of queue messages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")


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
