"""Tickets: one for each accepted write of content, and the progress of the long ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import Collection, passes_of_tag, passes_of_template
from chalicelib.domain.outgoing import Outgoing


class TicketStatus(StrEnum):
    """airship-wallet-v1, section 7"""

    PREQUED = "PREQUED"
    QUEUED = "QUEUED"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


UNFINISHED = (TicketStatus.PREQUED, TicketStatus.QUEUED)


@dataclass(frozen=True, slots=True)
class TagTarget:
    """The passes that a bulk update is for: those of a tag, in the generation it had when the update was accepted."""

    tag_id: int
    generation: int


@dataclass(frozen=True, slots=True)
class TemplateTarget:
    """The passes that a merge is for: those of a campaign."""

    template_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a ticket is, in passes. `total` was counted when the ticket was accepted."""

    total: int = 0
    processed: int = 0
    changed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One accepted write of content. The number orders writes: the higher ticket wins, field by field."""

    ticket_id: int
    project_id: int
    status: TicketStatus
    created_at: datetime
    target: TagTarget | TemplateTarget | None
    """None for an update of a single pass, which is finished when it is answered"""
    progress: Progress
    segments_total: int | None = None
    """None until planned"""
    segments_done: int = 0
    segments_failed: int = 0

    @property
    def collection(self) -> Collection | None:
        """The collection a bulk update walks."""
        if self.target is None:
            return None
        if isinstance(self.target, TemplateTarget):
            return passes_of_template(self.target.template_id)
        return passes_of_tag(project_id=self.project_id, tag_id=self.target.tag_id, generation=self.target.generation)


@dataclass(frozen=True, slots=True)
class SegmentWork:
    """What a worker has to know before it handles a segment."""

    ticket: Ticket
    update: ContentUpdate | None
    """what is written; None if the ticket brought nothing"""
    is_done: bool
    """the segment was handled before"""


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What handling one segment came to, in passes."""

    project_id: int
    processed: int
    changed: int
    failed: int
    changed_by_template: Mapping[int, int] = field(default_factory=dict)
    """template id to how many of its passes changed, for the reports"""
    outgoing: tuple[Outgoing, ...] = ()
    """asks for the pushes; written with the mark of the segment"""
    is_last: bool = False
    """the ticket is COMPLETED with it"""
