"""The public addresses of campaigns and passes (passworks-v2, sections 6 and 8).

A distribution's page is `<base>/p/<distribution>`, a pass's page `<base>/p/<distribution>/<pass>`. The code of a
distribution says where the campaign is stored, the code of a pass carries its download token: whoever holds the address
may have the pass. The short addresses of the contract are these same ones.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.identifiers import LARGEST_NUMBER

Suffix = Literal["", ".pkpass", ".png", ".qrcode", ".google"]

SUFFIXES: tuple[Suffix, ...] = (".pkpass", ".png", ".qrcode", ".google")

ANY_DISTRIBUTION = "pass"
"""stands for the distribution in addresses of passes made by whoever does not know the campaign; no code is so short"""

FILE_QUERY = ("as", "file")
"""With this parameter a `.pkpass` address gives the pass itself to everyone. Without it a browser on Android gets a
page that offers wallets, and the links on that page would lead back to it."""

_PROJECT_BYTES = 6
_CODE_BYTES = _PROJECT_BYTES + 16
_PASS_CODE = re.compile(r"([1-9][0-9]{0,15})-([A-Za-z0-9_-]{1,128})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUrls:
    """Where a campaign or a pass is found on the web."""

    page_url: str
    pkpass_url: str
    pkpass_file_url: str
    """the same pass, never a page in its place (`FILE_QUERY`)"""
    preview_url: str
    qrcode_url: str
    google_url: str
    """leads on to Google's page that saves the pass"""


def distribution_code(project_id: int, campaign_id: str) -> str:
    """How a page address names a campaign: 30 characters that are safe in a path.

    Raises:
        ValueError: the project id is negative or too large, or the campaign id is no UUID.
    """
    if not 0 <= project_id <= LARGEST_NUMBER:
        raise ValueError(f"{project_id} does not fit into {_PROJECT_BYTES} bytes")
    code = project_id.to_bytes(_PROJECT_BYTES, "big") + uuid.UUID(campaign_id).bytes
    return base64.urlsafe_b64encode(code).rstrip(b"=").decode()


def distribution_id(campaign_id: str) -> str:
    """The id of a campaign's one distribution, made from the campaign's."""
    digest = hashlib.sha256(f"distribution of {campaign_id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def parse_distribution_code(code: str) -> tuple[int, str] | None:
    """The project id and the campaign id in a code; None unless `distribution_code` writes exactly this."""
    try:
        decoded = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (ValueError, binascii.Error):
        return None
    if len(decoded) != _CODE_BYTES:
        return None
    project_id = int.from_bytes(decoded[:_PROJECT_BYTES], "big")
    campaign_id = str(uuid.UUID(bytes=decoded[_PROJECT_BYTES:]))
    return (project_id, campaign_id) if distribution_code(project_id, campaign_id) == code else None


def pass_code(pass_id: int, download_token: str) -> str:
    """How a page address names a pass: its id, then its token."""
    return f"{pass_id}-{download_token}"


def parse_pass_code(code: str) -> tuple[int, str] | None:
    """The pass id and the token that a code claims, unchecked; None for what `pass_code` does not write."""
    match = _PASS_CODE.fullmatch(code)
    if match is None or int(match[1]) > LARGEST_NUMBER:
        return None
    return int(match[1]), match[2]


def split_suffix(last_segment: str) -> tuple[str, Suffix]:
    """The code in the last segment of a page address, and what of it is asked for: `""` is the page."""
    for suffix in SUFFIXES:
        if last_segment.endswith(suffix):
            return last_segment.removesuffix(suffix), suffix
    return last_segment, ""


def distribution_urls(base_url: str, *, code: str, updated_at: datetime) -> PageUrls:
    """The addresses of a campaign's distribution. The preview's changes with the campaign, since others keep copies."""
    return _page_urls(f"{base_url.rstrip('/')}/p/{code}", updated_at=updated_at)


def pass_urls(base_url: str, *, distribution: str, code: str, updated_at: datetime) -> PageUrls:
    """The addresses of a pass; `distribution` is the code of its campaign."""
    return _page_urls(f"{base_url.rstrip('/')}/p/{distribution}/{code}", updated_at=updated_at)


def _page_urls(page_url: str, *, updated_at: datetime) -> PageUrls:
    name, value = FILE_QUERY
    return PageUrls(
        page_url=page_url,
        pkpass_url=f"{page_url}.pkpass",
        pkpass_file_url=f"{page_url}.pkpass?{name}={value}",
        preview_url=f"{page_url}.png?updated_at={int(updated_at.timestamp())}",
        qrcode_url=f"{page_url}.qrcode",
        google_url=f"{page_url}.google",
    )
