"""A TLS certificate for a server on this machine, under an authority made for it alone."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOSTS = ("localhost", "127.0.0.1")

_LIFE = timedelta(days=365)
_CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """PEM files: what clients are told to trust, and what the server shows."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


def make_server_certificate(folder: Path, *, hosts: Sequence[str] = HOSTS) -> ServerCertificate:
    """Writes a fresh authority and a certificate for the hosts, names or addresses, good for a year from now.

    The files are their owner's alone (mode 0600); earlier ones are replaced. The authority's key is not kept.

    Raises:
        OSError: the folder cannot be written to.
    """
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Passel local authority")
    ca = _sign(_begin(ca_name, key=ca_key, is_authority=True), issuer=ca_name, by=ca_key)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([_alternative_name(host) for host in hosts])
    server = _begin(_name(hosts[0]), key=key, is_authority=False)
    certificate = _sign(
        server.add_extension(names, critical=False).add_extension(usage, critical=False), ca_name, ca_key
    )
    made = ServerCertificate(
        ca_file=folder / "server-ca.pem",
        certificate_file=folder / "server.pem",
        key_file=folder / "server-key.pem",
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(made.ca_file, ca.public_bytes(Encoding.PEM))
    _write(made.certificate_file, certificate.public_bytes(Encoding.PEM))
    _write(made.key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _begin(subject: x509.Name, *, key: ec.EllipticCurvePrivateKey, is_authority: bool) -> x509.CertificateBuilder:
    """With all that strict verifiers ask for (RFC 5280, section 4.2.1)."""
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, issuer: x509.Name, by: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    return builder.issuer_name(issuer).add_extension(authority, critical=False).sign(by, hashes.SHA256())


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
