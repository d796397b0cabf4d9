"""Devices that take and give up passes, over a store kept in memory: who is let in, what is stored, who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.campaign_ports import Standing
from chalicelib.domain.errors import Conflict, InvalidRequest, Unauthorized
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass, PassStatus, hold, release
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import AirshipReceiver, PassworksReceiver, Receiver
from chalicelib.domain.registering import HeldPass, Registered, get_held_pass, get_named_pass, register, unregister
from chalicelib.domain.registrations import Installation, Registration, Wallet, device_key
from chalicelib.domain.tags import TagReference
from tests.support.samples import BOUNDS, MOMENT, sample_pass

SERIAL = "8a2f6a3e-8a5b-4a0e-9d1f-000000003039"
PASS = sample_pass(serial_number=SERIAL, external_id="an id")
HELD = HeldPass(pass_type="pass.x", serial_number=SERIAL, token="authentication")
PHONE = Installation(wallet=Wallet.PASSBOOK, push_token="token", push_service_url="https://push.example")
DEVICE = device_key(device_id="phone", pass_type="pass.x")
CAMPAIGN = "4e0551fb-1127-4a96-a2b1-8a73adb4b2db"
LATER = MOMENT + timedelta(days=1)
LIVE = (TagReference(7, 2),)


@dataclass
class Scene:
    """One pass and its registrations. `rivals` writers are in the way of the first writes."""

    pass_: Pass | None = PASS
    rows: dict[str, Registration] = field(default_factory=dict)
    stands: bool = True
    listens: bool = False
    rivals: int = 0
    told: list[Any] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(
            passes=self,
            registrations=self,
            sequences=self,
            receivers=self,
            queues=self,
            now=lambda: LATER,
            bounds=replace(BOUNDS, devices_per_pass=2),
            new_uuid=lambda number: f"uuid {number}",
            pass_type_of=lambda project_id, certificate_id: "pass.x" if project_id == 1 else "pass.y",
        )
        return cast(Platform, parts)

    def get_pass(self, *, project_id: int | None, pass_id: int) -> Pass | None:
        return self.pass_ if (project_id, pass_id) == (None, 12_345) else None

    def find(self, *, device: str, pass_id: int) -> tuple[Pass | None, Registration | None]:
        return (self.pass_, self.rows.get(device)) if pass_id == 12_345 else (None, None)

    def read_standing(self, pass_: Pass, *, with_tags: bool) -> Standing:
        self.told.append(("standing", with_tags))
        return Standing(stands=self.stands, campaign_id=CAMPAIGN, live=LIVE if with_tags else ())

    def next_values(self, *, name: str, count: int, now: datetime, apart: bool) -> tuple[int, datetime]:
        self.told.append((name, count, now, apart))
        return 1001, MOMENT

    def register(
        self,
        *,
        before: Pass,
        after: Pass,
        registration: Registration,
        live: Sequence[TagReference],
        event: object,
        outgoing: Sequence[Outgoing],
    ) -> None:
        self._meet()
        assert (before, event) == (self.pass_, None)
        self.told.append(("registered", live, len(outgoing)))
        self.pass_, self.rows[registration.device] = after, registration

    def renew(self, *, before: Registration, after: Registration, outgoing: Sequence[Outgoing]) -> None:
        self._meet()
        assert self.rows[before.device] == before
        self.told.append(("renewed", len(outgoing)))
        self.rows[before.device] = after

    def unregister(
        self,
        *,
        before: Pass,
        after: Pass,
        registrations: Sequence[Registration],
        live: Sequence[TagReference],
        now: datetime,
        event: object,
        outgoing: Sequence[Outgoing],
    ) -> None:
        self._meet()
        assert (before, event, now) == (self.pass_, None, LATER)
        self.told.append(("unregistered", live, len(outgoing)))
        self.pass_ = after
        for registration in registrations:
            del self.rows[registration.device]

    def find_receiver(self, project_id: int) -> Receiver | None:
        both = Receiver(
            project_id=1,
            secret="s",
            airship=AirshipReceiver(base_url="https://a.example", headers={}),
            passworks=PassworksReceiver(url="https://p.example"),
        )
        return both if self.listens and project_id == 1 else None

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        self.sent += messages

    def _meet(self) -> None:
        self.rivals -= 1
        if self.rivals >= 0:
            raise Conflict

    def add(self, device: str = "phone", installation: Installation = PHONE, held: HeldPass = HELD) -> Registered:
        return register(self.platform, held, device_id=device, read_installation=lambda _: installation, ip="192.0.2.1")

    def remove(self, device: str = "phone", **more: Any) -> bool:
        return unregister(self.platform, HELD, device_id=device, ip="192.0.2.1", **more)

    def events(self) -> list[dict[str, Any]]:
        return [event for each in self.sent for event in cast(Any, each.document)["events"]]


def test_the_first_device_installs_a_pass_and_its_tags_follow() -> None:
    scene = Scene(rivals=1)

    assert scene.add() is Registered.NEW
    assert scene.pass_ == hold(PASS, platform="ios", now=MOMENT)
    assert scene.rows == {
        DEVICE: Registration(
            registration_id="uuid 1001",
            number=1001,
            project_id=1,
            template_id=2,
            pass_id=12_345,
            serial_number=SERIAL,
            device=DEVICE,
            pass_type="pass.x",
            wallet=Wallet.PASSBOOK,
            push_token="token",
            push_service_url="https://push.example",
            created_at=MOMENT,
            registered_at=MOMENT,
        )
    }
    # the number is taken once, however often the rest is tried
    number = ("registrations:2", 1, LATER, True)
    assert scene.told == [number, ("standing", True), ("standing", True), ("registered", LIVE, 0)]


def test_a_second_device_is_held_beside_the_first_and_moves_no_tag() -> None:
    scene = Scene()
    scene.add()
    scene.told.clear()

    assert scene.add("another") is Registered.NEW
    assert (len(scene.rows), scene.pass_ and scene.pass_.registrations) == (2, 2)
    assert scene.told[1:] == [("standing", False), ("registered", (), 0)]


def test_a_pass_has_room_for_so_many_devices_unless_it_is_for_many() -> None:
    scene = Scene(replace(PASS, registrations=2))
    with pytest.raises(InvalidRequest, match="the pass is on 2 devices, the limit is 2"):
        scene.add()
    assert scene.told == []
    assert Scene(replace(PASS, registrations=1)).add() is Registered.NEW
    assert Scene(replace(PASS, registrations=2, public_type="multiple")).add() is Registered.NEW


def test_a_device_that_comes_again_is_renewed_even_where_there_is_no_room() -> None:
    scene = Scene(listens=True)
    scene.add()
    before, scene.pass_ = scene.rows[DEVICE], replace(PASS, registrations=2)
    scene.told.clear()
    scene.sent.clear()
    again = Installation(wallet=Wallet.PASSBOOK, push_token="new", push_service_url=None)

    assert scene.add(installation=again) is Registered.RENEWED
    assert scene.rows[DEVICE] == replace(before, push_token="new", push_service_url=None, registered_at=LATER)
    assert (scene.told, scene.sent) == ([("renewed", 0)], [])


def test_of_another_wallet_receivers_are_told_as_of_an_installation() -> None:
    scene = Scene(listens=True)
    scene.add()
    first = scene.events()
    scene.told.clear()

    assert scene.add(installation=Installation(wallet=Wallet.PASS2U, push_token="new")) is Registered.RENEWED
    assert scene.told == [("standing", False), ("renewed", 2)]
    airship, passworks = scene.events()[2:]
    assert (airship["name"], airship["body"]["platform"]) == ("installed", "android")
    assert passworks["body"]["event_extra"]["wallet_type"] == "pass2u"
    assert {event["event_id"] for event in first}.isdisjoint({airship["event_id"], passworks["event_id"]})
    silent = Scene(rows={DEVICE: scene.rows[DEVICE]})
    silent.add()
    assert silent.told == [("renewed", 0)]


def test_receivers_are_told_in_their_own_words() -> None:
    scene = Scene(listens=True)
    scene.add()
    scene.remove()

    airship, passworks, airship_end, passworks_end = scene.events()
    assert (airship["path"], airship["name"], airship["dialect"]) == ("/v1/pass/install", "installed", "airship")
    assert airship["body"] == {
        "passId": 12_345,
        "templateId": 2,
        "serialNumber": SERIAL,
        "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-01-02T03:04:05.678Z",
        "externalId": "an id",
        "platform": "ios",
    }
    assert passworks["body"] == {
        "event": "installed",
        "context": "pass",
        "campaign_id": CAMPAIGN,
        "distribution_id": passworks["body"]["distribution_id"],
        "pass_id": SERIAL,
        "voided": False,
        "serial_number": SERIAL,
        "redeemed_count": 0,
        "redeemed_at": None,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        "last_fetched_at": None,
        "event_at": "2026-01-02T03:04:05Z",
        "metadata": {},
        "event_extra": {
            "pass_id": SERIAL,
            "registration_id": "uuid 1001",
            "device_os": "ios",
            "device_app_vendor": "passbook",
            "wallet_type": "apple_wallet",
            "ip": "192.0.2.1",
        },
    }
    assert (airship_end["path"], airship_end["name"]) == ("/v1/pass/uninstall", "uninstalled")
    assert (passworks_end["name"], passworks_end["body"]["event_at"]) == ("uninstalled", "2026-01-03T03:04:05Z")
    assert passworks_end["body"]["event_extra"] == passworks["body"]["event_extra"]
    assert len({event["event_id"] for event in scene.events()}) == 4


def test_the_last_device_to_go_uninstalls_the_pass() -> None:
    scene = Scene()
    scene.add()
    scene.add("another")
    scene.told.clear()

    scene.rivals = 1
    assert scene.remove()
    assert scene.told == [("unregistered", (), 0)]
    assert scene.pass_ is not None
    before = scene.pass_
    assert scene.remove("another")
    assert scene.told[1:] == [("standing", True), ("unregistered", LIVE, 0)]
    assert scene.pass_ == release(before, now=LATER)
    assert (scene.pass_.status, scene.rows) == (PassStatus.UNINSTALLED, {})
    assert not scene.remove()


def test_receivers_are_told_of_each_device_that_goes() -> None:
    scene = Scene(listens=True)
    scene.add()
    scene.add("another")
    scene.told.clear()

    scene.remove()

    assert scene.told == [("standing", False), ("unregistered", (), 2)]


def test_who_asks_for_it_is_shown_the_pass_whether_it_was_held_or_not() -> None:
    scene, seen = Scene(), list[Pass]()

    assert not scene.remove(note=seen.append)
    assert seen == [PASS]


def test_the_body_is_read_once_and_only_for_those_who_hold_the_token() -> None:
    def read(_: Pass) -> Installation:
        seen.append(1)
        return PHONE

    scene, seen = Scene(rivals=2), list[int]()
    register(scene.platform, HELD, device_id="phone", read_installation=read)
    assert seen == [1]
    with pytest.raises(Unauthorized):
        register(scene.platform, replace(HELD, token="x"), device_id="phone", read_installation=read)
    assert seen == [1]


STRANGERS = [
    replace(HELD, token="another"),
    replace(HELD, pass_type="pass.y"),
    replace(HELD, serial_number=SERIAL.replace("8a2f", "9b3a")),
    replace(HELD, serial_number="8a2f6a3e-8a5b-4a0e-9d1f-00000000303a"),
    replace(HELD, serial_number="no uuid"),
]


@pytest.mark.parametrize("held", STRANGERS)
@pytest.mark.parametrize(
    "call",
    [
        get_held_pass,
        lambda platform, held: register(platform, held, device_id="d", read_installation=lambda _: PHONE),
        lambda platform, held: unregister(platform, held, device_id="d"),
    ],
    ids=["get", "register", "unregister"],
)
def test_strangers_are_told_nothing(call: Callable[[Platform, HeldPass], object], held: HeldPass) -> None:
    with pytest.raises(Unauthorized, match=r"^the pass or its token is unknown$"):
        call(Scene().platform, held)


def test_without_a_token_the_serial_number_and_the_pass_type_must_be_right() -> None:
    platform = Scene().platform
    found, standing = get_named_pass(platform, pass_type="pass.x", serial_number=SERIAL)
    assert (found, standing.campaign_id) == (PASS, CAMPAIGN)

    for held in STRANGERS[1:]:
        with pytest.raises(Unauthorized):
            get_named_pass(platform, pass_type=held.pass_type, serial_number=held.serial_number)


def test_a_pass_that_goes_with_its_template_is_unknown_by_now() -> None:
    scene = Scene(stands=False)

    for call in (
        lambda: get_held_pass(scene.platform, HELD),
        lambda: get_named_pass(scene.platform, pass_type="pass.x", serial_number=SERIAL),
        scene.add,
    ):
        with pytest.raises(Unauthorized):
            call()
    assert scene.rows == {}
    assert get_held_pass(Scene().platform, HELD)[0] == PASS
