"""Images that clients upload for their passes (passworks-v2, section 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from chalicelib.domain.content import IMAGE_HEADER, IMAGE_KINDS, IMAGE_PART, Content, ContentUpdate
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.identifiers import number_in


class AssetType(StrEnum):
    """What an image is for."""

    ICON = "icon"
    LOGO = "logo"
    STRIP = "strip"
    THUMBNAIL = "thumbnail"
    BACKGROUND = "background"
    FOOTER = "footer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An uploaded image. Its bytes are files under `asset_folder`; they never change."""

    asset_id: str
    """a UUID that carries `number`"""
    number: int
    """counted within the project"""
    project_id: int
    asset_type: AssetType
    created_at: datetime
    size_bytes: int
    """of the original as PNG"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The space that a wallet gives an image, in points."""

    width: int
    height: int


BOXES: Final[dict[AssetType, Box]] = {
    AssetType.ICON: Box(width=29, height=29),
    AssetType.LOGO: Box(width=160, height=50),
    AssetType.STRIP: Box(width=375, height=144),
    AssetType.THUMBNAIL: Box(width=90, height=90),
    AssetType.BACKGROUND: Box(width=180, height=220),
    AssetType.FOOTER: Box(width=286, height=15),
}
"""What Apple Wallet wants. An event ticket shows 375 x 98 of its strip; the image is kept for every style."""

SCALES: Final = (1, 2, 3)
"""pixels per point of the screens there are"""

ORIGINAL: Final = "original"
IMAGE_NAMES: Final = (ORIGINAL, *(f"{scale}x" for scale in SCALES))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedImage:
    """An upload as PNG files."""

    original: bytes
    scaled: dict[int, bytes] = field(default_factory=dict)
    """scale to the image that fits the box of that scale"""

    @property
    def by_name(self) -> dict[str, bytes]:
        """Name of the file, such as `original` or `2x`, to its bytes."""
        return {ORIGINAL: self.original} | {f"{scale}x": data for scale, data in self.scaled.items()}


def parse_asset_type(text: str | None) -> AssetType:
    """The type of that name.

    Raises:
        InvalidRequest: it is missing or unknown.
    """
    try:
        return AssetType(text or "")
    except ValueError as error:
        names = ", ".join(AssetType)
        raise InvalidRequest(f"must be one of {names}", field="asset[asset_type]") from error


def is_asset_id(text: str) -> bool:
    """Whether this is a UUID in lower case, and so safe as part of a key; not whether there is such an asset."""
    return number_in(text) is not None


def asset_folder(asset_id: str) -> str:
    """What the keys of all files of an asset begin with.

    Raises:
        ValueError: this is no asset id; ask `is_asset_id` first.
    """
    if not is_asset_id(asset_id):
        raise ValueError("an asset id is a UUID in lower case")
    return f"assets/{asset_id}/"


def image_key(asset_id: str, name: str) -> str:
    """Where a file of an asset is; `name` is one of IMAGE_NAMES.

    Raises:
        ValueError: this is no asset id, or no such name.
    """
    if name not in IMAGE_NAMES:
        raise ValueError(f"an image is one of {', '.join(IMAGE_NAMES)}")
    return f"{asset_folder(asset_id)}{name}.png"


STYLE_IMAGES: Final = {
    "boardingPass": ("icon", "logo", "footer"),
    "coupon": ("icon", "logo", "strip"),
    "eventTicket": ("icon", "logo", "strip", "thumbnail", "background"),
    "generic": ("icon", "logo", "thumbnail"),
    "storeCard": ("icon", "logo", "strip"),
}
"""the images that each pass style has a place for"""

HIDDEN_BY_STRIP: Final = ("thumbnail", "background")
"""what an event ticket with a strip does not show"""

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ADDRESS = re.compile(rf"(?:https?://\S+)?/uploads/asset/({_UUID})(?:/\S*)?|({_UUID})", re.IGNORECASE)


def find_asset(content: Content, kind: str) -> str | None:
    """The asset that a content shows as icon, logo and so on.

    One dialect writes `icon_id`, the other the header `icon_image`; whichever was written last counts.
    """
    header = kind + IMAGE_HEADER
    by_id = _read_asset_id(content.lists.get(kind + IMAGE_PART))
    by_header = _read_asset_id(content.header(header))
    if by_id is None or by_header is None:
        return by_id or by_header
    header_ticket = content.headers[header].tickets.get("value", 0)
    return by_header if header_ticket > content.list_tickets.get(kind + IMAGE_PART, 0) else by_id


def prefer_headers(content: Content, headers: Iterable[str]) -> None:
    """Takes out the images that these headers, which were written last, name anew. Where nothing has a ticket yet, the
    other dialect's name would win."""
    for kind in IMAGE_KINDS:
        header = kind + IMAGE_HEADER
        if header in headers and _read_asset_id(content.header(header)) is not None:
            content.lists.pop(kind + IMAGE_PART, None)


def turns_to_another_image(before: Content, after: Content, update: ContentUpdate) -> bool:
    """Whether an update made a content show another image, maybe by writing again what was there: that counts too as
    written last."""
    return any(find_asset(before, kind) != find_asset(after, kind) for kind in update.image_kinds)


def _read_asset_id(value: object) -> str | None:
    """The id in one of our asset addresses, or an id by itself. Any other address is left alone: we fetch nothing."""
    match = _ADDRESS.fullmatch(str(value).strip()) if isinstance(value, str) else None
    return (match[1] or match[2]).lower() if match else None
