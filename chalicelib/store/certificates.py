"""Where signing certificates are kept: in a folder, in SSM Parameter Store or in Secrets Manager.

The layout is the same everywhere: `<root>/<scope>/<name>` with a certificate, its key and the WWDR intermediate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.certificates import CertificateBundle, CertificateSource
from chalicelib.domain.errors import Busy
from chalicelib.settings import Settings
from chalicelib.store.wallet_services import DocumentSource

MEMBERS = ("certificate", "key", "wwdr")

DOCUMENTS = ("wallets", "google")
"""names in a scope that are no certificates, see `wallet_services.py`"""

CreateClient = Callable[[str, str | None], Any]
"""a botocore client for a service; the second argument is its endpoint, None for AWS's own"""


class SecretsSource(CertificateSource, DocumentSource, Protocol):
    """Certificates, and the documents beside them."""


def make_source(settings: Settings, create_client: CreateClient) -> SecretsSource:
    """The source that the setting `certificates` names; without the setting, one that holds nothing."""
    kind, _, place = (settings.certificates or "").partition(":")
    if kind == "file":
        return FolderSource(Path(place).expanduser())
    if kind == "ssm":
        return ParameterSource(place, lambda: create_client("ssm", settings.ssm_endpoint))
    if kind == "secretsmanager":
        return SecretSource(place, lambda: create_client("secretsmanager", settings.secretsmanager_endpoint))
    return NoSource()


class NoSource:
    """Implements `CertificateSource` where none is configured."""

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        """See `CertificateSource`."""
        return []

    def read_document(self, scope: str, name: str) -> str | None:
        """See `DocumentSource`."""
        return None


class FolderSource:
    """Implements `CertificateSource` over `<folder>/<scope>/<name>/{certificate,key,wwdr}.pem`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        """See `CertificateSource`. Names that begin with a dot are passed over."""
        try:
            folders = sorted(path for path in (self._folder / scope).iterdir() if path.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise Busy("the certificates cannot be read") from error
        return [_read_folder(folder) for folder in folders if not folder.name.startswith(".")]

    def read_document(self, scope: str, name: str) -> str | None:
        """See `DocumentSource`."""
        try:
            return (self._folder / scope / f"{name}.json").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise Busy(f"the document {scope}/{name} cannot be read") from error


def _read_folder(folder: Path) -> CertificateBundle:
    found: dict[str, bytes] = {}
    for member in MEMBERS:
        file = folder / f"{member}.pem"
        try:
            found[member] = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            return _bundle(folder.name, {}, problem=f"{file} cannot be read: {error.strerror}")
    return _bundle(folder.name, found)


class ParameterSource:
    """Implements `CertificateSource` over SecureStrings below a path of SSM. A call reads ten parameters."""

    def __init__(self, path: str, create_client: Callable[[], Any]) -> None:
        self._root = "/" + path.strip("/")
        self._create_client = create_client

    @cached_property
    def _client(self) -> Any:
        return self._create_client()

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        """See `CertificateSource`."""
        path = f"{self._root.rstrip('/')}/{scope}"
        bundles: dict[str, dict[str, bytes]] = {}
        with _translated():
            for parameter in self._read(path):
                name, _, member = parameter["Name"].removeprefix(f"{path}/").partition("/")
                if member in MEMBERS:
                    bundles.setdefault(name, {})[member] = parameter["Value"].encode()
        return [_bundle(name, bundles[name]) for name in sorted(bundles)]

    def read_document(self, scope: str, name: str) -> str | None:
        """See `DocumentSource`."""
        with _translated():
            try:
                answer = self._client.get_parameter(
                    Name=f"{self._root.rstrip('/')}/{scope}/{name}", WithDecryption=True
                )
            except self._client.exceptions.ParameterNotFound:
                return None
            return str(answer["Parameter"]["Value"])

    def _read(self, path: str) -> Iterator[Mapping[str, Any]]:
        arguments = {"Path": path, "Recursive": True, "WithDecryption": True}
        while True:
            answer = self._client.get_parameters_by_path(**arguments)
            yield from answer["Parameters"]
            if not answer.get("NextToken"):
                return
            arguments["NextToken"] = answer["NextToken"]


class SecretSource:
    """Implements `CertificateSource` over one secret a bundle, whose JSON has the three members."""

    def __init__(self, prefix: str, create_client: Callable[[], Any]) -> None:
        self._prefix = prefix.rstrip("/")
        self._create_client = create_client

    @cached_property
    def _client(self) -> Any:
        return self._create_client()

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        """See `CertificateSource`. A call a page of names, and one a bundle."""
        with _translated():
            names = sorted(name for name in self._list_names(scope) if name not in DOCUMENTS)
            return [self._read(scope, name) for name in names]

    def read_document(self, scope: str, name: str) -> str | None:
        """See `DocumentSource`."""
        with _translated():
            try:
                answer = self._client.get_secret_value(SecretId=f"{self._prefix}/{scope}/{name}")
            except self._client.exceptions.ResourceNotFoundException:
                return None
            return str(answer.get("SecretString", ""))

    def _list_names(self, scope: str) -> Iterator[str]:
        start = f"{self._prefix}/{scope}/"
        arguments: dict[str, Any] = {"Filters": [{"Key": "name", "Values": [start]}]}
        while True:
            answer = self._client.list_secrets(**arguments)
            for secret in answer["SecretList"]:
                name = secret["Name"].removeprefix(start)
                # the filter also finds names in other letter case, which keep their slashes, and those that lie deeper
                if name and "/" not in name:
                    yield name
            if not answer.get("NextToken"):
                return
            arguments["NextToken"] = answer["NextToken"]

    def _read(self, scope: str, name: str) -> CertificateBundle:
        secret_id = f"{self._prefix}/{scope}/{name}"
        try:
            members = json.loads(self._client.get_secret_value(SecretId=secret_id).get("SecretString", ""))
        except ValueError:
            members = None
        if not isinstance(members, dict):
            return _bundle(name, {}, problem=f"the secret {secret_id} is not a JSON object")
        found = {member: str(members[member]).encode() for member in MEMBERS if members.get(member)}
        return _bundle(name, found)


def _bundle(name: str, members: Mapping[str, bytes], *, problem: str | None = None) -> CertificateBundle:
    certificate, key, wwdr = (members.get(member, b"") for member in MEMBERS)
    return CertificateBundle(name, certificate, key, wwdr, problem)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Busy("the certificates cannot be read") from error
