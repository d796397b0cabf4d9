"""Uploading, listing and deleting images (passworks-v2, sections 9 and 12)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chalicelib.domain.asset_ports import ConvertImage
from chalicelib.domain.assets import Asset, asset_folder, image_key, parse_asset_type
from chalicelib.domain.errors import Busy, DeleteRefused, InUse, InvalidRequest, NotFound
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.ports import Platform

_log = logging.getLogger("passel")


def create_asset(
    platform: Platform, *, project_id: int, asset_type: str | None, data: bytes | None, convert_image: ConvertImage
) -> Asset:
    """Stores an upload as PNG in every size. The files come first, so an asset that exists can be shown.

    Raises:
        InvalidRequest: the type or the file is missing or of no use.
        Busy: storage could not be reached; no asset was made.
    """
    known_type = parse_asset_type(asset_type)
    if not data:
        raise InvalidRequest("can't be blank", field="asset[file]")
    converted = convert_image(data, asset_type=known_type)
    number, created_at = platform.sequences.next_values(name=f"assets:{project_id}", count=1, now=platform.now())
    asset = Asset(
        asset_id=platform.new_uuid(number),
        number=number,
        project_id=project_id,
        asset_type=known_type,
        created_at=created_at,
        size_bytes=len(converted.original),
    )
    try:
        for name, image in converted.by_name.items():
            platform.images.write(image_key(asset.asset_id, name), image)
    except Busy:
        _delete_files(platform, asset)
        raise
    # after this call fails the row may be there nevertheless, so the files stay
    platform.assets.create_asset(asset, receipt=platform.receipt_for(asset))
    return asset


def get_asset_or_raise(platform: Platform, *, project_id: int, asset_id: str) -> Asset:
    """The project's asset.

    Raises:
        NotFound: there is none of that id, or it is another project's.
    """
    number = number_in(asset_id)
    asset = platform.assets.get_asset(project_id=project_id, number=number) if number is not None else None
    if asset is None or asset.asset_id != asset_id:
        raise NotFound("asset", asset_id)
    return asset


def list_assets(platform: Platform, *, project_id: int) -> list[Asset]:
    """The project's assets, oldest first, ties by id (passworks-v2, section 12)."""
    found = platform.assets.list_assets(project_id=project_id)
    return sorted(found, key=lambda asset: (asset.created_at, asset.asset_id))


def delete_asset(platform: Platform, *, project_id: int, asset_id: str, is_used: Callable[[Asset], str | None]) -> None:
    """Removes an asset that nothing uses. The row goes first: what is left of a failure is a file that nobody names.

    `is_used` says by what an asset is used, such as `1 templates, e.g.: Cocacola`, or None.

    Raises:
        DeleteRefused: there is none of that id, or another caller deleted it at the same time.
        InUse: something shows it.
        Busy: storage could not be reached.
    """
    try:
        asset = get_asset_or_raise(platform, project_id=project_id, asset_id=asset_id)
    except NotFound as error:
        raise DeleteRefused("asset", asset_id) from error
    _refuse_if_used(asset, is_used)
    if not platform.assets.delete_asset(asset):
        raise DeleteRefused("asset", asset_id)
    try:
        # whoever begins to use it looks for it once more after that: of two at least one notices the other
        _refuse_if_used(asset, is_used)
    except InUse:
        platform.assets.create_asset(asset)
        raise
    _delete_files(platform, asset)


def _refuse_if_used(asset: Asset, is_used: Callable[[Asset], str | None]) -> None:
    users = is_used(asset)
    if users is not None:
        raise InUse(f"Asset in use by {users}", field="asset")


def describe_looks_using(platform: Platform, asset: Asset) -> str | None:
    """How many looks show the asset and the name of one, in the words of the live service; None if none does."""
    looks = platform.looks.list_looks(project_id=asset.project_id)
    names = [look.name for look in looks if look.uses(asset.asset_id)]
    return f"{len(names)} templates, e.g.: {names[0]}" if names else None


def _delete_files(platform: Platform, asset: Asset) -> None:
    """Removes the files of an asset that is no more, or never was; what cannot be removed is only logged."""
    try:
        platform.images.delete_all(asset_folder(asset.asset_id))
    except Busy:
        _log.exception("the files of asset %s could not be removed", asset.asset_id)
