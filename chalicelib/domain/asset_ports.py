"""What the rules about images need from the outside: rows, files and a converter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.assets import Asset, AssetType, ConvertedImage

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt


class AssetStore(Protocol):
    """What is known about each image. Any call raises `Busy` when storage cannot be reached."""

    def create_asset(self, asset: Asset, *, receipt: Receipt | None = None) -> None:
        """Stores a new asset. Raises Conflict if the number is taken."""

    def get_asset(self, *, project_id: int, number: int) -> Asset | None:
        """The asset, read consistently."""

    def list_assets(self, *, project_id: int) -> list[Asset]:
        """Every asset of a project, ascending by number. One query: a project has few."""

    def delete_asset(self, asset: Asset) -> bool:
        """Removes it; False if it was gone already, so that of two callers one succeeds."""


class ImageStore(Protocol):
    """The bytes of images, by key. Any call raises `Busy` when storage cannot be reached or is not configured."""

    def write(self, key: str, data: bytes) -> None:
        """Stores a PNG file, whole or not at all."""

    def read(self, key: str) -> bytes | None:
        """The file, or None."""

    def delete_all(self, prefix: str) -> None:
        """Removes every file whose key begins with `prefix`, which ends with a slash. Idempotent."""


class ConvertImage(Protocol):
    """Turns an upload into PNG files."""

    def __call__(self, data: bytes, *, asset_type: AssetType) -> ConvertedImage:
        """Raises InvalidRequest if the bytes are no image that we take."""
