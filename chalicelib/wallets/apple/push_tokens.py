"""The provider token of pushes with a .p8 key: who we are, signed, in place of a client certificate (wallets, 2.5)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.auth.crypt.es256 import ES256Signer

from chalicelib.domain.wallet_services import AppleKey

LIFE = timedelta(minutes=40)
"""for which one token is used; Apple asks for 20 to 60 minutes"""
SHORTEST_LIFE = timedelta(minutes=20)
"""between renewals that the service asked for: it refuses a provider whose tokens change faster"""


class UnusableKeyError(ValueError):
    """The text is no private key on P-256 in PEM form."""


class ProviderToken:
    """The token of one key, signed when needed. For one thread only."""

    def __init__(self, key: AppleKey, *, now: Callable[[], datetime]) -> None:
        """Raises:
        UnusableKeyError: nothing can be signed with the key.
        """
        self._key = key
        self._signer = ES256Signer(_read_key(key.private_key))
        self._now = now
        self._signed_at = self._renewed_at = datetime.min.replace(tzinfo=now().tzinfo)
        self._token = ""

    def get(self) -> str:
        """The token in use, no older than 40 minutes."""
        age = self._now() - self._signed_at
        if not timedelta() <= age < LIFE:
            self._sign()
        return self._token

    def renew(self, refused: str) -> str | None:
        """Another token in place of one that the service calls expired; None if that was done a short while ago.

        Many pushes are refused at once: all get the one new token.
        """
        if refused != self._token:
            return self._token
        if self._now() - self._renewed_at < SHORTEST_LIFE:
            return None
        self._renewed_at = self._now()
        self._sign()
        return self._token

    def _sign(self) -> None:
        # google.auth.jwt would add "typ" to the header
        self._signed_at = self._now()
        header = {"alg": "ES256", "kid": self._key.key_id}
        claims = {"iss": self._key.team_id, "iat": int(self._signed_at.timestamp())}
        signed = f"{_encode_json(header)}.{_encode_json(claims)}"
        self._token = f"{signed}.{_encode(self._signer.sign(signed.encode()))}"


def _read_key(pem: str) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKeyError("the push key is not a private key in PEM form, or it is encrypted") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise UnusableKeyError("the push key is not on the curve P-256")
    return key


def _encode_json(members: Mapping[str, object]) -> str:
    return _encode(json.dumps(members, separators=(",", ":")).encode())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
