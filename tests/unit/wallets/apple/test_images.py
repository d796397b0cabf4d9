from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from chalicelib.domain.content import Entry
from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.images import image_members
from tests.support.wallet_passes import wallet_pass

KINDS = ("icon", "logo", "strip", "thumbnail", "background", "footer")
IDS = {kind: f"1be36452-0000-4000-8000-00000000000{number}" for number, kind in enumerate(KINDS)}
OTHER = "4e0551fb-0000-4000-8000-000000000009"
DEFAULT_ICON = {"icon.png": 29, "icon@2x.png": 58, "icon@3x.png": 87}


def read_image(asset_id: str, scale: int) -> bytes | None:
    return f"{asset_id} at {scale}".encode()


def members(pass_: Pass) -> dict[str, bytes]:
    return image_members(pass_, read_image)


def kinds_shown(**lists: Any) -> set[str]:
    return {name.removesuffix(".png") for name in members(wallet_pass(**lists)) if "@" not in name}


@pytest.mark.parametrize(
    ("style", "kinds"),
    [
        ("boardingPass", {"icon", "logo", "footer"}),
        ("coupon", {"icon", "logo", "strip"}),
        ("eventTicket", {"icon", "logo", "strip"}),
        ("generic", {"icon", "logo", "thumbnail"}),
        ("storeCard", {"icon", "logo", "strip"}),
    ],
)
def test_each_style_shows_its_kinds_alone(style: str, kinds: set[str]) -> None:
    assert kinds_shown(style=style, lists={f"{kind}_id": asset for kind, asset in IDS.items()}) == kinds


def test_an_event_ticket_without_a_strip_shows_background_and_thumbnail() -> None:
    lists = {"background_id": IDS["background"], "thumbnail_id": IDS["thumbnail"], "strip_id": None}

    assert kinds_shown(style="eventTicket", lists=lists) == {"icon", "background", "thumbnail"}


def test_every_scale_that_there_is_is_in_the_file() -> None:
    found = members(wallet_pass(lists={"icon_id": IDS["icon"], "logo_id": IDS["logo"]}))

    assert list(found) == ["icon.png", "icon@2x.png", "icon@3x.png", "logo.png", "logo@2x.png", "logo@3x.png"]
    assert found["logo@2x.png"] == f"{IDS['logo']} at 2".encode()


def test_a_missing_scale_is_left_out_and_without_the_first_the_whole_image() -> None:
    def read(asset_id: str, scale: int) -> bytes | None:
        missing = {IDS["logo"]: 3, IDS["thumbnail"]: 1}
        return None if scale == missing.get(asset_id) else b"png"

    lists = {f"{kind}_id": IDS[kind] for kind in ("icon", "logo", "thumbnail")}
    found = image_members(wallet_pass(lists=lists), read)

    assert [name for name in found if not name.startswith("icon")] == ["logo.png", "logo@2x.png"]


@pytest.mark.parametrize(
    "written",
    [
        f"https://passes.example.com/api/uploads/asset/{OTHER}/original.png",
        f"/uploads/asset/{OTHER.upper()}/original.png?x=1",
        OTHER,
        f" {OTHER} ",
    ],
)
def test_a_header_names_an_asset_by_address_or_id(written: str) -> None:
    found = members(wallet_pass(headers={"logo_image": written}))

    assert found["logo.png"] == f"{OTHER} at 1".encode()


@pytest.mark.parametrize("written", ["https://elsewhere.example/logo.png", f"https://x.example/{OTHER}", "../../etc"])
def test_other_addresses_are_never_looked_at(written: str) -> None:
    def refuse(asset_id: str, scale: int) -> bytes | None:
        raise AssertionError(asset_id)

    found = image_members(wallet_pass(headers={"logo_image": written}, lists={"icon_id": written}), refuse)

    assert found.keys() == DEFAULT_ICON.keys()


@pytest.mark.parametrize(("header_ticket", "list_ticket", "shown"), [(0, 0, "icon"), (5, 3, "other"), (3, 5, "icon")])
def test_of_the_two_ways_to_name_an_image_the_later_write_counts(
    header_ticket: int, list_ticket: int, shown: str
) -> None:
    pass_ = wallet_pass(lists={"icon_id": IDS["icon"]})
    pass_.content.headers["icon_image"] = Entry({"value": OTHER}, {"value": header_ticket})
    pass_.content.list_tickets["icon_id"] = list_ticket

    assert members(pass_)["icon.png"] == f"{IDS['icon'] if shown == 'icon' else OTHER} at 1".encode()


@pytest.mark.parametrize("lists", [{}, {"icon_id": IDS["icon"]}])
def test_a_pass_without_an_icon_has_ours_in_three_sizes(lists: dict[str, str]) -> None:
    found = image_members(wallet_pass(lists=lists), lambda asset_id, scale: None)

    assert found.keys() == DEFAULT_ICON.keys()
    for name, edge in DEFAULT_ICON.items():
        with Image.open(io.BytesIO(found[name])) as image:
            assert (image.format, image.size) == ("PNG", (edge, edge))
