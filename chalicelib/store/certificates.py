"""Where signing certificates are kept: in a folder, in SSM Parameter Store or in Secrets Manager.

The layout is the same everywhere: `<root>/<scope>/<name>` with a certificate, its key and the WWDR intermediate. They
stand there as one JSON object (`bundle`), which is how they are installed (`certificate_writing.py`), since it is
replaced at once; or, but for Secrets Manager, each by itself, as somebody puts them there by hand. The object wins.

An installation takes the single ones away after it has written the object. So the object is looked for last here: what
is read is all of what was there before, or all of what is there now.
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

BUNDLE = "bundle"
"""the name of the object that holds all members"""

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
    """Implements `CertificateSource` over `<folder>/<scope>/<name>/`: `bundle.json`, or the members as .pem files."""

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
    for member in (*MEMBERS, BUNDLE):
        file = folder / (f"{member}.pem" if member in MEMBERS else f"{member}.json")
        try:
            found[member] = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            return _bundle(folder.name, {}, problem=f"{file} cannot be read: {error.strerror}")
    if BUNDLE in found:
        return _parse_bundle(folder.name, found[BUNDLE], place=f"the file {folder / BUNDLE}.json")
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
                if member in (*MEMBERS, BUNDLE):
                    bundles.setdefault(name, {})[member] = parameter["Value"].encode()
            return [self._complete(f"{path}/{name}", name, bundles[name]) for name in sorted(bundles)]

    def _complete(self, path: str, name: str, found: dict[str, bytes]) -> CertificateBundle:
        """A bundle from the parameters of one reading, which may have met an installation between two pages."""
        if BUNDLE not in found and len(found) < len(MEMBERS):
            document = self._get(f"{path}/{BUNDLE}")
            if document is not None:
                found[BUNDLE] = document.encode()
        if BUNDLE in found:
            return _parse_bundle(name, found[BUNDLE], place=f"the parameter {path}/{BUNDLE}")
        return _bundle(name, found)

    def read_document(self, scope: str, name: str) -> str | None:
        """See `DocumentSource`."""
        with _translated():
            return self._get(f"{self._root.rstrip('/')}/{scope}/{name}")

    def _get(self, path: str) -> str | None:
        try:
            answer = self._client.get_parameter(Name=path, WithDecryption=True)
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
        text = self._client.get_secret_value(SecretId=secret_id).get("SecretString", "")
        return _parse_bundle(name, text, place=f"the secret {secret_id}")


def encode_bundle(bundle: CertificateBundle) -> str:
    """The one object that holds all members; `_parse_bundle` reads it."""
    members = (bundle.certificate_pem, bundle.key_pem, bundle.wwdr_pem)
    return json.dumps({name: pem.decode("ascii") for name, pem in zip(MEMBERS, members, strict=True)})


def _parse_bundle(name: str, text: str | bytes, *, place: str) -> CertificateBundle:
    try:
        members = json.loads(text)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        return _bundle(name, {}, problem=f"{place} is not a JSON object")
    return _bundle(name, {member: str(members[member]).encode() for member in MEMBERS if members.get(member)})


def _bundle(name: str, members: Mapping[str, bytes], *, problem: str | None = None) -> CertificateBundle:
    certificate, key, wwdr = (members.get(member, b"") for member in MEMBERS)
    return CertificateBundle(name, certificate, key, wwdr, problem)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Busy("the certificates cannot be read") from error
