"""The credentials that sign passes, checked when they are loaded.

A phone refuses a badly signed pass without a word, so every fault is found and named here (wallets, section 5.2).
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from chalicelib.domain.certificates import CertificateBundle

__all__ = [
    "CertificateBundle",
    "CertificateError",
    "SigningCredentials",
    "SigningKey",
    "check_credentials",
    "describe_name",
]

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class CertificateError(Exception):
    """A bundle cannot sign passes; the message names the bundle and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningCredentials:
    """A pass certificate that was found fit to sign, and what it says of itself. Times are aware UTC."""

    certificate: x509.Certificate
    key: SigningKey = field(repr=False)
    wwdr: x509.Certificate
    pass_type_identifier: str
    team_identifier: str
    organization_name: str
    issued_to: str
    not_before: datetime
    expires_at: datetime
    certificate_id: str
    """of the bundle, not of the certificate: it stays when the certificate is renewed"""
    fingerprint: str
    """SHA-256 of the certificate, hexadecimal"""


def check_credentials(
    bundle: CertificateBundle,
    *,
    scope: str,
    now: datetime,
    expected_pass_type: str | None = None,
    expected_team: str | None = None,
) -> SigningCredentials:
    """The bundle's credentials, everything that wallets section 5.2 asks for being checked.

    Raises:
        CertificateError: the first thing that is wrong.
    """
    try:
        return _check(bundle, scope=scope, now=now, expected=(expected_pass_type, expected_team))
    except CertificateError as error:
        raise CertificateError(f"the certificate bundle {scope}/{bundle.name}: {error}") from error.__cause__


def _check(
    bundle: CertificateBundle, *, scope: str, now: datetime, expected: tuple[str | None, str | None]
) -> SigningCredentials:
    if bundle.problem is not None:
        raise CertificateError(bundle.problem)
    certificate = _read_certificate(bundle.certificate_pem, what="pass certificate")
    wwdr = _read_certificate(bundle.wwdr_pem, what="WWDR certificate")
    key = _read_key(bundle.key_pem)
    if key.public_key() != certificate.public_key():
        raise CertificateError("the key does not belong to the certificate")
    _check_validity(certificate, now=now, what="pass certificate")
    _check_validity(wwdr, now=now, what="WWDR certificate")
    _check_issuer(certificate, wwdr)
    pass_type, team = _check_subject(certificate, expected)
    issued_to = _read_name(certificate.subject, NameOID.COMMON_NAME) or pass_type
    return SigningCredentials(
        certificate=certificate,
        key=key,
        wwdr=wwdr,
        pass_type_identifier=pass_type,
        team_identifier=team,
        organization_name=_read_name(certificate.subject, NameOID.ORGANIZATION_NAME) or issued_to,
        issued_to=issued_to,
        not_before=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        certificate_id=_make_id(f"{scope}/{bundle.name}"),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _read_certificate(pem: bytes, *, what: str) -> x509.Certificate:
    if not pem.strip():
        raise CertificateError(f"the {what} is missing")
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"the {what} is not a certificate in PEM form") from error


def _read_key(pem: bytes) -> SigningKey:
    if not pem.strip():
        raise CertificateError("the key is missing")
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise CertificateError("the key is encrypted; store it without a pass phrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("the key is not a private key in PEM form") from error
    if not isinstance(key, SigningKey):
        raise CertificateError("the key is neither an RSA nor an elliptic curve key")
    return key


def _check_validity(certificate: x509.Certificate, *, now: datetime, what: str) -> None:
    if now < certificate.not_valid_before_utc:
        raise CertificateError(f"the {what} is not valid before {certificate.not_valid_before_utc.isoformat()}")
    if now > certificate.not_valid_after_utc:
        raise CertificateError(f"the {what} expired on {certificate.not_valid_after_utc.isoformat()}")


def _check_issuer(certificate: x509.Certificate, wwdr: x509.Certificate) -> None:
    """Since January 2022 only one of Apple's several intermediates issues pass certificates."""
    name = describe_name(wwdr.subject)
    if certificate.issuer != wwdr.subject:
        raise CertificateError(
            f"the WWDR certificate {name} did not issue the pass certificate,"
            f" which names {describe_name(certificate.issuer)} as its issuer"
        )
    try:
        certificate.verify_directly_issued_by(wwdr)
    except (InvalidSignature, TypeError, ValueError) as error:
        raise CertificateError(
            f"the WWDR certificate {name} did not issue the pass certificate:"
            " its name is the issuer's, but its key did not sign"
        ) from error


def _check_subject(certificate: x509.Certificate, expected: tuple[str | None, str | None]) -> tuple[str, str]:
    pass_type = _read_name(certificate.subject, NameOID.USER_ID)
    team = _read_name(certificate.subject, NameOID.ORGANIZATIONAL_UNIT_NAME)
    if not pass_type:
        raise CertificateError("the certificate has no pass type identifier (UID)")
    if not pass_type.startswith("pass."):
        raise CertificateError(f"the certificate is for {pass_type} (UID), which is not a pass type identifier")
    if not team:
        raise CertificateError("the certificate has no team (OU)")
    expected_pass_type, expected_team = expected
    if expected_pass_type is not None and pass_type != expected_pass_type:
        raise CertificateError(f"the certificate is for the pass type {pass_type} (UID), not for {expected_pass_type}")
    if expected_team is not None and team != expected_team:
        raise CertificateError(f"the certificate is of the team {team} (OU), not of {expected_team}")
    return pass_type, team


def _read_name(name: x509.Name, identifier: x509.ObjectIdentifier) -> str:
    values = [str(attribute.value) for attribute in name.get_attributes_for_oid(identifier)]
    return values[0] if values else ""


def describe_name(name: x509.Name) -> str:
    """Common name and unit: Apple's intermediates differ in nothing else."""
    parts = (_read_name(name, NameOID.COMMON_NAME), _read_name(name, NameOID.ORGANIZATIONAL_UNIT_NAME))
    return f"'{' '.join(part for part in parts if part) or name.rfc4514_string()}'"


def _make_id(path: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(path.encode()).digest()[:16], version=4))
