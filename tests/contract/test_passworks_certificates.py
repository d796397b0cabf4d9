"""Certificates in the Passworks dialect (passworks-v2, sections 9 and 12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.campaigns import UNKNOWN_IDS
from tests.contract.expectations import SECONDS, UUID
from tests.support.certificates import Life, make_bundle, make_certificate, make_wwdr, pass_name, write_bundle
from tests.support.google_wallet import changed_settings
from tests.support.stack import Stack, Tenant

END = datetime(2046, 5, 6, 7, 8, 9, tzinfo=UTC)
LIFE = Life(start=datetime.now(UTC) - timedelta(days=1), end=END)


def store(folder: Path, name: str, *, scope: str = "shared", pass_type: str = "pass.test.passel") -> None:
    """A bundle that signs."""
    certificate = make_certificate(pass_name(uid=pass_type, cn=f"Pass Type ID: {pass_type}"), life=LIFE)
    write_bundle(folder, make_bundle(name, certificate=certificate, wwdr=make_wwdr(life=LIFE)), scope=scope)


@pytest.fixture
def folder(stack: Stack, tmp_path: Path) -> Iterator[Path]:
    """An empty place for certificates, which the server reads from."""
    with changed_settings({"PASSEL_CERTIFICATES": f"file:{tmp_path}"}):
        yield tmp_path


def test_the_list_shows_exactly_the_documented_keys(tenant: Tenant, folder: Path) -> None:
    store(folder, "default")

    (certificate,) = tenant.call("GET", "/v2/certificates")

    assert list(certificate) == ["id", "team_identifier", "pass_type_identifier", "issued_to", "expires_at"]
    assert UUID.fullmatch(certificate["id"])
    assert SECONDS.fullmatch(certificate["expires_at"])
    assert {key: value for key, value in certificate.items() if key != "id"} == {
        "team_identifier": "PASSELTEST",
        "pass_type_identifier": "pass.test.passel",
        "issued_to": "Pass Type ID: pass.test.passel",
        "expires_at": "2046-05-06T07:08:09Z",
    }


def test_each_certificate_is_found_by_its_id(tenant: Tenant, folder: Path) -> None:
    store(folder, "default")
    store(folder, "second", pass_type="pass.test.second")
    certificates = tenant.call("GET", "/v2/certificates")

    assert len(certificates) == 2
    for certificate in certificates:
        assert tenant.call("GET", f"/v2/certificates/{certificate['id']}") == certificate
        assert tenant.call("GET", f"/v2/certificates/{certificate['id']}/") == certificate


def test_an_account_sees_its_own_first_then_the_shared_and_no_others(
    tenant: Tenant, stack: Stack, folder: Path
) -> None:
    stranger = stack.tenant()
    store(folder, "a", pass_type="pass.shared")
    store(folder, "b", scope=str(tenant.project_id), pass_type="pass.own")
    store(folder, "c", scope=str(stranger.project_id), pass_type="pass.foreign")

    seen = {
        who: [each["pass_type_identifier"] for each in who_tenant.call("GET", "/v2/certificates")]
        for who, who_tenant in (("tenant", tenant), ("stranger", stranger))
    }

    assert seen == {"tenant": ["pass.own", "pass.shared"], "stranger": ["pass.foreign", "pass.shared"]}
    foreign = stranger.call("GET", "/v2/certificates")[0]["id"]
    answer = tenant.request("GET", f"/v2/certificates/{foreign}")
    assert answer.status_code == 404
    assert answer.json() == {
        "status_code": 404,
        "error_code": 10004,
        "message": "Certificate not found.",
        "errors": {"certificate": "Certificate not found."},
    }


def test_the_list_is_paged(tenant: Tenant, folder: Path) -> None:
    for number in range(3):
        store(folder, f"bundle{number}", pass_type=f"pass.test.{number}")

    answer = tenant.request("GET", "/v2/certificates?per_page=2&page=2")

    assert [each["pass_type_identifier"] for each in answer.json()] == ["pass.test.2"]
    found = {name: value for name, value in answer.headers.items() if name.startswith("x-")}
    assert found == {
        "x-total": "3",
        "x-total-pages": "2",
        "x-page": "2",
        "x-per-page": "2",
        "x-prev-page": "1",
        "x-offset": "0",
    }


def test_without_certificates_the_list_is_empty(tenant: Tenant, folder: Path) -> None:
    answer = tenant.request("GET", "/v2/certificates")

    assert (answer.json(), answer.headers["X-Total"]) == ([], "0")


def test_a_bundle_that_cannot_sign_is_not_shown(tenant: Tenant, folder: Path) -> None:
    ended = make_certificate(life=Life(start=LIFE.start, end=datetime.now(UTC) - timedelta(minutes=1)))
    write_bundle(folder, make_bundle("ended", certificate=ended, wwdr=make_wwdr(life=LIFE)))

    assert tenant.call("GET", "/v2/certificates") == []


@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_unknown_id_is_404(tenant: Tenant, folder: Path, unknown: str) -> None:
    store(folder, "default")

    assert tenant.request("GET", f"/v2/certificates/{unknown}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_certificates_are_read_only(tenant: Tenant, method: str) -> None:
    for path in ("/v2/certificates", f"/v2/certificates/{UNKNOWN_IDS[0]}"):
        answer = tenant.request(method, path)
        assert (answer.status_code, answer.json()["error_code"]) == (405, 10005)
