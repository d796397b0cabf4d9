"""The signature, held against two independent readers: OpenSSL and the builder of `cryptography`."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.signature import sign_manifest
from tests.support.certificates import NOW, as_pem, elliptic_key, make_credentials, root_certificate

MANIFEST = b'{\n "icon.png": "0",\r\n "pass.json": "1"\n}\n'

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to verify signatures with")


def verify(folder: Path, *, command: str, content: bytes, signature: bytes) -> str:
    """What OpenSSL says of a detached signature, with the test root and nothing else trusted."""
    (folder / "root.pem").write_bytes(as_pem(root_certificate()))
    (folder / "content").write_bytes(content)
    (folder / "signature").write_bytes(signature)
    line = f"openssl {command} -verify -binary -inform DER -content content -in signature -out verified"
    trust = f"-CAfile root.pem -no-CApath -no-CAstore -purpose any -attime {int(NOW.timestamp())}"
    done = subprocess.run(f"{line} {trust}".split(), cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ("erification successful" in done.stderr), done.stderr
    if done.returncode == 0:
        assert (folder / "verified").read_bytes() == content
    return "good" if done.returncode == 0 else done.stderr


@pytest.fixture(params=["RSA", "elliptic"])
def signer(request: pytest.FixtureRequest, credentials: SigningCredentials) -> SigningCredentials:
    """Credentials with either kind of key."""
    return credentials if request.param == "RSA" else make_credentials(elliptic_key())


@needs_openssl
@pytest.mark.parametrize("command", ["smime", "cms"])
@pytest.mark.parametrize("manifest", [MANIFEST, b"{}", b"x" * 100_000], ids=["newlines", "short", "long"])
def test_openssl_accepts_the_signature_over_the_exact_bytes(
    tmp_path: Path, signer: SigningCredentials, command: str, manifest: bytes
) -> None:
    signature = sign_manifest(manifest, credentials=signer, signed_at=NOW)

    assert verify(tmp_path, command=command, content=manifest, signature=signature) == "good"


@needs_openssl
@pytest.mark.parametrize("changed", [MANIFEST.replace(b"1", b"2"), MANIFEST.replace(b"\n", b"\r\n"), MANIFEST[:-1]])
def test_openssl_refuses_other_content(tmp_path: Path, signer: SigningCredentials, changed: bytes) -> None:
    signature = sign_manifest(MANIFEST, credentials=signer, signed_at=NOW)

    assert "content verify error" in verify(tmp_path, command="cms", content=changed, signature=signature)


@needs_openssl
def test_openssl_refuses_another_signing_time_than_the_signed_one(tmp_path: Path, signer: SigningCredentials) -> None:
    signature = sign_manifest(MANIFEST, credentials=signer, signed_at=NOW)
    assert signature.count(b"260102030405Z") == 1

    forged = signature.replace(b"260102030405Z", b"260102030406Z")

    assert verify(tmp_path, command="cms", content=MANIFEST, signature=forged) != "good"


def test_the_same_manifest_and_moment_always_give_the_same_bytes(signer: SigningCredentials) -> None:
    signature = sign_manifest(MANIFEST, credentials=signer, signed_at=NOW)

    assert sign_manifest(MANIFEST, credentials=signer, signed_at=NOW + timedelta(microseconds=999_999)) == signature
    assert sign_manifest(MANIFEST, credentials=signer, signed_at=NOW + timedelta(seconds=1)) != signature


def test_certificate_and_intermediate_are_inside_and_the_manifest_is_not(signer: SigningCredentials) -> None:
    signature = sign_manifest(MANIFEST, credentials=signer, signed_at=NOW)

    inside = pkcs7.load_der_pkcs7_certificates(signature)

    assert {one.serial_number for one in inside} == {signer.certificate.serial_number, signer.wwdr.serial_number}
    assert MANIFEST not in signature


def test_the_builder_of_the_library_writes_the_very_same_bytes_at_that_moment(credentials: SigningCredentials) -> None:
    """It takes its own time, so its signature is made first and ours at the moment that it names."""
    assert isinstance(credentials.key, rsa.RSAPrivateKey)
    options = [
        pkcs7.PKCS7Options.DetachedSignature,
        pkcs7.PKCS7Options.Binary,
        pkcs7.PKCS7Options.NoCapabilities,
    ]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(MANIFEST)
    # in this order: the builder forgets certificates that come before the signer
    builder = builder.add_signer(credentials.certificate, credentials.key, hashes.SHA256())
    theirs = builder.add_certificate(credentials.wwdr).sign(Encoding.DER, options)
    type_of_signing_time = bytes.fromhex("06092a864886f70d010905310f170d")
    _, _, rest = theirs.partition(type_of_signing_time)
    moment = datetime.strptime(rest[:13].decode(), "%y%m%d%H%M%SZ").replace(tzinfo=UTC)

    assert sign_manifest(MANIFEST, credentials=credentials, signed_at=moment) == theirs
