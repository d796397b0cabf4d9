"""What becomes of an upload: which images are taken, in which sizes they are kept, and what is left out of them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from chalicelib.domain.assets import BOXES, SCALES, AssetType, ConvertedImage
from chalicelib.domain.errors import InvalidRequest
from chalicelib.wallets import images
from chalicelib.wallets.images import convert_image

LIMIT = 1_000_000
RED = (255, 0, 0)
BLUE = (0, 0, 255)


def write(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(width: int, height: int, *, colour: Any = RED, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), colour)


def halves(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right."""
    image = plain(width, height)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def convert(data: bytes, *, asset_type: AssetType = AssetType.LOGO, limit: int = LIMIT) -> ConvertedImage:
    return convert_image(data, asset_type=asset_type, maximum_pixels=limit)


def read(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def near(one: tuple[int, ...], other: tuple[int, ...], *, by: int = 8) -> bool:
    return all(abs(left - right) <= by for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_each_format_becomes_png_of_the_same_size_and_look(kind: str) -> None:
    original = read(convert(write(halves(200, 80), kind)).original)

    assert (original.format, original.mode, original.size) == ("PNG", "RGB", (200, 80))
    assert near(pixel(original, 20, 40), RED)
    assert near(pixel(original, 180, 40), BLUE)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "WEBP", "ICO", "PPM"])
def test_other_formats_are_refused_whatever_they_are_called(kind: str) -> None:
    with pytest.raises(InvalidRequest, match="jpg, png or gif") as refused:
        convert(write(plain(32, 32), kind))

    assert refused.value.field == "asset[file]"


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="jpg, png or gif"):
        convert(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_half_an_image_is_refused(kind: str) -> None:
    data = write(Image.effect_noise((100, 100), 80).convert("RGB"), kind)

    with pytest.raises(InvalidRequest, match="complete"):
        convert(data[: len(data) // 2])


def test_the_first_frame_of_an_animation_counts() -> None:
    data = write(plain(20, 20), "GIF", save_all=True, append_images=[plain(20, 20, colour=BLUE)])

    assert near(pixel(read(convert(data).original), 10, 10), RED)


def test_several_pictures_in_one_jpeg_file_are_the_first_one() -> None:
    data = write(plain(20, 20), "MPO", save_all=True, append_images=[plain(20, 20, colour=BLUE)])

    assert near(pixel(read(convert(data).original), 10, 10), RED)


def test_the_limit_of_pixels_is_exact_and_named() -> None:
    data = write(plain(100, 50), "PNG")

    convert(data, limit=5000)
    with pytest.raises(InvalidRequest, match=r"has 100 x 50 pixels, the limit is 4999 pixels"):
        convert(data, limit=4999)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 99))]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*chunks, (b"IEND", b"")]
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [10_000, 12_000, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(_: Image.Image) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpack)
    with pytest.raises(InvalidRequest):
        convert(png_header(side, side))


def test_a_bomb_in_the_metadata_is_refused() -> None:
    notes = PngInfo()
    notes.add_text("comment", "a" * 3_000_000, zip=True)

    with pytest.raises(InvalidRequest):
        convert(write(plain(10, 10), "PNG", pnginfo=notes))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_a_camera_is_put_upright(orientation: int) -> None:
    upright = halves(40, 20)
    upright.paste((0, 255, 0), (0, 0, 10, 10))
    turned = upright if orientation == 1 else upright.transpose(_CAMERA[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation

    original = read(convert(write(turned, "PNG", exif=exif)).original)

    assert original.size == (40, 20)
    assert [pixel(original, x, y) for x, y in ((5, 5), (5, 15), (35, 5))] == [(0, 255, 0), RED, BLUE]


_CAMERA = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""how a camera that writes the orientation holds the picture"""


def test_metadata_does_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = write(plain(20, 20), "JPEG", exif=exif, icc_profile=profile, comment="secret", dpi=(300, 300))

    converted = convert(data)

    for written in converted.by_name.values():
        assert read(written).info == {}
        assert b"taken at home" not in written


@pytest.mark.parametrize("profile", [b"", b"nonsense", b"\0" * 200])
def test_a_damaged_colour_profile_is_left_aside(profile: bytes) -> None:
    assert near(pixel(read(convert(write(plain(9, 9), "JPEG", icc_profile=profile)).original), 4, 4), RED)


def test_colours_of_another_profile_become_those_of_srgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # a screen whose red glows blue and the other way round
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")

    for image, expected in (
        (plain(9, 9), BLUE),
        (plain(9, 9, mode="RGBA", colour=(*RED, 100)), (*BLUE, 100)),
    ):
        assert near(pixel(read(convert(write(image, "PNG", icc_profile=swapped)).original), 4, 4), expected)


def test_a_profile_for_other_colours_is_left_aside() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    assert pixel(read(convert(write(plain(9, 9), "PNG", icc_profile=lab)).original), 4, 4) == RED


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (plain(9, 9, mode="L", colour=100), (100, 100, 100)),
        (plain(9, 9, mode="1", colour=1), (255, 255, 255)),
        (plain(9, 9, mode="I;16", colour=0x8080), (128, 128, 128)),
        (plain(9, 9, mode="P", colour=0), (0, 0, 0)),
        (plain(9, 9, mode="LA", colour=(100, 50)), (100, 100, 100, 50)),
        (plain(9, 9, mode="RGBA", colour=(10, 20, 30, 40)), (10, 20, 30, 40)),
    ],
    ids=lambda value: getattr(value, "mode", None),
)
def test_every_kind_of_pixel_becomes_rgb_or_rgba(image: Image.Image, expected: tuple[int, ...]) -> None:
    assert pixel(read(convert(write(image, "PNG")).original), 4, 4) == expected


def test_a_jpeg_of_printers_colours_is_taken() -> None:
    data = write(plain(16, 16, mode="CMYK", colour=(0, 255, 255, 0)), "JPEG")

    assert near(pixel(read(convert(data).original), 8, 8), RED, by=20)


def test_the_transparent_colour_of_a_palette_stays_transparent() -> None:
    image = plain(9, 9, mode="P", colour=0)
    image.putpixel((0, 0), 1)

    original = read(convert(write(image, "GIF", transparency=0)).original)

    assert original.mode == "RGBA"
    assert (pixel(original, 4, 4)[3], pixel(original, 0, 0)[3]) == (0, 255)


@pytest.mark.parametrize("asset_type", AssetType)
@pytest.mark.parametrize("size", [(1200, 800), (800, 1200), (2000, 20), (20, 2000)])
def test_scaled_images_fill_their_box_and_keep_their_proportions(asset_type: AssetType, size: tuple[int, int]) -> None:
    converted = convert(write(plain(*size), "PNG"), asset_type=asset_type)

    assert converted.scaled.keys() == set(SCALES)
    for scale, data in converted.scaled.items():
        width, height = read(data).size
        box = (BOXES[asset_type].width * scale, BOXES[asset_type].height * scale)
        assert width <= box[0]
        assert height <= box[1]
        assert width == box[0] or height == box[1]
        if asset_type is not AssetType.ICON:
            factor = min(1, box[0] / size[0], box[1] / size[1])
            assert abs(width - size[0] * factor) <= 1
            assert abs(height - size[1] * factor) <= 1


@pytest.mark.parametrize("asset_type", AssetType)
def test_no_image_is_made_larger_than_it_came(asset_type: AssetType) -> None:
    converted = convert(write(plain(12, 12), "PNG"), asset_type=asset_type)

    assert [read(data).size for data in converted.scaled.values()] == [(12, 12)] * 3


def test_an_icon_is_centred_on_a_transparent_square() -> None:
    scaled = convert(write(plain(400, 200), "PNG"), asset_type=AssetType.ICON).scaled

    assert {scale: read(data).size for scale, data in scaled.items()} == {1: (29, 29), 2: (58, 58), 3: (87, 87)}
    icon = read(scaled[2])
    assert [pixel(icon, 29, y)[3] for y in (0, 13, 15, 42, 57)] == [0, 0, 255, 255, 0]
    assert pixel(icon, 29, 29) == (*RED, 255)


def test_a_square_icon_gets_no_padding() -> None:
    icon = read(convert(write(plain(200, 200), "PNG"), asset_type=AssetType.ICON).scaled[1])

    assert (icon.mode, icon.size) == ("RGB", (29, 29))


def test_the_same_upload_gives_the_same_bytes() -> None:
    data = write(Image.effect_noise((300, 200), 80).convert("RGB"), "JPEG")

    assert convert(data) == convert(data)


def test_an_original_beyond_the_limits_of_an_answer_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(Image.effect_noise((300, 200), 80).convert("RGB"), "PNG")
    monkeypatch.setattr(images, "LARGEST_ORIGINAL_BYTES", 20_000)

    original = convert(data).original

    assert 10_000 < len(original) <= 20_000
    width, height = read(original).size
    assert abs(width / height - 1.5) < 0.05


def test_an_original_of_many_pixels_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LARGEST_ORIGINAL_PIXELS", 5000)

    assert read(convert(write(plain(200, 100), "PNG")).original).size == (100, 50)
