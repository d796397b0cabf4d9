"""Certificates as teams have them: PEM or DER files, and the .p12 that Keychain Access exports, made into a bundle.

Whether the parts belong together is for `check_credentials`; whether they are strong enough is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.wallets.apple.credentials import CertificateError, SigningCredentials, SigningKey

AskPassword = Callable[[], str]
"""asks whoever installs a certificate for its password, at most once"""

SMALLEST_RSA_BITS = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1")
HASHES = ("sha256", "sha384", "sha512")


def bundle_from_files(
    name: str, *, certificate: bytes, key: bytes, authorities: bytes, ask_password: AskPassword
) -> CertificateBundle:
    """The bundle of three files. Certificates are PEM or DER, the key is PEM; its password is asked for if it has one.

    `authorities` may hold several certificates; the one that issued the pass certificate is taken.

    Raises:
        CertificateError: a file cannot be read.
    """
    own = _load_certificates(certificate, what="pass certificate")[0]
    issuers = _load_certificates(authorities, what="WWDR certificate")
    return _make_bundle(name, own, _load_key(key, ask_password), _choose_issuer(own, issuers))


def bundle_from_p12(
    name: str, *, data: bytes, authorities: bytes | None, ask_password: AskPassword
) -> CertificateBundle:
    """The bundle of a .p12 file, whose password is asked for if it has one.

    The WWDR certificate comes from `authorities`, else from the file itself.

    Raises:
        CertificateError: the file cannot be opened, or a part is missing.
    """
    try:
        try:
            opened = pkcs12.load_pkcs12(data, None)
        except ValueError:  # it is encrypted, or no such file at all
            opened = pkcs12.load_pkcs12(data, ask_password().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("the .p12 file cannot be opened: its password is wrong, or it is damaged") from error
    if opened.cert is None or opened.key is None:
        raise CertificateError(
            "the .p12 file holds no certificate together with its key; export both from Keychain Access"
        )
    if not isinstance(opened.key, SigningKey):
        raise CertificateError("the key is neither an RSA nor an elliptic curve key")
    if authorities is not None:
        issuers = _load_certificates(authorities, what="WWDR certificate")
    else:
        issuers = [each.certificate for each in opened.additional_certs]
    if not issuers:
        raise CertificateError("the .p12 file holds no WWDR certificate; name a file with --wwdr")
    own = opened.cert.certificate
    return _make_bundle(name, own, opened.key, _choose_issuer(own, issuers))


def read_pass_type(certificate_pem: bytes) -> str | None:
    """The pass type that a stored certificate is for, whatever else may be wrong with it; None if it cannot be read."""
    try:
        subject = x509.load_pem_x509_certificate(certificate_pem).subject
    except ValueError:
        return None
    values = subject.get_attributes_for_oid(NameOID.USER_ID)
    return str(values[0].value) if values else None


def find_weaknesses(credentials: SigningCredentials) -> list[str]:
    """What makes a certificate or its issuer unfit although the two belong together and are valid."""
    return [
        f"the {what} {problem}"
        for what, certificate in (("pass certificate", credentials.certificate), ("WWDR certificate", credentials.wwdr))
        for problem in _weaknesses(certificate)
    ] + _issuing_problems(credentials.wwdr)


def describe_key(certificate: x509.Certificate) -> str:
    """Kind and size of a certificate's key, such as `RSA 2048`."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else "unknown"


def _weaknesses(certificate: x509.Certificate) -> list[str]:
    problems = []
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in HASHES:
        problems.append(f"is signed with {algorithm.name if algorithm else 'an unknown hash'}, which is too weak")
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < SMALLEST_RSA_BITS:
            problems.append(f"has an RSA key of {key.key_size} bits, fewer than {SMALLEST_RSA_BITS}")
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        problems.append("has a key that is neither RSA nor on one of NIST's curves")
    return problems


def _issuing_problems(wwdr: x509.Certificate) -> list[str]:
    """Whether the issuer may issue at all: any certificate's key can sign another one."""
    try:
        constraints = wwdr.extensions.get_extension_for_class(x509.BasicConstraints).value
        is_authority = constraints.ca
    except x509.ExtensionNotFound:
        is_authority = False
    try:
        may_sign = wwdr.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        may_sign = True
    return [] if is_authority and may_sign else ["the WWDR certificate is not that of an authority"]


def _load_certificates(data: bytes, *, what: str) -> list[x509.Certificate]:
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError as error:
        raise CertificateError(f"the {what} is not a certificate in PEM or DER form") from error


def _load_key(pem: bytes, ask_password: AskPassword) -> SigningKey:
    try:
        try:
            key = load_pem_private_key(pem, password=None)
        except TypeError:  # it is encrypted
            key = load_pem_private_key(pem, password=ask_password().encode())
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("the key is not a private key in PEM form, or its password is wrong") from error
    if not isinstance(key, SigningKey):
        raise CertificateError("the key is neither an RSA nor an elliptic curve key")
    return key


def _choose_issuer(certificate: x509.Certificate, candidates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The candidate that issued the certificate and lasts longest; if none did, the first, which is refused later."""
    issuers = [each for each in candidates if _has_issued(each, certificate)]
    if not issuers:
        return candidates[0]
    return max(issuers, key=lambda each: each.not_valid_after_utc)


def _has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def _make_bundle(
    name: str, certificate: x509.Certificate, key: SigningKey, wwdr: x509.Certificate
) -> CertificateBundle:
    return CertificateBundle(
        name,
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        wwdr.public_bytes(Encoding.PEM),
    )
