"""The public address of uploaded images (passworks-v2, section 9). Who has the address may look."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint

from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.domain.assets import ORIGINAL, image_key, is_asset_id
from chalicelib.domain.errors import NotFound

uploads = Blueprint(__name__)

_HEADERS = {
    "Content-Type": "image/png",
    # an asset never changes
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


@route(
    uploads,
    "/uploads/asset/{asset_id}/{file_name}",
    methods=["GET"],
    open_to_all=True,
    answer="image/png",
    shares=("kept for ever",),
)
def get_image(request: PassworksRequest, asset_id: str, file_name: str) -> Any:
    """Get the image of an asset

    This is an asset's `asset_url`. Whoever has the address may look; an image never changes.
    """
    asked = decode(asset_id)
    found = None
    if is_asset_id(asked) and decode(file_name) == f"{ORIGINAL}.png":
        found = request.platform.images.read(image_key(asked, ORIGINAL))
    if found is None:
        raise NotFound("image", asked)
    return Reply(document=found, headers=_HEADERS)
