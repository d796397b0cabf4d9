"""The passes of one run of the demo, and what they are to show as it goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

PASSES = 2_000
TAGGED = 1_200

OLD = {"Points": "0", "Level": "Bronze"}
NEW = {"Points": "2500", "Level": "Gold"}
"""of every pass with the tag"""
LATEST = {"Points": "2600"}
"""of one pass alone"""


@dataclass(frozen=True)
class Update:
    """Passes whose fields change, by one ticket."""

    pass_ids: Collection[int]
    values: Mapping[str, str]


@dataclass(frozen=True)
class Cast:
    """The passes of this run, by id; the value is the pass's number as a member, or its link."""

    name: str
    """of the template"""
    tag: str
    template_id: int
    tagged: dict[int, str]
    untagged: dict[int, str]
    links: dict[int, str]

    def values_of(self, pass_id: int, updates: Sequence[Update]) -> dict[str, str]:
        """What a pass shows after these updates, in order."""
        values = {**OLD, "Member": (self.tagged | self.untagged)[pass_id]}
        for update in updates:
            values |= update.values if pass_id in update.pass_ids else {}
        return values
