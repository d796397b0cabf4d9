"""Which images a pass file has, and where they come from (wallets, section 5.1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from chalicelib.domain.assets import HIDDEN_BY_STRIP, STYLE_IMAGES, find_asset
from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.pass_json import find_style

ReadImage = Callable[[str, int], bytes | None]
"""the PNG of an asset at scale 1, 2 or 3; None if there is none"""

SCALES = (1, 2, 3)

_DEFAULT_ICONS = Path(__file__).parent / "default_icon"


def image_members(pass_: Pass, read_image: ReadImage) -> dict[str, bytes]:
    """Member name to PNG, in order of the names. A pass without an icon of its own has ours: Wallet insists on one."""
    members: dict[str, bytes] = {}
    for kind in STYLE_IMAGES[find_style(pass_)]:
        if kind in HIDDEN_BY_STRIP and "strip.png" in members:
            continue
        asset_id = find_asset(pass_.content, kind)
        if asset_id is not None:
            members |= _read_scales(kind, asset_id, read_image)
    if "icon.png" not in members:
        members |= _default_icon()
    return dict(sorted(members.items()))


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
