"""Which registrations go once a push service says that a device is gone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain import lost_devices
from chalicelib.domain.errors import Conflict
from chalicelib.domain.lost_devices import remove_token
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Registration, Wallet
from tests.support.samples import BOUNDS, MOMENT, sample_pass

HELD = Registration(
    registration_id="r",
    number=1,
    pass_id=12_345,
    serial_number="s",
    wallet=Wallet.PASSBOOK,
    created_at=MOMENT,
    project_id=1,
    template_id=2,
    device="a",
    pass_type="pass.x",
    push_token="token",
    registered_at=MOMENT,
)


@dataclass
class Scene:
    """Registrations by device, all of one pass, and what was found under the token a moment ago."""

    rows: dict[str, Registration | None]
    pass_: Pass | None = field(default_factory=sample_pass)

    @property
    def platform(self) -> Platform:
        return cast(Platform, SimpleNamespace(registrations=self, bounds=BOUNDS))

    def list_of_token(self, *, pass_type: str, push_token: str) -> list[tuple[str, int]]:
        return [(device, 12_345) for device in self.rows] if (pass_type, push_token) == ("pass.x", "token") else []

    def find(self, *, device: str, pass_id: int) -> tuple[Pass | None, Registration | None]:
        return (self.pass_, self.rows[device]) if pass_id == 12_345 else (None, None)

    def remove(self, gone_since: datetime = MOMENT) -> int:
        return remove_token(self.platform, pass_type="pass.x", push_token="token", gone_since=gone_since)


@pytest.fixture(autouse=True)
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The devices whose registrations were removed; the first try of each meets another writer."""
    devices: list[str] = []
    met: set[str] = set()

    def remove(_: Platform, pass_: Pass, registration: Registration) -> None:
        if registration.device not in met:
            met.add(registration.device)
            raise Conflict
        assert pass_ == sample_pass()
        devices.append(registration.device)

    monkeypatch.setattr(lost_devices, "remove_registration", remove)
    return devices


def test_every_registration_with_the_token_goes(removed: list[str]) -> None:
    assert Scene({"a": HELD, "b": replace(HELD, device="b")}).remove() == 2
    assert removed == ["a", "b"]


@pytest.mark.parametrize(
    "changes",
    [{"push_token": "new"}, {"pass_type": "pass.y"}, {"registered_at": MOMENT + timedelta(milliseconds=1)}],
    ids=["another token by now", "of another pass type", "renewed since"],
)
def test_what_the_service_did_not_speak_of_stays(changes: dict[str, Any], removed: list[str]) -> None:
    assert Scene({"a": replace(HELD, **changes), "b": replace(HELD, device="b")}).remove() == 1
    assert removed == ["b"]


def test_what_is_gone_by_itself_is_not_counted(removed: list[str]) -> None:
    assert Scene({"a": None}).remove() == Scene({"a": HELD}, pass_=None).remove() == Scene({}).remove() == 0
    assert removed == []
