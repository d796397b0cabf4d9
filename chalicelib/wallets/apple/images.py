"""Which images a pass file has, and where they come from (wallets, section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from chalicelib.domain.content import Content
from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.pass_json import find_style
from chalicelib.wallets.apple.values import as_text, read_header

ReadImage = Callable[[str, int], bytes | None]
"""the PNG of an asset at scale 1, 2 or 3; None if there is none"""

SCALES = (1, 2, 3)

KINDS = {
    "boardingPass": ("icon", "logo", "footer"),
    "coupon": ("icon", "logo", "strip"),
    "eventTicket": ("icon", "logo", "strip", "background", "thumbnail"),
    "generic": ("icon", "logo", "thumbnail"),
    "storeCard": ("icon", "logo", "strip"),
}
"""what each style may show"""

_UNDER_STRIP = ("background", "thumbnail")
"""an event ticket with a strip image shows neither"""

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ASSET = re.compile(rf"(?:https?://\S+)?/uploads/asset/({_UUID})/\S*|({_UUID})", re.IGNORECASE)
_DEFAULT_ICONS = Path(__file__).parent / "default_icon"


def image_members(pass_: Pass, read_image: ReadImage) -> dict[str, bytes]:
    """Member name to PNG, in order of the names. A pass without an icon of its own has ours: Wallet insists on one."""
    members: dict[str, bytes] = {}
    for kind in KINDS[find_style(pass_)]:
        if kind in _UNDER_STRIP and "strip.png" in members:
            continue
        asset_id = find_asset(pass_.content, kind)
        if asset_id is not None:
            members |= _read_scales(kind, asset_id, read_image)
    if "icon.png" not in members:
        members |= _default_icon()
    return dict(sorted(members.items()))


def find_asset(content: Content, kind: str) -> str | None:
    """The asset that a pass shows as icon, logo and so on.

    One dialect writes `icon_id`, the other the header `icon_image`; whichever was written last counts.
    """
    header = f"{kind}_image"
    by_id = _read_asset_id(content.lists.get(f"{kind}_id"))
    by_header = _read_asset_id(read_header(content, header))
    if by_id is None or by_header is None:
        return by_id or by_header
    header_ticket = content.headers[header].tickets.get("value", 0)
    return by_header if header_ticket > content.list_tickets.get(f"{kind}_id", 0) else by_id


def _read_asset_id(value: object) -> str | None:
    """The id in one of our asset addresses, or an id by itself. Any other address is left alone: we fetch nothing."""
    match = _ASSET.fullmatch(as_text(value).strip())
    return (match[1] or match[2]).lower() if match else None


def _read_scales(kind: str, asset_id: str, read_image: ReadImage) -> dict[str, bytes]:
    """All scales, or nothing if the first is missing: Wallet looks for that one."""
    images = {scale: read_image(asset_id, scale) for scale in SCALES}
    if images[1] is None:
        return {}
    return {_name(kind, scale): image for scale, image in images.items() if image is not None}


@cache
def _default_icon() -> dict[str, bytes]:
    names = [_name("icon", scale) for scale in SCALES]
    return {name: (_DEFAULT_ICONS / name).read_bytes() for name in names}


def _name(kind: str, scale: int) -> str:
    return f"{kind}.png" if scale == 1 else f"{kind}@{scale}x.png"
