"""What a read of a pass answers, and what an `If-Match` demands of it."""

from __future__ import annotations

from functools import partial
from typing import Any

from chalicelib.api.airship import answers
from chalicelib.api.airship.entry import AirshipRequest
from chalicelib.domain import finding
from chalicelib.domain.passes import Expectation, Pass


def show_pass(request: AirshipRequest, pass_: Pass) -> Any:
    """The whole pass, with the names of its tags: one call, if it remembers any."""
    tag_names = [tag.name for tag in finding.get_live_tags(request.platform, pass_)]
    return answers.whole_pass(pass_, tag_names, request.base_url)


def expected_pass(request: AirshipRequest) -> Expectation | None:
    """What the request's `If-Match` demands of a pass; None without that header.

    The pass cannot change between this and the write that follows. Its tags' names can, if a tag is emptied or deleted
    in that moment: no write to the pass touches those, so nothing that anybody wrote is lost.
    """
    return request.expectation(partial(show_pass, request))
