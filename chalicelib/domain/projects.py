"""Projects, the tenants, and the credentials that open them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.errors import InvalidRequest

MINIMUM_SECRET_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Project:
    """A tenant. Nothing of one project is ever visible in another."""

    project_id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the hash of its secret; the secret itself is shown once and stored nowhere."""

    key: str
    secret_hash: str
    project_id: int
    created_at: datetime
    revoked_at: datetime | None = None

    def opens_with(self, secret: str) -> bool:
        """Whether the secret is right and the key not revoked; takes the same time for any wrong secret."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret)) and self.revoked_at is None


def hash_secret(secret: str) -> str:
    """SHA-256 in hex: enough for random 256-bit secrets, which nobody can guess (DESIGN, section 7)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def random_key() -> str:
    """A new public half of a credential: digits and letters, so that no command line takes it for an option."""
    return secrets.token_hex(10)


def random_secret() -> str:
    """256 random bits, safe in URLs and headers."""
    return secrets.token_urlsafe(32)


def validate_imported_pair(*, key: str, secret: str) -> None:
    """Checks a pair that a team brings from elsewhere, so that its clients need not change.

    Raises:
        InvalidRequest: it cannot travel in a Basic header, or the secret is too short to be safe.
    """
    if not key or ":" in key:
        raise InvalidRequest("must not be empty or contain a colon", field="key")
    if len(secret) < MINIMUM_SECRET_CHARACTERS:
        raise InvalidRequest(f"must have at least {MINIMUM_SECRET_CHARACTERS} characters", field="secret")
