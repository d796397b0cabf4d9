from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.wallets.apple.credentials import CertificateError, check_credentials
from tests.support.certificates import (
    NOW,
    ORGANIZATION,
    PASS_TYPE,
    TEAM,
    Life,
    authority_key,
    elliptic_key,
    make_bundle,
    make_certificate,
    make_wwdr,
    pass_key,
    pass_name,
)

DAY = timedelta(days=1)


def problem_of(bundle: CertificateBundle, **options: Any) -> str:
    with pytest.raises(CertificateError) as raised:
        check_credentials(bundle, scope="shared", now=NOW, **options)
    return str(raised.value)


def test_a_good_bundle_tells_what_its_certificate_says() -> None:
    life = Life(end=NOW + 90 * DAY)

    found = check_credentials(make_bundle(certificate=make_certificate(life=life)), scope="shared", now=NOW)

    assert (found.pass_type_identifier, found.team_identifier) == (PASS_TYPE, TEAM)
    assert (found.organization_name, found.issued_to) == (ORGANIZATION, f"Pass Type ID: {PASS_TYPE}")
    assert (found.not_before, found.expires_at) == (life.start, life.end)
    assert len(bytes.fromhex(found.fingerprint)) == 32


def test_an_elliptic_key_is_good_as_well() -> None:
    found = check_credentials(make_bundle(key=elliptic_key()), scope="shared", now=NOW)

    assert found.certificate.public_key() == elliptic_key().public_key()


def test_a_certificate_keeps_its_id_when_it_is_renewed_and_shares_it_with_no_other() -> None:
    def make_id(bundle_name: str, scope: str) -> str:
        return check_credentials(make_bundle(bundle_name), scope=scope, now=NOW).certificate_id

    found = make_id("default", "shared")

    assert uuid.UUID(found).version == 4
    assert str(uuid.UUID(found)) == found
    assert make_id("default", "shared") == found
    assert len({found, make_id("other", "shared"), make_id("default", "17")}) == 3


def test_without_an_organization_the_certificate_is_issued_to_its_common_name() -> None:
    found = check_credentials(make_bundle(certificate=make_certificate(pass_name(o=None))), scope="shared", now=NOW)

    assert found.organization_name == f"Pass Type ID: {PASS_TYPE}"


def test_the_problem_names_the_bundle() -> None:
    bundle = make_bundle("gold", key=authority_key(), certificate=make_certificate())

    assert problem_of(bundle) == "the certificate bundle shared/gold: the key does not belong to the certificate"


def test_an_intermediate_of_another_generation_is_refused_and_both_are_named() -> None:
    message = problem_of(make_bundle(wwdr=make_wwdr("G1")))

    assert message.endswith(
        "the WWDR certificate 'Apple Worldwide Developer Relations Certification Authority G1' did not issue the pass"
        " certificate, which names 'Apple Worldwide Developer Relations Certification Authority G4' as its issuer"
    )


def test_an_intermediate_with_the_right_name_but_another_key_is_refused() -> None:
    assert "but its key did not sign" in problem_of(make_bundle(wwdr=make_wwdr(key=pass_key())))


@pytest.mark.parametrize(
    ("certificate_life", "wwdr_life", "problem"),
    [
        (Life(end=NOW - DAY), Life(), "the pass certificate expired on 2026-01-01T03:04:05+00:00"),
        (Life(start=NOW + DAY), Life(), "the pass certificate is not valid before 2026-01-03T03:04:05+00:00"),
        (Life(), Life(end=NOW - DAY), "the WWDR certificate expired on 2026-01-01T03:04:05+00:00"),
        (Life(), Life(start=NOW + DAY), "the WWDR certificate is not valid before 2026-01-03T03:04:05+00:00"),
    ],
)
def test_a_certificate_signs_only_while_it_is_valid(certificate_life: Life, wwdr_life: Life, problem: str) -> None:
    bundle = make_bundle(certificate=make_certificate(life=certificate_life), wwdr=make_wwdr(life=wwdr_life))

    assert problem_of(bundle).endswith(f": {problem}")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"uid": None}, "the certificate has no pass type identifier (UID)"),
        (
            {"uid": "com.example.app"},
            "the certificate is for com.example.app (UID), which is not a pass type identifier",
        ),
        ({"ou": None}, "the certificate has no team (OU)"),
    ],
)
def test_the_subject_must_name_pass_type_and_team(changes: dict[str, str | None], problem: str) -> None:
    assert problem_of(make_bundle(certificate=make_certificate(pass_name(**changes)))).endswith(f": {problem}")


def test_another_pass_type_or_team_than_expected_is_refused() -> None:
    assert problem_of(make_bundle(), expected_pass_type="pass.other").endswith(
        f"the certificate is for the pass type {PASS_TYPE} (UID), not for pass.other"
    )
    assert problem_of(make_bundle(), expected_team="OTHER").endswith(
        f"the certificate is of the team {TEAM} (OU), not of OTHER"
    )
    check_credentials(make_bundle(), scope="shared", now=NOW, expected_pass_type=PASS_TYPE, expected_team=TEAM)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"certificate_pem": b""}, "the pass certificate is missing"),
        ({"wwdr_pem": b"\n"}, "the WWDR certificate is missing"),
        ({"key_pem": b""}, "the key is missing"),
        ({"certificate_pem": b"junk"}, "the pass certificate is not a certificate in PEM form"),
        (
            {"wwdr_pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
            "the WWDR certificate is not",
        ),
        ({"key_pem": b"junk"}, "the key is not a private key in PEM form"),
        ({"problem": "key.pem cannot be read"}, "key.pem cannot be read"),
    ],
)
def test_what_is_missing_or_unreadable_is_named(changes: dict[str, Any], problem: str) -> None:
    assert f"shared/default: {problem}" in problem_of(replace(make_bundle(), **changes))


def test_an_encrypted_key_is_refused() -> None:
    locked = pass_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))

    assert "the key is encrypted" in problem_of(replace(make_bundle(), key_pem=locked))


def test_a_key_of_another_kind_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    assert "neither an RSA nor an elliptic curve key" in problem_of(replace(make_bundle(), key_pem=pem))


def test_neither_bundles_nor_credentials_show_their_key() -> None:
    bundle = make_bundle()

    assert "PRIVATE KEY" not in repr(bundle)
    assert "PrivateKey" not in repr(check_credentials(bundle, scope="shared", now=NOW))
