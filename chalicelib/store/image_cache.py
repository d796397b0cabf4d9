"""Images that this process read lately: they never change, and every pass of a campaign shows the same ones."""

from __future__ import annotations

from threading import Lock
from typing import Final

import cachetools

from chalicelib.domain.asset_ports import ImageStore
from chalicelib.domain.assets import SCALES, image_key, is_asset_id

MAXIMUM_BYTES: Final = 16 * 1024 * 1024


class ImageCache:
    """Scaled images by asset, the least recently used forgotten first. Threads may share it."""

    def __init__(self, store: ImageStore, *, maximum_bytes: int = MAXIMUM_BYTES) -> None:
        self._store = store
        self._maximum_bytes = maximum_bytes
        self._found: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(maximum_bytes, getsizeof=len)
        self._lock = Lock()

    def read_image(self, asset_id: str, scale: int) -> bytes | None:
        """The PNG for screens of `scale` pixels per point; None if there is no such asset or scale.

        Raises:
            Busy: it is not remembered, and storage cannot be reached.
        """
        if not is_asset_id(asset_id) or scale not in SCALES:
            return None
        key = image_key(asset_id, f"{scale}x")
        with self._lock:
            found = self._found.get(key)
        return found if found is not None else self._read(key)

    def _read(self, key: str) -> bytes | None:
        # not under the lock: two threads may read the same image, but neither waits for the other's
        found = self._store.read(key)
        if found is not None and len(found) <= self._maximum_bytes:
            with self._lock:
                self._found[key] = found
        return found
