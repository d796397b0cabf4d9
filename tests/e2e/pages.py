"""Blocks of the pages that tests run as a reader would."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block."""
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def read_session(page: Path) -> doctest.DocTest:
    """All Python of a page, as one session."""
    text = "\n".join(block for language, block in read_blocks(page) if language == "pycon")
    return doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
