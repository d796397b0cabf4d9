"""Projects, the tenants, and the credentials that open them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from chalicelib.domain.rate_limits import RateLimit

MINIMUM_SECRET_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Project:
    """A tenant. Nothing of one project is ever visible in another."""

    project_id: int
    name: str
    created_at: datetime
    limit: RateLimit | None = None
    """None if it is that of all projects"""


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the hash of its secret; the secret itself is shown once and stored nowhere."""

    key: str
    secret_hash: str
    project_id: int
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    """when it ends by itself, since another one takes its place"""
    limit: RateLimit | None = None
    """of this key alone, in place of its project's"""
    project_limit: RateLimit | None = None
    """a copy of its project's, so that a request reads one row"""

    def opens_with(self, secret: str, *, now: datetime) -> bool:
        """Whether the secret is right and the key in force; takes the same time for any wrong secret."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret)) and self.is_in_force(now)

    def is_in_force(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor at its end."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ProjectStore(Protocol):
    """Where projects and their credentials are kept."""

    def create_project(self, *, name: str, now: datetime) -> Project:
        """A new project."""

    def get_project(self, *, project_id: int) -> Project | None:
        """The project of that id."""

    def rename_project(self, *, project_id: int, name: str) -> bool:
        """Gives it another name; False if there is no such project."""

    def list_projects(self) -> list[Project]:
        """Every project; reads the whole table, so for operators only."""

    def create_credential(self, credential: Credential) -> None:
        """Stores a new pair. Raises AlreadyExists if the key is taken."""

    def get_credential(self, *, key: str) -> Credential | None:
        """The credential of that key, revoked ones included."""

    def get_credential_by_secret(self, *, secret_hash: str) -> Credential | None:
        """The credential with that secret, of several that which ends last: for clients that send the secret alone."""

    def list_credentials(self, *, project_id: int) -> list[Credential]:
        """The project's credentials; reads the whole table, so for operators only."""

    def replace_credential(self, *, old_key: str, expires_at: datetime, new: Credential) -> None:
        """Stores a new pair and gives an old one its end, both or neither.

        Raises AlreadyExists if the new key is taken, Conflict if the old one is revoked, has an end already or is gone.
        """

    def limit_project(self, *, project_id: int, limit: RateLimit | None) -> bool:
        """Limits the requests of a project, on its row and on those of all its keys; False if there is no such project.

        Not in one piece: whoever is interrupted does it again. Reads the whole table of keys.
        """

    def limit_credential(self, *, key: str, limit: RateLimit | None) -> bool:
        """Limits the requests of one key; False if there is no such key."""

    def revoke_credential(self, *, key: str, now: datetime) -> bool:
        """Revokes it; False if there is no such key."""


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
