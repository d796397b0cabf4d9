"""What devices complain about: lines that wallets post to the log call (wallets, sections 2.2, 2.3 and 3.2)."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

_COMPLAINTS = {
    "but the pass was unchanged": "UnchangedPass",
    "did not provide a 'last-modified' header": "NoLastModified",
    "ignored the 'if-modified-since' header": "IgnoredIfModifiedSince",
    "spurious push": "SpuriousPush",
    "unregistered serial number": "UnregisteredSerial",
    "omitted a lastupdated tag": "NoTag",
    "too many pushes too fast": "PushRateLimited",
    "severe rate limiting": "PushRateLimited",
    "wallet passes for android not supported": "WalletPassesRefused",
    "remained the same": "SameTag",
}
"""fragment of a line, in lower case, to the name of the complaint; the vaguest fragment stands last"""

# anyone may post a line, so each of these takes time in proportion to it
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]++@[\w.-]++")
_NAMED_DEVICE = re.compile(
    r"""(?i)(\bfor\sdevice|\bdevice[ _-]?(?:library)?[ _-]?id(?:entifier)?|/devices)([\s:='"#/]++)[^\s,;)'"/]++"""
)
_NUMBERED_DEVICE = re.compile(r"""(?i)(\bdevice)([\s:='"#]++)(?=[^\s,;)'"\d]{0,255}+\d)[^\s,;)'"]++""")
"""`device` and a word with a digit, which ids have and most other words do not"""


def classify_log_line(line: str) -> str | None:
    """The name of the known complaint in a line, usable as a metric's dimension; None for any other line.

    Each names a fault of ours (wallets, section 2.3); case and the shape of quotation marks do not matter.
    """
    plain = line.lower().replace("\N{LEFT SINGLE QUOTATION MARK}", "'").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return next((name for fragment, name in _COMPLAINTS.items() if fragment in plain), None)


def without_people(line: str) -> str:
    """A line with three dots in place of mail addresses and of ids of devices, as far as they can be recognised."""
    line = _ADDRESS.sub("...", line)
    return _NUMBERED_DEVICE.sub(r"\1\2...", _NAMED_DEVICE.sub(r"\1\2...", line))


def bound_log(document: Any, *, lines: int, characters: int) -> list[str]:
    """The first `lines` lines of a log call's body, each cut to `characters`; none for a body of another shape.

    Anyone may post here, so whatever could forge or hide a line of our own log is replaced by a space: control
    characters, line separators, marks of writing direction and halves of surrogate pairs.
    """
    logs = document.get("logs") if isinstance(document, dict) else None
    if not isinstance(logs, list):
        return []
    texts = (line for line in logs if isinstance(line, str))
    return [_make_printable(line[:characters]) for line in islice(texts, lines)]


def _make_printable(line: str) -> str:
    return "".join(character if character.isprintable() else " " for character in line)
