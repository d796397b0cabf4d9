"""Each source of certificates; AWS answers through botocore's own stub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.domain.errors import Busy
from chalicelib.settings import Settings
from chalicelib.store.certificates import make_source

EXPECTED = [CertificateBundle("a", b"A", b"B", b"C"), CertificateBundle("b", b"D", b"E", b"")]


def no_client(service: str, endpoint: str | None) -> Any:
    raise AssertionError(f"{service} is not asked")


class StubbedService:
    """A service whose answers are set down in order; a call that differs from the expected fails."""

    def __init__(self, service: str) -> None:
        self.client = botocore.session.Session().create_client(
            service, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
        )
        self.stub = Stubber(self.client)
        self.stub.activate()
        self.created: list[tuple[str, str | None]] = []

    def create(self, service: str, endpoint: str | None) -> Any:
        self.created.append((service, endpoint))
        return self.client


def test_without_the_setting_there_are_no_certificates() -> None:
    assert make_source(Settings(), no_client).read_bundles("shared") == []


def write(folder: Path, name: str, **members: bytes) -> None:
    place = folder / "shared" / name
    place.mkdir(parents=True)
    for member, content in members.items():
        (place / f"{member}.pem").write_bytes(content)


def test_a_folder_is_read_by_scope_and_name(tmp_path: Path) -> None:
    write(tmp_path, "b", certificate=b"D", key=b"E")
    write(tmp_path, "a", certificate=b"A", key=b"B", wwdr=b"C")
    write(tmp_path, ".hidden", certificate=b"X")
    (tmp_path / "shared" / "notes.txt").write_text("not a bundle")
    (tmp_path / "root.pem").write_text("not a scope")

    source = make_source(Settings(certificates=f"file:{tmp_path}"), no_client)

    assert source.read_bundles("shared") == EXPECTED
    assert source.read_bundles("17") == []
    assert source.read_bundles("root.pem") == []


def test_a_file_that_cannot_be_read_is_a_problem_of_its_bundle_alone(tmp_path: Path) -> None:
    write(tmp_path, "a", certificate=b"A", key=b"B", wwdr=b"C")
    (tmp_path / "shared" / "b" / "key.pem").mkdir(parents=True)

    good, bad = make_source(Settings(certificates=f"file:{tmp_path}"), no_client).read_bundles("shared")

    assert good == EXPECTED[0]
    assert bad.problem is not None
    assert f"b{os.sep}key.pem cannot be read: Is a directory" in bad.problem


def _expect_no_parameter(service: StubbedService, name: str) -> None:
    expected = {"Name": name, "WithDecryption": True}
    service.stub.add_client_error("get_parameter", "ParameterNotFound", expected_params=expected)


BUNDLE = json.dumps({"certificate": "N", "key": "O", "wwdr": "P"})
INSTALLED = CertificateBundle("a", b"N", b"O", b"P")


def test_one_object_wins_over_single_files(tmp_path: Path) -> None:
    write(tmp_path, "a", certificate=b"A", key=b"B", wwdr=b"C")
    (tmp_path / "shared" / "a" / "bundle.json").write_text(BUNDLE)

    source = make_source(Settings(certificates=f"file:{tmp_path}"), no_client)

    assert source.read_bundles("shared") == [INSTALLED]


def test_an_object_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "a", certificate=b"A", key=b"B", wwdr=b"C")
    (tmp_path / "shared" / "a" / "bundle.json").write_text("[]")

    (bundle,) = make_source(Settings(certificates=f"file:{tmp_path}"), no_client).read_bundles("shared")

    assert bundle.problem is not None
    assert bundle.problem.endswith("bundle.json is not a JSON object")


def test_a_folder_that_is_installed_to_while_it_is_read_shows_the_new_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a", certificate=b"A", key=b"B", wwdr=b"C")
    folder, read_bytes = tmp_path / "shared" / "a", Path.read_bytes

    def read_and_install(path: Path) -> bytes:
        content = read_bytes(path)
        if path.name == "certificate.pem":
            (folder / "bundle.json").write_text(BUNDLE)
            (folder / "key.pem").unlink()
        return content

    monkeypatch.setattr(Path, "read_bytes", read_and_install)

    assert make_source(Settings(certificates=f"file:{tmp_path}"), no_client).read_bundles("shared") == [INSTALLED]


def test_parameters_that_are_installed_while_they_are_read_are_those_of_the_new_certificate() -> None:
    service = StubbedService("ssm")
    request = {"Path": "/passel/shared", "Recursive": True, "WithDecryption": True}
    first = {"Parameters": [{"Name": "/passel/shared/a/certificate", "Value": "A"}], "NextToken": "more"}
    service.stub.add_response("get_parameters_by_path", first, request)
    service.stub.add_response("get_parameters_by_path", {"Parameters": []}, {**request, "NextToken": "more"})
    found = {"Parameter": {"Name": "/passel/shared/a/bundle", "Value": BUNDLE}}
    service.stub.add_response("get_parameter", found, {"Name": "/passel/shared/a/bundle", "WithDecryption": True})

    assert make_source(Settings(certificates="ssm:/passel"), service.create).read_bundles("shared") == [INSTALLED]


@pytest.mark.parametrize("path", ["/passel/certificates", "passel/certificates/"])
def test_parameters_are_read_in_pages_and_decrypted(path: str) -> None:
    service = StubbedService("ssm")
    request = {"Path": "/passel/certificates/shared", "Recursive": True, "WithDecryption": True}

    def parameter(name: str, value: str) -> dict[str, str]:
        return {"Name": f"/passel/certificates/shared/{name}", "Value": value, "Type": "SecureString"}

    first = [
        parameter("b/key", "E"),
        parameter("a/wwdr", "C"),
        parameter("a/key", "B"),
        parameter("a/notes", "x"),
        parameter("notes", "x"),
    ]
    second = [parameter("a/certificate", "A"), parameter("b/certificate", "D")]
    service.stub.add_response("get_parameters_by_path", {"Parameters": first, "NextToken": "more"}, request)
    service.stub.add_response("get_parameters_by_path", {"Parameters": second}, {**request, "NextToken": "more"})
    _expect_no_parameter(service, "/passel/certificates/shared/b/bundle")
    service.stub.add_response(
        "get_parameters_by_path", {"Parameters": []}, {**request, "Path": "/passel/certificates/17"}
    )
    settings = Settings(certificates=f"ssm:{path}", ssm_endpoint="http://localhost:1")

    source = make_source(settings, service.create)

    assert service.created == []
    assert source.read_bundles("shared") == EXPECTED
    assert source.read_bundles("17") == []
    assert service.created == [("ssm", "http://localhost:1")]
    service.stub.assert_no_pending_responses()


def test_secrets_are_found_by_their_prefix_in_pages_and_read_one_by_one() -> None:
    service = StubbedService("secretsmanager")
    request: dict[str, Any] = {"Filters": [{"Key": "name", "Values": ["passel/shared/"]}]}
    names = ["passel/shared/b", "passel/shared/a", "Passel/Shared/c", "passel/shared/a/deeper", "passel/shared/"]
    listed = [{"Name": name} for name in names]
    secrets = {
        "a": {"certificate": "A", "key": "B", "wwdr": "C"},
        "b": {"certificate": "D", "key": "E", "wwdr": None, "notes": "x"},
    }
    service.stub.add_response("list_secrets", {"SecretList": listed[:1], "NextToken": "more"}, request)
    service.stub.add_response("list_secrets", {"SecretList": listed[1:]}, {**request, "NextToken": "more"})
    for name, members in secrets.items():
        answer = {"SecretString": json.dumps(members)}
        service.stub.add_response("get_secret_value", answer, {"SecretId": f"passel/shared/{name}"})

    source = make_source(Settings(certificates="secretsmanager:passel/"), service.create)

    assert source.read_bundles("shared") == EXPECTED
    assert service.created == [("secretsmanager", None)]
    service.stub.assert_no_pending_responses()


@pytest.mark.parametrize("secret", [{"SecretString": "-----BEGIN"}, {"SecretString": "[]"}, {"SecretBinary": b"{}"}])
def test_a_secret_that_is_no_object_is_a_problem_of_its_bundle_and_is_not_repeated(secret: dict[str, Any]) -> None:
    service = StubbedService("secretsmanager")
    service.stub.add_response("list_secrets", {"SecretList": [{"Name": "passel/shared/a"}]})
    service.stub.add_response("get_secret_value", secret)

    (bundle,) = make_source(Settings(certificates="secretsmanager:passel"), service.create).read_bundles("shared")

    assert bundle.problem == "the secret passel/shared/a is not a JSON object"


def _fail_parameters(service: StubbedService) -> None:
    service.stub.add_client_error("get_parameters_by_path", "ThrottlingException")


def _fail_list(service: StubbedService) -> None:
    service.stub.add_client_error("list_secrets", "AccessDeniedException")


def _fail_secret(service: StubbedService) -> None:
    service.stub.add_response("list_secrets", {"SecretList": [{"Name": "passel/shared/a"}]})
    service.stub.add_client_error("get_secret_value", "DecryptionFailure")


@pytest.mark.parametrize(
    ("service_name", "fail"),
    [("ssm", _fail_parameters), ("secretsmanager", _fail_list), ("secretsmanager", _fail_secret)],
)
def test_a_failing_service_is_busy_and_not_empty(service_name: str, fail: Callable[[StubbedService], None]) -> None:
    service = StubbedService(service_name)
    fail(service)

    with pytest.raises(Busy, match="the certificates cannot be read"):
        make_source(Settings(certificates=f"{service_name}:passel"), service.create).read_bundles("shared")
