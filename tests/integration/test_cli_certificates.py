"""`certificates` on the command line, with each place that certificates are kept in: a folder, SSM, Secrets Manager."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from chalicelib.cli import command
from chalicelib.domain.certificates import CertificateBundle
from chalicelib.store.certificates import MEMBERS
from chalicelib.wiring import get_database, get_keyring, get_secrets_source, get_wallet_services
from tests.support.certificates import (
    PASS_TYPE,
    Life,
    as_pem,
    issue,
    make_bundle,
    make_certificate,
    make_wwdr,
    pass_key,
    pass_name,
    wwdr_name,
)
from tests.support.faults import Killed
from tests.support.google_wallet import changed_settings
from tests.support.stack import Stack, Tenant

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
LIFE = Life(start=NOW - DAY, end=NOW + 300 * DAY)
OTHER = "pass.test.other"
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Place:
    """Where certificates are kept; empty at the start of a test."""

    kind: str
    root: str

    def put_by_hand(self, bundle: CertificateBundle) -> None:
        """The shared default as people put it there without our help."""
        members = dict(zip(MEMBERS, (bundle.certificate_pem, bundle.key_pem, bundle.wwdr_pem), strict=True))
        if self.kind == "file":
            folder = Path(self.root) / "shared" / "default"
            folder.mkdir(parents=True)
            write_files(folder, bundle)
        elif self.kind == "ssm":
            for member, pem in members.items():
                name, value = f"{self.root}/shared/default/{member}", pem.decode()
                self.client.put_parameter(Name=name, Value=value, Type="SecureString", KeyId="alias/own")
        else:
            text = json.dumps({member: pem.decode() for member, pem in members.items()})
            self.client.create_secret(Name=f"{self.root}/shared/default", SecretString=text, KmsKeyId="alias/own")

    def list_names(self) -> list[str]:
        """Everything that is kept, by its name below the root."""
        if self.kind == "file":
            root = Path(self.root)
            return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        if self.kind == "ssm":
            found = self.client.get_parameters_by_path(Path=self.root, Recursive=True)["Parameters"]
        else:
            filters = [{"Key": "name", "Values": [self.root]}]
            found = self.client.list_secrets(Filters=filters)["SecretList"]
        return sorted(each["Name"].removeprefix(f"{self.root}/") for each in found)

    def read_kms_key(self, name: str) -> str | None:
        """What a parameter or a secret is encrypted with."""
        full = f"{self.root}/{name}"
        if self.kind == "ssm":
            filters = [{"Key": "Name", "Values": [full]}]
            return str(self.client.describe_parameters(ParameterFilters=filters)["Parameters"][0].get("KeyId"))
        return str(self.client.describe_secret(SecretId=full).get("KmsKeyId"))

    @property
    def client(self) -> Any:
        return get_database().create_client(self.kind, os.environ["AWS_ENDPOINT_URL_SQS"])


@pytest.fixture(params=["file", "ssm", "secretsmanager"])
def place(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Iterator[Place]:
    moto = os.environ["AWS_ENDPOINT_URL_SQS"]
    roots = {"file": str(tmp_path / "certificates"), "ssm": f"/{tmp_path.name}", "secretsmanager": tmp_path.name}
    variables = {
        "PASSEL_CERTIFICATES": f"{request.param}:{roots[request.param]}",
        "AWS_ENDPOINT_URL_SSM": moto,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto,
    }
    with changed_settings(variables):
        yield Place(kind=request.param, root=roots[request.param])


@pytest.fixture
def in_folder(stack: Stack, tmp_path: Path) -> Iterator[Path]:
    """An empty folder for certificates, where the place makes no difference."""
    with changed_settings({"PASSEL_CERTIFICATES": f"file:{tmp_path / 'certificates'}"}):
        yield tmp_path / "certificates"


def run(*arguments: object, exit_code: int = 0, typed: str | None = None, password: str | None = None) -> Result:
    environment = {"PASSEL_LOCAL": None, "P12_PASSWORD": password}
    result = CliRunner(env=environment).invoke(command, ["certificates", *map(str, arguments)], input=typed)
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def run_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def assert_refused(result: Result, *parts: str) -> None:
    assert result.stderr.startswith("Error: ")
    assert all(part in result.stderr for part in parts), result.stderr
    assert result.stdout == ""


def make_new(
    pass_type: str = PASS_TYPE, *, life: Life = LIFE, wwdr: x509.Certificate | None = None
) -> CertificateBundle:
    certificate = make_certificate(pass_name(uid=pass_type), life=life)
    return make_bundle(certificate=certificate, wwdr=wwdr or make_wwdr(life=LIFE))


def write_files(folder: Path, bundle: CertificateBundle) -> Path:
    folder.mkdir(exist_ok=True)
    for member, pem in zip(MEMBERS, (bundle.certificate_pem, bundle.key_pem, bundle.wwdr_pem), strict=True):
        (folder / f"{member}.pem").write_bytes(pem)
    return folder


def read_stored(scope: object = "shared") -> list[CertificateBundle]:
    return get_secrets_source().read_bundles(str(scope))


class Calls(list[str]):
    """Names of AWS operations in the order in which they are made; one of them kills or is refused, if told to."""

    deadly: str | None = None
    refused: str | None = None

    @property
    def writes(self) -> list[str]:
        return [name for name in self if name.startswith(("Put", "Create", "Update", "Delete"))]


@pytest.fixture
def aws_calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls, call = Calls(), BaseClient._make_api_call  # type: ignore[attr-defined]

    def watch(client: BaseClient, name: str, arguments: Any) -> Any:
        if name == calls.refused:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, name)
        calls.append(name)
        if name == calls.deadly:
            raise Killed
        return call(client, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", watch)
    return calls


# Installing


def test_an_installed_certificate_signs_and_is_listed(place: Place, tmp_path: Path) -> None:
    text = run("install", write_files(tmp_path / "new", make_new())).stdout

    assert f"Installed {PASS_TYPE} of team PASSELTEST as shared/default." in text
    (listed,) = run_json()
    assert listed["pass_type"] == PASS_TYPE
    assert run_json("list") == [listed]
    (checked,) = run_json("check")
    assert checked.items() >= listed.items()
    assert checked["key"] == "RSA 2048"
    assert "G4" in checked["issuer"]
    signing = get_keyring().get_credentials(1, None)
    assert signing is not None
    assert as_pem(signing.key) == as_pem(pass_key())


def test_a_renewal_takes_the_place_of_the_old_one(place: Place, tmp_path: Path) -> None:
    run("install", write_files(tmp_path / "new", make_new()))
    renewed = make_new()
    run("install", write_files(tmp_path / "new", renewed))

    assert read_stored() == [renewed]


def test_installing_the_same_again_writes_nothing(place: Place, tmp_path: Path, aws_calls: Calls) -> None:
    folder = write_files(tmp_path / "new", make_new())
    run("install", folder)
    before = len(aws_calls.writes)

    assert "is installed already" in run("install", folder).stdout
    assert len(aws_calls.writes) == before


def test_a_project_has_its_own_by_any_name(place: Place, tmp_path: Path, tenant: Tenant) -> None:
    own = make_new()
    folder = write_files(tmp_path / "new", own)
    run("install", folder)
    run("install", folder, "--project", tenant.project_id, "--name", "second")

    assert read_stored() == [own]
    assert read_stored(tenant.project_id) == [replace(own, name="second")]


def test_what_was_put_there_by_hand_is_taken_over_with_its_kms_key(place: Place, tmp_path: Path) -> None:
    place.put_by_hand(make_new())
    renewed = make_new()
    run("install", write_files(tmp_path / "new", renewed))

    assert read_stored() == [renewed]
    names = {"file": "bundle.json", "ssm": "bundle"}
    name = f"shared/default/{names[place.kind]}" if place.kind in names else "shared/default"
    assert place.list_names() == [name]
    if place.kind != "file":
        assert place.read_kms_key(name) == "alias/own"


@pytest.mark.parametrize("place", ["ssm", "secretsmanager"], indirect=True)
def test_another_kms_key_can_be_named(place: Place, tmp_path: Path) -> None:
    place.put_by_hand(make_new())
    run("install", write_files(tmp_path / "new", make_new()), "--kms-key", "alias/new")

    assert place.read_kms_key("shared/default/bundle" if place.kind == "ssm" else "shared/default") == "alias/new"


@pytest.mark.parametrize(
    ("place", "deadly"),
    [
        ("file", "replace"),
        ("file", "unlink"),
        ("ssm", "PutParameter"),
        ("ssm", "DeleteParameters"),
        ("secretsmanager", "PutSecretValue"),
    ],
    indirect=["place"],
)
def test_an_installation_that_dies_leaves_the_old_certificate_or_the_new_one(
    place: Place, tmp_path: Path, aws_calls: Calls, monkeypatch: pytest.MonkeyPatch, deadly: str
) -> None:
    old, new = make_new(), make_new()
    place.put_by_hand(old)
    aws_calls.deadly = deadly
    with monkeypatch.context() as patched:
        if place.kind == "file":
            patched.setattr(Path, deadly, _die)
        with pytest.raises(Killed):
            CliRunner().invoke(command, ["certificates", "install", str(write_files(tmp_path / "new", new))])
    aws_calls.deadly = None

    assert read_stored() == [new if deadly in ("DeleteParameters", "unlink") else old]
    run("install", tmp_path / "new")
    assert read_stored() == [new]


def _die(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("place", ["ssm"], indirect=True)
def test_members_that_cannot_be_removed_are_named(place: Place, tmp_path: Path, aws_calls: Calls) -> None:
    place.put_by_hand(make_new())
    new = make_new()
    aws_calls.refused = "DeleteParameters"
    result = run("install", write_files(tmp_path / "new", new))

    assert result.stderr.count("does not count any more and could not be removed") == 3
    assert read_stored() == [new]


# A .p12


def export_p12(bundle: CertificateBundle, *authorities: x509.Certificate) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"Pass Type ID",
        pass_key(),
        x509.load_pem_x509_certificate(bundle.certificate_pem),
        list(authorities) or None,
        BestAvailableEncryption(PASSWORD.encode()),
    )


def test_a_p12_is_installed_with_a_password_that_is_typed_or_in_the_environment(
    in_folder: Path, tmp_path: Path
) -> None:
    first, second, wwdr = make_new(), make_new(), make_wwdr(life=LIFE)
    (tmp_path / "wwdr.pem").write_bytes(as_pem(wwdr))
    p12 = tmp_path / "pass.p12"

    p12.write_bytes(export_p12(first))
    typed = run("install", "--p12", p12, "--wwdr", tmp_path / "wwdr.pem", typed=PASSWORD + "\n")
    assert PASSWORD not in typed.output
    assert read_stored()[0].certificate_pem == first.certificate_pem

    p12.write_bytes(export_p12(second, wwdr))
    run("install", "--p12", p12, password=PASSWORD)
    assert read_stored()[0].certificate_pem == second.certificate_pem
    assert_refused(run("install", "--p12", p12, password="wrong", exit_code=1), "its password is wrong")


def test_a_p12_without_a_password_asks_for_none(in_folder: Path, tmp_path: Path) -> None:
    new = make_new()
    certificate = x509.load_pem_x509_certificate(new.certificate_pem)
    authorities = [x509.load_pem_x509_certificate(new.wwdr_pem)]
    p12 = tmp_path / "pass.p12"
    p12.write_bytes(pkcs12.serialize_key_and_certificates(b"x", pass_key(), certificate, authorities, NoEncryption()))
    run("install", "--p12", p12)

    assert read_stored()[0].certificate_pem == new.certificate_pem


def test_without_a_terminal_it_is_said_where_a_password_comes_from(in_folder: Path, tmp_path: Path) -> None:
    p12 = tmp_path / "pass.p12"
    p12.write_bytes(export_p12(make_new()))
    result = run("install", "--p12", p12, exit_code=1)

    assert result.stderr == "Error: there is no terminal to ask for the password; set P12_PASSWORD, or pipe it in\n"


# Removing


def test_a_certificate_is_removed_and_its_name_can_be_taken_again(place: Place, tmp_path: Path, tenant: Tenant) -> None:
    folder = write_files(tmp_path / "new", make_new())
    own = ("--project", tenant.project_id)
    run("install", folder)
    run("install", folder, *own)
    run("install", folder, *own, "--name", "second")
    assert [(each["scope"], each["name"]) for each in run_json()] == [
        ("shared", "default"),
        (str(tenant.project_id), "default"),
        (str(tenant.project_id), "second"),
    ]

    asked = run("remove", "default", *own, typed="y\n")
    assert f"signs passes of type {PASS_TYPE}: {tenant.project_id}/second with type {PASS_TYPE}" in asked.stderr
    run("remove", "second", *own, "--yes")
    assert read_stored(tenant.project_id) == []
    assert run("remove", "second", *own, exit_code=1).stderr.endswith(f"{tenant.project_id}/second was not found\n")
    assert len(read_stored()) == 1
    run("install", folder, *own, "--name", "second")
    assert [each.name for each in read_stored(tenant.project_id)] == ["second"]


def test_who_does_not_say_yes_keeps_the_certificate(in_folder: Path, tmp_path: Path, tenant: Tenant) -> None:
    folder = write_files(tmp_path / "new", make_new())
    run("install", folder)
    run(
        "install",
        write_files(tmp_path / "other", make_new(OTHER)),
        "--project",
        tenant.project_id,
        "--change-pass-type",
    )

    own = ("remove", "default", "--project", tenant.project_id)
    assert "phones take all of them for new ones" in run(*own, exit_code=1, typed="n\n").stderr
    assert "there is no terminal to ask; --yes" in run(*own, exit_code=1).stderr
    assert "shared/default signs for all projects" in run("remove", "default", exit_code=1, typed="y\n").stderr
    assert len(read_stored()) == len(read_stored(tenant.project_id)) == 1
    run("remove", "default", "--yes")
    assert read_stored() == []


def test_a_folder_that_holds_more_is_not_removed(in_folder: Path, tmp_path: Path) -> None:
    run("install", write_files(tmp_path / "new", make_new()))
    (in_folder / "shared" / "default" / "pass.p12").write_bytes(b"")

    assert_refused(run("remove", "default", "--yes", exit_code=1), "holds other files as well", "pass.p12")
    assert len(read_stored()) == 1


# What is refused; nothing is written then


def _expired() -> CertificateBundle:
    return make_new(life=Life(start=NOW - 3 * DAY, end=NOW - DAY))


def _not_yet() -> CertificateBundle:
    return make_new(life=Life(start=NOW + DAY, end=NOW + 3 * DAY))


def _expired_wwdr() -> CertificateBundle:
    return make_new(wwdr=make_wwdr(life=Life(start=NOW - 3 * DAY, end=NOW - DAY)))


def _foreign_key() -> CertificateBundle:
    return replace(make_new(), key_pem=as_pem(ec.generate_private_key(ec.SECP256R1())))


def _other_generation() -> CertificateBundle:
    return make_new(wwdr=make_wwdr("G3", life=LIFE))


def _same_name_other_key() -> CertificateBundle:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return make_new(wwdr=make_wwdr(life=LIFE, key=key))


def _no_pass_type() -> CertificateBundle:
    certificate = make_certificate(pass_name(uid="com.example.app"), life=LIFE)
    return replace(make_new(), certificate_pem=as_pem(certificate))


def _no_team() -> CertificateBundle:
    return replace(make_new(), certificate_pem=as_pem(make_certificate(pass_name(ou=None), life=LIFE)))


def _weak() -> CertificateBundle:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    certificate = issue(pass_name(), key=key, issuer=wwdr_name(), life=LIFE)
    return replace(make_new(), certificate_pem=as_pem(certificate), key_pem=as_pem(key))


def _no_certificate() -> CertificateBundle:
    return replace(make_new(), certificate_pem=b"rubbish")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (_expired, "the pass certificate expired on"),
        (_not_yet, "the pass certificate is not valid before"),
        (_expired_wwdr, "the WWDR certificate expired on"),
        (_foreign_key, "the key does not belong to the certificate"),
        (_other_generation, "did not issue the pass certificate, which names"),
        (_same_name_other_key, "its name is the issuer's, but its key did not sign"),
        (_no_pass_type, "which is not a pass type identifier"),
        (_no_team, "has no team"),
        (_weak, "has an RSA key of 1024 bits"),
        (_no_certificate, "is not a certificate in PEM or DER form"),
    ],
)
def test_what_cannot_sign_is_refused_and_the_old_certificate_stays(
    in_folder: Path, tmp_path: Path, make: Callable[[], CertificateBundle], problem: str
) -> None:
    old = make_new()
    run("install", write_files(tmp_path / "old", old))
    folder = write_files(tmp_path / "new", make())

    assert_refused(run("install", folder, "--change-pass-type", exit_code=1), problem)
    assert read_stored() == [old]


def test_another_pass_type_must_be_meant(in_folder: Path, tmp_path: Path, tenant: Tenant) -> None:
    run("install", write_files(tmp_path / "old", make_new()))
    other = write_files(tmp_path / "other", make_new(OTHER))

    refused = run("install", other, exit_code=1)
    assert_refused(refused, f"is for {OTHER}", f"signed for {PASS_TYPE} now", "--change-pass-type")
    assert_refused(run("install", other, "--project", tenant.project_id, exit_code=1), "--change-pass-type")
    run("install", other, "--project", tenant.project_id, "--change-pass-type")
    # what is no project's default is signed with by those alone who name it
    run("install", other, "--name", "second")
    assert [bundle.name for bundle in read_stored()] == ["default", "second"]
    run("install", other, "--change-pass-type")
    assert {each["pass_type"] for each in run_json()} == {OTHER}


def test_a_bundle_that_cannot_be_read_may_be_replaced_by_any(in_folder: Path, tmp_path: Path) -> None:
    broken = in_folder / "shared" / "default"
    broken.mkdir(parents=True)
    (broken / "certificate.pem").write_text("rubbish")

    run("install", write_files(tmp_path / "new", make_new()))

    assert len(read_stored()) == 1


def test_an_expired_one_is_still_held_against_its_pass_type(in_folder: Path, tmp_path: Path) -> None:
    old = in_folder / "shared" / "default"
    old.mkdir(parents=True)
    write_files(old, _expired())

    assert_refused(run("install", write_files(tmp_path / "new", make_new(OTHER)), exit_code=1), PASS_TYPE)
    run("install", write_files(tmp_path / "new", make_new()))


def test_an_early_end_is_told_but_does_not_hinder(in_folder: Path, tmp_path: Path) -> None:
    life = Life(start=NOW - DAY, end=NOW + 10 * DAY)
    result = run("install", write_files(tmp_path / "new", make_new(life=life)))

    assert "Warning: the certificate ends within 30 days" in result.stderr
    assert "pass certificate expires on" in run("check", exit_code=1).stderr
    assert "pass certificate expires on" in run(exit_code=1).stderr


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "wallets", "google", "x" * 65])
def test_a_name_that_would_lead_elsewhere_is_refused(in_folder: Path, tmp_path: Path, name: str) -> None:
    folder = write_files(tmp_path / "new", make_new())
    assert_refused(run("install", folder, "--name", name, exit_code=1), "cannot be the name of a certificate")


def test_an_unknown_project_or_a_missing_setting_is_refused(stack: Stack, in_folder: Path, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "new", make_new())
    assert_refused(run("install", folder, "--project", 987654321, exit_code=1), "project 987654321 was not found")
    with changed_settings({"PASSEL_CERTIFICATES": ""}):
        assert_refused(run("install", folder, exit_code=1), "PASSEL_CERTIFICATES", "ssm:/passel-dev/certificates")
    (folder / "key.pem").unlink()
    assert_refused(run("install", folder, exit_code=1), "key.pem cannot be read")
    run("install", exit_code=2)
    run("install", folder, "--p12", folder / "certificate.pem", exit_code=2)


def test_the_check_finds_what_is_too_weak(in_folder: Path) -> None:
    folder = in_folder / "shared" / "default"
    folder.mkdir(parents=True)
    write_files(folder, _weak())

    assert "has an RSA key of 1024 bits" in run("check", exit_code=1).stderr


# The documents beside the certificates


def test_the_wallets_document_is_checked_and_installed(place: Place, tmp_path: Path, tenant: Tenant) -> None:
    key = as_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    document = {
        "apple": {"key_id": "ABC1234567", "team_id": "TEAM123456", "private_key": key},
        "pass2u": {"api_key": "secret one"},
    }
    file = tmp_path / "wallets.json"
    file.write_text(json.dumps(document))
    result = run("install-wallets", file, "--project", tenant.project_id)

    assert "apple, pass2u" in result.stdout
    assert "secret" not in result.output
    services = get_wallet_services().get_services(tenant.project_id)
    assert services.apple_key is not None
    assert services.apple_key.key_id == "ABC1234567"
    assert services.pass2u.api_key == "secret one"

    file.write_text("{}")
    run("install-wallets", file, "--project", tenant.project_id)
    get_wallet_services.cache_clear()
    assert get_wallet_services().get_services(tenant.project_id).apple_key is None


@pytest.mark.parametrize(
    ("document", "place_of_mistake"),
    [
        ({"pass2u": {"key": "typo"}}, "pass2u.key"),
        ({"pass2u": {"base_url": "no address"}}, "pass2u.base_url"),
        ({"google": {"issuer_id": "x"}}, "google.issuer_id"),
        ({"apple": {"key_id": "A", "team_id": "B"}}, "private_key as well"),
        ({"apple": {"key_id": "A", "team_id": "B", "private_key": "rubbish"}}, "apple.private_key"),
        ([], "its beginning"),
    ],
)
def test_a_mistake_in_the_wallets_document_is_named(
    in_folder: Path, tmp_path: Path, document: Any, place_of_mistake: str
) -> None:
    file = tmp_path / "wallets.json"
    file.write_text(json.dumps(document))

    assert_refused(run("install-wallets", file, exit_code=1), place_of_mistake)
    assert not in_folder.exists()


def test_the_key_file_of_a_service_account_is_checked_and_installed(place: Place, tmp_path: Path) -> None:
    account = {
        "type": "service_account",
        "client_email": "passel@example.com",
        "private_key": as_pem(pass_key()).decode(),
    }
    file = tmp_path / "google.json"
    file.write_text(json.dumps(account))

    assert "passel@example.com" in run("install-google", file).stdout
    text = get_secrets_source().read_document("shared", "google")
    assert text is not None
    assert json.loads(text) == account


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"client_email": None}, "no service account's key file"),
        ({"private_key": "rubbish"}, "no RSA key"),
        (None, "no JSON"),
    ],
)
def test_another_file_is_no_key_file(
    in_folder: Path, tmp_path: Path, changes: dict[str, Any] | None, problem: str
) -> None:
    account = {"type": "service_account", "client_email": "a@b", "private_key": as_pem(pass_key()).decode()}
    file = tmp_path / "google.json"
    file.write_text("rubbish" if changes is None else json.dumps({**account, **changes}))

    assert_refused(run("install-google", file, exit_code=1), problem)


def test_files_in_a_folder_are_their_owners_alone(in_folder: Path, tmp_path: Path) -> None:
    run("install", write_files(tmp_path / "new", make_new()))

    (bundle,) = in_folder.rglob("*.json")
    assert bundle.stat().st_mode & 0o777 == 0o600
    assert bundle.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle.json"]
