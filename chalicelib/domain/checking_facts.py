"""A pass, and everything that is stored beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from chalicelib.domain.checking import Place, Row, Write, absent, check, pass_place
from chalicelib.domain.passes import PassStatus
from chalicelib.domain.tags import TagReference


class Standing(Enum):
    """What became of a pass's template."""

    THERE = "there"
    GOING = "going"
    """deleted, and its passes are noted for the sweep"""
    DELETED = "deleted"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class NameFact:
    """A name that something bears, and the row that should lead from it to that."""

    place: Place
    target_id: int
    found: Row | None
    rival: bool = False
    """whether what the row leads to bears the name as well"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFacts:
    """A pass, or the lack of one, and everything that is stored beside it."""

    pass_id: int
    row: Row | None
    owner: int | None
    """the project that leased the block in which the id lies"""
    expected_keys: Row
    standing: Standing
    tags: Mapping[int, Row]
    """the rows by id of the tags that are mentioned here, where they exist"""
    noted: AbstractSet[str]
    """collections that are noted for the sweep"""
    memberships: Sequence[Row]
    held: int
    """how many registrations there are"""
    registrations: Sequence[Row]
    """those to be judged one by one: all of them, or of what was read in bulk those that look odd"""
    names: Sequence[NameFact]
    redeems: int | None
    """how many redeem rows there are, if they were read"""
    doubtful: AbstractSet[int]
    """tags that are damaged themselves: nothing is said about them here"""
    tags_verified: bool
    """whether every row of every tag was checked before, so that a tag without a row by id is truly gone"""
    now_milliseconds: int

    @property
    def project_id(self) -> int | None:
        """Whose pass it is or was."""
        return self.owner if self.row is None else int(self.row["project_id"])

    @property
    def references(self) -> set[TagReference]:
        """The tags that the pass remembers."""
        return set() if self.row is None else references_of(self.row)

    def is_live(self, reference: TagReference) -> bool:
        """Whether the tag is still in that generation."""
        tag = self.tags.get(reference.tag_id)
        return tag is not None and tag["generation"] == reference.generation


def references_of(row: Row) -> set[TagReference]:
    """The tags that a pass's row remembers."""
    tags = row.get("tags", frozenset())
    assert isinstance(tags, frozenset)
    return {TagReference.parse(text) for text in tags}


def true_status(row: Row, *, held: int) -> str:
    """The status that a pass must have if so many devices hold it."""
    if held:
        return PassStatus.INSTALLED
    if row["status"] != PassStatus.INSTALLED:
        return str(row["status"])
    return PassStatus.UNINSTALLED if "installed_at" in row else PassStatus.NOT_BEEN_INSTALLED


def unchanged(facts: PassFacts) -> Write:
    """Demands that nobody wrote the pass since it was read."""
    if facts.row is None:
        return absent(pass_place(facts.pass_id))
    return check(pass_place(facts.pass_id), {"revision": facts.row["revision"]})
