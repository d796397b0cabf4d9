"""Each project's wallet services: the deployment's settings, overlaid by documents that are kept with the certificates.

`<root>/<scope>/wallets` is a JSON document (`schemas/wallet_services.py`), `<root>/<scope>/google` a service account's
key file as Google gives it out. The scope is a project id; what a project does not set, the shared scope may.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple, Protocol

import cachetools
from pydantic import ValidationError

from chalicelib.domain.certificates import SHARED
from chalicelib.domain.errors import Busy
from chalicelib.domain.wallet_services import AppleKey, GoogleAccount, PushService, WalletServices
from chalicelib.schemas.wallet_services import ApplePart, ServicePart, WalletsDocument
from chalicelib.settings import Settings

WALLETS, GOOGLE = "wallets", "google"

_PROJECTS = 1000
_NO_PROJECT = 0
"""ids begin at 1, so that this one has nothing of its own"""


class DocumentSource(Protocol):
    """Where the documents are."""

    def read_document(self, scope: str, name: str) -> str | None:
        """The text of a document; None if there is none. Raises Busy."""


class _Documents(NamedTuple):
    own: WalletsDocument
    shared: WalletsDocument
    services: WalletServices


class StoredWalletServices:
    """Implements `WalletServiceSource`; remembers each project for as long as certificates are remembered."""

    def __init__(self, settings: Settings, source: DocumentSource, *, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._source = source
        seconds = settings.certificate_cache_seconds
        self._known: cachetools.TTLCache[int, _Documents] = cachetools.TTLCache(
            _PROJECTS, seconds, timer=lambda: now().timestamp()
        )
        self._accounts: cachetools.TTLCache[int, GoogleAccount | None] = cachetools.TTLCache(
            _PROJECTS, seconds, timer=lambda: now().timestamp()
        )
        self._lock = Lock()

    def get_services(self, project_id: int) -> WalletServices:
        """See `WalletServiceSource`. A document that cannot be read is not passed over: nothing is sent astray."""
        with self._lock:
            return self._read(project_id).services

    def get_google(self, project_id: int) -> GoogleAccount | None:
        """See `WalletServiceSource`. Workers of other wallets do not come here, and may not read the key."""
        with self._lock:
            with contextlib.suppress(KeyError):
                return self._accounts[project_id]
            documents = self._read(project_id)
            account = self._google(project_id, documents.own, documents.shared)
            self._accounts[project_id] = account
            return account

    def get_shared_issuer(self) -> str | None:
        """See `WalletServiceSource`."""
        account = self.get_google(_NO_PROJECT)
        return None if account is None else account.issuer_id

    def _read(self, project_id: int) -> _Documents:
        found = self._known.get(project_id)
        if found is None:
            own, shared = (self._read_wallets(scope) for scope in (str(project_id), SHARED))
            found = self._known[project_id] = _Documents(own, shared, self._overlay(own, shared))
        return found

    def _overlay(self, own: WalletsDocument, shared: WalletsDocument) -> WalletServices:
        settings = self._settings
        return WalletServices(
            apns=PushService(base_url=_first(own.apple.base_url, shared.apple.base_url, settings.apns_base_url)),
            # as with the others, a key goes only where whoever holds it leads: it signs what the service is shown
            apple_key=_apple_key(own.apple) or (_apple_key(shared.apple) if own.apple.base_url is None else None),
            wallet_passes=_service(
                own.wallet_passes,
                shared.wallet_passes,
                ServicePart(base_url=settings.wallet_passes_base_url, api_key=settings.wallet_passes_api_key),
            ),
            pass2u=_service(
                own.pass2u,
                shared.pass2u,
                ServicePart(base_url=settings.pass2u_base_url, api_key=settings.pass2u_api_key),
            ),
            passworks_wallet=_service(
                own.passworks_wallet,
                shared.passworks_wallet,
                ServicePart(base_url=settings.passworks_wallet_base_url, api_key=settings.passworks_wallet_api_key),
            ),
            passwallet_allow=_first(own.passwallet.allow, shared.passwallet.allow, settings.passwallet_push_allow),
            passwallet_type_key=_first(
                own.passwallet.type_key, shared.passwallet.type_key, settings.passwallet_type_key
            ),
        )

    def _google(self, project_id: int, own: WalletsDocument, shared: WalletsDocument) -> GoogleAccount | None:
        """The project's own issuer with its own account, or the shared ones: never one with the other's."""
        settings, part, scope = self._settings, own.google, str(project_id)
        if part.issuer_id is None:
            part, scope = shared.google, SHARED
        issuer_id = part.issuer_id or settings.google_issuer_id
        if issuer_id is None:
            return None
        return GoogleAccount(
            issuer_id=issuer_id,
            service_account=self._read_service_account(scope),
            rest_base_url=_first(part.rest_base_url, settings.google_rest_base_url),
            token_url=_first(part.token_url, settings.google_token_url),
            save_base_url=_first(part.save_base_url, settings.google_save_base_url),
            origins=_first(part.origins, ()),
        )

    def _read_wallets(self, scope: str) -> WalletsDocument:
        text = self._source.read_document(scope, WALLETS)
        if text is None:
            return WalletsDocument()
        try:
            return WalletsDocument.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise Busy(f"the document {scope}/{WALLETS} is faulty at {place or 'its beginning'}") from error

    def _read_service_account(self, scope: str) -> Mapping[str, Any] | None:
        text = self._source.read_document(scope, GOOGLE)
        if text is None:
            return None
        try:
            account = json.loads(text)
        except ValueError as error:
            raise Busy(f"the document {scope}/{GOOGLE} is no JSON") from error
        if not isinstance(account, dict) or not {"client_email", "private_key"} <= account.keys():
            raise Busy(f"the document {scope}/{GOOGLE} is no service account's key file")
        return account


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _service(*parts: ServicePart) -> PushService:
    """The first address and the first key. A key goes only where the part that holds it, or a later one, leads."""
    position = next(number for number, part in enumerate(parts) if part.base_url is not None)
    base_url = str(parts[position].base_url).rstrip("/")
    return PushService(base_url=base_url, api_key=_first(*(part.api_key for part in parts[: position + 1])))


def _apple_key(part: ApplePart) -> AppleKey | None:
    if part.key_id is None or part.team_id is None or part.private_key is None:
        return None
    return AppleKey(key_id=part.key_id, team_id=part.team_id, private_key=part.private_key)
