"""Contents and cards for tests of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.content import Content, Entry
from chalicelib.pages.views import CardView, view_content

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BASE_URL = "https://passes.example"
PAGE_URL = f"{BASE_URL}/p/AAAAAAAB/12345-token"
LOGO_ID = "8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00"


def field(kind: str, value: object, label: str = "", **more: object) -> Entry:
    """A field of a kind: primary, back and so on."""
    return Entry({"fieldType": kind, "value": value, "label": label, **more})


def make_content(
    fields: Mapping[str, Entry] | None = None, headers: Mapping[str, object] | None = None, **lists: Any
) -> Content:
    """Content with these fields, header values and lists."""
    return Content(
        fields=dict(fields or {}),
        headers={name: Entry({"value": value}) for name, value in (headers or {}).items()},
        lists=lists,
    )


def make_card(
    fields: Mapping[str, Entry] | None = None, headers: Mapping[str, object] | None = None, **lists: Any
) -> CardView:
    """The card of such content, of a generic pass unless the lists name a style."""
    return view(make_content(fields, headers, **lists))


def view(content: Content, redeem_code: str = "") -> CardView:
    """The card of any content, on a fixed day."""
    return view_content(
        content,
        style="generic",
        organization="Paw Planet",
        description="Membership",
        base_url=BASE_URL,
        now=NOW,
        redeem_code=redeem_code,
    )
