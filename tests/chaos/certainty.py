"""What can be said for certain of a thing that is or is not, when it is known only when its changes may have happened.

A change took effect at one moment between its beginning and its end, if it took effect at all. Two changes that overlap
may have happened in either order. So a state is certain only where no change that could undo it comes near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.journal import FOREVER


@dataclass(frozen=True, slots=True)
class Change:
    """Something was set or unset at some moment from `started` to `ended`; for certain, or perhaps."""

    sets: bool
    started: float
    ended: float
    is_certain: bool


BEGINNING = Change(sets=False, started=-FOREVER, ended=-FOREVER, is_certain=True)
"""nothing is set before it is"""


class Switch:
    """A thing that changes set and unset, such as one tag on one pass. It begins unset."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = [BEGINNING, *changes]

    def is_surely(self, state: bool, *, since: float, until: float) -> bool:
        """Whether it was so at every moment from `since` to `until`, whatever the true order of the changes."""
        return any(
            change.is_certain
            and change.sets is state
            and change.ended <= since
            and not any(
                other.sets is not state and other.started <= until and other.ended >= change.started
                for other in self._changes
            )
            for change in self._changes
        )

    def is_possible(self, state: bool, *, since: float, until: float) -> bool:
        """Whether it may have been so at some moment from `since` to `until`."""
        return any(
            change.sets is state
            and change.started <= until
            and not any(
                other.is_certain and other.sets is not state and other.started > change.ended and other.ended < since
                for other in self._changes
            )
            for change in self._changes
        )

    @property
    def final(self) -> bool | None:
        """What it is at the end; None where nobody can tell."""
        for state in (True, False):
            if self.is_surely(state, since=FOREVER, until=FOREVER):
                return state
        return None
