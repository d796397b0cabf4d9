"""Pages of the Passworks dialect: what a query asks for, and the headers that say what it got (section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.api.declared import Clamped, Parameter
from chalicelib.api.passworks.entry import PassworksRequest
from chalicelib.settings import get_settings

DEFAULT_ROWS = 25

LARGEST_NUMBER = 10**12
"""of a page or an offset: beyond any list, and small enough to count with anywhere"""

_WHOLE_NUMBER = re.compile(r"([+-]?)0*([0-9]+)")

PAGE = Clamped(name="page", text="The page, counted from 1.", default=1, least=1, most=LARGEST_NUMBER)
PER_PAGE = Clamped(
    name="per_page", text="How many rows a page has.", default=DEFAULT_ROWS, least=1, most="rows_per_page"
)
OFFSET = Clamped(
    name="offset",
    text="How many rows are skipped before the first page; `X-Total` counts them, `X-Total-Pages` does not.",
    default=0,
    least=0,
    most=LARGEST_NUMBER,
)

PAGING: tuple[Parameter, ...] = (PAGE, PER_PAGE, OFFSET)
"""what every list of the dialect may be asked for"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """A page, counted from 1, of the rows that are left after `skip` rows."""

    page: int = 1
    per_page: int = DEFAULT_ROWS
    skip: int = 0

    @property
    def offset(self) -> int:
        """Rows of the whole list before the page."""
        return self.skip + (self.page - 1) * self.per_page

    @property
    def size(self) -> int:
        """Rows on a full page."""
        return self.per_page


def read_paging(request: PassworksRequest) -> Paging:
    """The page that a query asks for. No value is refused: each is brought into its range (section 12)."""
    return Paging(
        page=_read_number(request, PAGE),
        per_page=_read_number(request, PER_PAGE),
        skip=_read_number(request, OFFSET),
    )


def _read_number(request: PassworksRequest, declared: Clamped) -> int:
    found = _WHOLE_NUMBER.fullmatch((request.query(declared.name) or "").strip())
    if found is None:
        return declared.default
    sign, digits = found.groups()
    most = declared.most
    largest: int = getattr(get_settings().limits, most) if isinstance(most, str) else most
    # by digits first: Python refuses to convert thousands of them
    number = int(digits) if len(digits) <= len(str(LARGEST_NUMBER)) else LARGEST_NUMBER
    return min(max(-number if sign == "-" else number, declared.least), largest)


def paging_headers(paging: Paging, total: int) -> dict[str, str]:
    """The headers of one page of `total` filtered rows, in the letter case that clients look for (section 4).

    There is no next page on the last page or past it, and no previous one on page 1. An empty header in their place
    would make a client ask for ever.
    """
    left = max(total - paging.skip, 0)
    pages = -(-left // paging.per_page)
    headers = {
        "X-Total": str(total),
        "X-Total-Pages": str(pages),
        "X-Page": str(paging.page),
        "X-Per-Page": str(paging.per_page),
        "X-Offset": str(paging.skip),
    }
    if paging.page < pages:
        headers["X-Next-Page"] = str(paging.page + 1)
    if paging.page > 1:
        headers["X-Prev-Page"] = str(paging.page - 1)
    return headers
