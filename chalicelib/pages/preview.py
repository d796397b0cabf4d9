"""A picture of a card, for links in messages and for lists of campaigns."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont, UnidentifiedImageError

from chalicelib.pages.codes import QUIET_MODULES, make_code
from chalicelib.pages.colours import BLACK, WHITE, Colour
from chalicelib.pages.views import CardView, FieldView

ReadImage = Callable[[str], bytes | None]
"""gives the bytes of an asset by its id; None if it is gone"""

WIDTH, HEIGHT = 640, 860
_MARGIN, _GAP, _CORNER = 28, 26, 24
_LABEL_SIZE, _VALUE_SIZE, _HEADER_SIZE, _PRIMARY_SIZE = 20, 30, 32, 56
_SMALLEST_PRIMARY_SIZE, _SIZE_STEP = 32, 8
_LOGO_BOX, _STRIP_BOX, _THUMBNAIL_BOX = (320, 84), (WIDTH, 246), (160, 200)
_CODE_PIXELS, _PANEL_EDGE = 250, 8
_MAXIMUM_PIXELS = 16_000_000
"""an asset larger than this is left out rather than unpacked"""

_SPELLINGS = {
    "€": "EUR ",
    "£": "GBP ",
    "¥": "JPY ",
    "₹": "INR ",
    "ß": "ss",
    "Æ": "Ae",
    "æ": "ae",
    "Œ": "Oe",
    "œ": "oe",
    "Ø": "O",
    "ø": "o",
    "Ł": "L",
    "ł": "l",
    "Đ": "D",
    "đ": "d",
}
"""how to write what the font lacks and what is no letter with an accent"""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def render_preview(card: CardView, read_image: ReadImage) -> bytes:
    """The card as a PNG of 640 by 860 pixels.

    Images that cannot be read are left out. The one font here has few letters: accents are dropped, and text in other
    scripts is left out, since nothing is better than a row of boxes.
    """
    return _Canvas(card, read_image).draw()


class _Canvas:
    """One card while it is drawn, from the top down."""

    def __init__(self, card: CardView, read_image: ReadImage) -> None:
        self._card = card
        self._read_image = read_image
        self._picture = Image.new("RGB", (WIDTH, HEIGHT), card.background.rgb)
        self._pen = ImageDraw.Draw(self._picture)

    def draw(self) -> bytes:
        self._draw_background()
        y = self._draw_top()
        y = self._draw_main(y + _GAP)
        for row in self._card.rows:
            y = self._draw_row(row, y + _GAP)
        self._draw_barcode(top=y + _GAP)
        if self._card.voided or self._card.expired:
            veil = Image.new("RGB", self._picture.size, self._card.background.rgb)
            self._picture = Image.blend(self._picture, veil, 0.45)
        return self._rounded()

    def _draw_background(self) -> None:
        backdrop = self._load("background", (WIDTH, HEIGHT), cover=True)
        if backdrop is not None:
            self._paste(backdrop.filter(ImageFilter.GaussianBlur(16)), (0, 0))

    def _draw_top(self) -> int:
        """Logo, logo text, and the header fields from the right."""
        right = WIDTH - _MARGIN
        for field in reversed(self._card.header_fields):
            right -= self._draw_field(field, (right, _MARGIN), 150, _HEADER_SIZE, from_right=True) + _GAP
        left = _MARGIN
        logo = self._load("logo", _LOGO_BOX)
        if logo is not None and left + logo.width <= right:
            self._paste(logo, (left, _MARGIN))
            left += logo.width + 16
        self._text((left, _MARGIN + 22), self._card.logo_text, _HEADER_SIZE, self._card.foreground, right - left)
        return _MARGIN + _LOGO_BOX[1]

    def _draw_main(self, y: int) -> int:
        """The primary fields, over the strip if there is one."""
        fields = self._card.primary_fields
        bottom, width = y + (_PRIMARY_SIZE + _LABEL_SIZE + 16 if fields else 0), WIDTH - 2 * _MARGIN
        strip = self._load("strip", _STRIP_BOX, cover=True)
        if strip is not None:
            self._paste(strip, (0, y))
            bottom, y = y + strip.height, y + (strip.height - _PRIMARY_SIZE - _LABEL_SIZE) // 2
        thumbnail = self._load("thumbnail", _THUMBNAIL_BOX)
        if thumbnail is not None:
            self._paste(thumbnail, (WIDTH - _MARGIN - thumbnail.width, y))
            bottom, width = max(bottom, y + thumbnail.height), width - thumbnail.width - _GAP
        if len(fields) == 2:
            half = width // 2 - _GAP
            size = min(_largest_size(field.value, half) for field in fields)
            self._draw_field(fields[0], (_MARGIN, y), half, size)
            self._draw_field(fields[1], (_MARGIN + width, y), half, size, from_right=True)
        elif fields:
            self._draw_field(fields[0], (_MARGIN, y), width, _largest_size(fields[0].value, width))
        return bottom

    def _draw_row(self, row: Sequence[FieldView], y: int) -> int:
        width = (WIDTH - 2 * _MARGIN - (len(row) - 1) * _GAP) // len(row)
        for place, field in enumerate(row):
            self._draw_field(field, (_MARGIN + place * (width + _GAP), y), width, _VALUE_SIZE)
        return y + _LABEL_SIZE + _VALUE_SIZE + 12

    def _draw_barcode(self, *, top: int) -> None:
        """The code on a white panel at the foot; as text if it is no QR code, and if there is no room for one."""
        barcode = self._card.barcode
        if barcode is None:
            return
        code = _draw_code(barcode.message) if barcode.format == "qr" else None
        caption = barcode.alt_text if code else barcode.alt_text or barcode.message
        if code is not None and top + code.height + _LABEL_SIZE + _MARGIN + 2 * _PANEL_EDGE <= HEIGHT:
            panel_height = code.height + 2 * _PANEL_EDGE + (_LABEL_SIZE if caption else 0)
            panel_width = code.width + 2 * _PANEL_EDGE
        else:
            code, panel_height, panel_width = None, _VALUE_SIZE + 30, WIDTH - 6 * _MARGIN
        left, upper = (WIDTH - panel_width) // 2, HEIGHT - _MARGIN - panel_height
        self._pen.rounded_rectangle((left, upper, left + panel_width, HEIGHT - _MARGIN), 14, fill=WHITE.rgb)
        if code is not None:
            self._picture.paste(code, (left + _PANEL_EDGE, upper + _PANEL_EDGE))
        size = _LABEL_SIZE if code is not None else _VALUE_SIZE
        caption = caption if code is not None else barcode.alt_text or barcode.message
        shown = _shorten(caption, size, panel_width - 16)
        middle = (WIDTH - _length(shown, size)) // 2
        self._text((middle, HEIGHT - _MARGIN - size - 14), shown, size, BLACK, panel_width)

    def _draw_field(
        self, field: FieldView, corner: tuple[int, int], width: int, size: int, *, from_right: bool = False
    ) -> int:
        """A label and the value under it; the width that they took."""
        label = _shorten(field.label.upper(), _LABEL_SIZE, width)
        value = _shorten(field.value, size, width)
        widths = _length(label, _LABEL_SIZE), _length(value, size)
        x, y = corner
        self._text((x - widths[0] if from_right else x, y), label, _LABEL_SIZE, self._card.label, width)
        below = (x - widths[1] if from_right else x, y + _LABEL_SIZE + 8)
        self._text(below, value, size, self._card.foreground, width)
        return max(widths)

    def _text(self, corner: tuple[int, int], text: str, size: int, colour: Colour, width: int) -> None:
        self._pen.text(corner, _shorten(text, size, width), font=_font(size), fill=colour.rgb)

    def _load(self, kind: str, box: tuple[int, int], *, cover: bool = False) -> Image.Image | None:
        """An image of the card, made to fit into the box or to cover it."""
        image = self._card.images.get(kind)
        data = self._read_image(image.asset_id) if image else None
        if data is None:
            return None
        try:
            with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
                if opened.width * opened.height > _MAXIMUM_PIXELS:
                    return None
                picture = opened.convert("RGBA")
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
            return None
        return _cover(picture, box) if cover else _fit(picture, box)

    def _paste(self, picture: Image.Image, corner: tuple[int, int]) -> None:
        self._picture.paste(picture, corner, picture)

    def _rounded(self) -> bytes:
        mask = Image.new("L", self._picture.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), _CORNER, fill=255)
        self._picture.putalpha(mask)
        written = io.BytesIO()
        self._picture.save(written, "PNG", optimize=True)
        return written.getvalue()


def _fit(picture: Image.Image, box: tuple[int, int]) -> Image.Image:
    scale = min(box[0] / picture.width, box[1] / picture.height)
    return picture.resize((max(1, int(picture.width * scale)), max(1, int(picture.height * scale))))


def _cover(picture: Image.Image, box: tuple[int, int]) -> Image.Image:
    """The middle of the picture, scaled until it fills the box."""
    scale = max(box[0] / picture.width, box[1] / picture.height)
    width, height = box[0] / scale, box[1] / scale
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    return picture.resize(box, box=(left, top, left + width, top + height))


def _draw_code(message: str) -> Image.Image | None:
    """A QR code with its quiet zone, in whole pixels to a module; None if it holds more than one can."""
    try:
        code = make_code(message)
    except ValueError:
        return None
    modules = [bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(border=QUIET_MODULES)]
    picture = Image.frombytes("L", (len(modules), len(modules)), b"".join(modules))
    scale = max(1, _CODE_PIXELS // len(modules))
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST).convert("RGB")


def _shorten(text: str, size: int, width: int) -> str:
    """One line of the text that fits; nothing if the font lacks a letter of it."""
    line = "".join(_letters(character) for character in " ".join(text.split())[:200])
    if not _has_letters(line):
        return ""
    if _length(line, size) <= width:
        return line
    while line and _length(f"{line}…", size) > width:
        line = line[:-1].rstrip()
    return f"{line}…" if line else ""


def _largest_size(text: str, width: int) -> int:
    """The size in which a primary value fits on its line, or the smallest there is."""
    size = _PRIMARY_SIZE
    while size > _SMALLEST_PRIMARY_SIZE and _shorten(text, size, width).endswith("…"):
        size -= _SIZE_STEP
    return size


def _length(text: str, size: int) -> int:
    return int(_font(size).getlength(text))


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _has_letters(text: str) -> bool:
    return all(_can_draw(character) for character in set(text))


def _letters(character: str) -> str:
    """The character as the font can write it: itself, its usual spelling, or itself without accents."""
    if _can_draw(character):
        return character
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return _SPELLINGS.get(character) or plain or character


@lru_cache(maxsize=4096)
def _can_draw(character: str) -> bool:
    """Whether the font has the character: what it lacks looks like a code point that no script uses."""
    return character == " " or _glyph(character) != _glyph("\U0010ffff")


def _glyph(character: str) -> bytes:
    return bytes(_font(_VALUE_SIZE).getmask(character))
