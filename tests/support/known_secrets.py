"""Every secret that comes into being while tests run, written down for `tests/whole_run`, which looks for them in logs.

They are noted where the code under test gets hold of them: as values of the domain, as settings, and as the headers and
addresses of requests. They are all made up by tests.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from chalice.app import Chalice
from cryptography.hazmat.primitives.serialization import pkcs12

from chalicelib import settings
from chalicelib.domain import authenticating
from chalicelib.domain.certificates import CertificateBundle
from chalicelib.domain.deliveries import Delivery
from chalicelib.domain.passes import Pass
from chalicelib.domain.receivers import AirshipReceiver, PassworksReceiver, Receiver
from chalicelib.domain.registrations import Installation, Registration, Wallet
from chalicelib.domain.wallet_services import AppleKey, GoogleAccount, PushService
from tests.support.recording import recording_of
from tests.support.wrapping import wrapping

KIND = "secrets"
"""of the recording's files: a JSON array of what it is and the secret itself a line"""

FEWEST_CHARACTERS = 9
"""what is shorter is found by accident as well, and no secret worth the name"""

PRIVATE_KEY = "private key"

VALUES: tuple[tuple[type, str, str], ...] = (
    (Pass, "authentication_token", "authentication token"),
    (Pass, "download_token", "download token"),
    (Installation, "push_token", "push token"),
    (Registration, "push_token", "push token"),
    (Delivery, "tokens", "push token"),
    (Receiver, "secret", "signing secret"),
    (Receiver, "previous_secret", "signing secret"),
    (AirshipReceiver, "headers", "receiver's header"),
    (PassworksReceiver, "authorization", "receiver's header"),
    (PushService, "api_key", "wallet API key"),
    (AppleKey, "private_key", PRIVATE_KEY),
    (GoogleAccount, "service_account", PRIVATE_KEY),
    (CertificateBundle, "key_pem", PRIVATE_KEY),
)
"""which attributes of which values of the domain are secret"""

_SETTINGS = re.compile(r".*_(?:api_key|access_key|token)")
_PARAMETERS = frozenset({"api_key", "token"})
"""of a query"""
_DEVICE = re.compile(r"/v1/devices/([^/]+)/")


class KnownSecrets:
    """What is secret, and what it is."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def note(self, kind: str, value: Any) -> None:
        """Notes a secret, or each of several. What is none by its form is passed over."""
        match value:
            case None:
                return
            case Mapping():
                self.note_all(kind, value.values())
            case tuple() | list():
                self.note_all(kind, value)
            case bytes():
                self.note(kind, value.decode(errors="replace"))
            case _:
                self._note_text(kind, str(value))

    def _note_text(self, kind: str, text: str) -> None:
        if kind == PRIVATE_KEY:
            for line in _lines_of_key(text):
                self.found.setdefault(line, kind)
        elif len(text) >= FEWEST_CHARACTERS and len(set(text)) > 1:
            self.found.setdefault(text, kind)

    def note_all(self, kind: str, values: Iterable[Any]) -> None:
        """Notes several."""
        for value in values:
            self.note(kind, value)

    def note_authorization(self, header: str | bytes | None) -> None:
        """Notes what an Authorization header proves: a password, or whatever stands behind the scheme."""
        text = header.decode(errors="replace") if isinstance(header, bytes) else header or ""
        scheme, _, credentials = text.strip().partition(" ")
        self.note("Authorization header", credentials)
        if scheme.lower() == "basic":
            self.note("API secret", _password_in(credentials))

    def note_address(self, address: str) -> None:
        """Notes what the address of a request gives away: tokens in its query, and the device in its path."""
        parts = urlsplit(address)
        for name, values in parse_qs(parts.query).items():
            if name in _PARAMETERS:
                self.note(f"{name} in a query", values)
        device = _DEVICE.search(parts.path)
        if device is not None:
            self.note("device library identifier", unquote(device[1]))


def _lines_of_key(text: str) -> list[str]:
    """The lines of a key in PEM form, since a log may break them anyhow; none of any other text."""
    _, found, rest = text.partition("PRIVATE KEY-----")
    key = rest.partition("-----END")[0] if found else ""
    return [line for line in key.splitlines() if len(line) >= FEWEST_CHARACTERS]


def _password_in(credentials: str) -> str | None:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:  # not base64, or not of UTF-8
        return None


def follow_secrets(known: KnownSecrets) -> None:
    """Notes every secret of this process from now on."""
    for owner in dict.fromkeys(owner for owner, _, _ in VALUES):
        _follow_value(known, owner, [(name, kind) for each, name, kind in VALUES if each is owner])

    @wrapping(authenticating, "issue_key")
    def issue_key(call: Callable[..., tuple[str, str]], *values: Any, **named: Any) -> tuple[str, str]:
        key, secret = call(*values, **named)
        known.note("API secret", secret)
        return key, secret

    @wrapping(settings, "read_settings")
    def read_settings(call: Callable[..., settings.Settings], environment: Any) -> settings.Settings:
        read = call(environment)
        known.note_all("setting", [value for name, value in vars(read).items() if _SETTINGS.fullmatch(name)])
        return read

    @wrapping(pkcs12, "load_key_and_certificates")
    def load(call: Callable[..., Any], data: Any, password: Any, *more: Any, **named: Any) -> Any:
        known.note("password of a key file", password)
        return call(data, password, *more, **named)

    _follow_requests(known)


def _follow_value(known: KnownSecrets, owner: type, secrets: Iterable[tuple[str, str]]) -> None:
    @wrapping(owner, "__init__")
    def make(call: Callable[..., None], value: Any, *values: Any, **named: Any) -> None:
        call(value, *values, **named)
        # Google has no devices: what stands for their tokens is the id of an object
        if getattr(value, "wallet", None) is not Wallet.GOOGLE_WALLET:
            for name, kind in secrets:
                known.note(kind, getattr(value, name))


def _follow_requests(known: KnownSecrets) -> None:
    """Those that we answer, and those that we or our clients send."""

    @wrapping(Chalice, "__call__")
    def answer(call: Callable[..., Any], app: Chalice, event: Any, context: Any) -> Any:
        for name, value in (event.get("headers") or {}).items():
            if name.lower() == "authorization":
                known.note_authorization(value)
        query = event.get("multiValueQueryStringParameters") or {}
        for name in _PARAMETERS & query.keys():
            known.note(f"{name} in a query", query[name])
        known.note_address(event["requestContext"].get("path") or "")
        return call(app, event, context)

    @wrapping(httpx.BasicAuth, "__init__")
    def sign_in(call: Callable[..., None], auth: Any, username: Any, password: Any) -> None:
        known.note("API secret", password)
        call(auth, username, password)

    @wrapping(httpx.Request, "__init__")
    def make(call: Callable[..., None], request: httpx.Request, *values: Any, **named: Any) -> None:
        call(request, *values, **named)
        known.note_authorization(request.headers.get("authorization"))
        known.note_address(str(request.url))


_SECRETS = pytest.StashKey[KnownSecrets]()


def pytest_configure(config: pytest.Config) -> None:
    """Begins to note, if the run is recorded."""
    if recording_of(config) is not None:
        known = config.stash[_SECRETS] = KnownSecrets()
        follow_secrets(known)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes them down."""
    recording = recording_of(session.config)
    if recording is not None:
        found = session.config.stash[_SECRETS].found
        text = "".join(json.dumps([kind, secret]) + "\n" for secret, kind in found.items())
        recording.file(KIND).write_text(text, encoding="utf-8")


def read_secrets(files: Iterable[Path]) -> dict[str, str]:
    """What was written down: secrets, and what each is."""
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return {secret: kind for kind, secret in map(json.loads, lines)}
