"""Passes as wallets see them, for tests of what is sent to wallets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.content import Content, Entry
from chalicelib.domain.passes import Pass, PassStatus

SERIAL_NUMBER = "8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00"
TOKEN = "kPZkMX3Ujr1Vb7cFy0nW8sTq5LhDgEaR"
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def wallet_pass(
    *,
    style: str | None = "generic",
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    headers: Mapping[str, Mapping[str, Any] | str] | None = None,
    lists: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Pass:
    """A pass that shows this much; a header given as a text has it for its value."""
    entries = {
        header: Entry({"value": content} if isinstance(content, str) else dict(content))
        for header, content in (headers or {}).items()
    }
    content = Content(
        fields={field: Entry(dict(attributes)) for field, attributes in (fields or {}).items()},
        headers=entries,
        lists={**({"style": style} if style is not None else {}), **(lists or {})},
    )
    pass_ = Pass(
        pass_id=12_345,
        project_id=1,
        template_id=2,
        serial_number=SERIAL_NUMBER,
        external_id=None,
        download_token="download",
        status=PassStatus.NOT_BEEN_INSTALLED,
        installed_at=None,
        uninstalled_at=None,
        platform=None,
        tags=frozenset(),
        created_at=MODIFIED,
        updated_at=MODIFIED,
        authentication_token=TOKEN,
        public_type=None,
        content=content,
        version=1,
        last_modified=int(MODIFIED.timestamp()),
        changed_ticket=0,
        revision=1,
        redeem_code="00000001",
    )
    return replace(pass_, **changes)
