"""Redeems: each use of a pass at a till (passworks-v2, sections 8 and 12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """One use of one pass. `number` orders a campaign's redeems."""

    redeem_id: str
    number: int
    template_id: int
    pass_id: int
    serial_number: str
    redeem_code: str
    comment: str | None
    created_at: datetime
