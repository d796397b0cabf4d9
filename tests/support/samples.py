"""Domain objects with sensible values, for tests of pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.content import Content, Entry
from chalicelib.domain.passes import Pass, PassStatus
from chalicelib.domain.ports import Bounds
from chalicelib.domain.tags import Tag

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)

BOUNDS = Bounds(
    tags_per_pass=15,
    tag_characters=255,
    locations=10,
    content_bytes=2000,
    budget_seconds=1.0,
    rows_filtered=1000,
    push_seconds=86_400,
    push_pause_seconds=900,
    callback_seconds=86_400,
)


def sample_pass(**changes: Any) -> Pass:
    """A pass never installed, without tags, with one field."""
    pass_ = Pass(
        pass_id=12_345,
        project_id=1,
        template_id=2,
        serial_number="8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00",
        external_id=None,
        download_token="download",
        status=PassStatus.NOT_BEEN_INSTALLED,
        installed_at=None,
        uninstalled_at=None,
        platform=None,
        tags=frozenset(),
        created_at=MOMENT,
        updated_at=MOMENT,
        authentication_token="authentication",
        public_type=None,
        content=Content(fields={"Points": Entry({"fieldType": "primary", "value": "0"})}),
        version=1,
        last_modified=int(MOMENT.timestamp()),
        changed_ticket=0,
        revision=1,
        redeem_code="00000001",
    )
    return replace(pass_, **changes)


def sample_tag(tag_id: int, name: str, *, generation: int = 1) -> Tag:
    """A tag of project 1."""
    return Tag(project_id=1, tag_id=tag_id, name=name, generation=generation, created_at=MOMENT)
