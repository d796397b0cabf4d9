"""The arithmetic of callbacks: signatures, delays, and what leaves with which header."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.callback_events import CallbackEvent
from chalicelib.domain.callbacks import (
    LONGEST_PAUSE_SECONDS,
    MOST_DELAY_SECONDS,
    backoff_seconds,
    pause_seconds,
    sign,
    sign_request,
)
from chalicelib.domain.receivers import ROTATION, AirshipReceiver, Dialect, PassworksReceiver, Receiver
from tests.support.samples import MOMENT

EVENT_ID = "0b1f7e1c-5a39-5c7a-8a53-0a5f43a7a001"
BLOCK_BYTES = 64


def make_event(dialect: Dialect = Dialect.AIRSHIP, **changes: Any) -> CallbackEvent:
    values: dict[str, Any] = {
        "event_id": EVENT_ID,
        "dialect": dialect,
        "name": "installed",
        "template_id": 2,
        "path": "/v1/pass/install" if dialect is Dialect.AIRSHIP else "",
        "body": {"passId": 1, "externalId": "Café"},
        "happened_at": MOMENT,
    }
    return CallbackEvent(**values | changes)


def make_receiver(**changes: Any) -> Receiver:
    values: dict[str, Any] = {
        "project_id": 1,
        "secret": "new",
        "airship": AirshipReceiver(base_url="https://a.example/base/", headers={}),
        "passworks": PassworksReceiver(url="https://p.example/hooks", authorization="a key"),
    }
    return Receiver(**values | changes)


def hmac_by_hand(key: bytes, text: bytes) -> str:
    """RFC 2104, without the library that the product uses."""
    padded = key.ljust(BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + text).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


def test_a_signature_is_the_hmac_of_time_event_and_body() -> None:
    signature = sign("secret", timestamp=1767323045, event_id=EVENT_ID, body=b'{"a":1}')
    assert signature == hmac_by_hand(b"secret", f"1767323045.{EVENT_ID}.".encode() + b'{"a":1}')


@pytest.mark.parametrize(
    "changes", [{"timestamp": 2}, {"event_id": "another"}, {"body": b"{} "}, {"secret": "another"}], ids=str
)
def test_a_signature_covers_every_part(changes: dict[str, Any]) -> None:
    parts: dict[str, Any] = {"secret": "secret", "timestamp": 1, "event_id": EVENT_ID, "body": b"{}"}

    def of(values: dict[str, Any]) -> str:
        return sign(values["secret"], **{name: value for name, value in values.items() if name != "secret"})

    assert of(parts) != of(parts | changes)


def test_a_request_has_id_time_and_signature_of_its_exact_bytes() -> None:
    request = sign_request(make_receiver(), make_event(), now=MOMENT)

    assert request is not None
    assert request.url == "https://a.example/base/v1/pass/install"
    assert request.content == '{"passId":1,"externalId":"Café"}'.encode()
    timestamp = int(MOMENT.timestamp())
    assert request.headers == {
        "Content-Type": "application/json",
        "Passel-Event-Id": EVENT_ID,
        "Passel-Timestamp": str(timestamp),
        "Passel-Signature": f"v1={sign('new', timestamp=timestamp, event_id=EVENT_ID, body=request.content)}",
    }


def test_every_try_sends_the_same_bytes_under_the_same_id() -> None:
    first = sign_request(make_receiver(), make_event(), now=MOMENT)
    second = sign_request(make_receiver(), make_event(), now=MOMENT + timedelta(hours=3))

    assert first is not None
    assert second is not None
    assert first.content == second.content
    assert first.headers["Passel-Event-Id"] == second.headers["Passel-Event-Id"]
    assert first.headers["Passel-Signature"] != second.headers["Passel-Signature"]


def test_a_header_of_the_teams_never_takes_the_place_of_ours() -> None:
    """They are refused when they are set up; what is stored already changes nothing either."""
    headers = {"content-TYPE": "text/plain", "passel-signature": "v1=0", "PASSEL-EVENT-ID": "0", "X-Team": "blue"}
    receiver = make_receiver(airship=AirshipReceiver(base_url="https://a.example", headers=headers))
    request = sign_request(receiver, make_event(), now=MOMENT)

    assert request is not None
    assert {name.lower() for name in request.headers} == {
        "x-team",
        "content-type",
        "passel-event-id",
        "passel-timestamp",
        "passel-signature",
    }
    assert len(request.headers) == 5
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("authorization", "expected"), [("a key", "a key"), (None, None)])
def test_webhooks_carry_the_key_bare(authorization: str | None, expected: str | None) -> None:
    receiver = make_receiver(passworks=PassworksReceiver(url="https://p.example/h?a=1", authorization=authorization))
    request = sign_request(receiver, make_event(Dialect.PASSWORKS), now=MOMENT)

    assert request is not None
    assert request.url == "https://p.example/h?a=1"
    assert request.headers.get("Authorization") == expected
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("dialect", Dialect)
def test_who_does_not_listen_is_not_told(dialect: Dialect) -> None:
    receiver = make_receiver(**{str(dialect): None})
    assert sign_request(receiver, make_event(dialect), now=MOMENT) is None
    assert receiver.dialects == {other for other in Dialect if other is not dialect}


def test_both_secrets_sign_for_a_week_after_a_rotation() -> None:
    receiver = make_receiver(previous_secret="old", rotated_at=MOMENT)

    def signatures(now: Any) -> list[str]:
        request = sign_request(receiver, make_event(), now=now)
        assert request is not None
        body = request.content
        known = {
            f"v1={sign(secret, timestamp=int(now.timestamp()), event_id=EVENT_ID, body=body)}": secret
            for secret in ("new", "old")
        }
        return [known[each] for each in request.headers["Passel-Signature"].split(",")]

    assert signatures(MOMENT) == ["new", "old"]
    assert signatures(MOMENT + ROTATION) == ["new", "old"]
    assert signatures(MOMENT + ROTATION + timedelta(seconds=1)) == ["new"]


@given(attempt=st.integers(0, 10_000), chance=st.floats(0, 1))
def test_a_delay_is_within_its_bounds(attempt: int, chance: float) -> None:
    assert 1 <= backoff_seconds(attempt, chance) <= MOST_DELAY_SECONDS
    assert backoff_seconds(attempt, chance) <= backoff_seconds(attempt + 1, chance)
    assert backoff_seconds(attempt, chance) <= backoff_seconds(attempt, 1)


def test_delays_double_up_to_the_longest() -> None:
    assert [backoff_seconds(attempt, 1) for attempt in range(10)] == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert backoff_seconds(8, 0.5) == 450
    assert backoff_seconds(8, 0) == 1


def test_pauses_double_up_to_the_longest() -> None:
    assert [pause_seconds(failures) for failures in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert pause_seconds(10_000) == LONGEST_PAUSE_SECONDS
