"""The choice of certificates for a local run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from local.certificates import prepare_certificates
from local.errors import StackError
from local.signing import SigningFolder, choose_certificates
from tests.support.certificates import NOW


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the user's, with one shared certificate that is valid for a year from NOW."""
    return prepare_certificates(tmp_path_factory.mktemp("own"), now=NOW)


@pytest.fixture
def warnings() -> list[str]:
    return []


def test_without_a_wish_a_test_certificate_is_made_and_used_again(tmp_path: Path, warnings: list[str]) -> None:
    chosen = choose_certificates(tmp_path, wanted=None, now=NOW, warn=warnings.append)
    assert chosen == SigningFolder(tmp_path, is_test=True)
    before = (tmp_path / "shared" / "default" / "certificate.pem").read_bytes()

    choose_certificates(tmp_path, wanted="", now=NOW, warn=warnings.append)
    assert (tmp_path / "shared" / "default" / "certificate.pem").read_bytes() == before
    assert warnings == []


def test_the_users_own_are_used_and_nothing_is_made(own: Path, tmp_path: Path, warnings: list[str]) -> None:
    chosen = choose_certificates(tmp_path, wanted=f"file:{own}", now=NOW, warn=warnings.append)
    assert chosen == SigningFolder(own, is_test=False)
    assert warnings == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_named_from_the_current_one(
    own: Path, tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line, started elsewhere, must find the same folder."""
    monkeypatch.chdir(own.parent)
    chosen = choose_certificates(tmp_path, wanted=f"file:{own.name}", now=NOW, warn=warnings.append)
    assert chosen.path == own


def test_what_ends_soon_is_told_and_still_signs(own: Path, tmp_path: Path, warnings: list[str]) -> None:
    later = NOW + timedelta(days=350)
    chosen = choose_certificates(tmp_path, wanted=f"file:{own}", now=later, warn=warnings.append)
    assert not chosen.is_test
    assert [line.partition(" expires on ")[0] for line in warnings] == [
        "the certificate bundle shared/default: the pass certificate",
        "the certificate bundle shared/default: the WWDR certificate",
    ]


def copy_bundle(own: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for file in (own / "shared" / "default").iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def test_every_problem_is_told_and_stops_the_start(own: Path, tmp_path: Path, warnings: list[str]) -> None:
    for scope in ("shared", "7"):
        copy_bundle(own, tmp_path / scope / "default")
    copy_bundle(own, tmp_path / "shared" / "second")
    (tmp_path / "7" / "default" / "key.pem").unlink()
    (tmp_path / "shared" / "second" / "certificate.pem").write_text("junk")

    with pytest.raises(StackError, match="cannot sign passes"):
        choose_certificates(tmp_path / "unused", wanted=f"file:{tmp_path}", now=NOW, warn=warnings.append)

    assert len(warnings) == 2
    assert "7/default" in warnings[0]
    assert "shared/second" in warnings[1]


def test_certificates_of_another_time_stop_the_start(own: Path, tmp_path: Path, warnings: list[str]) -> None:
    with pytest.raises(StackError, match="cannot sign passes"):
        choose_certificates(tmp_path, wanted=f"file:{own}", now=NOW + timedelta(days=366), warn=warnings.append)
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("file:{folder}/missing", "missing cannot be read: No such file"),
        ("file:{folder}", "no certificates in"),
        ("ssm:/passel/certificates", "from a folder, PASSEL_CERTIFICATES=file:<folder>"),
        ("{folder}", "from a folder, PASSEL_CERTIFICATES=file:<folder>"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_line(tmp_path: Path, warnings: list[str], wanted: str, part: str) -> None:
    with pytest.raises(StackError, match=part) as caught:
        choose_certificates(tmp_path, wanted=wanted.format(folder=tmp_path), now=NOW, warn=warnings.append)
    assert "\n" not in str(caught.value)
    assert warnings == []
