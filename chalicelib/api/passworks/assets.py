"""Images of an account (passworks-v2, section 9)."""

from __future__ import annotations

from functools import partial
from typing import Any

from chalice import Blueprint

from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.paging import PAGING, paging_headers, read_paging
from chalicelib.domain import storing_assets
from chalicelib.domain.assets import Asset
from chalicelib.domain.filtering import Kind, show
from chalicelib.settings import get_settings

assets = Blueprint(__name__)

FILE = "asset[file]"
TYPE = "asset[asset_type]"

LARGEST_BODY_BYTES = 4 * 1024 * 1024
"""what Lambda can be handed, by and large; the image in it has its own limit, `asset_bytes`"""


@route(
    assets, "/v2/assets", methods=["GET"], query=PAGING, answer="passworks_answers.AssetObject[]", shares=("paging",)
)
def list_assets(request: PassworksRequest) -> Any:
    """List assets

    One page of the account's images, the oldest first.
    """
    paging = read_paging(request)
    found = storing_assets.list_assets(request.platform, project_id=request.project_id)
    shown = found[paging.offset : paging.offset + paging.size]
    return Reply(
        document=[show_asset(asset, base_url=request.base_url) for asset in shown],
        headers=paging_headers(paging, len(found)),
    )


@route(
    assets,
    "/v2/assets",
    methods=["POST"],
    status=201,
    maximum_body_bytes=LARGEST_BODY_BYTES,
    body="read_by_hand.AssetForm",
    answer="passworks_answers.AssetObject",
    shares=("create",),
    takes_key=True,
)
def create_asset(request: PassworksRequest) -> Any:
    """Upload an asset

    An image for passes: JPEG, PNG or GIF, at most 1 MB, as a multipart form with its parts in any order. It is kept as
    PNG.
    """
    from chalicelib.api.multipart import read_multipart

    parts = read_multipart(request.body, request.content_type, maximum_file_bytes=get_settings().limits.asset_bytes)
    show = partial(show_asset, base_url=request.base_url)
    asset = storing_assets.create_asset(
        request.finishing(show),
        project_id=request.project_id,
        asset_type=parts[TYPE].text if TYPE in parts else None,
        data=parts[FILE].data if FILE in parts else None,
        convert_image=request.platform.convert_image,
    )
    return show(asset)


@route(assets, "/v2/assets/{asset_id}", methods=["GET"], answer="passworks_answers.AssetObject")
def get_asset(request: PassworksRequest, asset_id: str) -> Any:
    """Get an asset

    What the image is for, and the address where the image itself is, which needs no credentials.
    """
    asset = storing_assets.get_asset_or_raise(
        request.platform, project_id=request.project_id, asset_id=decode(asset_id)
    )
    return show_asset(asset, base_url=request.base_url)


@route(assets, "/v2/assets/{asset_id}", methods=["DELETE"], answer="passworks_answers.Deleted", refuses=(412,))
def delete_asset(request: PassworksRequest, asset_id: str) -> Any:
    """Delete an asset

    Refused with 412 while a template shows it, and if there is no such asset.
    """
    storing_assets.delete_asset(
        request.platform,
        project_id=request.project_id,
        asset_id=decode(asset_id),
        is_used=partial(storing_assets.describe_looks_using, request.platform),
    )
    return {"errors": []}


def show_asset(asset: Asset, *, base_url: str) -> dict[str, Any]:
    """The object that clients see; times of assets have whole seconds (section 1)."""
    return {
        "id": asset.asset_id,
        "asset_type": asset.asset_type.value,
        "created_at": show(Kind.TIME, asset.created_at),
        "asset_url": f"{base_url}/uploads/asset/{asset.asset_id}/original.png",
    }
