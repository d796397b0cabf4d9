"""The detached signature of a manifest: the same bytes for the same manifest, certificate and moment.

`cryptography`'s own builder puts in the time of the call, so that every download of a pass would differ. This one
writes the same structure (RFC 5652, section 5) with a signing time that it is given.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from chalicelib.wallets.apple.credentials import SigningCredentials, SigningKey

_DATA = x509.ObjectIdentifier("1.2.840.113549.1.7.1")
_SIGNED_DATA = x509.ObjectIdentifier("1.2.840.113549.1.7.2")
_CONTENT_TYPE = x509.ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = x509.ObjectIdentifier("1.2.840.113549.1.9.4")
_SIGNING_TIME = x509.ObjectIdentifier("1.2.840.113549.1.9.5")
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_RSA = x509.ObjectIdentifier("1.2.840.113549.1.1.1")
_ECDSA_WITH_SHA256 = x509.ObjectIdentifier("1.2.840.10045.4.3.2")


@asn1.sequence
class _Algorithm:
    identifier: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _ObjectIdentifierAttribute:
    identifier: x509.ObjectIdentifier
    values: asn1.SetOf[x509.ObjectIdentifier]


@asn1.sequence
class _BytesAttribute:
    identifier: x509.ObjectIdentifier
    values: asn1.SetOf[bytes]


@asn1.sequence
class _TimeAttribute:
    identifier: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.UTCTime]


@asn1.sequence
class _IssuerAndSerialNumber:
    issuer: asn1.TLV
    serial_number: int


@asn1.sequence
class _SignedAttributes:
    """Only a wrapper: what is signed is the set inside, under its own tag."""

    attributes: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _SignerInfo:
    version: int
    signer: _IssuerAndSerialNumber
    digest_algorithm: _Algorithm
    signed_attributes: Annotated[asn1.SetOf[asn1.TLV], asn1.Implicit(0)]
    signature_algorithm: _Algorithm
    signature: bytes


@asn1.sequence
class _EncapsulatedContent:
    """Without content: the signature is detached."""

    content_type: x509.ObjectIdentifier


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: asn1.SetOf[_Algorithm]
    content: _EncapsulatedContent
    certificates: Annotated[asn1.SetOf[x509.Certificate], asn1.Implicit(0)]
    signer_infos: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _ContentInfo:
    content_type: x509.ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


def sign_manifest(manifest: bytes, *, credentials: SigningCredentials, signed_at: datetime) -> bytes:
    """A detached PKCS#7 signature over exactly these bytes, DER, with the signer's certificate and the WWDR's.

    `signed_at` is an aware moment; the signature tells whole seconds of it.
    """
    digest_algorithm = _Algorithm(identifier=_SHA256, parameters=asn1.Null())
    attributes = _make_attributes(manifest, signed_at)
    signature_algorithm, signature = _sign(credentials.key, _encode_set(attributes))
    certificate = credentials.certificate
    signer = _SignerInfo(
        version=1,
        signer=_IssuerAndSerialNumber(
            issuer=_as_element(certificate.issuer.public_bytes()), serial_number=certificate.serial_number
        ),
        digest_algorithm=digest_algorithm,
        signed_attributes=asn1.SetOf(attributes),
        signature_algorithm=signature_algorithm,
        signature=signature,
    )
    signed_data = _SignedData(
        version=1,
        digest_algorithms=asn1.SetOf([digest_algorithm]),
        content=_EncapsulatedContent(content_type=_DATA),
        certificates=asn1.SetOf([certificate, credentials.wwdr]),
        signer_infos=asn1.SetOf([signer]),
    )
    return asn1.encode_der(_ContentInfo(content_type=_SIGNED_DATA, content=signed_data))


def _make_attributes(manifest: bytes, signed_at: datetime) -> list[asn1.TLV]:
    moment = asn1.UTCTime(signed_at.astimezone(UTC).replace(microsecond=0))
    attributes = (
        _ObjectIdentifierAttribute(identifier=_CONTENT_TYPE, values=asn1.SetOf([_DATA])),
        _TimeAttribute(identifier=_SIGNING_TIME, values=asn1.SetOf([moment])),
        _BytesAttribute(identifier=_MESSAGE_DIGEST, values=asn1.SetOf([hashlib.sha256(manifest).digest()])),
    )
    return [_as_element(asn1.encode_der(attribute)) for attribute in attributes]


def _as_element(der: bytes) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, der)


def _encode_set(attributes: list[asn1.TLV]) -> bytes:
    """The attributes as they are signed: a set under its own tag, not under the field's (RFC 5652, section 5.4)."""
    wrapped = asn1.encode_der(_SignedAttributes(attributes=asn1.SetOf(attributes)))
    contents = asn1.decode_der(asn1.TLV, wrapped).data
    return bytes(contents)


def _sign(key: SigningKey, message: bytes) -> tuple[_Algorithm, bytes]:
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = _Algorithm(identifier=_RSA, parameters=asn1.Null())
        return algorithm, key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    algorithm = _Algorithm(identifier=_ECDSA_WITH_SHA256, parameters=None)
    return algorithm, key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
