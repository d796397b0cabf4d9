"""Colours as passes write them, and as CSS and pictures need them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.ASCII | re.IGNORECASE)
_HEX = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Colour:
    """An opaque colour, each part 0 to 255."""

    red: int
    green: int
    blue: int

    @property
    def css(self) -> str:
        """Safe inside a style sheet, whatever text it was read from."""
        return f"rgb({self.red}, {self.green}, {self.blue})"

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The three parts, for pictures."""
        return (self.red, self.green, self.blue)


BLACK, WHITE = Colour(0, 0, 0), Colour(255, 255, 255)


def parse_colour(text: str) -> Colour | None:
    """The colour in `rgb(r,g,b)` or `#rrggbb`; None for anything else."""
    if match := _RGB.fullmatch(text.strip()):
        parts = [int(part) for part in match.groups()]
        return Colour(*parts) if max(parts) <= 255 else None
    if match := _HEX.fullmatch(text.strip()):
        return Colour(*(int(part, 16) for part in match.groups()))
    return None


def contrast(one: Colour, other: Colour) -> float:
    """How well one can be read on the other, 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [part / 255 for part in colour.rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
