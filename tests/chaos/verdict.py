"""Whether everything that was promised holds, once faults are off and the queues are empty."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.cards import Deck
from tests.chaos.expectations import SINGLE_UPDATES, TAG_REMOVALS, Expectations
from tests.chaos.journal import Journal, Kind, Operation, Outcome

Lost = Callable[[int, float, float], bool]
"""whether a connection to that server, opened and lost at those times, was lost to a kill"""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and the operations about the thing concerned."""

    invariant: str
    detail: str
    operations: Sequence[Operation] = ()


@dataclass(frozen=True, slots=True)
class SeenPass:
    """A pass as it is at the end: over HTTP, and the tickets of its fields as they are stored."""

    tags: frozenset[str]
    values: Mapping[str, str]
    tickets: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, str] = field(default_factory=dict)


def judge_answers(journal: Journal, lost: Lost) -> Iterator[Violation]:
    """Every request got an answer of its dialect, or its connection was lost to a kill."""
    for problem, operation in journal.complaints:
        yield Violation("answers of the contract", problem, [operation])
    for operation in journal.operations:
        for each in operation.tries:
            if each.status is None and not lost(each.server, each.opened or each.started, each.ended):
                yield Violation("answers of the contract", "a connection was lost without a kill", [operation])


def judge_refusals(expected: Expectations) -> Iterator[Violation]:
    """Whoever was told that something is not there was told the truth."""
    for operation in expected.operations:
        if not any(each.is_open for each in operation.tries) and _is_wrongly_refused(expected, operation):
            told = operation.tries[-1].status
            detail = f"{operation.kind} #{operation.number} was answered with {told}, but what it asked for was there"
            yield Violation("no acknowledged write is missing", detail, expected.about_card(operation.card))


def _is_wrongly_refused(expected: Expectations, operation: Operation) -> bool:
    status = operation.tries[-1].status
    if status not in (401, 404, 412):
        return False
    span = {"since": operation.started, "until": operation.told}
    if operation.kind is Kind.UNTAG:
        return expected.tagging(operation.card, operation.tags[0], without=operation).is_surely(True, **span)
    if operation.card:
        return expected.existence(operation.card, without=operation).is_surely(True, **span)
    return False


def judge_reads(expected: Expectations) -> Iterator[Violation]:
    """What was read meanwhile was true at some moment of the reading."""
    for operation in expected.operations:
        if operation.outcome is not Outcome.DONE:
            continue
        problem = None
        if operation.kind is Kind.READ_TAGS:
            problem = _judge_tags(expected, operation)
        elif operation.kind is Kind.READ_PASS:
            problem = _judge_values(expected, operation)
        if problem:
            yield Violation(
                "reads show what was acknowledged",
                problem,
                expected.about_card(operation.card, tags=_all_tags(expected)),
            )


def _all_tags(expected: Expectations) -> set[str]:
    return {tag for each in expected.operations for tag in each.tags}


def _judge_tags(expected: Expectations, read: Operation) -> str | None:
    names = set(read.seen) | {tag for each in expected.about_card(read.card) for tag in each.tags}
    for name in sorted(names):
        state = name in read.seen
        # an earlier try's answer was lost, so only the last try was answered
        since = read.tries[-1].started
        if expected.tagging(read.card, name).is_surely(not state, since=since, until=read.told):
            return f"read #{read.number} {'shows' if state else 'does not show'} tag {name}"
    return None


def _judge_values(expected: Expectations, read: Operation) -> str | None:
    """A single update that was acknowledged before must show, unless a later one does."""
    for field_name, value in read.seen.items():
        writer = expected.writer_of(value)
        is_written = writer is None or (writer.may_work and writer.started <= read.told)
        # what a merge spreads is in the passes that are made between the campaign's change and the merge
        if not is_written and not expected.is_first_value(read.card, field_name, value):
            return f"read #{read.number} shows {field_name} {value}, which was not written yet"
        if writer is None or writer.ticket is None:
            continue
        for each in expected.about_card(read.card):
            is_before = each.kind in SINGLE_UPDATES and each.works and each.told < read.tries[-1].started
            if is_before and field_name in each.values and each.ticket is not None and each.ticket > writer.ticket:
                return f"read #{read.number} shows {field_name} {value}, although #{each.number} was acknowledged"
    return None


def judge_passes(expected: Expectations, deck: Deck, seen: Mapping[str, SeenPass | None]) -> Iterator[Violation]:
    """Passes, their tags and their fields are what was acknowledged; None is a pass that is not there."""
    for name, found in seen.items():
        card = deck.cards[name]
        must = expected.existence(name).final
        if must is not None and must is not (found is not None):
            detail = f"pass {card.pass_id} ({name}) is {'there' if found else 'gone'}"
            yield Violation("no acknowledged write is missing", detail, expected.about_card(name))
        if found is None:
            continue
        for tag in deck.projects[card.project].tags:
            must = expected.tagging(name, tag).final
            if must is not None and must is not (tag in found.tags):
                detail = f"pass {card.pass_id} ({name}) {'lacks' if must else 'has'} tag {tag}"
                yield Violation("no acknowledged write is missing", detail, expected.about_card(name, tags=[tag]))
        yield from _judge_fields(expected, name, found)


def _judge_fields(expected: Expectations, card: str, found: SeenPass) -> Iterator[Violation]:
    for field_name, value in found.values.items():
        problem = expected.judge_field(card, field_name, value, found.tickets.get(field_name, 0))
        if problem is None and found.stored.get(field_name) != value:
            problem = f"{field_name} shows {value!r}, but {found.stored.get(field_name)!r} is stored"
        if problem is not None:
            about = expected.about_card(card, tags=_tags_of(expected, card))
            yield Violation("fields have the highest ticket's value", f"{card}: {problem}", about)


def _tags_of(expected: Expectations, card: str) -> set[str]:
    return {tag for each in expected.about_card(card) for tag in each.tags}


def judge_registrations(expected: Expectations, deck: Deck, held: Mapping[str, frozenset[str]]) -> Iterator[Violation]:
    """Devices hold what they registered for; `held` is by device, the serial numbers that it is told."""
    pairs = {(each.card, each.device) for each in expected.operations if each.kind is Kind.REGISTER}
    for card, device in sorted(pairs):
        must = expected.holding(card, device).final
        is_held = deck.cards[card].serial_number in held[device]
        if must is not None and must is not is_held:
            detail = f"{device} is {'' if is_held else 'not '}registered for {card}"
            own = [each for each in expected.about_card(card) if each.device in ("", device)]
            yield Violation("no acknowledged write is missing", detail, own)


def judge_tickets(expected: Expectations, statuses: Mapping[int, str]) -> Iterator[Violation]:
    """Every accepted ticket is COMPLETED by now."""
    for operation in expected.operations:
        if operation.ticket is not None and statuses.get(operation.ticket) != "COMPLETED":
            detail = f"ticket {operation.ticket} is {statuses.get(operation.ticket)}"
            yield Violation("accepted tickets are completed", detail, [operation])


def judge_progress(tickets: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    """A bulk update that is COMPLETED has nothing that failed: every pass here can take every update."""
    for ticket in tickets:
        if ticket["status"] == "COMPLETED" and (ticket["failed"] or ticket["segments_failed"]):
            detail = f"ticket {ticket['ticket_id']} is COMPLETED with {ticket['failed']} failed passes"
            yield Violation("accepted tickets are completed", detail)


def judge_removals(expected: Expectations) -> Iterator[Violation]:
    """A tag that was not found when it was to be cleared, deleted or updated was not there."""
    for operation in expected.operations:
        if operation.kind not in (*TAG_REMOVALS, Kind.BULK_UPDATE) or operation.tries[-1].status != 404:
            continue
        if any(each.is_open for each in operation.tries):
            continue
        (tag,) = operation.tags
        here = [each for each in expected.operations if each.project == operation.project]
        cards = {each.card for each in here if each.card and tag in each.tags}
        for card in cards:
            switch = expected.tagging(card, tag, without=operation)
            if switch.is_surely(True, since=operation.started, until=operation.told):
                detail = f"{operation.kind} #{operation.number} found no tag {tag}, but {card} had it"
                yield Violation("no acknowledged write is missing", detail, expected.about_card(card, tags=[tag]))
                break


def judge_logs(logs: Mapping[str, str]) -> Iterator[Violation]:
    """Nothing was logged as a fault of ours: whatever storage does is foreseen."""
    for name, text in logs.items():
        for line in text.splitlines():
            if _is_fault(line):
                yield Violation("nothing unforeseen is logged", f"{name}: {line[:1500]}")


def _is_fault(line: str) -> bool:
    try:
        return json.loads(line)["level"] in ("ERROR", "CRITICAL")
    except ValueError:
        return bool(line.strip())
