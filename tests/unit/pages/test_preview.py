"""The picture of a card."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from chalicelib.domain.assets import STYLE_IMAGES
from chalicelib.pages.codes import QUIET_MODULES, make_code
from chalicelib.pages.preview import HEIGHT, WIDTH, render_preview
from chalicelib.pages.views import CardView
from tests.unit.pages.cards import LOGO_ID, field, make_card

BLUE, RED = (10, 20, 200), (250, 0, 0)


def no_image(asset_id: str) -> bytes | None:
    return None


def draw(card: CardView, read_image: Callable[[str], bytes | None] = no_image) -> Image.Image:
    with Image.open(io.BytesIO(render_preview(card, read_image))) as picture:
        assert picture.format == "PNG"
        return picture.convert("RGBA")


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    found = picture.convert("RGB").getcolors(WIDTH * HEIGHT)
    assert found is not None
    return {colour for _, colour in found if isinstance(colour, tuple)}


def plain_png(width: int, height: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), RED).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize("style", STYLE_IMAGES)
def test_every_style_gives_a_picture_of_one_size_in_its_own_colour(style: str) -> None:
    card = make_card({"p": field("primary", "x", "y")}, {"background_color": "#0a14c8"}, style=style)

    picture = draw(card)

    assert picture.size == (WIDTH, HEIGHT)
    assert picture.getpixel((WIDTH // 2, 4)) == (*BLUE, 255)
    assert picture.getpixel((0, 0)) == (*BLUE, 0)


def test_the_picture_holds_the_code_of_the_pass() -> None:
    code = make_code("00000001")
    expected = [[bool(dark) for dark in row] for row in code.matrix_iter(border=QUIET_MODULES)]

    picture = draw(make_card(headers={"barcode_value": "00000001", "background_color": "#0a14c8"})).convert("L")

    scale = 250 // len(expected)
    assert _contains(picture, expected, scale)


def _contains(picture: Image.Image, modules: list[list[bool]], scale: int) -> bool:
    size = len(modules) * scale
    left = (WIDTH - size) // 2
    for top in range(HEIGHT - size):
        if all(
            (picture.getpixel((left + x * scale + 1, top + y * scale + 1)) == 0) == dark
            for y, row in enumerate(modules)
            for x, dark in enumerate(row)
        ):
            return True
    return False


def test_the_images_of_a_card_are_read_by_id() -> None:
    asked: list[str] = []

    def read(asset_id: str) -> bytes | None:
        asked.append(asset_id)
        return plain_png(32, 10)

    picture = draw(make_card(logo_id=LOGO_ID), read)

    assert asked == [LOGO_ID]
    assert RED in colours(picture)


@pytest.mark.parametrize("data", [None, b"", b"no picture", plain_png(64, 64)[:60], plain_png(5000, 4000)])
def test_an_image_that_is_missing_broken_or_huge_is_left_out(data: bytes | None) -> None:
    card = make_card(style="storeCard", strip_id=LOGO_ID, logo_id=LOGO_ID)

    assert RED not in colours(draw(card, lambda _: data))


@pytest.mark.parametrize("text", ["٢٣ نقطة", "会員", "😀"])
def test_text_that_the_font_cannot_write_is_left_out(text: str) -> None:
    card, empty = make_card({"p": field("primary", text)}), make_card({"p": field("primary", "")})

    assert draw(card).tobytes() == draw(empty).tobytes()


@pytest.mark.parametrize(("text", "written"), [("Müßig Łódź", "Mussig Lodz"), ("€5", "EUR 5")])
def test_accents_are_dropped_and_symbols_spelled(text: str, written: str) -> None:
    assert (
        draw(make_card({"p": field("primary", text)})).tobytes()
        == draw(make_card({"p": field("primary", written)})).tobytes()
    )


def test_text_of_any_length_stays_on_the_card() -> None:
    fields = {
        f"{kind}{n}": field(kind, "W" * 3000, "L" * 300) for kind in ("header", "primary", "secondary") for n in "12"
    }
    headers = {"logo_text": "T" * 900, "barcode_value": "9" * 6000, "background_color": "#0a14c8"}

    picture = draw(make_card(fields, headers))

    edge = {picture.getpixel((WIDTH - 4, y)) for y in range(30, HEIGHT - 30)}
    assert edge == {(*BLUE, 255)}
