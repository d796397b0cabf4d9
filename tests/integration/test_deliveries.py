"""Each device is told once of a ticket, whatever comes twice or dies, and what services answer is acted upon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from chalicelib.domain import delivering
from chalicelib.domain.counted_index import count_members, events_of_template
from chalicelib.domain.deliveries import Delivery, Pause
from chalicelib.domain.delivering import deliver
from chalicelib.domain.lost_devices import remove_token
from chalicelib.domain.passes import Pass, PassStatus
from chalicelib.domain.ports import Platform
from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.domain.registrations import Installation, Wallet, device_key
from chalicelib.schemas.messages import DeliveryMessage
from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, make_template, read_pass
from tests.support.faults import Killed
from tests.support.rivals import run_together
from tests.support.stack import Stack, Tenant

_tickets = count(1)


@dataclass
class Channel:
    """A push service that answers as it is told. `pushed` are the tokens in the order in which they came."""

    answers: dict[str, PushResult] = field(default_factory=dict)
    otherwise: Callable[[str], PushResult] = lambda token: PushResult(token=token, outcome=Outcome.SENT)
    dies_at: str | None = None
    pushed: list[str] = field(default_factory=list)

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        for token in batch.tokens:
            if token == self.dies_at:
                raise Killed
            self.pushed.append(token)
            yield self.answers.get(token) or self.otherwise(token)


@dataclass
class Scene:
    """A ticket of a new project whose devices are to be told."""

    stack: Stack
    platform: Platform
    delivery: Delivery

    def of(self, *tokens: str) -> Delivery:
        """The delivery to some devices."""
        return replace(self.delivery, tokens=tokens)

    def take_messages(self) -> list[Delivery]:
        """What was asked for again, out of the queue."""
        url = self.stack.queues.get_queue_url(QueueName=PREFIX + self.delivery.queue)["QueueUrl"]
        found: list[Delivery] = []
        while True:
            answer = self.stack.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.stack.queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(_read(json.loads(message["Body"])))
            if not answer.get("Messages"):
                return found


def _read(document: dict[str, Any]) -> Delivery:
    return DeliveryMessage.model_validate(document).as_delivery()


@dataclass
class Queues:
    """Keeps what is sent, so that no test waits for a delay."""

    real: Any
    sent: list[tuple[Delivery, int]] = field(default_factory=list)

    def send_documents(self, queue: str, documents: Sequence[dict[str, Any]], *, delay_seconds: int = 0) -> None:
        assert queue.startswith("deliver-")
        self.sent += [(_read(json.loads(json.dumps(document))), delay_seconds) for document in documents]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.fixture
def queues() -> Queues:
    return Queues(get_platform().queues)


@pytest.fixture
def scene(stack: Stack, tenant: Tenant, queues: Queues) -> Scene:
    template = make_template(tenant.project_id)
    platform = replace(get_platform(), queues=queues)  # type: ignore[arg-type]
    delivery = Delivery(
        ticket_id=next(_tickets),
        project_id=tenant.project_id,
        template_id=template.template_id,
        wallet=Wallet.PASSBOOK,
        pass_type=devices.PASS_TYPE,
        tokens=(),
        asked_at=datetime.now(UTC),
    )
    return Scene(stack, platform, delivery)


def _later(platform: Platform, seconds: float) -> Platform:
    return replace(platform, now=lambda: datetime.now(UTC) + timedelta(seconds=seconds))


def _tokens(number: int) -> list[str]:
    return [f"token {each}" for each in range(number)]


def _answer(outcome: Outcome, **more: Any) -> Callable[[str], PushResult]:
    return lambda token: PushResult(token=token, outcome=outcome, reason="because", **more)


def test_every_device_of_a_delivery_is_pushed_once(scene: Scene, queues: Queues) -> None:
    channel = Channel()
    report = deliver(scene.platform, channel, scene.of(*_tokens(60)))

    assert channel.pushed == _tokens(60)
    assert report.outcomes == {Outcome.SENT: 60}
    assert queues.sent == []


def test_a_message_that_comes_again_pushes_nobody(scene: Scene, queues: Queues) -> None:
    channel = Channel()
    for _ in range(3):
        deliver(scene.platform, channel, scene.of(*_tokens(30)))

    assert len(channel.pushed) == 30
    assert queues.sent == []


def test_a_device_named_in_several_messages_is_pushed_once(scene: Scene) -> None:
    channel = Channel()
    deliver(scene.platform, channel, scene.of("a", "b"))
    deliver(scene.platform, channel, scene.of("b", "c"))

    assert channel.pushed == ["a", "b", "c"]


def test_the_next_ticket_pushes_again(scene: Scene) -> None:
    channel = Channel()
    deliver(scene.platform, channel, scene.of("a"))
    deliver(scene.platform, channel, replace(scene.of("a"), ticket_id=next(_tickets) + 10_000_000))

    assert channel.pushed == ["a", "a"]


def test_the_same_token_of_another_wallet_or_pass_type_is_another_device(scene: Scene) -> None:
    channel = Channel()
    for delivery in (
        scene.of("a"),
        replace(scene.of("a"), pass_type="pass.other"),
        replace(scene.of("a"), wallet=Wallet.PASSWALLET, push_service_url="https://one.example"),
        replace(scene.of("a"), wallet=Wallet.PASSWALLET, push_service_url="https://two.example"),
    ):
        deliver(scene.platform, channel, delivery)

    assert channel.pushed == ["a"] * 4


def test_of_copies_at_the_same_time_one_pushes_each_device(scene: Scene, queues: Queues) -> None:
    channels = [Channel() for _ in range(6)]
    run_together([partial(deliver, scene.platform, each, scene.of(*_tokens(40))) for each in channels])

    assert sorted(token for channel in channels for token in channel.pushed) == sorted(_tokens(40))
    # what one met in another's hands is looked at again, soon
    assert all(5 <= delay <= 11 for _, delay in queues.sent)
    assert {token for delivery, _ in queues.sent for token in delivery.tokens} <= set(_tokens(40))


def test_a_worker_that_dies_leaves_unknown_only_what_it_did_not_know(scene: Scene) -> None:
    dying, heir = Channel(dies_at="token 25"), Channel()
    with pytest.raises(Killed):
        deliver(scene.platform, dying, scene.of(*_tokens(40)))
    assert len(dying.pushed) == 25

    deliver(_later(scene.platform, delivering.CLAIM_SECONDS + 1), heir, scene.of(*_tokens(40)))
    assert heir.pushed == _tokens(40)[25:]


def test_what_a_dead_worker_took_is_asked_for_again_until_it_is_free(scene: Scene, queues: Queues) -> None:
    with pytest.raises(Killed):
        deliver(scene.platform, Channel(dies_at="token 1"), scene.of(*_tokens(3)))
    impatient = Channel()
    deliver(scene.platform, impatient, scene.of(*_tokens(3)))

    assert impatient.pushed == []
    ((again, delay),) = queues.sent
    assert (set(again.tokens), again.attempt) == ({"token 1", "token 2"}, 0)
    assert 5 <= delay <= 11


def test_a_busy_service_is_asked_again_later_and_only_for_what_it_left(scene: Scene, queues: Queues) -> None:
    channel = Channel({"b": PushResult(token="b", outcome=Outcome.RETRY, retry_after_seconds=300)})
    deliver(scene.platform, channel, scene.of("a", "b"))

    ((again, delay),) = queues.sent
    assert (again.tokens, again.attempt) == (("b",), 1)
    assert 298 <= delay <= 301
    assert again.not_before is not None
    channel.answers.clear()
    deliver(_later(scene.platform, 302), channel, again)
    assert channel.pushed == ["a", "b", "b"]


def test_a_message_that_comes_too_early_waits_without_a_push(scene: Scene, queues: Queues) -> None:
    channel = Channel()
    not_before = datetime.now(UTC) + timedelta(hours=2)
    deliver(scene.platform, channel, replace(scene.of("a"), not_before=not_before, attempt=4))

    assert channel.pushed == []
    ((again, delay),) = queues.sent
    assert (again.not_before, again.attempt, delay) == (not_before, 4, delivering.MOST_DELAY_SECONDS)


def test_waits_grow_and_stay_within_the_queue_s_limit() -> None:
    longest = [max(delivering.backoff(attempt).total_seconds() for _ in range(300)) for attempt in (0, 3, 6, 30)]

    assert longest == sorted(longest)
    assert 2 * 0.8 < longest[0] <= 2
    assert 16 * 0.8 < longest[1] <= 16
    assert longest[3] <= delivering.MOST_DELAY_SECONDS


def test_a_push_is_given_up_after_a_day(scene: Scene, queues: Queues) -> None:
    channel = Channel()
    old = replace(scene.of("a", "b"), asked_at=datetime.now(UTC) - timedelta(hours=25))
    report = deliver(scene.platform, channel, old)

    assert (report.abandoned, channel.pushed, queues.sent) == (2, [], [])


def test_refused_credentials_rest_the_project_s_pushes_and_are_tried_again(scene: Scene, queues: Queues) -> None:
    channel = Channel(otherwise=_answer(Outcome.MISCONFIGURED))
    report = deliver(scene.platform, channel, scene.of("a", "b"))
    assert report.refusal == "because"
    ((first, _),) = queues.sent
    assert set(first.tokens) == {"a", "b"}

    deliver(scene.platform, channel, scene.of("c"))
    assert channel.pushed == ["a", "b"]
    assert queues.sent[1][0].tokens == ("c",)

    other = replace(scene.of("d"), project_id=scene.delivery.project_id + 1_000_000)
    deliver(scene.platform, Channel(), other)
    pauses = scene.platform.deliveries.list_pauses(now=datetime.now(UTC))
    (pause,) = [one for one in pauses if one.service == first.service]
    assert pause.reason == "because"
    assert scene.platform.deliveries.end_pause(pause.service)
    channel.otherwise = _answer(Outcome.SENT)
    deliver(_later(scene.platform, 1000), channel, first)
    assert channel.pushed == ["a", "b", "a", "b"]


def test_another_wallet_of_the_same_project_does_not_rest(scene: Scene) -> None:
    deliver(scene.platform, Channel(otherwise=_answer(Outcome.MISCONFIGURED)), scene.of("a"))
    channel = Channel()
    deliver(scene.platform, channel, replace(scene.of("a"), wallet=Wallet.PASS2U))

    assert channel.pushed == ["a"]


def test_a_service_that_stays_silent_rests_so_that_others_do_not_wait_for_it(scene: Scene) -> None:
    clock = iter(datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (0, *[10] * 100))
    slow = replace(scene.platform, now=lambda: next(clock))
    deliver(slow, Channel(otherwise=_answer(Outcome.RETRY)), scene.of("a"))
    channel = Channel()
    deliver(scene.platform, channel, scene.of("b"))

    assert channel.pushed == []


def test_a_quick_refusal_to_serve_rests_nothing(scene: Scene) -> None:
    deliver(scene.platform, Channel(otherwise=_answer(Outcome.RETRY)), scene.of("a"))
    channel = Channel()
    deliver(scene.platform, channel, scene.of("b"))

    assert channel.pushed == ["b"]


def test_a_longer_pause_is_not_shortened(scene: Scene) -> None:
    store, now = scene.platform.deliveries, datetime.now(UTC)
    service = scene.delivery.service
    store.pause(Pause(service=service, until=now + timedelta(seconds=900), reason="long"))
    store.pause(Pause(service=service, until=now + timedelta(seconds=60), reason="short"))
    found = store.get_pause(service, now=now)

    assert found is not None
    assert found.reason == "long"
    assert store.get_pause(service, now=now + timedelta(seconds=901)) is None


def test_a_refused_push_is_not_repeated_and_the_others_are_made(scene: Scene, queues: Queues) -> None:
    channel = Channel({"b": PushResult(token="b", outcome=Outcome.REFUSED, reason="DeviceTokenNotForTopic")})
    for _ in range(2):
        deliver(scene.platform, channel, scene.of("a", "b", "c"))

    assert channel.pushed == ["a", "b", "c"]
    assert queues.sent == []


def _hold(tenant: Tenant, pass_: Pass, *, device: str, token: str) -> None:
    """A device registers with a token of its own choice."""
    platform = get_platform()
    devices.install(platform, project_id=tenant.project_id, pass_id=pass_.pass_id, device=device)
    key = device_key(device_id=device, pass_type=devices.PASS_TYPE)
    _, registration = platform.registrations.find(device=key, pass_id=pass_.pass_id)
    assert registration is not None
    installation = Installation(wallet=Wallet.PASSBOOK, push_token=token)
    renewed = replace(registration, push_token=installation.push_token, registered_at=platform.now())
    platform.registrations.renew(before=registration, after=renewed)


def test_a_device_that_is_gone_loses_all_its_registrations(
    scene: Scene, tenant: Tenant, consistent: Consistent
) -> None:
    one, two, three = make_passes(tenant.project_id, 3, tags=["tag"], template_id=scene.delivery.template_id)
    for pass_, device, token in (
        (one, "phone", "gone"),
        (two, "phone", "gone"),
        (two, "the same phone later", "gone"),
        (two, "tablet", "stays"),
        (three, "tablet", "stays"),
    ):
        _hold(tenant, pass_, device=device, token=token)
    since = datetime.now(UTC) + timedelta(seconds=1)
    channel = Channel({"gone": PushResult(token="gone", outcome=Outcome.GONE, gone_since=since)})
    deliver(scene.platform, channel, scene.of("gone", "stays"))

    after = [read_pass(each) for each in (one, two, three)]
    assert [each.status for each in after] == [PassStatus.UNINSTALLED, PassStatus.INSTALLED, PassStatus.INSTALLED]
    assert [each.registrations for each in after] == [0, 1, 1]
    consistent(tenant.project_id)


def test_a_device_that_registered_again_since_stays(scene: Scene, tenant: Tenant, consistent: Consistent) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, template_id=scene.delivery.template_id)
    _hold(tenant, pass_, device="phone", token="gone")
    since = datetime.now(UTC) - timedelta(seconds=5)
    channel = Channel({"gone": PushResult(token="gone", outcome=Outcome.GONE, gone_since=since)})
    deliver(scene.platform, channel, scene.of("gone"))

    assert read_pass(pass_).registrations == 1
    consistent(tenant.project_id)


def test_a_device_with_a_newer_token_stays(scene: Scene, tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, template_id=scene.delivery.template_id)
    _hold(tenant, pass_, device="phone", token="new")

    removed = remove_token(
        scene.platform,
        pass_type=devices.PASS_TYPE,
        push_token=f"old one of {tenant.project_id}",
        gone_since=datetime.now(UTC),
    )
    assert (removed, read_pass(pass_).registrations) == (0, 1)


def test_a_worker_that_dies_before_it_removed_a_gone_device_is_made_up_for(scene: Scene, tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, template_id=scene.delivery.template_id)
    _hold(tenant, pass_, device="phone", token="gone")
    since = datetime.now(UTC) + timedelta(seconds=1)
    answers = {"gone": PushResult(token="gone", outcome=Outcome.GONE, gone_since=since)}
    with pytest.raises(Killed):
        deliver(scene.platform, Channel(answers, dies_at="z"), scene.of("gone", "z"))
    heir = Channel()
    deliver(_later(scene.platform, delivering.CLAIM_SECONDS + 1), heir, scene.of("gone", "z"))

    assert heir.pushed == ["z"]
    assert read_pass(pass_).registrations == 0


def test_a_handful_of_unknown_tokens_is_removed(scene: Scene, tenant: Tenant, consistent: Consistent) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, template_id=scene.delivery.template_id)
    _hold(tenant, pass_, device="phone", token="unknown")
    deliver(scene.platform, Channel(otherwise=_answer(Outcome.UNKNOWN_TOKEN)), scene.of("unknown"))

    assert read_pass(pass_).status is PassStatus.UNINSTALLED
    consistent(tenant.project_id)


def test_when_all_of_many_tokens_are_unknown_the_settings_are_to_blame(scene: Scene, tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, template_id=scene.delivery.template_id)
    _hold(tenant, pass_, device="phone", token="token 0")
    report = deliver(
        scene.platform, Channel(otherwise=_answer(Outcome.UNKNOWN_TOKEN)), scene.of(*_tokens(delivering.HANDFUL + 1))
    )

    assert read_pass(pass_).registrations == 1
    assert report.refusal is not None


def test_many_unknown_tokens_among_good_ones_are_removed(scene: Scene, tenant: Tenant) -> None:
    (pass_,) = make_passes(tenant.project_id, 1, template_id=scene.delivery.template_id)
    _hold(tenant, pass_, device="phone", token="token 0")
    answers = {"good": PushResult(token="good", outcome=Outcome.SENT)}
    channel = Channel(answers, otherwise=_answer(Outcome.UNKNOWN_TOKEN))
    deliver(scene.platform, channel, scene.of("good", *_tokens(delivering.HANDFUL + 1)))

    assert read_pass(pass_).registrations == 0


def test_pushes_count_in_the_template_s_report(scene: Scene) -> None:
    answers = {"b": PushResult(token="b", outcome=Outcome.REFUSED)}
    for _ in range(2):
        deliver(scene.platform, Channel(answers), scene.of("a", "b", "c"))

    counts = scene.platform.counts.read_counts(events_of_template(scene.delivery.template_id))
    assert count_members(counts, {"pushes"}) == 2


def test_a_batch_without_a_known_token_stops_nobody_else(scene: Scene, queues: Queues) -> None:
    """The holder of one pass may register with as many made-up tokens as he likes."""
    deliver(scene.platform, Channel(otherwise=_answer(Outcome.UNKNOWN_TOKEN)), scene.of(*_tokens(20)))
    channel = Channel()
    deliver(scene.platform, channel, scene.of("a neighbour", *_tokens(20)))

    assert channel.pushed == ["a neighbour"]
    assert queues.sent == []


def test_each_device_waits_for_what_was_asked_of_it_and_not_for_ever(scene: Scene, queues: Queues) -> None:
    answers = {
        "long": PushResult(token="long", outcome=Outcome.RETRY, retry_after_seconds=10**9),
        "short": PushResult(token="short", outcome=Outcome.RETRY),
    }
    deliver(scene.platform, Channel(answers), scene.of("long", "short"))

    waits = {delivery.tokens[0]: delivery.not_before for delivery, _ in queues.sent}
    now = datetime.now(UTC)
    assert waits["short"] is not None
    assert waits["short"] < now + timedelta(seconds=10)
    assert waits["long"] is not None
    assert waits["long"] <= now + timedelta(seconds=delivering.LONGEST_RETRY_AFTER_SECONDS + 1)


def test_one_refusal_among_pushes_that_were_taken_rests_nothing(scene: Scene, queues: Queues) -> None:
    answers = {"b": PushResult(token="b", outcome=Outcome.MISCONFIGURED, reason="TopicDisallowed")}
    deliver(scene.platform, Channel(answers), scene.of("a", "b"))
    channel = Channel()
    deliver(scene.platform, channel, scene.of("c"))

    assert channel.pushed == ["c"]
    ((again, _),) = queues.sent
    assert (again.tokens, again.attempt) == (("b",), 1)
