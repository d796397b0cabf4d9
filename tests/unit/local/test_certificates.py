"""The certificate of a local run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from chalicelib.store.certificates import FolderSource
from chalicelib.wallets.apple.credentials import check_credentials
from local.certificates import ORGANIZATION, PASS_TYPE, TEAM, prepare_certificates
from local.errors import StackError
from tests.support.certificates import NOW, as_pem, root_certificate


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates made at NOW."""
    return prepare_certificates(tmp_path_factory.mktemp("data") / "certificates", now=NOW)


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pem")}


def test_it_signs_for_every_project_and_its_root_vouches_for_it(prepared: Path) -> None:
    (bundle,) = FolderSource(prepared).read_bundles("shared")

    found = check_credentials(bundle, scope="shared", now=NOW, expected_pass_type=PASS_TYPE, expected_team=TEAM)

    assert found.organization_name == ORGANIZATION
    found.wwdr.verify_directly_issued_by(x509.load_pem_x509_certificate((prepared / "root.pem").read_bytes()))


def test_nobody_else_can_read_the_files(prepared: Path) -> None:
    assert set(read_all(prepared)) == {
        "root.pem",
        *(f"shared/default/{member}.pem" for member in ("certificate", "key", "wwdr")),
    }
    assert {path.stat().st_mode & 0o777 for path in prepared.rglob("*.pem")} == {0o600}


def test_it_is_used_again_until_thirty_days_before_its_end(prepared: Path) -> None:
    before = read_all(prepared)

    assert prepare_certificates(prepared, now=NOW + timedelta(days=334)) == prepared

    assert read_all(prepared) == before


def copy_of(prepared: Path, folder: Path) -> Path:
    for name, content in read_all(prepared).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_it_is_made_anew_before_it_ends(prepared: Path, tmp_path: Path) -> None:
    folder = copy_of(prepared, tmp_path)

    prepare_certificates(folder, now=NOW + timedelta(days=336))

    after = read_all(folder)
    assert all(content != after[name] for name, content in read_all(prepared).items())


@pytest.mark.parametrize("root", ["junk", "another root"])
def test_what_no_longer_fits_together_is_made_anew(prepared: Path, tmp_path: Path, root: str) -> None:
    folder = copy_of(prepared, tmp_path)
    (folder / "root.pem").write_bytes(b"junk" if root == "junk" else as_pem(root_certificate()))

    prepare_certificates(folder, now=NOW)

    after = read_all(folder)
    assert all(content != after[name] for name, content in read_all(prepared).items())


def test_a_folder_that_cannot_be_written_to_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "certificates").write_text("a file")

    with pytest.raises(StackError, match="cannot write certificates"):
        prepare_certificates(tmp_path / "certificates", now=NOW)
