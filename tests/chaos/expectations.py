"""What must be true, worked out from the journal alone.

Tags, registrations and passes are switches (`certainty`). An acknowledged change that nothing near it may have undone
must be seen; where two changes overlap, either order is right.

Fields: a write has a ticket, and the highest ticket among the writes that are for a pass wins. A single update is for
its pass. A bulk update is for a pass if the pass has the tag when its segment is handled, which is at some moment
between the request and the ticket's completion (DESIGN, section 5). So it *must* have reached each pass that surely had
the tag all that time, and *may* have reached each that possibly had it at some moment. A merge is for all passes of its
template in the same way. What is stored names its ticket: that must be at least the ticket of every acknowledged write
that must have reached the pass, and the value must be one of a write that may have reached it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from tests.chaos.actor import OFFER
from tests.chaos.certainty import Change, Switch
from tests.chaos.journal import FOREVER, Kind, Operation

SINGLE_UPDATES = (Kind.UPDATE, Kind.UPDATE_V2)
UPDATES = (*SINGLE_UPDATES, Kind.BULK_UPDATE, Kind.MERGE)
CREATIONS = (Kind.CREATE, Kind.CREATE_V2)
DELETIONS = (Kind.DELETE, Kind.DELETE_V2)
TAG_REMOVALS = (Kind.CLEAR_TAG, Kind.DELETE_TAG)

FIRST_VALUE = "0"
"""of a field that nobody has written, as its template has it"""


class Expectations:
    """Answers what must be, or may be, from what clients know."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = [each for each in operations if each.tries]
        self._of_card: dict[str, list[Operation]] = defaultdict(list)
        self._of_tag: dict[tuple[int, str], list[Operation]] = defaultdict(list)
        self._of_template: dict[tuple[int, int], list[Operation]] = defaultdict(list)
        self._writers: dict[str, Operation] = {}
        """value to who writes it; each value is written by one"""
        for each in self.operations:
            self._sort(each)
        told = sorted((each.told, each.ticket) for each in self.operations if each.ticket is not None)
        self._told = [moment for moment, _ in told]
        self._highest = list(accumulate((ticket for _, ticket in told), max))

    def _sort(self, operation: Operation) -> None:
        if operation.card:
            self._of_card[operation.card].append(operation)
        elif operation.tags:
            for tag in operation.tags:
                self._of_tag[operation.project, tag].append(operation)
        elif operation.kind in (Kind.MERGE, Kind.CHANGE_CAMPAIGN):
            self._of_template[operation.project, operation.template].append(operation)
        if operation.kind in (*UPDATES, *CREATIONS):
            for value in operation.values.values():
                self._writers[value] = operation

    def about_card(self, card: str, *, tags: Iterable[str] = ()) -> list[Operation]:
        """Operations that touch a pass, and those about all passes of its template or of some tags."""
        own = self._of_card[card]
        found = list(own)
        for each in own[:1]:
            found += self._of_template[each.project, each.template]
            for tag in tags:
                found += self._of_tag[each.project, tag]
        return found

    def existence(self, card: str, *, without: Operation | None = None) -> Switch:
        """Whether a pass is there, as far as the other operations tell."""
        return Switch(list(self._find_existence(card, without=without)))

    def _find_existence(self, card: str, *, without: Operation | None = None) -> Iterator[Change]:
        for each in self._of_card[card]:
            if each is not without and each.may_work and each.kind in (*CREATIONS, *DELETIONS):
                yield _change(each, sets=each.kind in CREATIONS)

    def tagging(self, card: str, tag: str, *, without: Operation | None = None) -> Switch:
        """Whether a pass has a tag."""
        changes = [each for each in self._find_existence(card, without=without) if not each.sets]
        project = next((each.project for each in self._of_card[card]), 0)
        for each in self._of_card[card]:
            if each is not without and each.may_work and tag in each.tags:
                if each.kind in (Kind.TAG, *CREATIONS):
                    changes.append(_change(each, sets=True))
                elif each.kind is Kind.UNTAG:
                    changes.append(_change(each, sets=False))
        changes += [
            _change(each, sets=False)
            for each in self._of_tag[project, tag]
            if each is not without and each.may_work and each.kind in TAG_REMOVALS
        ]
        return Switch(changes)

    def holding(self, card: str, device: str, *, without: Operation | None = None) -> Switch:
        """Whether a device is registered for a pass."""
        changes = [each for each in self._find_existence(card, without=without) if not each.sets]
        changes += [
            _change(each, sets=each.kind is Kind.REGISTER)
            for each in self._of_card[card]
            if each.device == device
            and each is not without
            and each.may_work
            and each.kind in (Kind.REGISTER, Kind.UNREGISTER)
        ]
        return Switch(changes)

    def writer_of(self, value: str) -> Operation | None:
        """Who writes a value."""
        return self._writers.get(value)

    def lowest_ticket(self, operation: Operation) -> int:
        """A ticket that an operation's own is above: the highest that was told to anyone before it began."""
        before = bisect_right(self._told, operation.started)
        return self._highest[before - 1] if before else 0

    def judge_field(self, card: str, field: str, value: str, ticket: int) -> str | None:
        """What is wrong with a field's value and the ticket that is stored beside it, if anything; 0 is no ticket."""
        missed = self._find_missed(card, field, ticket)
        if missed is not None:
            return f"{field} is {value!r} of ticket {ticket}, but {missed.kind} #{missed.number} came later"
        writer = self._writers.get(value)
        if ticket == 0:
            return None if self.is_first_value(card, field, value) else f"{field} is {value!r} of no ticket"
        if writer is None or field not in writer.values or not writer.may_work:
            return f"{field} is {value!r} of ticket {ticket}, which nobody has written"
        if not self._may_reach(writer, card, ticket=ticket):
            return f"{field} is {value!r} of {writer.kind} #{writer.number}, which is not for this pass"
        return self._judge_ticket(writer, field, ticket)

    def _judge_ticket(self, writer: Operation, field: str, ticket: int) -> str | None:
        name = f"{field} is of {writer.kind} #{writer.number}"
        if ticket <= self.lowest_ticket(writer):
            return f"{name}, but of ticket {ticket}, which was given out before"
        is_earlier_try = any(each.is_open for each in writer.tries) and ticket < (writer.ticket or 0)
        if writer.ticket not in (None, ticket) and not is_earlier_try:
            return f"{name}, whose ticket is {writer.ticket}, but of ticket {ticket}"
        return None

    def _find_missed(self, card: str, field: str, ticket: int) -> Operation | None:
        """A write of a higher ticket that must have reached the pass."""
        own = self._of_card[card]
        project, template = (own[0].project, own[0].template) if own else (0, 0)
        tags = {tag for each in own for tag in each.tags}
        candidates = [each for each in own if each.kind in SINGLE_UPDATES]
        candidates += [each for each in self._of_template[project, template] if each.kind is Kind.MERGE]
        for tag in tags:
            candidates += [each for each in self._of_tag[project, tag] if each.kind is Kind.BULK_UPDATE]
        for each in candidates:
            if each.works and field in each.values and self._is_above(each, ticket) and self._must_reach(each, card):
                return each
        return None

    def _is_above(self, operation: Operation, ticket: int) -> bool:
        """Whether an operation's ticket is higher for certain."""
        if operation.ticket is not None:
            return operation.ticket > ticket
        return self.lowest_ticket(operation) >= ticket

    def _must_reach(self, operation: Operation, card: str) -> bool:
        if operation.kind in SINGLE_UPDATES:
            return True
        if operation.kind is Kind.MERGE:
            return self.existence(card).is_surely(True, since=operation.started, until=FOREVER)
        (tag,) = operation.tags
        return self.tagging(card, tag).is_surely(True, since=operation.started, until=operation.completed)

    def _may_reach(self, operation: Operation, card: str, *, ticket: int) -> bool:
        own = self._of_card[card]
        if operation.kind in SINGLE_UPDATES:
            return operation.card == card
        if operation.kind is Kind.MERGE:
            return (operation.project, operation.template) == (own[0].project, own[0].template)
        if operation.kind is Kind.BULK_UPDATE and operation.project == own[0].project:
            (tag,) = operation.tags
            # an earlier try whose answer was lost has a ticket of its own; nobody was told when that is completed
            until = operation.completed if ticket == operation.ticket else FOREVER
            return self.tagging(card, tag).is_possible(True, since=operation.started, until=until)
        return False

    def is_first_value(self, card: str, field: str, value: str) -> bool:
        """Whether a pass may have begun with a value: its own, or its template's at some moment until then."""
        own = self._of_card[card]
        creation = next(each for each in own if each.kind in CREATIONS)
        if field in creation.values:
            return value == creation.values[field]
        changes = self._of_template[creation.project, creation.template] if field == OFFER else []
        return value == FIRST_VALUE or any(
            each.values[OFFER] == value and each.may_work and each.started <= creation.ended
            for each in changes
            if each.kind is Kind.CHANGE_CAMPAIGN
        )


def _change(operation: Operation, *, sets: bool) -> Change:
    return Change(sets=sets, started=operation.started, ended=operation.ended, is_certain=operation.works)
