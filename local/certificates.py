"""A certificate to sign passes with on a laptop: made at the first start, kept while it lasts.

It has the shape of Apple's: a root, an intermediate in the place of WWDR, and a pass certificate. No phone trusts it,
but every other reader of pass files can check them against `root.pem`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chalicelib.domain.certificates import SHARED
from chalicelib.store.certificates import FolderSource
from chalicelib.wallets.apple.credentials import CertificateError, check_credentials
from chalicelib.wallets.apple.keyring import DEFAULT
from local.errors import StackError

PASS_TYPE = "pass.local.passel"
TEAM = "PASSELTEST"
ORGANIZATION = "Passel test"
ROOT_FILE = "root.pem"

_LIFE = timedelta(days=365)
_LEFT = timedelta(days=30)
"""what must remain of a certificate's life for it to be used again"""
_CLOCK_SKEW = timedelta(days=1)


def prepare_certificates(folder: Path, *, now: datetime) -> Path:
    """The folder, holding a certificate for all projects (the layout of `file:`) and the root that vouches for it.

    All files are their owner's alone (mode 0600).

    Raises:
        StackError: the folder cannot be written to.
    """
    if not _is_usable(folder, now=now):
        try:
            _write_files(folder, _make_files(now=now))
        except OSError as error:
            raise StackError(f"cannot write certificates to {folder}: {error.strerror}") from error
    return folder


def _is_usable(folder: Path, *, now: datetime) -> bool:
    bundles = [bundle for bundle in FolderSource(folder).read_bundles(SHARED) if bundle.name == DEFAULT]
    try:
        root = x509.load_pem_x509_certificate((folder / ROOT_FILE).read_bytes())
        credentials = [
            check_credentials(bundle, scope=SHARED, now=moment, expected_pass_type=PASS_TYPE, expected_team=TEAM)
            for bundle in bundles
            for moment in (now, now + _LEFT)
        ]
        for one in credentials:
            one.wwdr.verify_directly_issued_by(root)
    except (OSError, ValueError, InvalidSignature, CertificateError):
        return False
    return bool(credentials)


@dataclass(frozen=True, slots=True)
class _Signer:
    name: x509.Name
    key: rsa.RSAPrivateKey


def _make_files(*, now: datetime) -> dict[str, bytes]:
    root = _make_signer({NameOID.COMMON_NAME: "Passel test root"})
    wwdr = _make_signer({NameOID.COMMON_NAME: "Passel test WWDR", NameOID.ORGANIZATIONAL_UNIT_NAME: "G4"})
    signer = _make_signer(
        {
            NameOID.USER_ID: PASS_TYPE,
            NameOID.COMMON_NAME: f"Pass Type ID: {PASS_TYPE}",
            NameOID.ORGANIZATIONAL_UNIT_NAME: TEAM,
            NameOID.ORGANIZATION_NAME: ORGANIZATION,
        }
    )
    bundle = f"{SHARED}/{DEFAULT}"
    return {
        f"{bundle}/certificate.pem": _issue(signer, by=wwdr, is_authority=False, now=now),
        f"{bundle}/key.pem": signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        f"{bundle}/wwdr.pem": _issue(wwdr, by=root, is_authority=True, now=now),
        ROOT_FILE: _issue(root, by=root, is_authority=True, now=now),
    }


def _make_signer(parts: dict[x509.ObjectIdentifier, str]) -> _Signer:
    name = x509.Name([x509.NameAttribute(identifier, value) for identifier, value in parts.items()])
    return _Signer(name, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def _issue(signer: _Signer, *, by: _Signer, is_authority: bool, now: datetime) -> bytes:
    certificate = (
        x509.CertificateBuilder()
        .subject_name(signer.name)
        .issuer_name(by.name)
        .public_key(signer.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        .sign(by.key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
