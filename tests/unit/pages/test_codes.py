"""QR codes hold the text they were asked for."""

from __future__ import annotations

import io
import re

import pytest
import segno
from PIL import Image

from chalicelib.pages.codes import QUIET_MODULES, qr_png, qr_svg

TEXTS = ["1", "https://passes.example/p/AAAAAAAB/12345-token", "Grüße, مرحبا"]

Modules = list[list[bool]]


def expected_modules(text: str) -> Modules:
    code = segno.make(text, error="m", micro=False)
    return [[bool(dark) for dark in row] for row in code.matrix_iter(border=QUIET_MODULES)]


def drawn_modules(svg: str) -> Modules:
    """The dark modules that the strokes of the drawing cover."""
    view_box = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    strokes = re.search(r'stroke="#000" d="([^"]+)"', svg)
    assert view_box is not None
    assert strokes is not None
    modules = [[False] * int(view_box[1]) for _ in range(int(view_box[1]))]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-0-9. ]+)", strokes[1]):
        values = [float(number) for number in numbers.split()]
        if command == "h":
            for column in range(int(x), int(x + values[0])):
                modules[int(y)][column] = True
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return modules


@pytest.mark.parametrize("text", TEXTS)
def test_the_drawing_is_the_code_of_the_text(text: str) -> None:
    assert drawn_modules(qr_svg(text)) == expected_modules(text)


@pytest.mark.parametrize("text", TEXTS)
def test_the_picture_is_the_code_of_the_text(text: str) -> None:
    with Image.open(io.BytesIO(qr_png(text, scale=3))) as picture:
        grey = picture.convert("L")
    size = grey.width // 3

    found = [[grey.getpixel((3 * x + 1, 3 * y + 1)) == 0 for x in range(size)] for y in range(size)]

    assert found == expected_modules(text)


def test_a_text_too_long_for_any_code_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        qr_svg("x" * 5000)
