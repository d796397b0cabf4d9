"""The phones' part in the demo: what they do when they are pushed, and that each fault ends the demo."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Collection
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from chalicelib.domain.counted_index import segment_of
from local import demo_devices
from local.demo_cast import LATEST, NEW, OLD, PASSES, Cast, Update
from local.demo_client import Api, DemoError, Pushes
from local.demo_devices import Holding
from local.phones import IPHONE, WALLET_PASSES, PassFile, Phone

BASE = "http://passel.test"
FEED = "http://pushes.test"
DEADLINE_SECONDS = 10.0


def name_cast(*, first: int = 1, passes: int = 4) -> Cast:
    """Three of five passes have the tag, as in the demo."""
    members = {pass_id: f"M-{pass_id}" for pass_id in range(first, first + passes)}
    return Cast(
        name="Card",
        tag="gold",
        template_id=1,
        tagged={pass_id: member for pass_id, member in members.items() if (pass_id - first) % 5 < 3},
        untagged={pass_id: member for pass_id, member in members.items() if (pass_id - first) % 5 >= 3},
        links={pass_id: f"{BASE}/link/{pass_id}" for pass_id in members},
    )


CAST = name_cast()
"""passes 1 to 3 have the tag"""
BULK = Update(CAST.tagged, NEW)
ONE = Update([1], LATEST)


class World:
    """A pass server and the feed of its pushes, in memory. `push` may be replaced by something that goes wrong."""

    def __init__(self) -> None:
        self.values = {pass_id: {**OLD, "Member": member} for pass_id, member in (CAST.tagged | CAST.untagged).items()}
        self.versions = dict.fromkeys(self.values, 1)
        self.held: dict[str, set[int]] = {}
        """passes by device"""
        self.tokens: dict[str, str] = {}
        """device by push token"""
        self.pushes: Counter[str] = Counter()
        self.asked = threading.Event()
        """some phone has asked what changed since it knew last"""
        self.push: Callable[[str], None] = lambda token: self.pushes.update([token])
        self.http = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.feed = Pushes(self.http, FEED)

    def answer(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.removeprefix("/").split("/")
        if request.url.host == "pushes.test":
            return httpx.Response(200, json={"pushes": self.pushes[parts[0]]})
        if parts[0] == "link":
            return self._answer_pass(int(parts[1]))
        if parts[1] == "passes":
            return self._answer_pass(int(parts[3]), than=request.headers["If-Modified-Since"])
        if request.method == "POST":
            self.held.setdefault(parts[2], set()).add(int(parts[5]))
            self.tokens[json.loads(request.content)["pushToken"]] = parts[2]
            return httpx.Response(201)
        return self._answer_list(self.held[parts[2]], request.url.params.get("passesUpdatedSince"))

    def _answer_list(self, held: Collection[int], tag: str | None) -> httpx.Response:
        listed = [str(pass_id) for pass_id in held if self.versions[pass_id] > int(tag or 0)]
        if tag is not None:
            self.asked.set()
        document = {"serialNumbers": listed, "lastUpdated": str(max(self.versions.values()))}
        return httpx.Response(200, json=document) if listed else httpx.Response(204)

    def _answer_pass(self, pass_id: int, *, than: str | None = None) -> httpx.Response:
        date = formatdate(self.versions[pass_id], usegmt=True)
        if than == date:
            return httpx.Response(304)
        content = pack_pass(pass_id, self.values[pass_id])
        headers = {"Content-Type": "application/vnd.apple.pkpass", "Last-Modified": date}
        return httpx.Response(200, content=content, headers=headers)

    def install(self, *hands: Collection[int]) -> list[Holding]:
        """Phones that hold these passes and have asked once."""
        return [self._install(f"phone {number}", pass_ids) for number, pass_ids in enumerate(hands, start=1)]

    def _install(self, name: str, pass_ids: Collection[int]) -> Holding:
        phone = Phone(IPHONE, name=name, http=self.http)
        holding = Holding(phone, {pass_id: phone.install(CAST.links[pass_id]).serial_number for pass_id in pass_ids})
        phone.list_changed()
        return holding

    def change(self, update: Update) -> None:
        """Writes an update, and tells nobody."""
        version = max(self.versions.values()) + 1
        for pass_id in update.pass_ids:
            self.values[pass_id] |= update.values
            self.versions[pass_id] = version

    def update(self, update: Update) -> None:
        """Writes an update, and pushes each phone that holds one of its passes."""
        self.change(update)
        for token, device in self.tokens.items():
            if self.held[device] & set(update.pass_ids):
                self.push(token)

    def receive(self, holdings: list[Holding], *updates: Update, ask: Callable[[], None] | None = None) -> None:
        """Lets the phones follow the last of some updates."""
        demo_devices.receive_update(
            CAST,
            holdings,
            updates,
            pushes=self.feed,
            ask=ask or (lambda: self.update(updates[-1])),
            patience_seconds=DEADLINE_SECONDS,
        )


def pack_pass(pass_id: int, values: dict[str, str]) -> bytes:
    document = {
        "formatVersion": 1,
        "passTypeIdentifier": "pass.test",
        "serialNumber": str(pass_id),
        "authenticationToken": "secret",
        "webServiceURL": BASE,
        "storeCard": {"primaryFields": [{"key": key, "value": value} for key, value in values.items()]},
    }
    members = {"pass.json": json.dumps(document).encode(), "icon.png": b"icon"}
    manifest = {name: hashlib.sha1(data).hexdigest() for name, data in members.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (members | {"manifest.json": json.dumps(manifest).encode(), "signature": b"-"}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_each_phone_is_pushed_once_for_each_update_of_its_passes_and_shows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World()
    holdings = world.install([1, 2, 4], [1, 3], [4])
    world.receive(holdings, BULK)
    world.receive(holdings, BULK, ONE)
    demo_devices.expect_pushes(holdings, [BULK, ONE], world.feed)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Pushed 2 of 3 phones once; they fetched their 4 changed passes and show 2500 points ")
    assert second.startswith("Pushed 2 of 3 phones once; they fetched 1 changed pass each and show 2600 points ")
    assert list(world.pushes.values()) == [2, 2]


def test_phones_poll_where_nobody_hears_pushes(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    holdings = world.install([1, 2, 4], [4])
    demo_devices.receive_update(CAST, holdings, [BULK], pushes=None, ask=lambda: world.update(BULK))
    assert capsys.readouterr().out.startswith(
        "Nobody hears pushes here, so 1 of 2 phones polled; they fetched their 2 changed passes and show 2500 points "
    )


@pytest.mark.parametrize("lost", [{1}, {2}, {1, 2}])
def test_a_push_that_is_lost_ends_the_demo(lost: set[int]) -> None:
    world = World()
    holdings = world.install([1], [2], [4])
    tokens = {holdings[number - 1].phone.push_token for number in lost}
    world.push = lambda token: world.pushes.update([token] if token not in tokens else [])
    with pytest.raises(DemoError) as raised:
        demo_devices.receive_update(
            CAST, holdings, [BULK], pushes=world.feed, ask=lambda: world.update(BULK), patience_seconds=0.5
        )
    names = [f"phone {number}" for number in sorted(lost)]
    assert str(raised.value) == f"phones not pushed 0.5 s after the update was done: {names} where [] is right"


def test_a_push_for_the_update_before_does_not_count_for_this_one() -> None:
    world = World()
    holdings = world.install([1])
    world.receive(holdings, BULK)
    world.push = lambda token: None
    with pytest.raises(DemoError, match=r"^phones not pushed .*: \['phone 1'\] "):
        demo_devices.receive_update(
            CAST, holdings, [BULK, ONE], pushes=world.feed, ask=lambda: world.update(ONE), patience_seconds=0.1
        )


def test_a_phone_that_is_pushed_twice_ends_the_demo() -> None:
    world = World()
    holdings = world.install([1, 2], [3])
    world.push = lambda token: world.pushes.update([token, token])
    with pytest.raises(DemoError, match=r"^pushes to the phone 1: 2 where 1 is right$"):
        world.receive(holdings, BULK)


def test_a_phone_that_is_pushed_for_the_passes_of_others_ends_the_demo() -> None:
    world = World()
    holdings = world.install([1, 2], [4])

    def push_everybody() -> None:
        world.change(BULK)
        world.pushes.update(list(world.tokens))

    with pytest.raises(DemoError, match=r"^pushes to the phone 2: 1 where 0 is right$"):
        world.receive(holdings, BULK, ask=push_everybody)


def test_a_push_before_the_last_pass_of_a_phone_has_changed_ends_the_demo() -> None:
    world = World()
    holdings = world.install([1, 2])

    def push_too_early() -> None:
        world.update(Update([1], NEW))
        assert world.asked.wait(DEADLINE_SECONDS)
        world.change(Update([2, 3], NEW))

    world.asked.clear()
    with pytest.raises(DemoError, match=r"^changed passes that the phone 1 is not told of as it asks: \{'2'\} "):
        world.receive(holdings, BULK, ask=push_too_early)


def test_the_fault_of_one_phone_is_told_although_others_wait_for_their_push() -> None:
    world = World()
    holdings = world.install([1], [2])
    second = holdings[1].phone.push_token

    def push_one_for_nothing() -> None:
        world.pushes.update([second])
        assert world.asked.wait(DEADLINE_SECONDS)

    world.asked.clear()
    with pytest.raises(DemoError, match=r"^changed passes that the phone 2 is not told of as it asks: "):
        world.receive(holdings, BULK, ask=push_one_for_nothing)


def test_an_update_that_is_refused_ends_the_demo_at_once() -> None:
    world = World()

    def refuse() -> None:
        raise DemoError("no ticket")

    with pytest.raises(DemoError, match=r"^no ticket$"):
        world.receive(world.install([1]), BULK, ask=refuse)


def test_a_feed_that_is_out_of_order_ends_the_demo() -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(500))) as http:
        pushes = Pushes(http, FEED)
        with pytest.raises(DemoError, match=r"^status of the feed of pushes: 500 where 200 is right$"):
            pushes.count("token")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Update([], NEW), "changed passes that the phone 1 is not told of as it asks: {'1'} where set() is right"),
        (Update([1, 4], NEW), "passes that the phone 1 is told of for nothing: {'4'} where set() is right"),
        (Update([1], {"Points": "2400"}), "pass 1 on the phone 1: {'Points': '2400', "),
    ],
)
def test_an_update_that_does_not_reach_a_phone_as_it_must_ends_the_demo(wrong: Update, message: str) -> None:
    world = World()
    holdings = world.install([1, 4])

    def update() -> None:
        world.change(wrong)
        world.pushes.update(list(world.tokens))

    with pytest.raises(DemoError) as raised:
        world.receive(holdings, BULK, ask=update)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("first", [1, 2001, 2501, 4999])
def test_passes_are_dealt_over_the_whole_run(first: int) -> None:
    cast = name_cast(first=first, passes=PASSES)
    hands = demo_devices.deal_passes(cast)
    assert [len(hand) for hand in hands] == [role.tagged + role.untagged for role in demo_devices.ROLES]
    for role, hand in zip(demo_devices.ROLES, hands, strict=True):
        assert len(set(hand)) == len(hand)
        assert len(cast.tagged.keys() & hand) == role.tagged
    holders = Counter(pass_id for hand in hands for pass_id in hand)
    (shared,) = [pass_id for pass_id, count in holders.items() if count > 1]
    assert holders[shared] == 2
    assert shared in cast.tagged
    assert len({segment_of(pass_id) for pass_id in hands[0]}) >= 2


def test_the_story_has_phones_of_all_five_wallets_and_one_without_the_tag() -> None:
    assert len(demo_devices.ROLES) >= 6
    assert len({role.name for role in demo_devices.ROLES}) == len(demo_devices.ROLES)
    assert len({role.model.wallet for role in demo_devices.ROLES}) == 5
    assert [role.name for role in demo_devices.ROLES if not role.tagged] == ["third iPhone"]


def row(number: int, *, serial: str = "s", wallet: str = "passbook") -> dict[str, str]:
    device_os = "ios" if wallet == "passbook" else "android"
    return {"id": f"r{number}", "pass_id": serial, "wallet": wallet, "device_os": device_os}


@pytest.mark.parametrize(
    ("rows", "total", "message"),
    [
        ([row(1)], 1, "registrations: "),
        ([row(1), row(2, wallet="pass2u")], 2, "registrations: "),
        ([row(1), row(2, serial="x", wallet="wallet_passes")], 2, "registrations: "),
        ([row(1), row(1, wallet="wallet_passes")], 2, "different registration ids: 1 where 2 is right"),
        ([row(1), row(2, wallet="wallet_passes")], 3, "X-Total of /v2/store_cards/c/registrations: '3' where '2'"),
        (
            [row(1), row(2, wallet="wallet_passes")],
            2,
            "registrations of the pass on two phones: [] where ",
        ),
    ],
)
def test_registrations_that_are_not_what_the_phones_hold_are_noticed(
    rows: list[dict[str, str]], total: int, message: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        known: dict[str, tuple[list[dict[str, Any]], int]] = {
            "/v2/store_cards": ([{"id": "c", "name": CAST.name}], 1),
            "/v2/store_cards/c/registrations": (list(rows), total),
            "/v2/store_cards/c/passes/s/registrations": ([], 0),
        }
        document, count = known[request.url.path]
        headers = {"X-Page": "1", "X-Total": str(count), "X-Total-Pages": "1" if document else "0"}
        return httpx.Response(200, json=document, headers=headers)

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http:
        holdings = [hold_one(Phone(model, http=http)) for model in (IPHONE, WALLET_PASSES)]
        with pytest.raises(DemoError) as raised:
            demo_devices.find_registrations(Api(http), CAST, holdings)
    assert str(raised.value).startswith(message)


def hold_one(phone: Phone) -> Holding:
    """A phone that holds the pass `s`."""
    phone.add(
        PassFile(document={"serialNumber": "s", "passTypeIdentifier": "p", "webServiceURL": BASE}, last_modified="")
    )
    return Holding(phone, {1: "s"})
