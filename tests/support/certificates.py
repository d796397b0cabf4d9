"""Certificates in the shape of Apple's, made while the tests run: a root, a WWDR-like intermediate, pass certificates.

Two RSA keys are made in a process, on first use: one for the authorities, one for pass certificates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.wallets.apple.credentials import SigningCredentials, SigningKey, check_credentials

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PASS_TYPE = "pass.test.passel"
TEAM = "PASSELTEST"
ORGANIZATION = "Passel test"
WWDR = "Apple Worldwide Developer Relations Certification Authority"

_DAY = timedelta(days=1)


@cache
def authority_key() -> rsa.RSAPrivateKey:
    """The key of the root and of every intermediate."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def pass_key() -> rsa.RSAPrivateKey:
    """The key of every RSA pass certificate."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def elliptic_key() -> ec.EllipticCurvePrivateKey:
    """The key of every elliptic pass certificate."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Life:
    """From when until when a certificate is valid."""

    start: datetime = NOW - 10 * _DAY
    end: datetime = NOW + 300 * _DAY


def issue(
    subject: x509.Name,
    *,
    key: SigningKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey | None = None,
    is_authority: bool = False,
    life: Life | None = None,
) -> x509.Certificate:
    """A certificate for a name and key."""
    life = life or Life()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life.start)
        .not_valid_after(life.end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(issuer_key or authority_key(), hashes.SHA256())
    )


def name(**parts: str) -> x509.Name:
    """A name of `uid`, `cn`, `ou` and `o`, as far as given."""
    identifiers = {
        "uid": NameOID.USER_ID,
        "cn": NameOID.COMMON_NAME,
        "ou": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "o": NameOID.ORGANIZATION_NAME,
    }
    return x509.Name([x509.NameAttribute(identifiers[part], value) for part, value in parts.items()])


ROOT_NAME = name(cn="Test root")


def wwdr_name(generation: str = "G4") -> x509.Name:
    """The name of an intermediate; Apple's differ in their unit alone."""
    return name(cn=WWDR, ou=generation)


@cache
def root_certificate() -> x509.Certificate:
    """What verifiers are told to trust."""
    return issue(ROOT_NAME, key=authority_key(), issuer=ROOT_NAME, is_authority=True)


def make_wwdr(generation: str = "G4", **options: Any) -> x509.Certificate:
    """An intermediate under the root."""
    options.setdefault("key", authority_key())
    return issue(wwdr_name(generation), issuer=ROOT_NAME, is_authority=True, **options)


def pass_name(**changes: str | None) -> x509.Name:
    """The subject of a pass certificate; a part that is None is left out."""
    parts = {"uid": PASS_TYPE, "cn": f"Pass Type ID: {PASS_TYPE}", "ou": TEAM, "o": ORGANIZATION, **changes}
    return name(**{part: value for part, value in parts.items() if value is not None})


def make_certificate(
    subject: x509.Name | None = None, *, key: SigningKey | None = None, life: Life | None = None
) -> x509.Certificate:
    """A pass certificate that the WWDR intermediate G4 issued."""
    return issue(subject or pass_name(), key=key or pass_key(), issuer=wwdr_name(), life=life)


def as_pem(part: x509.Certificate | SigningKey) -> bytes:
    """A certificate or an unencrypted key."""
    if isinstance(part, x509.Certificate):
        return part.public_bytes(Encoding.PEM)
    return part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_bundle(
    bundle_name: str = "default",
    *,
    certificate: x509.Certificate | None = None,
    key: SigningKey | None = None,
    wwdr: x509.Certificate | None = None,
) -> CertificateBundle:
    """A bundle that signs, but for the parts that a test replaces."""
    return CertificateBundle(
        bundle_name,
        as_pem(certificate or make_certificate(key=key)),
        as_pem(key or pass_key()),
        as_pem(wwdr or make_wwdr()),
    )


def make_credentials(key: SigningKey | None = None, *, life: Life | None = None) -> SigningCredentials:
    """Credentials that sign, with an RSA key unless another is given."""
    bundle = make_bundle(certificate=make_certificate(key=key, life=life), key=key)
    return check_credentials(bundle, scope="shared", now=NOW)


def write_bundle(folder: Path, bundle: CertificateBundle, *, scope: str = "shared") -> None:
    """Stores a bundle in the layout of `file:`."""
    place = folder / scope / bundle.name
    place.mkdir(parents=True)
    members = {"certificate": bundle.certificate_pem, "key": bundle.key_pem, "wwdr": bundle.wwdr_pem}
    for member, pem in members.items():
        (place / f"{member}.pem").write_bytes(pem)
