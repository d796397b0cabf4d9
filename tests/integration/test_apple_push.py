"""Pushes to iPhones over real sockets: what is sent, and what each answer comes to."""

from __future__ import annotations

import base64
import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from google.auth.crypt.es256 import ES256Verifier

from chalicelib.domain.http_dates import format_http_date
from chalicelib.domain.push_channels import Outcome, PushResult
from chalicelib.domain.wallet_services import AppleKey
from local.apns import Answer, ApnsServer
from local.server_certificates import ServerCertificate
from tests.support.apple_push import (
    TOPIC,
    Pusher,
    make_batch,
    make_credentials,
    make_key,
    make_tokens,
    outcomes,
    times_received,
    write_authority,
)
from tests.support.apple_servers import certificate

TOKEN = "ab" * 32
EXPIRED = Answer(status=403, reason="ExpiredProviderToken")

__all__ = ["certificate"]


@pytest.fixture
def server(certificate: ServerCertificate) -> Iterator[ApnsServer]:
    """A push service that accepts everything."""
    with ApnsServer(certificate) as running:
        yield running


@pytest.fixture
def pusher(server: ApnsServer, certificate: ServerCertificate) -> Iterator[Pusher]:
    """A channel to it that shows a certificate."""
    made = Pusher(base_url=server.url, ca_file=certificate.ca_file, credentials=make_credentials())
    yield made
    made.channel.close()


def test_a_push_names_the_device_and_the_topic_and_says_nothing_else(server: ApnsServer, pusher: Pusher) -> None:
    result = pusher.push_one(TOKEN)

    assert result == PushResult(token=TOKEN, outcome=Outcome.SENT)
    (push,) = server.received
    assert push.path == f"/3/device/{TOKEN}"
    assert push.body == b"{}"
    assert push.headers == {"apns-topic": TOPIC, "content-length": "2"}


def test_the_pass_certificate_is_shown(certificate: ServerCertificate, tmp_path: Path) -> None:
    credentials = make_credentials()
    with ApnsServer(certificate, client_ca_file=write_authority(tmp_path / "root.pem")) as server:
        pusher = Pusher(base_url=server.url, ca_file=certificate.ca_file, credentials=credentials)
        try:
            assert pusher.push_one(TOKEN).outcome == Outcome.SENT
        finally:
            pusher.channel.close()

        assert [push.client_subject for push in server.received] == [credentials.certificate.subject.rfc4514_string()]


def test_a_thousand_pushes_share_one_connection_at_the_same_time(server: ApnsServer, pusher: Pusher) -> None:
    tokens = make_tokens(1000)

    results = pusher.push(*tokens)

    assert outcomes(results) == {Outcome.SENT: 1000}
    assert times_received(server) == Counter(tokens)
    assert server.connections_taken == 1
    assert server.most_streams_at_once > 20


def test_results_come_while_others_are_on_their_way(server: ApnsServer, pusher: Pusher) -> None:
    tokens = make_tokens(600)
    results = pusher.channel.push(make_batch(tokens))

    next(results)

    assert len(server.received) < len(tokens)
    assert len(list(results)) == len(tokens) - 1


def test_nothing_begins_when_nobody_takes_the_results(server: ApnsServer, pusher: Pusher) -> None:
    results = pusher.channel.push(make_batch(make_tokens(2000)))
    next(results)

    results.close()  # type: ignore[attr-defined]

    assert pusher.push_one(TOKEN).outcome == Outcome.SENT
    received = len(server.received)
    assert pusher.push_one(TOKEN).outcome == Outcome.SENT
    assert len(server.received) <= received + 101
    assert len(server.received) < 1000


def test_no_tokens_need_no_connection(server: ApnsServer, pusher: Pusher) -> None:
    assert pusher.push() == {}
    assert server.connections_taken == 0


def gone(**more: Any) -> Answer:
    """The device is no longer there."""
    return Answer(status=410, reason="Unregistered", **more)


SINCE = datetime(2026, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
SINCE_MILLISECONDS = 1_778_051_289_123


@pytest.mark.parametrize(
    ("answer", "outcome", "expected"),
    [
        (gone(timestamp=SINCE_MILLISECONDS), Outcome.GONE, {"reason": "Unregistered", "gone_since": SINCE}),
        (gone(), Outcome.GONE, {"reason": "Unregistered"}),
        (gone(timestamp="soon"), Outcome.GONE, {"reason": "Unregistered"}),
        (Answer(status=400, reason="BadDeviceToken"), Outcome.UNKNOWN_TOKEN, {"reason": "BadDeviceToken"}),
        (Answer(status=400, reason="DeviceTokenNotForTopic"), Outcome.REFUSED, {"reason": "DeviceTokenNotForTopic"}),
        (Answer(status=400, reason="TopicDisallowed"), Outcome.MISCONFIGURED, {"reason": "TopicDisallowed"}),
        (Answer(status=403, reason="BadCertificate"), Outcome.MISCONFIGURED, {"reason": "BadCertificate"}),
        (Answer(status=413, reason="PayloadTooLarge"), Outcome.REFUSED, {"reason": "PayloadTooLarge"}),
        (
            Answer(status=429, reason="TooManyRequests", headers={"retry-after": "17"}),
            Outcome.RETRY,
            {"reason": "TooManyRequests", "retry_after_seconds": 17.0},
        ),
        (Answer(status=500, reason="InternalServerError"), Outcome.RETRY, {"reason": "InternalServerError"}),
        (Answer(status=503), Outcome.RETRY, {"reason": "503"}),
        (Answer(status=302, headers={"location": "https://127.0.0.1:1/"}), Outcome.MISCONFIGURED, {"reason": "302"}),
    ],
    ids=lambda value: f"{value.status}-{value.reason}" if isinstance(value, Answer) else "",
)
def test_an_answer_concerns_its_own_push_alone(
    server: ApnsServer, pusher: Pusher, answer: Answer, outcome: Outcome, expected: dict[str, object]
) -> None:
    others = make_tokens(20)
    server.answer = lambda push: answer if push.token == TOKEN else Answer()

    results = pusher.push(*others[:10], TOKEN, *others[10:])

    assert results.pop(TOKEN) == PushResult(token=TOKEN, outcome=outcome, **expected)  # type: ignore[arg-type]
    assert outcomes(results) == {Outcome.SENT: len(others)}
    assert times_received(server)[TOKEN] == 1


def test_a_service_may_say_until_when_to_wait(server: ApnsServer, pusher: Pusher) -> None:
    until = int((pusher.clock() + timedelta(minutes=5)).timestamp())
    server.answer = lambda _: Answer(status=503, headers={"retry-after": format_http_date(until)})

    result = pusher.push_one(TOKEN)

    assert result.outcome == Outcome.RETRY
    assert result.retry_after_seconds is not None
    assert 240 < result.retry_after_seconds <= 300


@pytest.mark.parametrize("token", ["../../x?y#z", "..", ".", "a/b", "a%2Fb", "a b", "ü", "https://h/"])
def test_a_token_is_one_segment_of_the_path_whatever_it_holds(server: ApnsServer, pusher: Pusher, token: str) -> None:
    assert pusher.push_one(token).outcome == Outcome.SENT

    (push,) = server.received
    assert push.token == token
    assert push.path.startswith("/3/device/")
    assert push.path.count("/") == 3


def test_half_a_character_is_no_fault_of_ours(server: ApnsServer, pusher: Pusher) -> None:
    assert pusher.push_one("\ud800").outcome == Outcome.SENT
    assert [push.token for push in server.received] == ["?"]


def test_no_token_gets_into_a_log(server: ApnsServer, pusher: Pusher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server.answer = lambda push: Answer(status=403, reason=push.token)

    result = pusher.push_one(TOKEN)
    server.stop()
    for _ in range(2):  # the first may still find the old connection, and say nothing
        pusher.push_one(TOKEN)

    assert result.reason == "403"
    assert "no more pushes" in caplog.text
    assert TOKEN not in caplog.text


def test_without_credentials_nothing_is_sent(server: ApnsServer, pusher: Pusher) -> None:
    pusher.credentials = None

    results = pusher.push(*make_tokens(3))

    assert {(result.outcome, result.reason) for result in results.values()} == {
        (Outcome.MISCONFIGURED, "no certificate")
    }
    assert server.connections_taken == 0


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:1", "127.0.0.1:1", "", "https://", "https://h?x=", "https://h:port"]
)
def test_only_https_is_spoken(pusher: Pusher, base_url: str) -> None:
    pusher.base_url = base_url

    result = pusher.push_one(TOKEN)

    assert (result.outcome, result.reason) == (Outcome.MISCONFIGURED, "unusable address")


@pytest.mark.parametrize("private_key", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_bad_key_is_a_fault_of_the_settings(server: ApnsServer, pusher: Pusher, private_key: str) -> None:
    pusher.key = replace(make_key(), private_key=private_key)

    result = pusher.push_one(TOKEN)

    assert (result.outcome, result.reason) == (Outcome.MISCONFIGURED, "unusable key")
    assert server.received == []


# A .p8 key in place of the certificate.


def test_a_provider_token_says_who_we_are_and_is_used_again(certificate: ServerCertificate, tmp_path: Path) -> None:
    key = make_key()
    with ApnsServer(certificate, client_ca_file=write_authority(tmp_path / "root.pem")) as server:
        pusher = Pusher(base_url=server.url, ca_file=certificate.ca_file, credentials=make_credentials(), key=key)
        try:
            before = int(pusher.clock().timestamp())
            pusher.push(*make_tokens(50))
            pusher.clock.ahead = timedelta(minutes=39)
            pusher.push(TOKEN)
        finally:
            pusher.channel.close()

    assert {push.client_subject for push in server.received} == {None}
    assert {push.headers["apns-topic"] for push in server.received} == {TOPIC}
    (bearer,) = {push.headers["authorization"] for push in server.received}
    header, claims = read_bearer(bearer, key=key)
    assert header == {"alg": "ES256", "kid": key.key_id}
    assert claims.keys() == {"iss", "iat"}
    assert claims["iss"] == key.team_id
    assert before <= int(str(claims["iat"])) <= before + 60


def test_a_provider_token_is_made_anew_after_forty_minutes(server: ApnsServer, pusher: Pusher) -> None:
    pusher.key = make_key()
    pusher.push(TOKEN)
    pusher.clock.ahead = timedelta(minutes=41)
    pusher.push(TOKEN)

    first, second = (read_bearer(push.headers["authorization"], key=pusher.key)[1] for push in server.received)
    assert int(str(second["iat"])) - int(str(first["iat"])) >= 41 * 60


def test_an_expired_provider_token_is_renewed_once_for_all(server: ApnsServer, pusher: Pusher) -> None:
    tokens = make_tokens(300)
    pusher.key = make_key()
    pusher.push(TOKEN)
    old = server.received[0].headers["authorization"]
    server.answer = lambda push: EXPIRED if push.headers["authorization"] == old else Answer()

    results = pusher.push(*tokens)

    assert outcomes(results) == {Outcome.SENT: 300}
    assert len({push.headers["authorization"] for push in server.received} - {old}) == 1
    assert max(times_received(server).values()) == 2


def test_a_provider_token_that_stays_expired_is_a_fault_of_the_settings(server: ApnsServer, pusher: Pusher) -> None:
    pusher.key = make_key()
    server.answer = lambda _: EXPIRED

    results = pusher.push(*make_tokens(300))

    assert outcomes(results) == {Outcome.MISCONFIGURED: 300}
    assert {result.reason for result in results.values()} == {"ExpiredProviderToken"}
    assert len({push.headers["authorization"] for push in server.received}) == 2
    assert max(times_received(server).values()) <= 2


def test_another_refusal_of_a_provider_token_renews_nothing(server: ApnsServer, pusher: Pusher) -> None:
    pusher.key = make_key()
    server.answer = lambda _: Answer(status=403, reason="InvalidProviderToken")

    assert pusher.push_one(TOKEN).outcome == Outcome.MISCONFIGURED
    assert len(server.received) == 1


def read_bearer(header: str, *, key: AppleKey) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims of a provider token whose signature fits the key."""
    scheme, _, token = header.partition(" ")
    signed, _, signature = token.rpartition(".")
    public = load_pem_private_key(key.private_key.encode(), password=None).public_key()
    verifier = ES256Verifier.from_string(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert scheme == "bearer"
    assert verifier.verify(signed.encode(), decode(signature))
    head, claims = (json.loads(decode(part)) for part in signed.split("."))
    return head, claims


def decode(part: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
