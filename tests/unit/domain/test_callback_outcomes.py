"""What becomes of one message of callbacks: told, tried again, put off, split, dropped or given up, to the letter."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.callbacks import (
    CallbackAnswer,
    CallbackRequest,
    CallbackTask,
    NoAnswer,
    Outcome,
    as_message,
    deliver_callback,
)
from chalicelib.domain.deliveries import Pause
from chalicelib.domain.errors import Busy
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import Dialect, Receiver
from tests.support.samples import MOMENT
from tests.unit.domain.test_callbacks import EVENT_ID, make_event, make_receiver

NOW = MOMENT + timedelta(seconds=10)
KEEP_SECONDS = 3600.0
TASK = CallbackTask(project_id=1, events=[make_event()], attempt=2)
SERVICE = "1#callback#airship"
NAME = f"callback {EVENT_ID} (installed, airship) of project 1"


@dataclass
class Scene:
    """A platform with one receiver, who answers as told. `told` is what was written and sent, in order."""

    answer: CallbackAnswer | NoAnswer = field(default_factory=lambda: CallbackAnswer(status=204))
    receiver: Receiver | None = field(default_factory=make_receiver)
    paused: Pause | None = None
    counting_fails: bool = False
    now_at: datetime = NOW
    requests: list[CallbackRequest] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    def now(self) -> datetime:
        return self.now_at

    def get_receiver(self, project_id: int) -> Receiver | None:
        return self.receiver if project_id == 1 else None

    def get_pause(self, service: str, *, now: datetime) -> Pause | None:
        if self.paused is None or service != self.paused.service:
            return None
        return self.paused if self.paused.until > now else None

    def pause(self, pause: Pause) -> None:
        self.told.append(pause)

    def end_pause(self, service: str) -> bool:
        self.told.append(f"end of the pause of {service}")
        return True

    def count_event(self, *, template_id: int, event: str, at: datetime, times: int = 1) -> None:
        if self.counting_fails:
            raise Busy
        self.told.append((template_id, str(event), at, times))

    def remove(self, key: str) -> None:
        self.told.append(f"without {key}")

    def send_documents(self, queue: str, documents: Sequence[Any], *, delay_seconds: int = 0) -> None:
        self.told.append((queue, documents, delay_seconds))

    def send(self, request: CallbackRequest) -> CallbackAnswer:
        self.requests.append(request)
        if isinstance(self.answer, NoAnswer):
            raise self.answer
        return self.answer

    def tell(self, task: CallbackTask = TASK) -> Outcome:
        self.receivers = self.deliveries = self.counts = self.queues = self.outbox = self
        self.bounds = SimpleNamespace(callback_seconds=KEEP_SECONDS)
        return deliver_callback(cast(Platform, self), self.send, task, chance=lambda: 1.0)


def again(after: float, *, attempt: int = 3, **changes: Any) -> tuple[str, list[Any], int]:
    task = replace(TASK, attempt=attempt, not_before=NOW + timedelta(seconds=after), **changes)
    return "callback", [as_message(task)], min(900, round(after))


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "passel")


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_2xx_is_told(status: int) -> None:
    scene = Scene(CallbackAnswer(status=status))

    assert scene.tell() is Outcome.DELIVERED
    assert (len(scene.requests), scene.told) == (1, [])


def test_what_is_told_leaves_the_outbox() -> None:
    scene = Scene()

    assert scene.tell(replace(TASK, outbox="a row")) is Outcome.DELIVERED
    assert scene.told == ["without a row"]


def test_a_webhook_that_is_told_is_counted_and_ends_the_pause() -> None:
    task = replace(TASK, events=[make_event(Dialect.PASSWORKS)])
    scene = Scene(paused=Pause(service="1#callback#passworks", until=NOW, reason="r", failures=2))

    assert scene.tell(task) is Outcome.DELIVERED
    assert scene.told == ["end of the pause of 1#callback#passworks", (2, "webhooks", NOW, 1)]


def test_a_webhook_that_is_not_counted_is_told_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(counting_fails=True)

    assert scene.tell(replace(TASK, events=[make_event(Dialect.PASSWORKS)])) is Outcome.DELIVERED
    name = f"callback {EVENT_ID} (installed, passworks) of project 1"
    assert caplog.messages == [f"{name} was told, but not counted: {Busy()!r}"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CallbackAnswer(status=199), "answered 199"),
        (CallbackAnswer(status=300), "answered 300, and redirects are not followed: 'nowhere'"),
        (
            CallbackAnswer(status=399, headers={"location": "https://a.example/" + 200 * "x" + "?secret"}),
            f"answered 399, and redirects are not followed: 'https://a.example/{182 * 'x'}'",
        ),
        (
            CallbackAnswer(status=302, headers={"location": "/b?secret=1?2"}),
            "answered 302, and redirects are not followed: '/b'",
        ),
        (CallbackAnswer(status=400), "answered 400"),
        (CallbackAnswer(status=500), "answered 500"),
    ],
)
def test_anything_else_is_tried_again_and_said(
    answer: CallbackAnswer, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(answer)

    assert scene.tell() is Outcome.FAILED
    assert scene.told == [again(20)]  # 5 seconds, doubled twice
    assert caplog.messages == [f"{NAME} failed, try 3: {reason}"]


@pytest.mark.parametrize(("asked", "seconds"), [("5", 20), ("30", 30), ("99999", 3600), ("soon", 20)])
def test_a_receiver_may_ask_for_a_longer_wait_of_up_to_an_hour(asked: str, seconds: int) -> None:
    scene = Scene(CallbackAnswer(status=500, headers={"retry-after": asked}))

    scene.tell()

    assert scene.told == [again(seconds)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CallbackAnswer(status=429), "answered 429"),
        (CallbackAnswer(status=503), "answered 503"),
        (NoAnswer("timed out"), "timed out"),
    ],
)
def test_a_receiver_that_is_down_is_left_alone_for_longer_each_time(
    answer: CallbackAnswer | NoAnswer, reason: str
) -> None:
    first, later = Scene(answer), Scene(answer)
    just_ended = NOW - timedelta(minutes=14)
    later.paused = Pause(service=SERVICE, until=just_ended, reason="r", failures=2)

    assert (first.tell(), later.tell()) == (Outcome.FAILED, Outcome.FAILED)

    until = NOW + timedelta(seconds=5)
    assert first.told == [Pause(service=SERVICE, until=until, reason=reason, failures=1), again(20)]
    until = NOW + timedelta(seconds=20)
    assert later.told == [Pause(service=SERVICE, until=until, reason=reason, failures=3), again(20)]


def test_a_pause_of_long_ago_is_forgotten() -> None:
    scene = Scene(CallbackAnswer(status=503))
    scene.paused = Pause(service=SERVICE, until=NOW - timedelta(minutes=15), reason="r", failures=2)

    scene.tell()

    assert scene.told[0].failures == 1


@pytest.mark.parametrize(("asked", "seconds"), [("60", 60), ("900", 300)])
def test_a_pause_is_as_long_as_the_receiver_asks_for_but_five_minutes_at_most(asked: str, seconds: int) -> None:
    scene = Scene(CallbackAnswer(status=503, headers={"retry-after": asked}))

    scene.tell()

    pause = Pause(service=SERVICE, until=NOW + timedelta(seconds=seconds), reason="answered 503", failures=1)
    assert scene.told == [pause, again(float(asked))]


def test_while_a_receiver_is_left_alone_events_wait_without_a_try() -> None:
    scene = Scene(paused=Pause(service=SERVICE, until=NOW + timedelta(seconds=100), reason="r"))

    assert scene.tell() is Outcome.WAITING
    assert (scene.requests, scene.told) == ([], [again(131, attempt=2)])


@pytest.mark.parametrize(("seconds", "outcome"), [(1, Outcome.DELIVERED), (2, Outcome.WAITING)])
def test_what_comes_too_early_waits(seconds: int, outcome: Outcome) -> None:
    scene = Scene()

    assert scene.tell(replace(TASK, not_before=NOW + timedelta(seconds=seconds))) is outcome
    assert scene.told == ([again(seconds, attempt=2)] if outcome is Outcome.WAITING else [])


def test_several_events_become_a_message_each() -> None:
    events = [make_event(), make_event(event_id="another")]
    scene = Scene()

    assert scene.tell(replace(TASK, events=events, outbox="a row")) is Outcome.SPLIT
    messages = [as_message(replace(TASK, events=[event])) for event in events]
    assert scene.told == [("callback", messages, 0), "without a row"]


@pytest.mark.parametrize("receiver", [None, make_receiver(airship=None)])
def test_what_nobody_wants_to_hear_is_dropped(receiver: Receiver | None, caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(receiver=receiver)

    assert scene.tell() is Outcome.DROPPED
    assert (scene.requests, scene.told) == ([], [])
    assert caplog.messages == [f"dropped {NAME}: nobody is told any more"]


@pytest.mark.parametrize("given", [None, MOMENT - timedelta(days=1)])
def test_what_fails_for_too_long_is_kept_among_the_dead(
    given: datetime | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Trying began with the event, or when an operator gave it another chance."""
    began = given or MOMENT
    task = replace(TASK, since=given)
    scene = Scene(CallbackAnswer(status=500), now_at=began + timedelta(seconds=KEEP_SECONDS))
    assert scene.tell(task) is Outcome.FAILED

    scene = Scene(CallbackAnswer(status=500), now_at=began + timedelta(seconds=KEEP_SECONDS + 1))
    assert scene.tell(task) is Outcome.ABANDONED
    assert scene.told == [("callback-dead", [as_message(replace(task, attempt=3))], 0)]
    assert caplog.messages[-1] == f"gave up {NAME} after 3 tries; it is in callback-dead"


def test_a_message_says_all_that_the_next_try_has_to_know() -> None:
    task = replace(TASK, since=MOMENT, not_before=NOW, outbox="a row")

    message = as_message(task)

    assert {name: value for name, value in message.items() if name != "events"} == {
        "project_id": 1,
        "attempt": 2,
        "since": MOMENT.isoformat(),
        "not_before": NOW.isoformat(),
    }
    assert [event["event_id"] for event in message["events"]] == [EVENT_ID]
