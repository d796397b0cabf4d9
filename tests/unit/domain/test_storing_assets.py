"""Uploading and deleting images when parts of the storage fail: no asset without its files, and no half answers."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain import storing_assets
from chalicelib.domain.assets import Asset, AssetType, ConvertedImage, image_key
from chalicelib.domain.errors import Busy, DeleteRefused, InUse, NotFound
from tests.support.samples import MOMENT

PROJECT = 7


class Images:
    """Keeps files in memory; `room` is how many more it takes."""

    def __init__(self, *, room: int = 100) -> None:
        self.files: dict[str, bytes] = {}
        self.room = room
        self.can_delete = True

    def write(self, key: str, data: bytes) -> None:
        if len(self.files) == self.room:
            raise Busy
        self.files[key] = data

    def read(self, key: str) -> bytes | None:
        return self.files.get(key)

    def delete_all(self, prefix: str) -> None:
        if not self.can_delete:
            raise Busy
        self.files = {key: data for key, data in self.files.items() if not key.startswith(prefix)}


class Assets:
    """Keeps rows in memory, and notes which files there were when a row was written."""

    def __init__(self, images: Images) -> None:
        self.rows: dict[tuple[int, int], Asset] = {}
        self.works = True
        self.files_at_creation = 0
        self._images = images

    def create_asset(self, asset: Asset, *, receipt: None = None) -> None:
        if not self.works:
            raise Busy
        self.files_at_creation = len(self._images.files)
        self.rows[asset.project_id, asset.number] = asset

    def get_asset(self, *, project_id: int, number: int) -> Asset | None:
        return self.rows.get((project_id, number))

    def list_assets(self, *, project_id: int) -> list[Asset]:
        return [asset for (owner, _), asset in sorted(self.rows.items()) if owner == project_id]

    def delete_asset(self, asset: Asset) -> bool:
        return self.rows.pop((asset.project_id, asset.number), None) is not None


class Sequences:
    """Counts each name by itself."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def next_values(self, *, name: str, count: int, now: datetime, apart: bool = False) -> tuple[int, datetime]:
        self.values[name] = self.values.get(name, 0) + count
        return self.values[name], now


@pytest.fixture
def platform() -> Any:
    images = Images()
    return SimpleNamespace(
        images=images,
        assets=Assets(images),
        sequences=Sequences(),
        now=lambda: MOMENT,
        receipt_for=lambda _: None,
        new_uuid=lambda number: f"0d9d1ed1-97a5-4a5c-8b43-{number:012x}",
    )


def convert(data: bytes, *, asset_type: AssetType) -> ConvertedImage:
    return ConvertedImage(original=data, scaled={1: b"1", 2: b"2", 3: b"3"})


def create(platform: Any) -> Asset:
    return storing_assets.create_asset(
        platform, project_id=PROJECT, asset_type="logo", data=b"data", convert_image=convert
    )


def delete(platform: Any, asset: Asset, *, used_by: str | None = None) -> None:
    storing_assets.delete_asset(platform, project_id=PROJECT, asset_id=asset.asset_id, is_used=lambda _: used_by)


def test_the_files_are_there_before_the_row(platform: Any) -> None:
    asset = create(platform)

    assert platform.assets.files_at_creation == 4
    assert platform.images.files == {
        image_key(asset.asset_id, name): data
        for name, data in (("original", b"data"), ("1x", b"1"), ("2x", b"2"), ("3x", b"3"))
    }


def test_assets_are_numbered_within_their_project(platform: Any) -> None:
    assert [create(platform).number for _ in range(2)] == [1, 2]
    assert platform.sequences.values == {f"assets:{PROJECT}": 2}


def test_an_upload_whose_files_do_not_all_fit_leaves_nothing(platform: Any) -> None:
    platform.images.room = 3

    with pytest.raises(Busy):
        create(platform)

    assert (platform.assets.rows, platform.images.files) == ({}, {})


def test_the_files_stay_if_the_row_may_have_been_written(platform: Any) -> None:
    platform.assets.works = False

    with pytest.raises(Busy):
        create(platform)

    assert len(platform.images.files) == 4


def test_an_asset_in_use_keeps_its_files(platform: Any) -> None:
    asset = create(platform)

    with pytest.raises(InUse, match=r"Asset in use by 1 templates, e\.g\.: Cocacola"):
        delete(platform, asset, used_by="1 templates, e.g.: Cocacola")

    assert len(platform.images.files) == 4
    assert storing_assets.list_assets(platform, project_id=PROJECT) == [asset]


def test_files_that_cannot_be_removed_do_not_bring_the_asset_back(
    platform: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asset = create(platform)
    platform.images.can_delete = False

    delete(platform, asset)

    assert asset.asset_id in caplog.text
    with pytest.raises(NotFound):
        storing_assets.get_asset_or_raise(platform, project_id=PROJECT, asset_id=asset.asset_id)


def test_of_two_callers_who_delete_an_asset_one_succeeds(platform: Any) -> None:
    asset = create(platform)

    def overtake(_: Asset) -> None:
        platform.assets.rows.clear()

    with pytest.raises(DeleteRefused):
        storing_assets.delete_asset(platform, project_id=PROJECT, asset_id=asset.asset_id, is_used=overtake)


def test_an_id_must_be_right_in_every_digit(platform: Any) -> None:
    wrong = create(platform).asset_id.replace("0d9d1ed1", "0d9d1ed2")

    with pytest.raises(NotFound):
        storing_assets.get_asset_or_raise(platform, project_id=PROJECT, asset_id=wrong)


@pytest.mark.parametrize("name", ["original.png", "", "4x", "../original"])
def test_a_key_is_made_of_an_id_and_a_known_name_alone(name: str) -> None:
    with pytest.raises(ValueError, match="an image is one of"):
        image_key("0d9d1ed1-97a5-4a5c-8b43-000000000001", name)
    with pytest.raises(ValueError, match="UUID"):
        image_key("../secret", "original")
