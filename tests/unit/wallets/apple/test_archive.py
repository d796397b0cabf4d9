from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.archive import build_archive
from chalicelib.wallets.apple.credentials import SigningCredentials, check_credentials
from tests.support.certificates import NOW, Life, elliptic_key, make_bundle, make_credentials, write_bundle
from tests.support.wallet_passes import MODIFIED, wallet_pass
from tests.unit.wallets.apple.test_signature import needs_openssl, verify

ROOT = Path(__file__).parents[4]
BASE = "https://passes.example.com/api"


def full_pass() -> Pass:
    """A pass that shows something of everything."""
    return wallet_pass(
        style="storeCard",
        fields={f"field{number}": {"fieldType": "back", "value": f"Füñf {number}"} for number in range(20)},
        headers={
            "barcode_value": "42",
            "background_color": "#123",
            "logo_text": "Café",
            "expirationDate": "2030-01-01",
        },
        lists={
            "icon_id": "1be36452-0000-4000-8000-000000000001",
            "strip_id": "1be36452-0000-4000-8000-000000000002",
            "user_info": {"b": {"d": 1, "c": 2}, "a": [1.5, None]},
            "locations": [{"latitude": 1, "longitude": 2}],
        },
    )


def read_image(asset_id: str, scale: int) -> bytes | None:
    """Some bytes that differ by asset and scale."""
    return f"{asset_id} {scale}".encode() * 1000


def build(credentials: SigningCredentials, pass_: Pass | None = None) -> bytes:
    return build_archive(pass_ or full_pass(), credentials=credentials, base_url=BASE, read_image=read_image)


def unpack(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        assert members.testzip() is None
        return {name: members.read(name) for name in members.namelist()}


def test_the_archive_holds_the_pass_its_images_the_manifest_and_the_signature(credentials: SigningCredentials) -> None:
    members = unpack(build(credentials))

    images = [f"{kind}{scale}.png" for kind in ("icon", "strip") for scale in ("", "@2x", "@3x")]
    assert list(members) == ["pass.json", *images, "manifest.json", "signature"]
    shown = json.loads(members["pass.json"])
    assert shown["storeCard"]["backFields"][3]["value"] == "Füñf 3"
    assert shown["webServiceURL"] == BASE


def test_the_manifest_covers_every_member_but_itself_and_the_signature(credentials: SigningCredentials) -> None:
    members = unpack(build(credentials))

    manifest = json.loads(members["manifest.json"])

    assert manifest.keys() == members.keys() - {"manifest.json", "signature"}
    for name, digest in manifest.items():
        assert digest == hashlib.sha1(members[name]).hexdigest()


@needs_openssl
@pytest.mark.parametrize("command", ["smime", "cms"])
def test_the_signature_is_over_the_manifest_of_the_archive_newlines_and_all(
    tmp_path: Path, credentials: SigningCredentials, command: str
) -> None:
    members = unpack(build(credentials))
    manifest, signature = members["manifest.json"], members["signature"]
    assert b"\n" in manifest

    assert verify(tmp_path, command=command, content=manifest, signature=signature) == "good"
    changed = manifest[:-2] + bytes([manifest[-2] ^ 1]) + manifest[-1:]
    assert verify(tmp_path, command=command, content=changed, signature=signature) != "good"


@pytest.mark.parametrize("kind", ["RSA", "elliptic"])
def test_two_processes_build_the_same_bytes(tmp_path: Path, kind: str) -> None:
    """Whatever their hash seeds and time zones."""
    bundle = make_bundle(key=None if kind == "RSA" else elliptic_key())
    write_bundle(tmp_path, bundle)

    def build_elsewhere(seed: str, zone: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "tests.unit.wallets.apple.archive_process", str(tmp_path)]
        done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return bytes.fromhex(done.stdout)

    first = build_elsewhere("1", "Pacific/Auckland")

    assert build_elsewhere("2", "America/Los_Angeles") == first
    assert build(check_credentials(bundle, scope="shared", now=NOW)) == first


def test_members_and_signature_bear_the_time_of_the_last_change_not_of_the_build(
    credentials: SigningCredentials,
) -> None:
    archive = build(credentials)

    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        assert {member.date_time for member in members.infolist()} == {(2026, 1, 2, 3, 4, 4)}
        assert b"260102030405Z" in members.read("signature")


def test_a_pass_older_than_its_renewed_certificate_is_signed_when_that_begins() -> None:
    renewed = make_credentials(life=Life(start=MODIFIED - timedelta(days=1)))
    old = replace(full_pass(), last_modified=int((MODIFIED - timedelta(days=100)).timestamp()))

    # once in the certificate itself, once as the signing time
    assert unpack(build(renewed, old))["signature"].count(b"260101030405Z") == 2


def test_a_pass_from_before_zip_files_can_be_built(credentials: SigningCredentials) -> None:
    assert unpack(build(credentials, replace(full_pass(), last_modified=0)))


def test_another_version_gives_another_archive(credentials: SigningCredentials) -> None:
    pass_ = full_pass()

    assert build(credentials, replace(pass_, last_modified=pass_.last_modified + 1)) != build(credentials, pass_)
