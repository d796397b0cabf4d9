"""Tags of answers, and requests that depend on them (RFC 9110, sections 8.8.3 and 13)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice import Response

from chalicelib.domain.errors import PreconditionFailed

if TYPE_CHECKING:
    from chalicelib.domain.passes import Expectation, Pass

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_EACH = re.compile(_TAG)
_TAG_CHARACTERS = 32


def make_tag(body: str | bytes) -> str:
    """The strong tag of an answer: made of its very bytes, so equal tags are equal answers."""
    data = body.encode() if isinstance(body, str) else body
    return f'"{hashlib.sha256(data).hexdigest()[:_TAG_CHARACTERS]}"'


def answer_if_changed(response: Response, *, known: str | None) -> Response:
    """The answer to a read with its tag; 304 without a body if `known`, an `If-None-Match`, names that.

    The tags are compared weakly. A header that cannot be read names none.
    """
    tag = make_tag(response.body)
    headers = {**response.headers, "ETag": tag}
    if known is None or not _names(known, tag, weakly=True):
        return Response(response.body, headers, response.status_code)
    return Response("", headers, 304)


def make_expectation(wanted: str, show: Callable[[Pass], str | bytes]) -> Expectation:
    """What an `If-Match` demands of a pass that `show` turns into what a read of it would answer now.

    The tags are compared strongly. A header that cannot be read names none: nothing is written for a client that wants
    a condition which we do not understand.
    """

    def expect(pass_: Pass) -> None:
        if wanted.strip() != "*" and not _names(wanted, make_tag(show(pass_)), weakly=False):
            raise PreconditionFailed("the pass has changed since it was read; read it again (If-Match)")

    return expect


def _names(header: str, tag: str, *, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    if not _LIST.fullmatch(header):
        return False
    named = _EACH.findall(header)
    return tag in named or (weakly and f"W/{tag}" in named)
