"""Installing and removing signing certificates, and the documents beside them, where `certificates.py` reads them.

Each is one write that takes effect whole, so that nobody who reads meanwhile finds a key beside another certificate.
Members that somebody put there one by one are taken away after that: they no longer count, and one of them is a key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.domain.errors import Refused
from chalicelib.settings import Settings, SettingsError
from chalicelib.store.certificates import BUNDLE, MEMBERS, CreateClient, encode_bundle


class SecretsWriter(Protocol):
    """Writes certificates and documents to where they are read. AWS's refusals come as botocore's ClientError."""

    def write_bundle(self, scope: str, bundle: CertificateBundle) -> list[str]:
        """Puts a bundle in the place of what has its name; which single members could not be taken away after that."""

    def write_document(self, scope: str, name: str, text: str) -> None:
        """Puts a document in the place of what has its name."""

    def remove_bundle(self, scope: str, name: str) -> None:
        """Takes a bundle away, with its key. Secrets Manager keeps it for 30 days, from which it can be restored."""


def make_writer(settings: Settings, create_client: CreateClient, *, kms_key: str | None = None) -> SecretsWriter:
    """The writer for the place that the setting `certificates` names.

    `kms_key` encrypts what is new on AWS; what is there keeps its key unless another is given.

    Raises:
        SettingsError: the setting is missing.
    """
    kind, _, place = (settings.certificates or "").partition(":")
    if kind == "file":
        return FolderWriter(Path(place).expanduser())
    if kind == "ssm":
        return ParameterWriter(place, lambda: create_client("ssm", settings.ssm_endpoint), kms_key=kms_key)
    if kind == "secretsmanager":
        endpoint = settings.secretsmanager_endpoint
        return SecretWriter(place, lambda: create_client("secretsmanager", endpoint), kms_key=kms_key)
    raise SettingsError("PASSEL_CERTIFICATES: says where to, for example ssm:/passel-dev/certificates, and is not set")


class FolderWriter:
    """Implements `SecretsWriter` over files that are their owner's alone (mode 0600)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write_bundle(self, scope: str, bundle: CertificateBundle) -> list[str]:
        """See `SecretsWriter`."""
        place = self._folder / scope / bundle.name
        _replace_file(place / f"{BUNDLE}.json", encode_bundle(bundle))
        single = [place / f"{member}.pem" for member in MEMBERS]
        for file in single:
            with suppress(OSError):
                file.unlink()
        return [str(file) for file in single if file.exists()]

    def write_document(self, scope: str, name: str, text: str) -> None:
        """See `SecretsWriter`."""
        _replace_file(self._folder / scope / f"{name}.json", text)

    def remove_bundle(self, scope: str, name: str) -> None:
        """See `SecretsWriter`. Refuses to leave a folder with other files, which would be read as an empty bundle."""
        place = self._folder / scope / name
        own = [f"{BUNDLE}.json", *(f"{member}.pem" for member in MEMBERS)]
        try:
            others = sorted(path.name for path in place.iterdir() if path.name not in own)
            if others:
                raise Refused(f"{place} holds other files as well, move them away: {', '.join(others)}")
            # the single files first: without the bundle they would count again
            for file in reversed(own):
                (place / file).unlink(missing_ok=True)
            place.rmdir()
        except OSError as error:
            raise Refused(f"{place} cannot be removed: {error.strerror}") from error


def _replace_file(file: Path, text: str) -> None:
    """Writes beside the file, down to the disk, and then takes its place."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = mkstemp(prefix=f".{file.name}.", dir=file.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(file)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from error


class ParameterWriter:
    """Implements `SecretsWriter` over SecureStrings of SSM.

    A bundle outgrows the 4 KB of a standard parameter, so AWS chooses the tier: an advanced one takes 8 KB and is not
    free.
    """

    def __init__(self, path: str, create_client: Callable[[], Any], *, kms_key: str | None = None) -> None:
        self._root = "/" + path.strip("/")
        self._create_client = create_client
        self._kms_key = kms_key

    def write_bundle(self, scope: str, bundle: CertificateBundle) -> list[str]:
        """See `SecretsWriter`."""
        client, place = self._create_client(), f"{self._root.rstrip('/')}/{scope}/{bundle.name}"
        single = [f"{place}/{member}" for member in MEMBERS]
        self._put(client, f"{place}/{BUNDLE}", encode_bundle(bundle), like=f"{place}/key")
        try:
            client.delete_parameters(Names=single)
        except (BotoCoreError, ClientError):
            return single
        return []

    def write_document(self, scope: str, name: str, text: str) -> None:
        """See `SecretsWriter`."""
        self._put(self._create_client(), f"{self._root.rstrip('/')}/{scope}/{name}", text)

    def remove_bundle(self, scope: str, name: str) -> None:
        """See `SecretsWriter`."""
        place = f"{self._root.rstrip('/')}/{scope}/{name}"
        self._create_client().delete_parameters(Names=[f"{place}/{member}" for member in (BUNDLE, *MEMBERS)])

    def _put(self, client: Any, name: str, text: str, *, like: str | None = None) -> None:
        kms_key = self._kms_key or _find_key(client, name) or (_find_key(client, like) if like else None)
        client.put_parameter(
            Name=name,
            Value=text,
            Type="SecureString",
            Overwrite=True,
            Tier="Intelligent-Tiering",
            **({"KeyId": kms_key} if kms_key else {}),
        )


def _find_key(client: Any, name: str) -> str | None:
    """The KMS key of a parameter that is there: one that is overwritten without naming a key would lose it."""
    found = client.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])["Parameters"]
    return next((str(each["KeyId"]) for each in found if each.get("KeyId")), None)


class SecretWriter:
    """Implements `SecretsWriter` over Secrets Manager: one secret a bundle or document."""

    def __init__(self, prefix: str, create_client: Callable[[], Any], *, kms_key: str | None = None) -> None:
        self._prefix = prefix.rstrip("/")
        self._create_client = create_client
        self._kms_key = kms_key

    def write_bundle(self, scope: str, bundle: CertificateBundle) -> list[str]:
        """See `SecretsWriter`."""
        self.write_document(scope, bundle.name, encode_bundle(bundle))
        return []

    def write_document(self, scope: str, name: str, text: str) -> None:
        """See `SecretsWriter`."""
        client, secret_id = self._create_client(), f"{self._prefix}/{scope}/{name}"
        kms_key = {"KmsKeyId": self._kms_key} if self._kms_key else {}
        try:
            described = client.describe_secret(SecretId=secret_id)
        except client.exceptions.ResourceNotFoundException:
            client.create_secret(Name=secret_id, SecretString=text, **kms_key)
            return
        if described.get("DeletedDate"):  # its name is taken until it is gone for good
            client.restore_secret(SecretId=secret_id)
        if self._kms_key:
            client.update_secret(SecretId=secret_id, SecretString=text, **kms_key)
        else:
            client.put_secret_value(SecretId=secret_id, SecretString=text)

    def remove_bundle(self, scope: str, name: str) -> None:
        """See `SecretsWriter`."""
        self._create_client().delete_secret(SecretId=f"{self._prefix}/{scope}/{name}", RecoveryWindowInDays=30)
