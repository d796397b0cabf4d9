"""Refusals of requests that the description allows: those that follow from the state of things.

Each is known by its exact words in the dialect's error body. Nothing else excuses the refusal of a request that the
description allows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemathesis.core.transport import Response


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """`code` is that of the error body, `words` a pattern for the whole of what it says was wrong."""

    dialect: str
    code: int
    words: str
    why: str
    """no schema can say it"""
    where: str = ""
    """a pattern for the operation; empty for all"""

    def is_of(self, dialect: str, operation: str, code: int, words: str) -> bool:
        """Whether an error body is of this kind."""
        return (
            (dialect, code) == (self.dialect, self.code)
            and re.match(self.where, operation) is not None
            and re.fullmatch(self.words, words, re.DOTALL) is not None
        )


def _airship(words: str, why: str, *, code: int = 400, where: str = "") -> Refusal:
    return Refusal(dialect="airship", code=code, words=words, why=why, where=where)


def _passworks(words: str, why: str, *, code: int, where: str = "") -> Refusal:
    return Refusal(dialect="passworks", code=code, words=words, why=why, where=where)


_UNKNOWN_ASSET: Final = r"(icon|logo|strip|thumbnail|background|footer)_id: is not an asset of this account"

REFUSALS: Final[tuple[Refusal, ...]] = (
    _airship(r"externalId: is already in use", "which names are taken"),
    _airship(r"externalId: '.*' is already in use in this template", "which names are taken"),
    _airship(r"externalId: matches passes in more than one template; use .*", "how many passes have a name"),
    _airship(r"template \d+ still has \d+ passes; delete them first", "whether a template has passes", where="DELETE"),
    _airship(r"locations: a (template|pass) has at most 10 locations", "how many there were before"),
    _airship(
        r"tags: a pass has at most 15 tags(; this one has \d+ and \d+ would be added)?", "how many there were before"
    ),
    _airship(r"vendor: the vendor of a template cannot change from \w+", "what the template is for", where="PUT"),
    _airship(r"type: '.*' is not one of: .*", "what the template is for, if the update does not say", where="PUT"),
    _airship(r"state: Can't create a pass while \w+", "the state of the campaign", where="POST /v1/pass"),
    _airship(r"headers\.\S+: is set by us", "names of headers in any case", where="POST /v1/project"),
    _airship(r"headers: names a header twice", "names of headers in any case", where="POST /v1/project"),
    _airship(r"baseUrl: (must name a host|must be a URL)", "what a host may be called", where="POST /v1/project"),
    _airship(r"baseUrl: cannot be called: the host .*", "which hosts are public", where="POST /v1/project"),
    _airship(r"the pass has changed since it was read; read it again \(If-Match\)", "what its ETag is", code=412),
    _airship(r"Idempotency-Key: was sent with another request before; .*", "which keys were used", code=422),
    _passworks(
        r"(campaign|pass|template|asset): \w+ not found\.", "what there is to delete", code=10104, where="DELETE"
    ),
    _passworks(r"name: is taken", "which names are taken", code=10100),
    _passworks(_UNKNOWN_ASSET, "which assets there are", code=10100),
    _passworks(r"template_id: is not a template of this account", "which templates there are", code=10100),
    _passworks(r"template_id: is a template for \w+, not for \w+", "what the template is for", code=10100),
    _passworks(r"certificate_id: is not a certificate of this account", "which certificates there are", code=10100),
    _passworks(r"icon_id: can't be blank", "whether the campaign has an icon to lose", code=10100, where="PATCH"),
    _passworks(
        r"code_fixed_value: can't be blank with code_type fixed",
        "which of the two the campaign has from before",
        code=10100,
        where="PATCH",
    ),
    _passworks(
        r"code_type: can't change to or from per_pass once there are passes",
        "whether the campaign has passes",
        code=10100,
        where="PATCH",
    ),
    _passworks(r"\w+_fields\[\d+\]\.key: is used twice, or reserved", "that no two keys are the same", code=10100),
    _passworks(
        r"max_distance: must be at most 100 metres", "the type of campaign, under the root key `pass`", code=10100
    ),
    _passworks(r"asset\[file\]: must be a complete jpg, png or gif image", "what is in a file", code=10100),
    _passworks(r"start_date: must not be more than 20 years before end_date", "how two dates compare", code=10100),
    _passworks(r"end_date: must not be before start_date", "how two dates compare", code=10100),
    _passworks(r"state: Can't \w+ from \w+ to \w+", "the state of the campaign", code=10102),
    _passworks(r"state: Can't create a pass while \w+", "the state of the campaign", code=10102),
    _passworks(r"(asset|template): (Asset|Template) in use by .*", "what depends on it", code=10103, where="DELETE"),
    _passworks(r"pass: Pass already redeemed", "whether it was redeemed", code=10105),
    _passworks(r"base: the pass has changed since it was read; read it again \(If-Match\)", "its ETag", code=10106),
    _passworks(r"Idempotency-Key: was sent with another request before; .*", "which keys were used", code=10107),
    _passworks(
        r"transit_type: must be one of .*", "the type of campaign, under the root key `pass`", code=10100, where="PATCH"
    ),
    _passworks(
        r"background_id: can't be used together with strip_id",
        "which of the two the campaign or its look has from before",
        code=10100,
    ),
    Refusal(dialect="passkit", code=401, words="the pass or its token is unknown", why="which passes there are"),
    Refusal(
        dialect="passkit",
        code=400,
        words=r"pushToken: must be a text of 1 to 1024 characters",
        why="which characters Unicode calls printable",
    ),
    Refusal(dialect="google", code=400, words="the callback does not verify", why="whether a signature is Google's"),
)


def find_refusal(dialect: str, operation: str, response: Response) -> Refusal | None:
    """What excuses that an operation, such as `PUT /v1/tag/{tag}/passes`, refuses; None if nothing does."""
    found = read_refusal(dialect, response)
    if found is None:
        return None
    code, words = found
    return next((each for each in REFUSALS if each.is_of(dialect, operation, code, words)), None)


def read_refusal(dialect: str, response: Response) -> tuple[int, str] | None:
    """Code and words of an error body; None for an answer of another form."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    if dialect == "passworks":
        return body.get("error_code", 0), "; ".join(_sentences(body)) or str(body.get("message"))
    return body.get("code", response.status_code), str(body.get("details", body.get("message")))


def _sentences(body: Any) -> Iterator[str]:
    for field, problems in body.get("errors", {}).items():
        for problem in problems if isinstance(problems, list) else [problems]:
            yield f"{field}: {problem}"
