"""The client certificate on its way into OpenSSL, which reads keys from files alone."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.push_destinations import Access, Destination, UnusableAccessError, make_context
from tests.support.certificates import NOW, elliptic_key


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_key_is_written_for_its_owner_alone_encrypted_and_removed(
    credentials: SigningCredentials, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bytes]] = []
    load = ssl.SSLContext.load_cert_chain

    def look(context: ssl.SSLContext, file: str, *, password: str) -> None:
        seen.append((Path(file).stat().st_mode & 0o777, Path(file).read_bytes()))
        load(context, file, password=password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    make_context(credentials, ca_file=None)

    ((mode, content),) = seen
    assert mode == 0o600
    assert content.count(b"BEGIN CERTIFICATE") == 2
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert b"BEGIN PRIVATE KEY" not in content
    assert list(folder.iterdir()) == []


def test_no_key_stays_behind_when_it_cannot_be_loaded(credentials: SigningCredentials, folder: Path) -> None:
    unfit = replace(credentials, key=elliptic_key())

    with pytest.raises(UnusableAccessError):
        Destination(Access(base_url="https://apns.test", credential=unfit, ca_file=None), now=lambda: NOW)

    assert list(folder.iterdir()) == []


def test_the_server_is_always_verified(credentials: SigningCredentials) -> None:
    context = make_context(credentials, ca_file=None)

    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
