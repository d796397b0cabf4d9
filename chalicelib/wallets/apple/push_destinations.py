"""Who pushes where: one destination for each server and credential, kept while the process lives (wallets, 2.5)."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from chalicelib.domain.wallet_services import AppleKey
from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.push_connections import Connection
from chalicelib.wallets.apple.push_tokens import ProviderToken, UnusableKeyError

_MOST_DESTINATIONS = 32
_PASS_PHRASE_BYTES = 16


class UnusableAccessError(Exception):
    """Nothing can be pushed with these settings; the message says in a few words why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A server and who we are to it: by key, or else by pass certificate."""

    base_url: str
    credential: AppleKey | SigningCredentials
    ca_file: Path | None
    """the authorities that vouch for the server; None: those that browsers trust"""

    @property
    def identity(self) -> Hashable:
        """Equal for accesses that may share a connection."""
        credential = self.credential
        return (self.base_url, credential if isinstance(credential, AppleKey) else credential.fingerprint)


class Destination:
    """A server, the connection to it that is in use, and the provider token. For one event loop only."""

    def __init__(self, access: Access, *, now: Callable[[], datetime]) -> None:
        """Raises:
        UnusableAccessError: see there.
        """
        self.base_url = access.base_url
        self.name = _read_host(access.base_url)
        self.provider_token: ProviderToken | None = None
        self._now = now
        self._connection: Connection | None = None
        self._is_retired = False
        credential = access.credential
        try:
            if isinstance(credential, AppleKey):
                self.provider_token = ProviderToken(credential, now=now)
                self._context = make_context(None, ca_file=access.ca_file)
            else:
                self._context = make_context(credential, ca_file=access.ca_file)
        except UnusableKeyError as error:
            raise UnusableAccessError("unusable key") from error
        except (OSError, ValueError) as error:
            raise UnusableAccessError("unusable certificate") from error

    async def reserve(self) -> Connection:
        """A connection with a free stream, to be given back by its `release`."""
        while True:
            connection = self._get_connection()
            if await connection.acquire():
                return connection

    def retire(self) -> None:
        """Closes the connection when its pushes are answered. A run that has not ended may make another."""
        self._is_retired = True
        self.settle()

    def settle(self) -> None:
        """A run has ended; a retired destination is left without a connection."""
        if self._is_retired and self._connection is not None:
            self._connection.retire()

    async def close(self) -> None:
        """Closes the connection now."""
        if self._connection is not None:
            await self._connection.close()

    def _get_connection(self) -> Connection:
        if self._connection is not None and self._connection.is_stale():
            self._connection.retire()
        if self._connection is None or self._connection.is_retired:
            self._connection = Connection(self._context, name=self.name, now=self._now)
        return self._connection


class Destinations:
    """The destinations last used. For one event loop only."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: OrderedDict[Hashable, Destination] = OrderedDict()
        self._identities: dict[Hashable, Hashable] = {}
        """what each owner used last"""

    def get(self, access: Access, *, owner: Hashable) -> Destination:
        """The destination of an access. That which the owner used before is closed, unless others use it.

        Raises:
            UnusableAccessError: see there.
        """
        identity = access.identity
        destination = self._kept.get(identity)
        if destination is None:
            destination = self._kept[identity] = Destination(access, now=self._now)
        self._kept.move_to_end(identity)
        former = self._identities.get(owner)
        self._identities[owner] = identity
        if former not in (None, identity) and former not in self._identities.values():
            self._drop(former)
        if len(self._kept) > _MOST_DESTINATIONS:
            self._drop(next(iter(self._kept)))
        return destination

    async def close(self) -> None:
        """Closes all connections now."""
        for destination in self._kept.values():
            await destination.close()

    def _drop(self, identity: Hashable) -> None:
        destination = self._kept.pop(identity, None)
        if destination is not None:
            destination.retire()
        self._identities = {owner: other for owner, other in self._identities.items() if other != identity}


def make_context(credentials: SigningCredentials | None, *, ca_file: Path | None) -> ssl.SSLContext:
    """How to talk TLS: whom to trust, and the client certificate if there is one.

    OpenSSL reads keys from files alone. This one is its owner's alone, encrypted, and gone when this returns.

    Raises:
        OSError: a file cannot be read or written, or holds no certificate (`ssl.SSLError`).
    """
    context = (
        httpx.create_ssl_context(trust_env=False) if ca_file is None else ssl.create_default_context(cafile=ca_file)
    )
    if credentials is not None:
        pass_phrase = os.urandom(_PASS_PHRASE_BYTES).hex()
        with tempfile.NamedTemporaryFile(prefix="push-", suffix=".pem") as file:
            file.write(_write_pem(credentials, pass_phrase=pass_phrase))
            file.flush()
            context.load_cert_chain(file.name, password=pass_phrase)
    return context


def _write_pem(credentials: SigningCredentials, *, pass_phrase: str) -> bytes:
    key = credentials.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(pass_phrase.encode())
    )
    chain = (credentials.certificate, credentials.wwdr)
    return b"".join([*(certificate.public_bytes(Encoding.PEM) for certificate in chain), key])


def _read_host(base_url: str) -> str:
    """Raises:
    UnusableAccessError: it is no https URL.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise UnusableAccessError("unusable address") from error
    if url.scheme != "https" or not url.host or url.query or url.fragment:
        raise UnusableAccessError("unusable address")
    return url.host
