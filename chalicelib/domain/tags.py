"""Tags: names, limits, and what adding some to a pass amounts to (airship-wallet-v1, section 4)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from chalicelib.domain.counted_index import Collection, passes_of_tag
from chalicelib.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Tag:
    """A plain-text mark on passes. Its `generation` moves on when it is emptied, which unmarks every pass at once."""

    project_id: int
    tag_id: int
    name: str
    generation: int
    created_at: datetime

    @property
    def collection(self) -> Collection:
        """The passes that have this tag now."""
        return passes_of_tag(project_id=self.project_id, tag_id=self.tag_id, generation=self.generation)


@dataclass(frozen=True, slots=True)
class TagReference:
    """What a pass remembers of a tag; dead as soon as the tag's generation has moved on or the tag is gone."""

    tag_id: int
    generation: int

    def __str__(self) -> str:
        return f"{self.tag_id}.{self.generation}"

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> TagReference:
        """The reference that `str` wrote. A list of passes has the same few many times, so they are remembered."""
        tag_id, generation = text.split(".")
        return TagReference(tag_id=int(tag_id), generation=int(generation))

    def is_live(self, tag: Tag | None) -> bool:
        """Whether the pass still has the tag, given the tag as it is now."""
        return tag is not None and tag.tag_id == self.tag_id and tag.generation == self.generation


def normalize_tag_name(text: str) -> str:
    """Unicode NFC, trimmed: the form in which names are stored and looked up (section 9.4)."""
    return unicodedata.normalize("NFC", text).strip()


def validate_tag_names(names: Iterable[str], *, maximum_characters: int) -> list[str]:
    """Normalized names in order of first appearance, each once (sections 9.4 and 9.6).

    Raises:
        InvalidRequest: a name is empty, too long or holds control characters; the field is `tags[i]`.
    """
    distinct: dict[str, None] = {}
    for position, name in enumerate(names):
        problem = find_name_problem(name, maximum_characters=maximum_characters)
        if problem:
            raise InvalidRequest(problem, field=f"tags[{position}]")
        distinct[normalize_tag_name(name)] = None
    return list(distinct)


def find_name_problem(name: str, *, maximum_characters: int) -> str | None:
    """Why a text cannot be the name of a tag (sections 9.4 and 9.6); None if it can."""
    return _name_problem(normalize_tag_name(name), maximum_characters)


def is_tag_name(name: str, *, maximum_characters: int) -> bool:
    """Whether a normalized name could be a tag's; saves the look-up of one that cannot."""
    return _name_problem(name, maximum_characters) is None


def _name_problem(name: str, maximum_characters: int) -> str | None:
    if not name:
        return "a tag must not be empty"
    if len(name) > maximum_characters:
        return f"a tag has at most {maximum_characters} characters, this one has {len(name)}"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "a tag must not contain control characters"
    return None


@dataclass(frozen=True, slots=True)
class Tagging:
    """What adding tags to one pass changes."""

    kept: frozenset[TagReference]
    """tags that the pass has already; dead references are left out"""
    added: list[Tag]
    created: list[str]
    """names of tags that do not exist yet"""
    new_names: list[str]
    """what this call puts on the pass, in the order of the request"""


def plan_tagging(
    *,
    names: list[str],
    references: Iterable[TagReference],
    known_by_name: Mapping[str, Tag],
    known_by_id: Mapping[int, Tag],
    maximum_tags: int,
) -> Tagging:
    """Decides which tags an add really puts on a pass.

    Raises:
        InvalidRequest: the pass would end with more than `maximum_tags` (section 9.5); nothing is to be written.
    """
    kept = frozenset(reference for reference in references if reference.is_live(known_by_id.get(reference.tag_id)))
    has = {known_by_id[reference.tag_id].name for reference in kept}
    wanted = [name for name in names if name not in has]
    if len(kept) + len(wanted) > maximum_tags:
        raise InvalidRequest(
            f"a pass has at most {maximum_tags} tags; this one has {len(kept)} and {len(wanted)} would be added",
            field="tags",
        )
    return Tagging(
        kept=kept,
        added=[known_by_name[name] for name in wanted if name in known_by_name],
        created=[name for name in wanted if name not in known_by_name],
        new_names=wanted,
    )
