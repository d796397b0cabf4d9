"""Which certificates a local run signs passes with: the user's own folder, or a test certificate in the data folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chalicelib.domain.certificates import SHARED, CertificateBundle
from chalicelib.store.certificates import FolderSource
from chalicelib.wallets.apple.credentials import CertificateError, check_credentials
from chalicelib.wallets.apple.keyring import Keyring
from local.certificates import prepare_certificates
from local.errors import StackError

VARIABLE = "PASSEL_CERTIFICATES"

_SCHEME = "file:"


@dataclass(frozen=True)
class SigningFolder:
    """Certificates in the layout of `file:`."""

    path: Path
    is_test: bool
    """made by a local run: no phone trusts what they sign"""


def choose_certificates(
    folder: Path, *, wanted: str | None, now: datetime, warn: Callable[[str], None]
) -> SigningFolder:
    """The certificates that `wanted` names, the value of PASSEL_CERTIFICATES; without it test ones in `folder`.

    Everything that is wrong with the user's own is told to `warn`, a line each; so is what ends within 30 days, which
    stops nothing.

    Raises:
        StackError: they cannot sign, or cannot be found or made.
    """
    if not wanted:
        return SigningFolder(prepare_certificates(folder, now=now), is_test=True)
    if not wanted.startswith(_SCHEME):
        raise StackError(f"{VARIABLE}={wanted}: a local run reads certificates from a folder, {VARIABLE}=file:<folder>")
    own = Path(wanted.removeprefix(_SCHEME)).expanduser().resolve()
    _check(own, now=now, warn=warn)
    return SigningFolder(own, is_test=False)


def _check(folder: Path, *, now: datetime, warn: Callable[[str], None]) -> None:
    source = FolderSource(folder)
    scopes = _list_scopes(folder)
    bundles = [(scope, bundle) for scope in scopes for bundle in source.read_bundles(scope)]
    if not bundles:
        raise StackError(
            f"{VARIABLE}: no certificates in {folder}; they belong in {SHARED}/default below it,"
            " as certificate.pem, key.pem and wwdr.pem"
        )
    for problem in Keyring(source, now=lambda: now, cache_seconds=0).check_all(scopes):
        warn(problem)
    if not all(_can_sign(bundle, scope=scope, now=now) for scope, bundle in bundles):
        raise StackError(f"{VARIABLE}: the certificates in {folder} cannot sign passes")


def _list_scopes(folder: Path) -> list[str]:
    """The shared ones and those of projects, whose folders are numbers."""
    try:
        names = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise StackError(f"{VARIABLE}: the folder {folder} cannot be read: {error.strerror}") from error
    return sorted(name for name in names if name == SHARED or name.isdecimal())


def _can_sign(bundle: CertificateBundle, *, scope: str, now: datetime) -> bool:
    try:
        check_credentials(bundle, scope=scope, now=now)
    except CertificateError:
        return False
    return True
