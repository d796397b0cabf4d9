"""Provider tokens: when one is used again, and when it is made anew."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chalicelib.domain.wallet_services import AppleKey
from chalicelib.wallets.apple.push_tokens import ProviderToken, UnusableKeyError
from tests.support.apple_push import make_key
from tests.support.certificates import NOW, as_pem


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    """Starts at NOW."""
    return Clock()


@pytest.fixture
def provider_token(clock: Clock) -> ProviderToken:
    """Of a fresh key."""
    return ProviderToken(make_key(), now=clock)


@pytest.mark.parametrize(("minutes", "is_same"), [(0, True), (39, True), (40, False), (500, False), (-1, False)])
def test_a_token_is_used_for_forty_minutes(
    provider_token: ProviderToken, clock: Clock, *, minutes: int, is_same: bool
) -> None:
    first = provider_token.get()

    clock.time += timedelta(minutes=minutes)

    assert (provider_token.get() == first) is is_same


def test_many_refusals_of_one_token_make_one_new_token(provider_token: ProviderToken) -> None:
    refused = provider_token.get()

    renewed = provider_token.renew(refused)

    assert renewed not in (None, refused)
    assert provider_token.renew(refused) == renewed
    assert provider_token.get() == renewed


def test_tokens_are_not_renewed_faster_than_every_twenty_minutes(provider_token: ProviderToken, clock: Clock) -> None:
    second = provider_token.renew(provider_token.get())
    assert second is not None

    clock.time += timedelta(minutes=19)
    assert provider_token.renew(second) is None
    assert provider_token.get() == second

    clock.time += timedelta(minutes=1)
    assert provider_token.renew(second) not in (None, second)


@pytest.mark.parametrize(
    "private_key",
    [
        "",
        "no key",
        as_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)).decode(),
        as_pem(ec.generate_private_key(ec.SECP384R1())).decode(),
    ],
    ids=["empty", "text", "rsa", "other curve"],
)
def test_only_a_key_on_p256_is_taken(clock: Clock, private_key: str) -> None:
    with pytest.raises(UnusableKeyError):
        ProviderToken(AppleKey(key_id="K", team_id="T", private_key=private_key), now=clock)
