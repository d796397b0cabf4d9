"""Texts that clients send as numbers."""

from __future__ import annotations

from typing import Any


def as_digits(value: Any) -> Any:
    """A whole number as its digits, also one that is written `1.0`; anything else as it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
