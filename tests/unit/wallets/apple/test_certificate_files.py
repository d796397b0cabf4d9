"""Files as teams have them, made into a bundle, and what is too weak to sign."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from chalicelib.wallets.apple.certificate_files import (
    bundle_from_files,
    bundle_from_p12,
    describe_key,
    find_weaknesses,
    read_pass_type,
)
from chalicelib.wallets.apple.credentials import CertificateError, check_credentials
from tests.support.certificates import (
    NOW,
    PASS_TYPE,
    Life,
    as_pem,
    authority_key,
    elliptic_key,
    issue,
    make_certificate,
    make_credentials,
    make_wwdr,
    pass_key,
    pass_name,
    wwdr_name,
)

PASSWORD = "correct horse"


def never_asked() -> str:
    raise AssertionError("nothing here has a password")


def encrypted_key(password: str = PASSWORD) -> bytes:
    encryption = BestAvailableEncryption(password.encode())
    return pass_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def export_p12(*authorities: x509.Certificate, encryption: KeySerializationEncryption | None = None) -> bytes:
    encryption = encryption or BestAvailableEncryption(PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(
        b"Pass Type ID", pass_key(), make_certificate(), list(authorities) or None, encryption
    )


def old_encryption() -> KeySerializationEncryption:
    """As Keychain Access writes it."""
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048)
    algorithm = pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC
    return builder.key_cert_algorithm(algorithm).hmac_hash(hashes.SHA1()).build(PASSWORD.encode())


def test_three_files_become_a_bundle_that_signs() -> None:
    bundle = bundle_from_files(
        "default",
        certificate=as_pem(make_certificate()),
        key=as_pem(pass_key()),
        authorities=as_pem(make_wwdr()),
        ask_password=never_asked,
    )

    assert check_credentials(bundle, scope="shared", now=NOW).pass_type_identifier == PASS_TYPE


def test_certificates_may_come_as_apple_gives_them_out() -> None:
    bundle = bundle_from_files(
        "default",
        certificate=make_certificate().public_bytes(Encoding.DER),
        key=as_pem(pass_key()),
        authorities=make_wwdr().public_bytes(Encoding.DER),
        ask_password=never_asked,
    )

    assert bundle.certificate_pem.startswith(b"-----BEGIN CERTIFICATE")
    assert bundle.wwdr_pem.startswith(b"-----BEGIN CERTIFICATE")


def test_an_encrypted_key_is_stored_without_its_password() -> None:
    bundle = bundle_from_files(
        "default",
        certificate=as_pem(make_certificate()),
        key=encrypted_key(),
        authorities=as_pem(make_wwdr()),
        ask_password=lambda: PASSWORD,
    )

    assert bundle.key_pem == as_pem(pass_key())


def test_of_several_intermediates_the_one_that_issued_and_lasts_longest_is_taken() -> None:
    longer = make_wwdr(life=Life(end=NOW.replace(year=NOW.year + 5)))
    authorities = b"".join(map(as_pem, (make_wwdr("G3"), make_wwdr(), longer)))

    bundle = bundle_from_files(
        "default",
        certificate=as_pem(make_certificate()),
        key=as_pem(pass_key()),
        authorities=authorities,
        ask_password=never_asked,
    )

    assert bundle.wwdr_pem == as_pem(longer)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"certificate": b"rubbish"}, "the pass certificate is not a certificate in PEM or DER form"),
        ({"authorities": b""}, "the WWDR certificate is not a certificate in PEM or DER form"),
        ({"key": b"rubbish"}, "the key is not a private key in PEM form, or its password is wrong"),
        ({"key": b""}, "the key is not a private key in PEM form, or its password is wrong"),
    ],
)
def test_what_cannot_be_read_is_named(changes: dict[str, bytes], problem: str) -> None:
    assert_refused(problem, **changes)


def test_a_wrong_password_or_another_kind_of_key_is_named() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate()
    pem = edwards.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    assert_refused("or its password is wrong", key=encrypted_key("another"))
    assert_refused("neither an RSA nor an elliptic curve key", key=pem)


def assert_refused(problem: str, **changes: bytes) -> None:
    files = {
        "certificate": as_pem(make_certificate()),
        "key": as_pem(pass_key()),
        "authorities": as_pem(make_wwdr()),
        **changes,
    }
    with pytest.raises(CertificateError, match=problem):
        bundle_from_files("default", **files, ask_password=lambda: PASSWORD)


@pytest.mark.parametrize("old", [False, True])
def test_a_p12_holds_certificate_and_key(old: bool) -> None:
    bundle = bundle_from_p12(
        "default",
        data=export_p12(encryption=old_encryption() if old else None),
        authorities=as_pem(make_wwdr()),
        ask_password=lambda: PASSWORD,
    )

    assert bundle.key_pem == as_pem(pass_key())
    assert check_credentials(bundle, scope="shared", now=NOW).pass_type_identifier == PASS_TYPE


def test_a_p12_may_hold_the_intermediate_among_others() -> None:
    data = export_p12(make_wwdr("G3"), make_wwdr())

    bundle = bundle_from_p12("default", data=data, authorities=None, ask_password=lambda: PASSWORD)

    assert check_credentials(bundle, scope="shared", now=NOW).wwdr.subject == wwdr_name()


def test_a_p12_without_password_opens_with_none() -> None:
    data = export_p12(make_wwdr(), encryption=NoEncryption())

    assert bundle_from_p12("default", data=data, authorities=None, ask_password=lambda: "").key_pem


def test_a_p12_that_is_of_no_use_is_named() -> None:
    encryption = BestAvailableEncryption(PASSWORD.encode())
    keyless = pkcs12.serialize_key_and_certificates(None, None, make_certificate(), None, encryption)

    for data, password, problem in (
        (export_p12(make_wwdr()), "wrong", "its password is wrong, or it is damaged"),
        (b"rubbish", PASSWORD, "its password is wrong, or it is damaged"),
        (export_p12(), PASSWORD, "no WWDR certificate; name a file with --wwdr"),
        (keyless, PASSWORD, "no certificate together with its key"),
    ):
        with pytest.raises(CertificateError, match=problem):
            bundle_from_p12("default", data=data, authorities=None, ask_password=partial(str, password))


def test_the_pass_type_is_read_from_a_certificate_that_may_be_unfit() -> None:
    past = Life(start=NOW.replace(year=2001), end=NOW.replace(year=2002))

    assert read_pass_type(as_pem(make_certificate(life=past))) == PASS_TYPE
    assert read_pass_type(as_pem(make_certificate(pass_name(uid=None)))) is None
    assert read_pass_type(b"rubbish") is None


def test_ordinary_certificates_are_strong_enough() -> None:
    assert find_weaknesses(make_credentials()) == []
    assert find_weaknesses(make_credentials(elliptic_key())) == []
    assert describe_key(make_credentials().certificate) == "RSA 2048"
    assert describe_key(make_credentials(elliptic_key()).certificate) == "secp256r1"


def test_a_short_key_is_too_weak() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    short = replace(make_credentials(), certificate=make_certificate(key=key))

    assert find_weaknesses(short) == ["the pass certificate has an RSA key of 1024 bits, fewer than 2048"]


def test_a_certificate_that_may_not_issue_others_is_no_authority() -> None:
    other = issue(wwdr_name(), key=authority_key(), issuer=wwdr_name())

    assert find_weaknesses(replace(make_credentials(), wwdr=other)) == [
        "the WWDR certificate is not that of an authority"
    ]
