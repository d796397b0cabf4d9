"""Keys of requests: what is read of them, what is decided, and that any course of events does a thing once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.domain.errors import ClaimLost, Conflict, InvalidRequest, KeyReused, StillAtWork
from chalicelib.domain.idempotency import (
    KEPT,
    Answer,
    Claim,
    Decision,
    Held,
    Receipt,
    Record,
    abandon,
    claim_key,
    decide,
    find_answer,
    finish_key,
    make_fingerprint,
    parse_key,
    suspend,
    withdraw,
)
from tests.support import profiles

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIM_SECONDS = 30.0
DONE = Answer(status=200, headers={}, body="{}")


# What a header says


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("k", "k"),
        ("  k ", "k"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e"', "8e03978e"),
        ('"a\\\\b\\"c"', 'a\\b"c'),
        ('"open', '"open'),
        ('a"b"', 'a"b"'),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_is_read_as_it_is_or_out_of_its_quotes(text: str, key: str) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", " ", '""', "x" * 256, "a\tb", "a\x7f", "é", "a\nb"])
def test_a_key_of_no_use_is_refused_by_the_headers_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_key(text)
    assert refused.value.field == "Idempotency-Key"


BASE: dict[str, Any] = {
    "method": "POST",
    "route": "/v1/pass/{identifier}",
    "parameters": {"identifier": "7", "more": "x"},
    "query": [("a", "1"), ("b", "2")],
    "body": b"{}",
    "content_type": "application/json",
}


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"route": "/v1/pass/id/{identifier}"},
        {"parameters": {"identifier": "8", "more": "x"}},
        {"query": [("a", "1")]},
        {"query": [("a", "1"), ("b", "3")]},
        {"body": b"{ }"},
        {"body": b""},
    ],
)
def test_whatever_is_asked_tells_requests_apart(change: dict[str, Any]) -> None:
    assert make_fingerprint(**BASE | change) != make_fingerprint(**BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"query": [("b", "2"), ("a", "1")]},
        {"query": [("b", "2"), ("a", "1"), ("api_key", "secret")]},
        {"parameters": {"more": "x", "identifier": "7"}},
    ],
)
def test_order_and_credentials_do_not(change: dict[str, Any]) -> None:
    assert make_fingerprint(**BASE | change) == make_fingerprint(**BASE)


@pytest.mark.parametrize("form", ["multipart/form-data; boundary={}", 'multipart/form-data; BOUNDARY="{}"; x=y'])
def test_the_boundary_of_a_form_does_not_but_its_parts_do(form: str) -> None:
    def fingerprint(boundary: str, content: str) -> str:
        body = f"--{boundary}\r\n\r\n{content}\r\n--{boundary}--".encode()
        return make_fingerprint(**BASE | {"body": body, "content_type": form.format(boundary)})

    assert fingerprint("abc123", "picture") == fingerprint("987", "picture") != fingerprint("987", "other")


# What is decided


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        ({}, Decision.WAIT),
        ({"until": NOW}, Decision.TAKE_OVER),
        ({"until": NOW + timedelta(milliseconds=1)}, Decision.WAIT),
        ({"answer": DONE}, Decision.REPEAT),
        ({"answer": DONE, "until": NOW}, Decision.REPEAT),
        ({"fingerprint": "other"}, Decision.REFUSE),
        ({"fingerprint": "other", "answer": DONE}, Decision.REFUSE),
        ({"fingerprint": "other", "until": NOW}, Decision.REFUSE),
        ({"answer": DONE, "expires_at": NOW}, Decision.WORK),
        ({"fingerprint": "other", "expires_at": NOW}, Decision.WORK),
    ],
)
def test_a_record_decides(change: dict[str, Any], decision: Decision) -> None:
    record = Record(fingerprint="f", owner="o", until=NOW + timedelta(seconds=1), expires_at=NOW + timedelta(seconds=1))
    assert decide(replace(record, **change), fingerprint="f", now=NOW) is decision


def test_without_a_record_the_key_is_new() -> None:
    assert decide(None, fingerprint="f", now=NOW) is Decision.WORK


# Any course of events


class Store:
    """Implements `IdempotencyStore` in memory; each method is one conditional write or one read."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], Record] = {}

    def claim(self, claim: Claim, *, now: datetime) -> bool:
        row = self.rows.get((claim.project_id, claim.key))
        if row is not None and row.expires_at > now:
            return False
        self.rows[claim.project_id, claim.key] = Record(
            fingerprint=claim.fingerprint, owner=claim.owner, until=claim.until, expires_at=claim.expires_at
        )
        return True

    def get_record(self, *, project_id: int, key: str) -> Record | None:
        return self.rows.get((project_id, key))

    def take_over(self, claim: Claim, *, former: str) -> None:
        row = self.rows.get((claim.project_id, claim.key))
        if row is None or row.owner != former:
            raise Conflict
        self._put(claim, replace(row, owner=claim.owner, until=claim.until))

    def note(self, claim: Claim) -> None:
        self._put(claim, replace(self._own(claim, claim.owner), notes=claim.notes))

    def finish(self, receipt: Receipt) -> None:
        row = self._own(receipt.claim, receipt.claim.owner)
        done = replace(row, answer=receipt.answer, owner=f"done:{row.owner}") if receipt.answer else row
        self._put(receipt.claim, replace(done, until=receipt.until))

    def suspend(self, claim: Claim) -> None:
        self._put(claim, replace(self._own(claim, claim.owner), until=datetime.fromtimestamp(0, UTC)))

    def release(self, claim: Claim, *, is_finished: bool = False) -> None:
        self._own(claim, f"done:{claim.owner}" if is_finished else claim.owner)
        del self.rows[claim.project_id, claim.key]

    def _own(self, claim: Claim, owner: str) -> Record:
        row = self.rows.get((claim.project_id, claim.key))
        if row is None or row.owner != owner:
            raise ClaimLost
        return row

    def _put(self, claim: Claim, row: Record) -> None:
        self.rows[claim.project_id, claim.key] = row


class World:
    """A platform of which only keys and the clock matter, and what was made on it."""

    def __init__(self) -> None:
        self.now = NOW
        self.owners = 0
        self.made: list[Claim] = []
        self.store = Store()
        self.platform: Any = SimpleNamespace(
            now=lambda: self.now,
            new_token=self._name,
            idempotency=self.store,
            bounds=SimpleNamespace(claim_seconds=CLAIM_SECONDS, budget_seconds=0),
        )

    def _name(self) -> str:
        self.owners += 1
        return f"owner {self.owners}"

    def claim(self, key: str = "k", fingerprint: str = "f") -> Claim | Answer:
        """What a request with that key finds."""
        return claim_key(self.platform, project_id=1, key=key, fingerprint=fingerprint)

    def work(self, claim: Claim) -> Answer:
        """One transaction: a thing and the receipt, or neither."""
        answer = Answer(status=200, headers={}, body=f"thing {len(self.made)}")
        self.store.finish(Receipt(claim=claim, answer=answer, until=self.now))
        self.made.append(claim)
        return answer


@pytest.fixture
def world() -> World:
    return World()


def _claimed(world: World) -> Claim:
    claim = world.claim()
    assert isinstance(claim, Claim)
    return claim


def test_a_repeat_waits_for_the_first_then_gets_its_answer(world: World) -> None:
    claim = _claimed(world)
    with pytest.raises(StillAtWork):
        world.claim()
    answer = world.work(claim)
    assert world.claim() == answer
    with pytest.raises(KeyReused, match="was sent with another request before; each request needs a key of its own"):
        world.claim(fingerprint="g")


def test_the_day_begins_with_the_first_request(world: World) -> None:
    claim = _claimed(world)
    world.now += timedelta(seconds=CLAIM_SECONDS)
    successor = _claimed(world)
    assert successor.expires_at == claim.expires_at == NOW + KEPT
    world.work(successor)
    world.now = NOW + KEPT
    assert isinstance(world.claim(), Claim)


def test_a_successor_finds_what_was_noted(world: World) -> None:
    claim = _claimed(world)
    world.store.note(replace(claim, notes="ids"))
    suspend(world.platform, claim)
    assert _claimed(world).notes == "ids"


@pytest.mark.parametrize("is_refused", [True, False])
def test_giving_up_frees_the_key_at_once(world: World, is_refused: bool) -> None:
    claim = _claimed(world)
    assert abandon(world.platform, claim, is_refused=is_refused) is None
    assert isinstance(world.claim(), Claim)
    with pytest.raises(ClaimLost):
        world.work(claim)


def test_a_refused_request_may_be_mended_under_its_key_and_a_failed_one_not(world: World) -> None:
    abandon(world.platform, _claimed(world), is_refused=True)
    mended = world.claim(fingerprint="g")
    assert isinstance(mended, Claim)
    abandon(world.platform, mended, is_refused=False)
    with pytest.raises(KeyReused):
        world.claim(fingerprint="f")


def test_giving_up_what_is_done_tells_the_answer(world: World) -> None:
    claim = _claimed(world)
    answer = world.work(claim)
    assert abandon(world.platform, claim, is_refused=True) == answer
    assert abandon(world.platform, claim, is_refused=False) == answer
    assert find_answer(world.platform, claim) == answer


def test_what_was_finished_by_another_cannot_be_finished_again(world: World) -> None:
    claim = _claimed(world)
    world.now += timedelta(seconds=CLAIM_SECONDS)
    world.work(_claimed(world))
    with pytest.raises(ClaimLost):
        finish_key(world.platform, claim, DONE)


def test_what_is_undone_is_forgotten_and_only_by_who_did_it(world: World) -> None:
    claim = _claimed(world)
    held = SimpleNamespace(claim=claim, describe=lambda _: DONE)
    withdraw(world.platform, held)  # type: ignore[arg-type]
    with pytest.raises(StillAtWork):
        world.claim()
    world.work(claim)
    other = SimpleNamespace(claim=replace(claim, owner="other"), describe=lambda _: DONE)
    withdraw(world.platform, other)  # type: ignore[arg-type]
    assert isinstance(world.claim(), Answer)
    withdraw(world.platform, SimpleNamespace(claim=claim, describe=None))  # type: ignore[arg-type]
    assert isinstance(world.claim(), Answer)
    withdraw(world.platform, held)  # type: ignore[arg-type]
    assert isinstance(world.claim(), Claim)


def test_work_in_portions_prolongs_its_claim(world: World) -> None:
    claim = _claimed(world)
    held = Held(claim, lambda: world.now + timedelta(seconds=CLAIM_SECONDS))
    world.now += timedelta(seconds=20)
    receipt = held.make_receipt("portion")
    assert receipt == Receipt(claim=claim, answer=None, until=world.now + timedelta(seconds=CLAIM_SECONDS))
    world.store.finish(receipt)
    world.now += timedelta(seconds=20)
    with pytest.raises(StillAtWork):
        world.claim()


class Courses(RuleBasedStateMachine):
    """Requests with two keys that begin, work, die, fail and linger in any order, while time passes.

    Against the simplest model: a thing of a key is made at most once a day, and whoever is answered hears of that one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.running: list[Claim] = []
        self.told: list[tuple[str, str]] = []

    @rule(key=st.sampled_from("ab"))
    def begin(self, key: str) -> None:
        try:
            found = self.world.claim(key)
        except StillAtWork:
            return
        if isinstance(found, Claim):
            self.running.append(found)
        else:
            self.told.append((key, found.body))

    def _take(self, data: st.DataObject, *, keep: bool = False) -> Claim:
        index = data.draw(st.integers(0, len(self.running) - 1))
        return self.running[index] if keep else self.running.pop(index)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), is_heard=st.booleans())
    def work(self, data: st.DataObject, is_heard: bool) -> None:
        """The transaction may take effect and nobody hears of it: then the request goes on, tries again or fails."""
        claim = self._take(data, keep=not is_heard)
        try:
            answer = self.world.work(claim)
        except ClaimLost:
            found = find_answer(self.world.platform, claim)
            answer = found if found is not None else DONE
        if is_heard and answer is not DONE:
            self.told.append((claim.key, answer.body))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), is_refused=st.booleans())
    def fail(self, data: st.DataObject, is_refused: bool) -> None:
        claim = self._take(data)
        answer = abandon(self.world.platform, claim, is_refused=is_refused)
        if answer is not None:
            self.told.append((claim.key, answer.body))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        self._take(data)

    @rule(seconds=st.sampled_from([1, 29, 31, 3600, 86_000, 86_401]))
    def wait(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @invariant()
    def no_day_of_a_key_has_two_things(self) -> None:
        for key in "ab":
            made = [claim for claim in self.world.made if claim.key == key]
            for before, after in pairwise(made):
                assert after.expires_at - KEPT >= before.expires_at

    @invariant()
    def whoever_was_answered_heard_of_a_thing_of_his_key(self) -> None:
        made = {f"thing {number}": claim.key for number, claim in enumerate(self.world.made)}
        assert all(made.get(body) == key for key, body in self.told)


TestCourses = Courses.TestCase
TestCourses.settings = settings(max_examples=profiles.examples(40), stateful_step_count=25)


@settings(max_examples=profiles.examples(30))
@given(seconds=st.integers(0, 2 * 86_400), fraction=st.integers(0, 999))
def test_store_and_decision_agree_when_a_day_is_over(seconds: int, fraction: int) -> None:
    """What the store claims as new is what `decide` calls new, in the whole seconds of DynamoDB's time to live."""
    world = World()
    world.now = NOW + timedelta(milliseconds=fraction)
    first = _claimed(world)
    world.work(first)
    world.now += timedelta(seconds=seconds)
    record = world.store.get_record(project_id=1, key="k")
    is_new = decide(record, fingerprint="f", now=world.now) is Decision.WORK
    assert isinstance(world.claim(), Claim) == is_new
