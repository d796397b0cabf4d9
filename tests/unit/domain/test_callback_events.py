"""Who is told of what, beside registrations: each dialect hears only of what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.callback_events import report_delivery, tell_created, tell_personalized, tell_redeemed
from chalicelib.domain.errors import Busy
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import AirshipReceiver, PassworksReceiver, Receiver
from chalicelib.domain.redeems import Redeem
from tests.support.samples import MOMENT, sample_pass

CAMPAIGN = "4e0551fb-1127-4a96-a2b1-8a73adb4b2db"
AIRSHIP = Receiver(project_id=1, secret="s", airship=AirshipReceiver(base_url="u", headers={}))
PASSWORKS = Receiver(project_id=1, secret="s", passworks=PassworksReceiver(url="u"))
REDEEM = Redeem(
    redeem_id="r",
    number=1,
    template_id=2,
    pass_id=12_345,
    serial_number="s",
    redeem_code="c",
    comment=None,
    created_at=MOMENT,
)
MOMENT_SHOWN = "2026-01-02T03:04:05Z"


@dataclass
class Scene:
    """A project with one receiver, or none."""

    receiver: Receiver | None
    fails: bool = False
    sent: list[Any] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(receivers=self, queues=self, now=lambda: MOMENT, new_token=lambda: "a token")
        return cast(Platform, parts)

    def find_receiver(self, project_id: int) -> Receiver | None:
        return self.receiver if project_id == 1 else None

    def send_documents(self, queue: str, documents: Sequence[Any]) -> None:
        if self.fails:
            raise Busy
        self.sent.append((queue, documents))

    def report(self, name: str) -> list[Any]:
        report_delivery(self.platform, sample_pass(), name=name, campaign_id=CAMPAIGN)
        return self.sent


@pytest.mark.parametrize("receiver", [None, AIRSHIP])
def test_what_only_webhooks_know_is_told_to_nobody_else(receiver: Receiver | None) -> None:
    platform = Scene(receiver).platform

    assert tell_created(platform, [sample_pass()], campaign_id=CAMPAIGN) == []
    assert tell_redeemed(platform, sample_pass(), REDEEM, campaign_id=CAMPAIGN) == []
    assert Scene(receiver).report("downloaded") == []


@pytest.mark.parametrize("receiver", [None, PASSWORKS])
def test_a_personalization_is_told_to_airship_receivers_alone(receiver: Receiver | None) -> None:
    assert tell_personalized(Scene(receiver).platform, sample_pass(), token="t", info={}, now=MOMENT) == []


def test_a_personalization_says_who_it_is() -> None:
    (message,) = tell_personalized(
        Scene(AIRSHIP).platform, sample_pass(), token="t", info={"fullName": "Ann"}, now=MOMENT
    )

    (event,) = cast(Any, message.document)["events"]
    assert (event["name"], event["path"]) == ("personalized", "/v1/pass/12345/personalize")
    assert event["body"] == {
        "passId": "12345",
        "templateId": "2",
        "serialNumber": sample_pass().serial_number,
        "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-01-02T03:04:05.678Z",
        "platform": "ios",
        "requiredPersonalizationInfo": {"fullName": "Ann"},
    }
    (other,) = tell_personalized(Scene(AIRSHIP).platform, sample_pass(), token="u", info={}, now=MOMENT)
    assert (message.queue, message.key == other.key) == ("callback", False)


@pytest.mark.parametrize(("name", "fetched_at"), [("downloaded", None), ("fetched", MOMENT_SHOWN)])
def test_a_delivery_is_told_at_once(name: str, fetched_at: str | None) -> None:
    ((queue, (document,)),) = Scene(PASSWORKS).report(name)

    (event,) = document["events"]
    assert (queue, document["project_id"], event["name"], event["dialect"]) == ("callback", 1, name, "passworks")
    body = event["body"]
    assert (body["event"], body["last_fetched_at"], body["event_at"]) == (name, fetched_at, MOMENT_SHOWN)
    assert (body["campaign_id"], body["event_extra"]) == (CAMPAIGN, {})


def test_an_event_that_is_lost_keeps_nobody_from_his_pass(caplog: pytest.LogCaptureFixture) -> None:
    assert Scene(PASSWORKS, fails=True).report("fetched") == []
    assert caplog.messages == [f"nobody is told that pass 12345 was fetched: {Busy()!r}"]


def test_new_passes_are_told_in_one_message_with_an_event_for_each() -> None:
    two = [sample_pass(serial_number=name) for name in ("a", "b")]

    (message,) = tell_created(Scene(PASSWORKS).platform, two, campaign_id=CAMPAIGN)

    events = cast(Any, message.document)["events"]
    assert [event["body"]["pass_id"] for event in events] == ["a", "b"]
    assert {event["name"] for event in events} == {"created"}
    assert (message.key, message.created_at) == (f"callback#{events[0]['event_id']}", MOMENT)
    assert tell_created(Scene(PASSWORKS).platform, [], campaign_id=CAMPAIGN) == []
