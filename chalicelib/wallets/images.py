"""Uploaded images as PNG files in the sizes that wallets show (passworks-v2, section 9).

Heavy: import it where an image is converted, not at start.
"""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from io import BytesIO
from math import sqrt

from PIL import Image, ImageCms

from chalicelib.domain.assets import BOXES, SCALES, AssetType, Box, ConvertedImage
from chalicelib.domain.errors import InvalidRequest

FIELD = "asset[file]"
LARGEST_ORIGINAL_BYTES = 4 * 1024 * 1024
"""so that the original still fits into one answer of Lambda: 6 MB, of which base64 takes a third"""

LARGEST_ORIGINAL_PIXELS = 4_000_000
"""so that writing it takes a second or two"""

# Content decides, never a name. What phones write with further pictures behind the first counts as JPEG too.
_FORMATS = ("JPEG", "PNG", "GIF")

# What Pillow raises for damaged files; which one depends on the byte that is wrong.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to what puts the picture upright"""

# Warnings can only be silenced for the whole process; one image at a time also bounds the memory.
_lock = threading.Lock()


def convert_image(data: bytes, *, asset_type: AssetType, maximum_pixels: int) -> ConvertedImage:
    """A JPEG, PNG or GIF (its first frame) as PNG: upright, in sRGB, without metadata, and the same bytes each time.

    Scaled images fit the box of their scale and keep their proportions; none is larger than the original. An icon is
    centred on a transparent square. An original keeps its size up to LARGEST_ORIGINAL_PIXELS and
    LARGEST_ORIGINAL_BYTES, far more than any wallet shows; above that it is made smaller.

    Raises:
        InvalidRequest: this is no such image, it is damaged, or it has more than `maximum_pixels`.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = _read(data, maximum_pixels)
        except _DAMAGE as error:
            raise InvalidRequest("must be a complete jpg, png or gif image", field=FIELD) from error
        return ConvertedImage(
            original=_write_original(picture),
            scaled={scale: _write(_fit(picture, asset_type, scale)) for scale in SCALES},
        )


def _read(data: bytes, maximum_pixels: int) -> Image.Image:
    with Image.open(BytesIO(data), formats=_FORMATS) as image:
        # only the header was read until here; nothing is unpacked before its size is known
        if image.width * image.height > maximum_pixels:
            raise InvalidRequest(
                f"has {image.width} x {image.height} pixels, the limit is {maximum_pixels} pixels", field=FIELD
            )
        image.load()
        # made smaller first, since each further step costs a copy
        plain = _shrink(_as_plain(image), sqrt(LARGEST_ORIGINAL_PIXELS / (image.width * image.height)))
        return _upright(_as_srgb(plain, image.info.get("icc_profile")), _orientation(image))


def _as_plain(image: Image.Image) -> Image.Image:
    """The image in a mode that can be scaled: L, CMYK, RGB, or RGBA if anything may be transparent."""
    if image.mode.startswith("I"):
        # Pillow would clip 16 bits to 8 instead of scaling them
        return image.convert("I").point(lambda level: level / 257).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "CMYK", "RGB") else image.convert("RGB")


def _as_srgb(plain: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA, with all metadata left behind."""
    picture = plain.convert("RGBA" if plain.mode == "RGBA" else "RGB")
    colours = _apply_profile(picture.convert("RGB") if plain.mode == "RGBA" else plain, profile)
    if colours is not None:
        if picture.mode == "RGBA":
            colours.putalpha(picture.getchannel("A"))
        picture = colours
    picture.info = {}
    return picture


def _apply_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """The image in sRGB; None without a profile, or with one that is damaged or meant for other colours."""
    if not profile:
        return None
    try:
        return ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, *_DAMAGE):
        return None


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; damaged metadata does not make a picture useless."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture


def _fit(picture: Image.Image, asset_type: AssetType, scale: int) -> Image.Image:
    box = Box(width=BOXES[asset_type].width * scale, height=BOXES[asset_type].height * scale)
    fitted = _shrink(picture, min(box.width / picture.width, box.height / picture.height))
    return _centre_on_square(fitted) if asset_type is AssetType.ICON else fitted


def _shrink(picture: Image.Image, factor: float) -> Image.Image:
    if factor >= 1:
        return picture
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _centre_on_square(picture: Image.Image) -> Image.Image:
    if picture.width == picture.height:
        return picture
    side = max(picture.size)
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def _write_original(picture: Image.Image) -> bytes:
    written = _write(picture)
    while len(written) > LARGEST_ORIGINAL_BYTES:
        picture = _shrink(picture, 0.95 * sqrt(LARGEST_ORIGINAL_BYTES / len(written)))
        written = _write(picture)
    return written


def _write(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
