"""Credentials: what is issued, and what opens a project."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.projects import (
    Credential,
    hash_secret,
    random_key,
    random_secret,
    validate_imported_pair,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_key_is_letters_and_digits_so_that_no_command_line_takes_it_for_an_option() -> None:
    assert all(random_key().isalnum() for _ in range(200))


def test_a_secret_has_256_random_bits() -> None:
    secrets = {random_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(len(secret) >= 43 for secret in secrets)


def test_only_the_right_secret_opens_and_only_until_it_is_revoked() -> None:
    credential = Credential("key", hash_secret("right"), 1, NOW)

    assert credential.opens_with("right", now=NOW)
    assert not credential.opens_with("wrong", now=NOW)
    assert not replace(credential, revoked_at=NOW).opens_with("right", now=NOW)


def test_a_rotated_key_opens_until_its_end_and_not_at_it() -> None:
    credential = Credential("key", hash_secret("right"), 1, NOW, expires_at=NOW + timedelta(days=7))

    assert credential.opens_with("right", now=NOW + timedelta(days=7, seconds=-1))
    assert not credential.opens_with("right", now=NOW + timedelta(days=7))
    assert not credential.opens_with("wrong", now=NOW)
    assert not replace(credential, revoked_at=NOW).opens_with("right", now=NOW)


@pytest.mark.parametrize(("key", "secret"), [("", "x" * 16), ("a:b", "x" * 16), ("key", "x" * 15)])
def test_a_pair_that_cannot_travel_or_is_guessable_is_refused(key: str, secret: str) -> None:
    with pytest.raises(InvalidRequest):
        validate_imported_pair(key=key, secret=secret)
