"""Looks: what Passworks calls a template, the appearance that campaigns share (passworks-v2, section 9)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.content import Content

LOOK_IMAGES = ("icon_id", "logo_id", "strip_id", "thumbnail_id", "background_id", "footer_id")
"""Parts of a content that name assets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours, images, barcode form and style, under a name that is unique in the project."""

    look_id: str
    number: int
    project_id: int
    name: str
    description: str
    source: str
    """`api`, or `campaign` for one that was made together with its campaign"""
    content: Content
    """headers and parts only, no fields"""
    created_at: datetime

    @property
    def style(self) -> str:
        """The pass style, such as `storeCard`."""
        return str(self.content.lists["style"])

    def encode(self) -> str:
        """JSON: the stored form of what is not a key."""
        document = {"description": self.description, "source": self.source, "content": self.content.encode()}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def uses(self, asset_id: str) -> bool:
        """Whether one of its images is that asset."""
        return any(self.content.lists.get(name) == asset_id for name in LOOK_IMAGES)
