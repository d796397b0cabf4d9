"""Who may be told of what happens: which addresses and headers are refused with which words, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.errors import Conflict, InvalidRequest, NotFound
from chalicelib.domain.ports import Platform
from chalicelib.domain.receiver_editing import (
    get_receiver_or_raise,
    remove_receiver,
    rotate_secret,
    set_airship_receiver,
    set_passworks_receiver,
)
from chalicelib.domain.receivers import AirshipReceiver, Dialect, PassworksReceiver, Receiver
from tests.support.samples import BOUNDS, MOMENT

URL = "https://a.example/base"
KEY = "Bearer a key"
AIRSHIP = AirshipReceiver(base_url=URL, headers={"X-Own": "1"})
PASSWORKS = PassworksReceiver(url=URL, authorization=KEY)


@dataclass
class Scene:
    """Receivers in memory, which refuse what is not of the next revision. The first writes may meet another writer."""

    stored: Receiver | None = None
    rivals: int = 0
    tokens: list[str] = field(default_factory=lambda: ["first", "second", "third", "fourth"])

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(
            receivers=self,
            bounds=BOUNDS,
            now=lambda: MOMENT,
            new_token=lambda: self.tokens.pop(0),
            judge_host=lambda host: "is not public" if host == "localhost" else None,
        )
        return cast(Platform, parts)

    def get_receiver(self, project_id: int) -> Receiver | None:
        return self.stored if project_id == 1 else None

    def put_receiver(self, receiver: Receiver) -> None:
        self._meet()
        assert (receiver.project_id, receiver.revision) == (1, self.stored.revision + 1 if self.stored else 1)
        self.stored = receiver

    def delete_receiver(self, receiver: Receiver) -> None:
        self._meet()
        assert receiver == self.stored
        self.stored = None

    def _meet(self) -> None:
        self.rivals -= 1
        if self.rivals >= 0:
            raise Conflict

    def set_airship(self, url: str = URL, **headers: str) -> tuple[Receiver, bool]:
        return set_airship_receiver(self.platform, project_id=1, base_url=url, headers=headers)

    def set_passworks(self, url: str = URL, authorization: str | None = KEY) -> tuple[Receiver, bool]:
        return set_passworks_receiver(self.platform, project_id=1, url=url, authorization=authorization)


def refusal(call: Callable[[], object]) -> tuple[str | None, str]:
    with pytest.raises(InvalidRequest) as refused:
        call()
    return refused.value.field, refused.value.problem


def test_the_first_receiver_gets_a_secret_and_the_second_shares_it() -> None:
    scene = Scene()

    assert scene.set_airship(**{"X-Own": "1"}) == (Receiver(project_id=1, secret="first", airship=AIRSHIP), True)
    both = Receiver(project_id=1, secret="first", airship=AIRSHIP, passworks=PASSWORKS, revision=2)
    assert scene.set_passworks() == (both, False)
    assert scene.stored == both


def test_a_writer_in_between_is_no_matter() -> None:
    scene = Scene(rivals=1)
    scene.set_airship()
    scene.rivals = 1
    rotate_secret(scene.platform, project_id=1)
    scene.rivals = 1
    remove_receiver(scene.platform, project_id=1, dialect=Dialect.AIRSHIP)

    assert scene.stored is None


def test_a_new_secret_keeps_the_one_before() -> None:
    scene = Scene()
    scene.set_passworks()

    rotated = rotate_secret(scene.platform, project_id=1)

    assert rotated == scene.stored
    assert rotated == Receiver(
        project_id=1, secret="second", previous_secret="first", rotated_at=MOMENT, passworks=PASSWORKS, revision=2
    )


def test_each_dialect_is_removed_by_itself_and_the_secret_with_the_last() -> None:
    scene = Scene()
    scene.set_airship(**{"X-Own": "1"})
    scene.set_passworks()

    remove_receiver(scene.platform, project_id=1, dialect=Dialect.AIRSHIP)
    assert scene.stored == Receiver(project_id=1, secret="first", passworks=PASSWORKS, revision=3)
    with pytest.raises(NotFound):
        remove_receiver(scene.platform, project_id=1, dialect=Dialect.AIRSHIP)
    remove_receiver(scene.platform, project_id=1, dialect=Dialect.PASSWORKS)
    assert scene.stored is None


@pytest.mark.parametrize(
    "call",
    [
        get_receiver_or_raise,
        rotate_secret,
        lambda platform, **more: remove_receiver(platform, dialect=Dialect.AIRSHIP, **more),
    ],
)
def test_where_nobody_is_told_there_is_nothing_to_see_change_or_remove(call: Callable[..., object]) -> None:
    with pytest.raises(NotFound) as missing:
        call(Scene().platform, project_id=1)

    assert str(missing.value) == "callback of project 1 was not found"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "must be a URL of at most 2048 characters"),
        ("https://a.example/" + 2031 * "x", "must be a URL of at most 2048 characters"),
        ("https://a.example/a b", "must not hold a space, a backslash or anything invisible"),
        ("https://a.example\\b", "must not hold a space, a backslash or anything invisible"),
        ("https://a.example/\u200b", "must not hold a space, a backslash or anything invisible"),
        ("https://[a", "must be a URL"),
        ("https://a.example:x/", "must be a URL"),
        ("http://a.example/", "must be an https URL"),
        ("https:///path", "must name a host"),
        ("https://a.example:0/", "must name a host"),
        ("https://user:word@a.example/", "must not hold credentials"),
        ("https://a.example/#part", "must end with its path"),
        ("https://localhost/", "cannot be called: the host is not public"),
    ],
)
def test_an_address_that_we_would_not_call_is_refused(url: str, problem: str) -> None:
    scene = Scene()

    assert refusal(lambda: scene.set_airship(url)) == ("baseUrl", problem)
    assert refusal(lambda: scene.set_passworks(url)) == ("url", problem)
    assert scene.stored is None


def test_what_is_put_behind_an_address_must_fit() -> None:
    """Airship's paths are put behind the base address, so that has no query; a webhook's may have one."""
    assert refusal(lambda: Scene().set_airship(f"{URL}?a=1")) == ("baseUrl", "must end with its path")
    assert Scene().set_passworks(f"{URL}?a=1")[1]


@pytest.mark.parametrize(
    "url", ["https://a.example/" + 2030 * "x", "https://a.example:8443/", "https://a.example", "https://a.example/X"]
)
def test_an_address_may_be_long_and_name_a_port(url: str) -> None:
    assert Scene().set_airship(url)[0].airship == AirshipReceiver(base_url=url, headers={})


NAME = "is not a header name of at most 100 characters"
VALUE = "must be 1 to 2048 characters of visible ASCII"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("", "1", NAME),
        ("a b", "1", NAME),
        ("é", "1", NAME),
        ("x" * 101, "1", NAME),
        ("a", "", VALUE),
        ("a", " 1", VALUE),
        ("a", "1 ", VALUE),
        ("a", "1\r\nb: 2", VALUE),
        ("a", "é", VALUE),
        ("a", "x" * 2049, VALUE),
        ("Content-Type", "text/plain", "is set by us"),
        ("Content-Length", "1", "is set by us"),
        ("HOST", "a.example", "is set by us"),
        ("Passel-Signature", "v1=1", "is set by us"),
        ("Proxy-Authorization", "1", "is set by us"),
        ("Content-Encoding", "gzip", "is set by us"),
    ],
)
def test_a_header_that_is_not_the_teams_to_set_is_refused(name: str, value: str, problem: str) -> None:
    assert refusal(lambda: Scene().set_airship(**{name: value})) == (f"headers.{name[:100]}", problem)


def test_headers_are_bounded_and_named_once() -> None:
    many = {f"X-{number}": "1" for number in range(21)}

    assert refusal(lambda: Scene().set_airship(**many)) == ("headers", "has 21 headers, the limit is 20")
    assert refusal(lambda: Scene().set_airship(A="1", a="2")) == ("headers", "names a header twice")
    many.popitem()
    assert Scene().set_airship(**many)[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x" * 100, "1"),
        ("a", "x" * 2048),
        ("a", "1 2"),
        ("Content-Type", "Application/JSON ; charset=utf-8"),
        ("Authorization", KEY),
    ],
)
def test_any_other_header_is_the_teams(name: str, value: str) -> None:
    (receiver, _) = Scene().set_airship(**{name: value})

    assert receiver.airship == AirshipReceiver(base_url=URL, headers={name: value})


def test_the_key_of_webhooks_must_fit_into_a_header() -> None:
    assert refusal(lambda: Scene().set_passworks(authorization="a\nb")) == ("authorization", VALUE)
    assert Scene().set_passworks(authorization=None)[0].passworks == PassworksReceiver(url=URL)
