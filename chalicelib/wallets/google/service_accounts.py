"""Service accounts: tokens for Google's REST interface, and signatures of save links (wallets, section 4.4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from threading import Lock
from typing import Any

import google.auth.jwt
import httpx
from cachetools import LRUCache
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport import Request, Response
from google.oauth2.service_account import Credentials

from chalicelib.domain.wallet_services import GoogleAccount

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"

_MOST_ACCOUNTS = 100
"""kept ready in this process"""


class UnusableAccount(Exception):
    """The key file is none, or Google does not accept it. `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenServerFailed(Exception):
    """No token can be had at present."""


class ServiceAccounts:
    """The accounts of all projects. One of these serves all threads.

    A token is fetched when it is first needed and kept until shortly before its end.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._request = _HttpxRequest(http)
        self._lock = Lock()
        self._credentials: LRUCache[str, Credentials] = LRUCache(_MOST_ACCOUNTS)

    def get_token(self, account: GoogleAccount) -> str:
        """A token that lives for some minutes more.

        Raises:
            UnusableAccount, TokenServerFailed
        """
        with self._lock:
            credentials = self._get_credentials(account)
            if not credentials.valid:
                try:
                    credentials.refresh(self._request)  # type: ignore[no-untyped-call]
                except TransportError as error:
                    raise TokenServerFailed("the token server cannot be reached") from error
                except (GoogleAuthError, ValueError) as error:
                    raise UnusableAccount("token_refused") from error
            return str(credentials.token)

    def forget_token(self, account: GoogleAccount, token: str) -> None:
        """Lets the next call fetch a token, unless another one than `token` is there already."""
        with self._lock:
            credentials = self._get_credentials(account)
            if credentials.token == token:
                credentials.token = None

    def sign(self, account: GoogleAccount, claims: Mapping[str, Any]) -> str:
        """The claims as a JWT, signed RS256 with the account's key.

        Raises:
            UnusableAccount
        """
        with self._lock:
            signer = self._get_credentials(account).signer
        signed: bytes = google.auth.jwt.encode(signer, claims)  # type: ignore[no-untyped-call]
        return signed.decode()

    def _get_credentials(self, account: GoogleAccount) -> Credentials:
        key_file = {**(account.service_account or {}), "token_uri": account.token_url}
        name = hashlib.sha256(json.dumps(key_file, sort_keys=True, default=str).encode()).hexdigest()
        found = self._credentials.get(name)
        if found is None:
            try:
                found = Credentials.from_service_account_info(key_file, scopes=[SCOPE])  # type: ignore[no-untyped-call]
            except (GoogleAuthError, ValueError, TypeError, AttributeError) as error:
                raise UnusableAccount("unusable_key_file") from error
            self._credentials[name] = found
        return found


class _HttpxResponse(Response):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def data(self) -> bytes:
        return self._response.content


class _HttpxRequest(Request):
    """The transport that google-auth fetches tokens through.

    A server that is busy or down is a transport error: the library would else wait and ask again by itself.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Response:
        try:
            response = self._http.request(method, url, content=body, headers=dict(headers or {}))
        except httpx.HTTPError as error:
            raise TransportError("no answer") from error  # type: ignore[no-untyped-call]
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.status_code >= 500:
            raise TransportError(f"the answer was {response.status_code}")  # type: ignore[no-untyped-call]
        return _HttpxResponse(response)
