"""QR codes, as drawings and as pictures."""

from __future__ import annotations

import io

import segno

QUIET_MODULES = 4
"""blank modules around a code, as ISO/IEC 18004 asks"""


def qr_svg(text: str) -> str:
    """A QR code as an inline SVG element in black on white, without size: the page gives it one.

    Raises:
        ValueError: longer than a QR code can hold.
    """
    drawn: str = make_code(text).svg_inline(
        border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return drawn.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def qr_png(text: str, *, scale: int) -> bytes:
    """A QR code as a PNG, `scale` pixels to a module.

    Raises:
        ValueError: longer than a QR code can hold.
    """
    picture = io.BytesIO()
    make_code(text).save(picture, kind="png", scale=scale, border=QUIET_MODULES)
    return picture.getvalue()


def make_code(text: str) -> segno.QRCode:
    """The QR code itself; never a Micro QR code, which phones do not read.

    Raises:
        ValueError: longer than a QR code can hold.
    """
    return segno.make(text, error="m", micro=False)
