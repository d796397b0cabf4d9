"""Finding secrets in logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.known_secrets import KnownSecrets
from tests.support.leaks import SecretFinder

TOKEN = "mFz3-Qw_9aLk27"
PASSWORD = "two words/and ü"
FINDER = SecretFinder({TOKEN: "token", PASSWORD: "password"})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"registered {TOKEN}", "token"),
        (f"GET /download?token={TOKEN}&x=1", "token"),
        (f"x{TOKEN}x", "token"),
        (f"Login with {PASSWORD}.", "password"),
        ("GET /login?password=two%20words%2Fand%20%C3%BC", "password"),
        ('{"password": "two words/and \\u00fc"}', "password"),
    ],
)
def test_a_secret_is_found_wherever_it_stands(tmp_path: Path, line: str, kind: str) -> None:
    log = tmp_path / "logs-1"
    log.write_text(f"nothing here\n{line}\n{line}\n", encoding="utf-8")
    leaks = FINDER.find_in_files([log])
    assert [(leak.line, leak.kind) for leak in leaks] == [(2, kind), (3, kind)]
    assert TOKEN not in str(leaks[0])


def test_a_part_of_a_secret_is_none() -> None:
    assert FINDER.find(f"{TOKEN[:-1]} {TOKEN[1:]} two words") == []


def test_nothing_is_found_without_secrets() -> None:
    assert SecretFinder({}).find("anything at all") == []


def test_a_key_is_looked_for_line_by_line() -> None:
    known = KnownSecrets()
    known.note("private key", b"-----BEGIN PRIVATE KEY-----\nAAAABBBBCCCC\nDDDDEEEEFFFF\n-----END PRIVATE KEY-----\n")
    known.note(
        "private key",
        {"client_email": "someone@example.com", "private_key": "-----BEGIN PRIVATE KEY-----\nGGGGHHHHIIII"},
    )
    assert set(known.found) == {"AAAABBBBCCCC", "DDDDEEEEFFFF", "GGGGHHHHIIII"}


def test_a_header_hides_a_password_or_a_token() -> None:
    known = KnownSecrets()
    known.note_authorization("Basic a2V5OnNvbWUgc2VjcmV0")
    known.note_authorization(b"ApplePass 0123456789abcdef")
    known.note_authorization("ApplePass short")
    known.note_authorization(None)
    assert known.found == {
        "a2V5OnNvbWUgc2VjcmV0": "Authorization header",
        "some secret": "API secret",
        "0123456789abcdef": "Authorization header",
    }


def test_an_address_gives_away_tokens_and_the_device() -> None:
    known = KnownSecrets()
    known.note_address("https://host/v1/devices/my%20device/registrations/a.type?token=0123456789&page=1234567890")
    assert known.found == {"my device": "device library identifier", "0123456789": "token in a query"}
