"""What one message of pushes does, answer by answer: what is noted, asked for again, removed, paused and reported."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain import delivering
from chalicelib.domain.deliveries import Claims, Delivery, Pause, as_document
from chalicelib.domain.delivering import DeliveryReport, backoff, deliver
from chalicelib.domain.ports import Platform
from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.domain.registrations import Wallet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DELIVERY = Delivery(
    ticket_id=70,
    project_id=3,
    template_id=9,
    wallet=Wallet.PASSWALLET,
    pass_type="pass.x",
    tokens=("a", "b"),
    push_service_url="https://push.example",
    attempt=2,
    asked_at=NOW,
)
SERVICE = "3#passwallet#https://push.example"
PUSH_SECONDS, PAUSE_SECONDS = 1000.0, 600.0


@dataclass
class Scene:
    """A platform and a push service that answers as told. `told` is all that was done, in order."""

    answers: Mapping[str, PushResult] = field(default_factory=dict)
    claims: Callable[[Sequence[str]], Claims] = lambda names: Claims(mine=frozenset(names))
    paused: Pause | None = None
    now_at: datetime = NOW
    push_takes: timedelta = timedelta()
    told: list[Any] = field(default_factory=list)
    bounds: Any = field(
        default_factory=lambda: SimpleNamespace(push_seconds=PUSH_SECONDS, push_pause_seconds=PAUSE_SECONDS)
    )

    def now(self) -> datetime:
        return self.now_at

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        self.told.append(("push", batch))
        for token in batch.tokens:
            yield replace(self.answers.get(token, PushResult(token=token, outcome=Outcome.SENT)), token=token)
        self.now_at += self.push_takes

    def get_pause(self, service: str, *, now: datetime) -> Pause | None:
        return self.paused if (service, now) == (SERVICE, NOW) else None

    def claim(self, names: Sequence[str], *, asked_at: datetime, now: datetime, seconds: float) -> Claims:
        assert (asked_at, now, seconds) == (NOW, NOW, 75)
        return self.claims(names)

    def finish(self, names: Sequence[str], *, pushed_at: datetime) -> None:
        if names:
            self.told.append(("finish", tokens_of(names), pushed_at))

    def note_gone(self, since: Mapping[str, datetime], *, now: datetime) -> None:
        if since:
            self.told.append(("gone", dict(zip(tokens_of(list(since)), since.values(), strict=True)), now))

    def release(self, names: Sequence[str]) -> None:
        self.told.append(("release", tokens_of(names)))

    def pause(self, pause: Pause) -> None:
        self.told.append(("pause", pause))

    def count_event(self, *, template_id: int, event: str, at: datetime, times: int) -> None:
        self.told.append(("count", template_id, str(event), at, times))

    def send_documents(self, queue: str, documents: Sequence[Any], *, delay_seconds: int = 0) -> None:
        self.told.append(("ask", queue, documents, delay_seconds))

    def deliver(self, delivery: Delivery = DELIVERY) -> DeliveryReport:
        self.deliveries = self.counts = self.queues = self
        return deliver(cast(Platform, self), cast(Any, self), delivery)

    def said(self, kind: str) -> list[Any]:
        return [each[1:] for each in self.told if each[0] == kind]


def tokens_of(names: Sequence[str]) -> list[str]:
    tokens = {DELIVERY.name_of(token): token for token in "abcdefg"}
    return [tokens[name] for name in names]


def again(*tokens: str, after: float, attempt: int = 2) -> tuple[str, list[Any], int]:
    delivery = replace(DELIVERY, tokens=tokens, attempt=attempt, not_before=NOW + timedelta(seconds=after))
    return "deliver-passwallet", [as_document(delivery)], min(900, round(after))


def answer(outcome: Outcome, **more: Any) -> PushResult:
    return PushResult(token="", outcome=outcome, **more)


@pytest.fixture(autouse=True)
def removed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The devices that are removed. Chance always takes the longest wait."""
    gone: list[Any] = []

    def remove(_: Platform, *, pass_type: str, push_token: str, gone_since: datetime) -> int:
        gone.append((pass_type, push_token, gone_since))
        return 1

    monkeypatch.setattr(delivering, "remove_token", remove)
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    return gone


def test_what_is_sent_is_noted_and_counted_once(removed: list[Any]) -> None:
    scene = Scene()

    report = scene.deliver()

    batch = PushBatch(
        project_id=3,
        wallet=Wallet.PASSWALLET,
        pass_type="pass.x",
        tokens=("a", "b"),
        push_service_url="https://push.example",
    )
    # removing nobody writes nothing either
    assert scene.told == [("push", batch), ("finish", ["a", "b"], NOW), ("count", 9, "pushes", NOW, 2)]
    assert (report, removed) == (DeliveryReport(outcomes=report.outcomes), [])
    assert report.outcomes == {Outcome.SENT: 2}


def test_only_what_nobody_else_has_is_pushed_and_what_others_have_is_asked_for_soon() -> None:
    scene = Scene(claims=lambda names: Claims(mine={names[0]}, busy={names[1]}))

    scene.deliver()

    assert [batch.tokens for (batch,) in scene.said("push")] == [("a",)]
    assert scene.said("ask") == [again("b", after=10)]


def test_what_was_done_is_not_done_again() -> None:
    scene = Scene(claims=lambda names: Claims(done=frozenset(names)))

    assert scene.deliver() == DeliveryReport()
    assert scene.told == []


def test_devices_that_are_gone_are_removed_as_of_when_the_service_learnt_of_it(removed: list[Any]) -> None:
    earlier = NOW - timedelta(days=1)
    scene = Scene(
        answers={"a": answer(Outcome.GONE, gone_since=earlier), "b": answer(Outcome.GONE)},
        claims=lambda names: Claims(mine=frozenset(names[:2]), gone={names[2]: earlier}),
    )

    scene.deliver(replace(DELIVERY, tokens=("a", "b", "c")))

    assert scene.said("gone") == [({"a": earlier, "b": NOW}, NOW)]
    assert removed == [("pass.x", "c", earlier), ("pass.x", "a", earlier), ("pass.x", "b", NOW)]
    assert scene.said("finish") == [(["c", "a", "b"], NOW)]


@pytest.mark.parametrize(("tokens", "is_removed"), [("abcde", True), ("abcdef", False)])
def test_more_than_a_handful_of_unknown_tokens_and_nothing_else_is_a_fault_of_ours(
    removed: list[Any], tokens: str, is_removed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = answer(Outcome.UNKNOWN_TOKEN, reason="NoSuchToken")
    scene = Scene(answers=dict.fromkeys(tokens, unknown))

    report = scene.deliver(replace(DELIVERY, tokens=tuple(tokens)))

    assert removed == ([("pass.x", token, NOW) for token in tokens] if is_removed else [])
    assert report.refusal == (None if is_removed else "NoSuchToken")
    assert scene.said("finish") == [(list(tokens), NOW)]
    assert ("passwallet knows none of 6 tokens: wrong address?" in caplog.text) is not is_removed


def test_with_one_good_token_the_unknown_ones_are_removed_however_many(removed: list[Any]) -> None:
    scene = Scene(answers=dict.fromkeys("abcdef", answer(Outcome.UNKNOWN_TOKEN)))

    assert scene.deliver(replace(DELIVERY, tokens=tuple("abcdefg"))).refusal is None
    assert [token for _, token, _ in removed] == list("abcdef")


def test_what_is_refused_is_done_and_said_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(answers={"a": answer(Outcome.REFUSED, reason="BadTopic")})

    scene.deliver()

    assert scene.said("finish") == [(["a", "b"], NOW)]
    assert caplog.messages == ["passwallet: 1 pushes of ticket 70 refused: BadTopic"]


def test_what_fails_is_asked_for_again_each_when_the_service_wants() -> None:
    scene = Scene(
        answers={
            "a": answer(Outcome.RETRY),
            "b": answer(Outcome.RETRY, retry_after_seconds=60),
            "c": answer(Outcome.RETRY, retry_after_seconds=10**6),
        }
    )

    scene.deliver(replace(DELIVERY, tokens=("a", "b", "c", "d")))

    assert scene.said("release") == [(["a", "b", "c"],)]
    assert scene.said("ask") == [
        again("a", after=8, attempt=3),  # backoff: 2 seconds, doubled twice
        again("b", after=60, attempt=3),
        again("c", after=3600, attempt=3),
    ]
    assert scene.said("pause") == []


@pytest.mark.parametrize(("seconds", "rests"), [(5, False), (6, True)])
def test_a_service_that_lets_a_whole_batch_wait_for_nothing_rests(seconds: int, rests: bool) -> None:
    takes = timedelta(seconds=seconds)
    scene = Scene(answers=dict.fromkeys("ab", answer(Outcome.RETRY)), push_takes=takes)
    partly = Scene(answers={"a": answer(Outcome.RETRY)}, push_takes=takes)

    scene.deliver()
    partly.deliver()

    rest = Pause(service=SERVICE, until=NOW + takes + timedelta(seconds=60), reason="silent")
    assert scene.said("pause") == ([(rest,)] if rests else [])
    assert partly.said("pause") == []


def test_credentials_that_are_refused_pause_the_service(caplog: pytest.LogCaptureFixture) -> None:
    wrong = answer(Outcome.MISCONFIGURED, reason="BadKey")
    scene = Scene(answers={"a": wrong, "b": wrong})

    report = scene.deliver()

    assert report.refusal == "BadKey"
    pause = Pause(service=SERVICE, until=NOW + timedelta(seconds=PAUSE_SECONDS), reason="BadKey")
    assert scene.told[1:] == [
        ("pause", pause),
        ("release", ["a", "b"]),
        ("ask", *again("a", "b", after=PAUSE_SECONDS)),
    ]
    assert caplog.messages == ["passwallet refuses project 3: BadKey; its pushes rest"]


def test_a_service_without_words_is_quoted_by_its_outcome() -> None:
    scene = Scene(answers=dict.fromkeys("ab", answer(Outcome.MISCONFIGURED)))

    assert scene.deliver().refusal == "misconfigured"


def test_credentials_that_are_refused_beside_a_push_that_was_taken_are_tried_again() -> None:
    scene = Scene(answers={"a": answer(Outcome.MISCONFIGURED)})

    assert scene.deliver().refusal is None
    assert (scene.said("ask"), scene.said("pause")) == ([again("a", after=8, attempt=3)], [])


def test_nothing_is_pushed_while_the_service_is_paused_or_before_its_time() -> None:
    paused = Scene(paused=Pause(service=SERVICE, until=NOW + timedelta(seconds=2000), reason="r"))
    early = Scene()

    assert paused.deliver() == DeliveryReport()
    assert paused.told == [("ask", *again("a", "b", after=2030))]
    assert early.deliver(replace(DELIVERY, not_before=NOW + timedelta(seconds=1.5))) == DeliveryReport()
    assert early.told == [("ask", "deliver-passwallet", again("a", "b", after=1.5)[1], 2)]


@pytest.mark.parametrize("seconds", [-5, 0, 1])
def test_a_second_more_or_less_is_no_matter(seconds: int) -> None:
    scene = Scene()

    scene.deliver(replace(DELIVERY, not_before=NOW + timedelta(seconds=seconds)))

    assert len(scene.said("push")) == 1


@pytest.mark.parametrize(("late_seconds", "abandoned"), [(PUSH_SECONDS, 0), (PUSH_SECONDS + 1, 2)])
def test_what_cannot_be_delivered_in_time_is_given_up_and_said(
    late_seconds: float, abandoned: int, caplog: pytest.LogCaptureFixture
) -> None:
    asked_at = NOW - timedelta(seconds=late_seconds)
    scene = Scene()
    scene.claim = lambda names, **_: Claims(done=frozenset(names))  # type: ignore[method-assign]

    assert scene.deliver(replace(DELIVERY, asked_at=asked_at)) == DeliveryReport(abandoned=abandoned)
    assert scene.told == []
    assert caplog.messages == (["gave up 2 pushes of ticket 70 to passwallet"] if abandoned else [])


@pytest.mark.parametrize(("attempt", "seconds"), [(0, 2), (3, 16), (8, 512), (9, 900), (1000, 900)])
def test_waits_double_up_to_the_longest_that_a_queue_takes(attempt: int, seconds: int) -> None:
    assert backoff(attempt) == timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "passel")
